"""Workers on a mount whose store fails at random: each operation succeeds or fails with an errno that is documented, and what
is in the bucket afterwards is whole.

    faulty.py TESTBED MOUNT CONTROL_PORT SECONDS SEED

Each worker has names of its own, and knows for each which contents it may have: what was written last, and what a write
that failed may or may not have put there."""

from __future__ import annotations

import collections
import errno
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from objects import client, keys

WORKERS = 12
STORE, PREFIX = "milvus_A", "faulty"
# docs/SEMANTICS.md, "What a failing store is to a program".
DOCUMENTED = {
    errno.EIO, errno.EACCES, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ESTALE, errno.EEXIST, errno.ENOENT, errno.EBUSY,
}
# What cp says of a name that got another inode number since it looked: the mount saw the outcome of a failed operation.
REPLACED = "as it was replaced while being copied"
RULES = [
    {"match": {"operation": operation, "probability": chance}, "fault": fault}
    for operation in ("PutObject", "GetObject", "ListObjectsV2", "DeleteObject", "CopyObject", "CreateMultipartUpload",
                      "UploadPart", "CompleteMultipartUpload", "HeadObject", "AbortMultipartUpload")
    for chance, fault in (
        (0.02, {"refuse": {"code": "AccessDenied"}}), (0.05, {"refuse": {"code": "InternalError"}}),
        (0.05, {"refuse": {"code": "SlowDown"}}), (0.04, {"reset": {}}), (0.04, {"loseAnswer": {}}),
        (0.03, {"truncateAnswer": {"bytes": 100}}), (0.02, {"replaceAnswer": {"code": "InternalError", "status": 200}}),
        (0.02, {"resetDuringRequest": {"bytes": 1000}}), (0.02, {"stall": {"seconds": 0.3}}),
    )
    # An upload whose first answer was lost has no name that anybody knows, and one whose abortion is refused stays until the
    # next mount: docs/DESIGN.md, "What no client can tell".
    if not (operation == "CreateMultipartUpload" and fault.keys() & {"loseAnswer", "truncateAnswer", "replaceAnswer"})
    and not (operation == "AbortMultipartUpload" and fault == {"refuse": {"code": "AccessDenied"}})
]
wrong: list[str] = []
counts: collections.Counter[str] = collections.Counter()
ABSENT = None


def contents(number: int, size: int) -> bytes:
    """Bytes that tell whether they are whole: their number, their size, and a sequence that both determine."""
    head = f"{number:012d}{size:012d}".encode()
    return (head + random.Random(f"{number} {size}").randbytes(size))[:size] if size >= 24 else head[:size]


def is_whole(data: bytes) -> bool:
    return len(data) >= 24 and int(data[12:24]) == len(data) and data == contents(int(data[:12]), len(data))


