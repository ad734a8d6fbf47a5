"""Mounts of two stores by each contender. Each is taken away and made anew before a run, so that nothing is cached."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contenders import Rclone
from layout import Store
from tables import BenchError

ROOT = "backup"
CONFIG = """\
milvus: {{address: 127.0.0.1, port: 1}}
minio:
  storageType: minio
  address: {host}
  port: {port}
  accessKeyID: {key}
  secretAccessKey: {secret}
  useSSL: false
  bucketName: {bucket}
  rootPath: files
  backupBucketName: {bucket}
  backupRootPath: {root}
"""


@dataclass(frozen=True)
class Place:
    """A bucket of a store, by the endpoint it is reached at."""

    name: str
    store: Store
    endpoint: str
    bucket: str

    @classmethod
    def of(cls, name: str, store: Store, endpoint: str | None = None, bucket: str | None = None) -> Place:
        return cls(name, store, endpoint or store.endpoint, bucket or store.bucket)


class Mount(ABC):
    """One or two places as directories; `path(place)` is where the backups of one lie."""

    name: str

    def __init__(self, folder: Path, places: list[Place]) -> None:
        self.folder = folder / self.name.replace(" ", "-")
        self.places = places
        self.processes: list[tuple[subprocess.Popen, Path]] = []
        self.folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def path(self, place: Place) -> Path: ...

    @abstractmethod
    def mount(self) -> None: ...

    def pids(self) -> list[int]:
        return [process.pid for process, _ in self.processes]

    def remount(self) -> None:
        self.unmount()
        self.mount()

    def unmount(self) -> None:
        for process, point in self.processes:
            subprocess.run(["fusermount3", "-u", str(point)], capture_output=True)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                subprocess.run(["fusermount3", "-u", "-z", str(point)], capture_output=True)
        self.processes = []

    def _start(self, command: list[str], point: Path, environment: Mapping[str, str] = {}) -> None:
        point.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment})
        self.processes.append((process, point))
        for _ in range(300):
            if os.path.ismount(point):
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        raise BenchError(f"{self.name} does not mount; see {self.folder}/log")


class Ours(Mount):
    name = "milvus-backupfs"

    def __init__(self, folder: Path, places: list[Place], binary: Path, options: list[str] = []) -> None:
        # Each set of options is a mount of its own.
        self.name = " ".join([Ours.name, *options])
        super().__init__(folder, places)
        self.binary = binary
        self.options = options
        self.configs = self.folder / "configs"
        self.configs.mkdir(exist_ok=True)
        for file in self.configs.iterdir():
            file.unlink()
        for place in places:
            host, _, port = place.endpoint.removeprefix("http://").partition(":")
            (self.configs / f"{place.name}.yaml").write_text(
                CONFIG.format(
                    host=host, port=port, key=place.store.access_key, secret=place.store.secret_key,
                    bucket=place.bucket, root=ROOT))

    def path(self, place: Place) -> Path:
        return self.folder / "mnt" / place.name

    def mount(self) -> None:
        point = self.folder / "mnt"
        command = [str(self.binary), "mount", str(self.configs), str(point), "--foreground", *self.options]
        self._start(command, point, {"XDG_STATE_HOME": str(self.folder / "state")})


class RcloneMount(Mount):
    name = "rclone mount"

    def path(self, place: Place) -> Path:
        return self.folder / place.name

    def mount(self) -> None:
        for place in self.places:
            rclone = Rclone(replace_endpoint(place))
            options = ["--vfs-cache-mode=writes", "--vfs-write-back=0s", f"--cache-dir={self.folder}/cache"]
            command = [
                str(Path(sys.prefix) / "bin" / "rclone"), "mount", f"BENCH:{place.bucket}/{ROOT}", str(self.path(place)),
                *options,
            ]
            self._start(command, self.path(place), rclone.environment)


class S3fsMount(Mount):
    name = "s3fs"

    def path(self, place: Place) -> Path:
        return self.folder / place.name

    def mount(self) -> None:
        for place in self.places:
            secrets = self.folder / f"{place.name}.passwd"
            secrets.touch(0o600)
            secrets.write_text(f"{place.store.access_key}:{place.store.secret_key}\n")
            options = f"url={place.endpoint},use_path_request_style,passwd_file={secrets},nocopyapi"
            # Newer versions see directories without an object of their own only with this option, older always.
            if " compat_dir" in subprocess.run(["s3fs", "--help"], capture_output=True, text=True).stdout:
                options += ",compat_dir"
            command = ["s3fs", f"{place.bucket}:/{ROOT}", str(self.path(place)), "-f", "-o", options]
            self._start(command, self.path(place))


class KernelMount(Mount):
    """A folder of the scratch tmpfs by way of FUSE and nothing else: what a read or a listing costs the kernel.

    By threads that do not push their callers aside, as ours do not.
    """

    name = "bindfs"

    def __init__(self, folder: Path, places: list[Place], content: Path) -> None:
        super().__init__(folder, places)
        self.content = content

    def path(self, place: Place) -> Path:
        return self.folder / "mnt"

    def mount(self) -> None:
        point = self.path(self.places[0])
        self._start(["chrt", "--batch", "0", "bindfs", "-f", "--no-allow-other", str(self.content), str(point)], point)


def replace_endpoint(place: Place) -> Store:
    """The store as it is reached at another endpoint."""
    return _Reached(place.store, place.endpoint, place.bucket)  # type: ignore[return-value]


class _Reached:
    """A store's names with another endpoint and bucket."""

    def __init__(self, store: Store, endpoint: str, bucket: str) -> None:
        self.endpoint = endpoint
        self.bucket = bucket
        self.access_key = store.access_key
        self.secret_key = store.secret_key
