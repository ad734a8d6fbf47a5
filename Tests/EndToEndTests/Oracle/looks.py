"""Looks at names and attributes of a mount as long as a process runs: how many times, the median and the slowest in seconds.

Usage: looks.py MOUNT PROCESS
"""

import os
import statistics
import sys
import time


def look(mount: str) -> None:
    """What ls -l and df ask for."""
    for folder in (f"{mount}/milvus_A", f"{mount}/milvus_B/busy"):
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    entry.stat()
                except FileNotFoundError:  # gone since it was listed
                    pass
    os.statvfs(mount)


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
        started = time.monotonic()
        look(mount)
        times.append(time.monotonic() - started)
        time.sleep(0.05)
    print(len(times), round(statistics.median(times), 4), round(max(times), 4))


main()
