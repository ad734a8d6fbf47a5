"""The command line of scripts/bench. One suite is one module with SUITE; to add a suite is to add it to SUITES."""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "testbed.d"))

import copies
import listings
import network
import reads
import stores
import story
from report import write
from tables import BenchError, Settings

SUITES = {suite.name: suite for suite in (stores.SUITE, copies.SUITE, listings.SUITE, reads.SUITE, story.SUITE)}
WITH_PEERS = [suite for suite in SUITES.values() if suite is not story.SUITE]

DESCRIPTION = """\
Measures milvus-backupfs beside other programs that do the same, on this machine, and checks what they did.

suites:
"""
EPILOG = """\
Each row runs every contender several times in turn; contenders.py has the options they get. Times are those of whole
processes; CPU is user and system time of the client alone; memory is its peak resident size. Runs during which
other processes took more than a quarter of a core are repeated, up to as often again as was asked for (--patience).
Run as root, servers and clients have a loopback of their own with CUBIC; else the machine's.

Results: DIR/SUITE.json (every run) and DIR/SUITE.md (medians and ranges). Servers are started and stopped; what they
hold stays in .testbed/bench for the next run. Exit status: 0 when every row was measured and its result is right,
whoever won; 1 otherwise.
"""


def main() -> int:
    names = "".join(f"  {suite.name:<8} {suite.summary}\n" for suite in SUITES.values())
    names += "  all      all of them but rows\n"
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=DESCRIPTION + names,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suite", choices=[*SUITES, "all"])
    parser.add_argument("--runs", type=int, default=5, help="per row and contender; default %(default)s")
    parser.add_argument(
        "--patience", type=int, metavar="N", help="most disturbed runs per row to repeat; default RUNS per contender"
    )
    parser.add_argument("--rows", metavar="ROW,...", help="only rows whose names begin so; default all")
    parser.add_argument("--only", metavar="NAME,...", help="only these contenders; default all")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default .testbed/bench/results")
    parser.add_argument("--scratch", type=Path, default=Path("/dev/shm"), help="a tmpfs; default %(default)s")
    parser.add_argument("--base-port", type=int, default=27000, help="of the servers; default %(default)s")
    parser.add_argument("--no-build", action="store_true", help="measure what was built last")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")

    suites = WITH_PEERS if options.suite == "all" else [SUITES[options.suite]]
    try:
        settings = Settings.of(options)
        for product in sorted({product for suite in suites for product in suite.products}):
            settings.build(product)
        settings.network = network.isolate()
        with (settings.home / "lock").open("w") as lock:
            # Two at once would measure each other.
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BenchError(f"another scripts/bench runs in {settings.home}") from None
            for suite in suites:
                write(suite, suite.run(settings), settings)
        return 0
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    # Ended from outside, it still stops the servers it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