class Worker:
    def __init__(self, folder: Path, number: int, seed: int) -> None:
        self.random = random.Random(seed * 1000 + number)
        self.folder = folder
        self.number = number
        self.made = 0
        self.did: list[str] = []
        self.may_be: dict[str, set[bytes | None]] = {f"f{i}": {ABSENT} for i in range(8)}

    def step(self) -> None:
        name = self.random.choices(["write", "read", "remove", "rename", "copy", "list", "append"], [8, 8, 2, 2, 3, 3, 2])[0]
        self.did.append(name)
        try:
            getattr(self, name)()
            counts["done"] += 1
        except subprocess.CalledProcessError as error:
            counts["failed"] += 1
            self.did[-1] += f" FAILED ({error.stderr.strip()})"
            if not any(words in error.stderr for words in (REPLACED, *map(os.strerror, DOCUMENTED))):
                wrong.append(f"{name}: cp says {error.stderr.strip()}")
        except OSError as error:
            counts["failed"] += 1
            self.did[-1] += f" FAILED ({error.strerror})"
            if error.errno not in DOCUMENTED:
                wrong.append(f"{name}: {error}")

    def _new(self) -> bytes:
        self.made += 1
        size = 9_500_000 if self.random.random() < 0.03 else self.random.randrange(24, 200_000)
        return contents(self.number * 1_000_000 + self.made, size)

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _name(self) -> str:
        name = self.random.choice(list(self.may_be))
        self.did[-1] += f" {name}"
        return name

    def write(self) -> None:
        name, data = self._name(), self._new()
        # Until the close has returned either may be there.
        self.may_be[name].add(data)
        self._path(name).write_bytes(data)
        self.may_be[name] = {data}

    def append(self) -> None:
        """Adds nothing but opens what is there for writing, which fetches it."""
        name = self._name()
        if any(data and len(data) > 8 << 20 for data in self.may_be[name]):
            return  # Can only be replaced whole.
        with self._path(name).open("r+b") as file:
            file.seek(0, os.SEEK_END)

    def read(self) -> None:
        name = self._name()
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            data = ABSENT
        if data not in self.may_be[name]:
            wrong.append(f"{name} of {self.number} has {describe(data)}, not one of {[describe(d) for d in self.may_be[name]]}")
            wrong.append(f"it did {[did for did in self.did if name in did][-8:]}")

    def remove(self) -> None:
        name = self._name()
        self.may_be[name].add(ABSENT)
        self._path(name).unlink(missing_ok=True)
        self.may_be[name] = {ABSENT}

    def rename(self) -> None:
        name, other = self.random.sample(list(self.may_be), 2)
        self.did[-1] += f" {name} {other}"
        before = set(self.may_be[name])
        self.may_be[other] |= before
        self.may_be[name].add(ABSENT)
        try:
            os.rename(self._path(name), self._path(other))
        except FileNotFoundError:
            return
        self.may_be[other] = before - {ABSENT}
        self.may_be[name] = {ABSENT}

    def copy(self) -> None:
        name, other = self.random.sample(list(self.may_be), 2)
        self.did[-1] += f" {name} {other}"
        before = set(self.may_be[name])
        self.may_be[other] |= before
        if not self._path(name).exists():
            return
        subprocess.run(["cp", str(self._path(name)), str(self._path(other))], check=True, capture_output=True, text=True)
        self.may_be[other] = before - {ABSENT}

    def list(self) -> None:
        found = set(os.listdir(self.folder))
        for name, may in self.may_be.items():
            if name in found and may == {ABSENT} or name not in found and ABSENT not in may:
                wrong.append(f"{self.folder} lists {sorted(found)}, {name} may be {[describe(d) for d in may]}")


def describe(data: bytes | None) -> str:
    if data is ABSENT:
        return "nothing"
    return f"{data[:12].decode(errors='replace')} ({len(data)} bytes{'' if is_whole(data) else ', NOT WHOLE'})"


def rules(port: str, script: list) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/rules", data=json.dumps(script).encode(), method="PUT")
    urllib.request.urlopen(request).read()


def main() -> None:
    testbed, mount, port, seconds, seed = sys.argv[1:]
    s3, bucket = client(testbed, "A")
    root = Path(mount) / STORE / PREFIX
    root.mkdir()
    workers = []
    for number in range(WORKERS):
        folder = root / f"w{number}"
        folder.mkdir()
        workers.append(Worker(folder, number, int(seed)))
    rules(port, RULES)
    deadline = time.monotonic() + float(seconds)

    def work(worker: Worker) -> None:
        while time.monotonic() < deadline:
            worker.step()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rules(port, [])
    # What was given up on may take a moment to be removed.
    time.sleep(20)
    prefix = f"backup/{PREFIX}/"
    found: dict[str, bytes] = {}
    for item in keys(s3, bucket, prefix):
        if not item["Key"].endswith("/"):
            found[item["Key"].removeprefix(prefix)] = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
    for path, data in found.items():
        if not is_whole(data):
            wrong.append(f"{path} in the bucket: {describe(data)}")
    for worker in workers:
        for name, may in worker.may_be.items():
            data = found.get(f"w{worker.number}/{name}", ABSENT)
            if data not in may:
                wrong.append(f"w{worker.number}/{name} is {describe(data)}, not one of {[describe(d) for d in may]}")
    left = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    uploads = sum(
        upload["Key"].startswith(prefix) for upload in left)
    print(f"{counts['done']} done, {counts['failed']} failed, {len(found)} objects, {uploads} uploads left")
    for upload in left:
        print(f"LEFT {upload['Key']} {upload['UploadId']}")
    for line in wrong[:20]:
        print(f"WRONG {line}")


if __name__ == "__main__":
    main()
