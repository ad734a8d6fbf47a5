"""Looks at names and attributes of a mount as long as a process runs: how many times, the median and the 80th
percentile in seconds, then the slowest.

Usage: looks.py MOUNT PROCESS
"""

import os
import statistics
import sys
import time


def looks(mount: str):
    """What ls and stat ask for, a call each."""
    copies = f"{mount}/milvus_B/busy"
    yield lambda: os.listdir(f"{mount}/milvus_A")
    yield lambda: os.listdir(copies)
    yield lambda: os.stat(copies)
    yield lambda: os.stat(f"{mount}/milvus_A/busy/binlogs")
    yield lambda: os.statvfs(mount)


def runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def main() -> None:
    mount, process = sys.argv[1], int(sys.argv[2])
    times = []
    while runs(process):
        for look in looks(mount):
            started = time.monotonic()
            look()
            times.append(time.monotonic() - started)
        time.sleep(0.05)
    times.sort()
    print(len(times), *(round(x, 4) for x in (statistics.median(times), times[len(times) * 4 // 5], times[-1])))


main()
