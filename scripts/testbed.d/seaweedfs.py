"""A SeaweedFS server with its S3 gateway: one store of the testbed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clients import s3_client
from daemon import clean_environment
from layout import HOST, Layout, Store
from server import Server, newest

VOLUME_SIZE_MB = 128
VOLUME_COUNT = 400
"""A bound, nothing is allocated for it: each bucket takes a few volumes, and tests make many."""


class SeaweedServer(Server):
    start_bound = 60
    # A clean stop hangs in the filer, which waits for its own subscribers. Everything that was
    # acknowledged is in files already.
    stop_grace = 2

    def __init__(self, layout: Layout, store: Store) -> None:
        super().__init__(layout, store.name, store.endpoint, list(store.ports.values()), store.logs)
        self.store = store

    def launch(self) -> None:
        self.store.data.mkdir(parents=True, exist_ok=True)
        self.store.config.parent.mkdir(parents=True, exist_ok=True)
        self.store.config.write_text(json.dumps(_identities(self.store), indent=2) + "\n")
        # Buckets grow by two volumes at a time instead of seven: less disk for many small buckets.
        environment = clean_environment(WEED_MASTER_VOLUME_GROWTH_COPY_1="2")
        self.daemon.start(self._command(), directory=self.store.data, environment=environment)

    def problem(self) -> str | None:
        """Lists the bucket with a signed request, or makes it by writing and deleting an object."""
        from botocore.exceptions import BotoCoreError, ClientError

        client = s3_client(self.store)
        bucket = self.store.bucket
        try:
            try:
                client.list_objects_v2(Bucket=bucket, MaxKeys=1)
            except client.exceptions.NoSuchBucket:
                client.create_bucket(Bucket=bucket)
                # The gateway answers before the volume server takes writes.
                client.put_object(Bucket=bucket, Key="testbed-probe", Body=b"probe")
                client.delete_object(Bucket=bucket, Key="testbed-probe")
        except (BotoCoreError, ClientError) as error:
            return str(error)
        return None

    def stop(self) -> bool:
        ran = super().stop()
        # Sockets between its own parts, which it leaves behind; named by port, always in /tmp.
        for port in self.ports:
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)
        return ran

    def log_files(self) -> list[Path]:
        return newest(self.logs, "weed*INFO*") + newest(self.logs, "weed*ERROR*") + newest(self.logs, "output.log")

    def _command(self) -> list[str]:
        ports = self.store.ports
        return [
            str(Path(sys.prefix) / "bin" / "weed"),
            f"-logdir={self.logs}",
            "-alsologtostderr=false",
            "-stderrthreshold=FATAL",
            "-log_max_size_mb=20",
            "-log_max_files=2",
            "server",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            f"-dir={self.store.data}",
            f"-master.port={ports['master']}",
            f"-master.port.grpc={ports['master_grpc']}",
            "-master.electionTimeout=1s",
            "-master.telemetry=false",
            f"-master.volumeSizeLimitMB={VOLUME_SIZE_MB}",
            f"-volume.port={ports['volume']}",
            f"-volume.port.grpc={ports['volume_grpc']}",
            f"-volume.max={VOLUME_COUNT}",
            "-volume.preStopSeconds=0",
            "-filer",
            f"-filer.port={ports['filer']}",
            f"-filer.port.grpc={ports['filer_grpc']}",
            "-s3",
            f"-s3.port={ports['s3']}",
            f"-s3.port.grpc={ports['s3_grpc']}",
            # Two more listeners, whose default ports two stores would fight for.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.iam=false",
            f"-s3.config={self.store.config}",
            # Buckets answer at BUCKET.localhost too, besides in the path.
            "-s3.domainName=localhost",
            # As S3 does: no bucket appears by writing to it, none goes with objects in it.
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
        ]


def _identities(store: Store) -> dict:
    return {
        "identities": [
            {
                "name": store.name,
                "credentials": [{"accessKey": store.access_key, "secretKey": store.secret_key}],
                "actions": ["Admin", "Read", "List", "Tagging", "Write"],
            }
        ]
    }
