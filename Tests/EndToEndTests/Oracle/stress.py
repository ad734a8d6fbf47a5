"""Workers that do everything at once on a mount, each checking what it wrote itself; then the daemon's figures.

    stress.py MOUNT SECONDS SEED DAEMON_PID

Prints the number of operations, what went wrong, and the figures that are not back at zero."""

from __future__ import annotations

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

WORKERS = 32
IDLE = (
    "open_files_reading", "open_files_writing", "open_directories", "open_control_files", "uploads", "requests",
    "write_memory_bytes", "transfer_buffer_bytes", "read_buffer_bytes")
failures: list[str] = []
counts: collections.Counter[str] = collections.Counter()


class Worker:
    def __init__(self, mount: Path, number: int, seed: int) -> None:
        self.random = random.Random(seed * 1000 + number)
        self.own = [mount / store / f"stress_{number}" for store in ("milvus_A", "milvus_B")]
        self.mount = mount
        self.files: dict[Path, bytes] = {}
        self.cut: list[tuple[Path, bytes]] = []
        for folder in self.own:
            folder.mkdir(exist_ok=True)

    def step(self) -> None:
        name = self.random.choices(
            ["small", "read", "large", "copy", "rename", "remove", "list", "stat", "overwrite", "killed", "tree", "slice"],
            [8, 12, 1, 6, 4, 4, 6, 12, 4, 1, 1, 8])[0]
        getattr(self, name)()
        counts[name] += 1

    def _new(self) -> Path:
        return self.random.choice(self.own) / f"f{self.random.randrange(40)}"

    def _any(self) -> Path | None:
        return self.random.choice(list(self.files)) if self.files else None

    def _write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.files[path] = data

    def small(self) -> None:
        self._write(self._new(), self.random.randbytes(self.random.randrange(60_000)))

    def large(self) -> None:
        self._write(self._new(), self.random.randbytes(1 << 16) * 150)

    def read(self) -> None:
        if path := self._any():
            self._expect(path.read_bytes() == self.files[path], f"{path} has other bytes")

    def slice(self) -> None:
        if path := self._any():
            with path.open("rb") as file:
                place = self.random.randrange(len(self.files[path]) + 1)
                self._expect(os.pread(file.fileno(), 4096, place) == self.files[path][place : place + 4096],
                             f"{path} has other bytes at {place}")

    def copy(self) -> None:
        if path := self._any():
            target = self._new()
            if target != path:
                subprocess.run(["cp", str(path), str(target)], check=True)
                self.files[target] = self.files[path]

    def rename(self) -> None:
        if path := self._any():
            target = path.with_name(f"f{self.random.randrange(40)}")
            os.rename(path, target)
            self.files[target] = self.files.pop(path)

    def remove(self) -> None:
        if path := self._any():
            path.unlink()
            del self.files[path]

    def overwrite(self) -> None:
        if (path := self._any()) and len(self.files[path]) < 1 << 20:
            data = bytearray(self.files[path])
            place, piece = self.random.randrange(len(data) + 1), self.random.randbytes(100)
            with path.open("r+b") as file:
                file.seek(place)
                file.write(piece)
            data[place : place + len(piece)] = piece
            self.files[path] = bytes(data)

    def list(self) -> None:
        folder = self.random.choice(self.own)
        found = {entry.name for entry in os.scandir(folder) if not entry.name.startswith("cut")}
        wanted = {path.name for path in self.files if path.parent == folder}
        self._expect(found == wanted, f"{folder} lists {sorted(found ^ wanted)} wrongly")

    def stat(self) -> None:
        if path := self._any():
            self._expect(path.stat().st_size == len(self.files[path]), f"{path} has another size")
        self._expect(not (self.own[0] / "never").exists(), "a file that nobody made is there")

    def killed(self) -> None:
        # Names of their own: a close that was cut short may be carried out by the store a moment later, or not.
        source = self._any()
        if source is None:
            return
        self.cut.append((self.own[0] / f"cut{len(self.cut)}", self.files[source]))
        process = subprocess.Popen(["cp", str(source), str(self.cut[-1][0])], stderr=subprocess.DEVNULL)
        time.sleep(self.random.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        began = time.monotonic()
        process.wait()
        self._expect(time.monotonic() - began < 5, "a killed cp stayed for more than five seconds")

    def check_cut(self) -> None:
        for path, data in self.cut:
            try:
                self._expect(path.read_bytes() == data, f"{path} of a killed cp is there, but not whole")
            except FileNotFoundError:
                pass

    def tree(self) -> None:
        one, other = self.own[0] / "tree", self.own[1] / "tree"
        for number in range(12):
            (one / str(number % 3)).mkdir(parents=True, exist_ok=True)
            (one / str(number % 3) / str(number)).write_bytes(self.random.randbytes(1000))
        subprocess.run(["cp", "-r", str(one), str(self.own[1])], check=True)
        subprocess.run(["diff", "-r", str(one), str(other)], check=True)
        shutil.rmtree(one)
        shutil.rmtree(other)

    def _expect(self, holds: bool, words: str) -> None:
        if not holds:
            failures.append(words)

    def run(self, end: float) -> None:
        while time.monotonic() < end and len(failures) < 20:
            try:
                self.step()
            except (OSError, subprocess.CalledProcessError) as error:
                failures.append(f"{type(error).__name__}: {error}")
        time.sleep(2)
        self.check_cut()
        for folder in self.own:
            shutil.rmtree(folder)


def figures(mount: Path) -> dict[str, int]:
    lines = (mount / ".milvus-backupfs" / "stats").read_text().splitlines()
    return {name: int(value) for name, _, value in (line.partition(" ") for line in lines) if value.isdigit()}


def main() -> None:
    mount, seconds, seed, daemon = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    end = time.monotonic() + seconds
    workers = [Worker(mount, number, seed) for number in range(WORKERS)]
    threads = [threading.Thread(target=worker.run, args=(end,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(200):
        busy = {name: value for name, value in figures(mount).items() if name in IDLE and value}
        if not busy:
            break
        time.sleep(0.1)
    print(f"seed {seed}: {counts.total()} operations: {dict(counts)}")
    for words in failures:
        print(f"WRONG: {words}")
    for name, value in busy.items():
        print(f"NOT ZERO: {name} {value}")
    missing = set(IDLE) - set(figures(mount))
    if missing:
        print(f"MISSING: {sorted(missing)}")
    status = Path(f"/proc/{daemon}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"peak {peak >> 10} MiB")


if __name__ == "__main__":
    main()
