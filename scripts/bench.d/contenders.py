"""How each contender is told to do the same thing.

The sizes and numbers of parts and ranges of large objects were tried out for each contender (docs/BENCHMARKS.md says
which); the best are used. Otherwise the peers' options are those without requests and checks that others do not make.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from layout import Store

REGION = "us-east-1"


class Contender(Protocol):
    """A program that moves objects. Each method returns a command line; the store is in the environment."""

    name: str
    environment: Mapping[str, str]

    def cat(self, key: str) -> list[str]:
        """An object to standard output, over one connection."""

    def get(self, key: str, path: Path) -> list[str]:
        """An object to a file, in ranges."""

    def put(self, path: Path, key: str) -> list[str]:
        """A file to an object, in parts."""

    def put_many(self, folder: Path, prefix: str, width: int) -> list[str]:
        """A folder's files to objects, `width` at once."""

    def get_many(self, prefix: str, folder: Path, width: int) -> list[str]:
        """All objects below a prefix to files, `width` at once."""

    def list(self, prefix: str) -> list[str]:
        """Every key below a prefix to standard output."""


@dataclass(frozen=True)
class Ours:
    binary: Path
    store: Store
    name: str = "milvus-backupfs"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "STORE_BENCH_ENDPOINT": self.store.endpoint,
            "STORE_BENCH_BUCKET": self.store.bucket,
            "STORE_BENCH_ACCESS_KEY": self.store.access_key,
            "STORE_BENCH_SECRET_KEY": self.store.secret_key,
        }

    def _command(self, *words: str | Path) -> list[str]:
        return [str(self.binary), *map(str, words)]

    def cat(self, key: str) -> list[str]:
        return self._command("get", key, "--in-flight", "2", "--part-size", str(16 << 20))

    def get(self, key: str, path: Path) -> list[str]:
        return self._command("get", key, "--output", path, "--in-flight", "2", "--part-size", str(16 << 20))

    def put(self, path: Path, key: str) -> list[str]:
        return self._command("put", path, key, "--in-flight", "4", "--part-size", str(8 << 20))

    def put_many(self, folder: Path, prefix: str, width: int) -> list[str]:
        return self._command("put-many", folder, prefix, "--in-flight", str(width))

    def get_many(self, prefix: str, folder: Path, width: int) -> list[str]:
        return self._command("get-many", prefix, folder, "--in-flight", str(width))

    def list(self, prefix: str) -> list[str]:
        return self._command("list", prefix)


@dataclass(frozen=True)
class Rclone:
    store: Store
    name: str = "rclone"

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "TYPE": "s3", "PROVIDER": "SeaweedFS", "ENDPOINT": self.store.endpoint, "REGION": REGION,
            "ACCESS_KEY_ID": self.store.access_key, "SECRET_ACCESS_KEY": self.store.secret_key,
        }
        remote = {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in settings.items()}
        return {"RCLONE_CONFIG": "/dev/null", **remote}

    def _command(self, verb: str, *words: str, heads: bool = False) -> list[str]:
        """`heads`: it may ask about the object beforehand and afterwards. Without, it takes large ones for empty."""
        common = ["--s3-no-check-bucket", "--s3-use-unsigned-payload=true", "--ignore-checksum", "--retries=1"]
        if not heads:
            common += ["--s3-no-head", "--s3-no-head-object"]
        return [str(Path(sys.prefix) / "bin" / "rclone"), verb, *words, *common]

    def _remote(self, key: str) -> str:
        return f"BENCH:{self.store.bucket}/{key}"

    def cat(self, key: str) -> list[str]:
        return self._command("cat", self._remote(key), "--buffer-size=16M", heads=True)

    def get(self, key: str, path: Path) -> list[str]:
        words = ["--multi-thread-streams=4", "--multi-thread-cutoff=1M", "--multi-thread-chunk-size=64M", "--inplace"]
        return self._command("copyto", self._remote(key), str(path), "--no-check-dest", *words, heads=True)

    def put(self, path: Path, key: str) -> list[str]:
        words = ["--s3-chunk-size=16M", "--s3-upload-concurrency=4", "--s3-disable-checksum", "--no-check-dest"]
        return self._command("copyto", str(path), self._remote(key), *words, heads=True)

    def put_many(self, folder: Path, prefix: str, width: int) -> list[str]:
        words = [f"--transfers={width}", "--no-check-dest", "--no-traverse"]
        return self._command("copy", str(folder), self._remote(prefix), *words)

    def get_many(self, prefix: str, folder: Path, width: int) -> list[str]:
        words = [f"--transfers={width}", "--no-check-dest", "--fast-list", "--inplace"]
        return self._command("copy", self._remote(prefix), str(folder), *words)

    def list(self, prefix: str) -> list[str]:
        return self._command("lsf", "-R", "--fast-list", "--files-only", self._remote(prefix))


@dataclass(frozen=True)
class S5cmd:
    store: Store
    name: str = "s5cmd"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.store.access_key, "AWS_SECRET_ACCESS_KEY": self.store.secret_key,
            "AWS_REGION": REGION, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "S3_ENDPOINT_URL": self.store.endpoint,
        }

    def _command(self, *words: str, workers: int = 16) -> list[str]:
        program = str(Path(sys.prefix) / "bin" / "s5cmd")
        return [program, "--retry-count=0", "--log=error", f"--numworkers={workers}", *words]

    def _address(self, key: str) -> str:
        return f"s3://{self.store.bucket}/{key}"

    def cat(self, key: str) -> list[str]:
        return self._command("cat", "--concurrency=1", "--part-size=50", self._address(key))

    def get(self, key: str, path: Path) -> list[str]:
        return self._command("cp", "--concurrency=8", "--part-size=50", self._address(key), str(path))

    def put(self, path: Path, key: str) -> list[str]:
        return self._command("cp", "--concurrency=5", "--part-size=50", str(path), self._address(key))

    def put_many(self, folder: Path, prefix: str, width: int) -> list[str]:
        return self._command("cp", f"{folder}/*", self._address(prefix) + "/", workers=width)

    def get_many(self, prefix: str, folder: Path, width: int) -> list[str]:
        return self._command("cp", self._address(prefix) + "/*", f"{folder}/", workers=width)

    def list(self, prefix: str) -> list[str]:
        # --log=error would hide the keys.
        return [word for word in self._command("ls", self._address(prefix) + "/*") if word != "--log=error"]
