"""Where a testbed keeps its things: directories, ports, credentials.

Everything follows from the testbed's directory and its base port, so two testbeds with
different ones never meet. Ports are fixed offsets in one block; SeaweedFS' gRPC ports are
given explicitly, as it would put them 10,000 higher. The default block lies below the
range from which Linux takes ports for outgoing connections (32768 on).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TESTBED_HOME = PROJECT / ".testbed"
DEFAULT_DIRECTORY = TESTBED_HOME / "run"
DEFAULT_BASE_PORT = 20000
MILVUS_HOME = TESTBED_HOME / "milvus"
"""The unpacked Milvus server, shared by all testbeds."""

HOST = "127.0.0.1"
INSTANCE_NAMES = ("A", "B")
PORTS_PER_INSTANCE = 20
PORTS_PER_TESTBED = PORTS_PER_INSTANCE * len(INSTANCE_NAMES)

MILVUS_PORTS = {
    "proxy": 0,
    "metrics": 1,
    "etcd_client": 2,
    "etcd_peer": 3,
    "proxy_internal": 4,
    "root_coord": 5,
    "query_coord": 6,
    "data_coord": 7,
    "query_node": 8,
    "data_node": 9,
    "index_node": 18,
}
STORE_PORTS = {
    "s3": 10,
    "s3_grpc": 11,
    "master": 12,
    "master_grpc": 13,
    "volume": 14,
    "volume_grpc": 15,
    "filer": 16,
    "filer_grpc": 17,
}


@dataclass(frozen=True)
class Store:
    """One SeaweedFS S3 store."""

    name: str
    ports: dict[str, int]
    bucket: str
    access_key: str
    secret_key: str
    data: Path
    logs: Path
    config: Path

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.ports['s3']}"


@dataclass(frozen=True)
class Milvus:
    """One Milvus standalone server."""

    name: str
    ports: dict[str, int]
    data: Path
    logs: Path
    config: Path

    @property
    def address(self) -> str:
        return f"{HOST}:{self.ports['proxy']}"

    @property
    def management(self) -> str:
        return f"http://{HOST}:{self.ports['metrics']}"


@dataclass(frozen=True)
class Instance:
    """A Milvus server and the store it keeps its data in."""

    name: str
    store: Store
    milvus: Milvus


@dataclass(frozen=True)
class Layout:
    directory: Path
    base_port: int

    def __post_init__(self) -> None:
        highest = 65535 - PORTS_PER_TESTBED + 1
        if not 1024 <= self.base_port <= highest:
            raise ValueError(
                f"the base port must lie between 1024 and {highest}: a testbed takes "
                f"{PORTS_PER_TESTBED} ports from it on; got {self.base_port}"
            )

    @property
    def records(self) -> Path:
        """Process records (the pid files)."""
        return self.directory / "pids"

    @property
    def configs(self) -> Path:
        return self.directory / "configs"

    @property
    def summary(self) -> Path:
        return self.directory / "testbed.json"

    @property
    def instances(self) -> list[Instance]:
        return [self._instance(index, name) for index, name in enumerate(INSTANCE_NAMES)]

    def backup_config(self, name: str) -> Path:
        return self.configs / f"milvus_{name}.yaml"

    def _instance(self, index: int, name: str) -> Instance:
        first = self.base_port + index * PORTS_PER_INSTANCE
        lower = name.lower()
        store_name, milvus_name = f"store_{name}", f"milvus_{name}"
        return Instance(
            name=name,
            store=Store(
                name=store_name,
                ports={role: first + offset for role, offset in STORE_PORTS.items()},
                bucket=f"bucket-{lower}",
                access_key=f"testbed-{lower}",
                secret_key=f"testbed-secret-{lower}",
                data=self.directory / "data" / store_name,
                logs=self.directory / "logs" / store_name,
                config=self.directory / "servers" / store_name / "s3.json",
            ),
            milvus=Milvus(
                name=milvus_name,
                ports={role: first + offset for role, offset in MILVUS_PORTS.items()},
                data=self.directory / "data" / milvus_name,
                logs=self.directory / "logs" / milvus_name,
                config=self.directory / "servers" / milvus_name,
            ),
        )
