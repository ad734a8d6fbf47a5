"""Compares the binlogs that a real Milvus wrote with what the double would write for the same values.

  PYTHONPATH=scripts/testbed.d .testbed/double/bin/python -m milvus_double.compare --bucket bucket-a --root-path files \\
      --endpoint http://127.0.0.1:20010 --access-key testbed-a --secret-key testbed-secret-a

Every insert log and delta log below the root path must be read without a complaint. The double's own file of the same
values must have the same bytes up to the extras of the descriptor, the same extras, event headers of the same kind,
and a Parquet column of the same name, type and nullability. Exit status 0 only then.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
from collections import Counter

import pyarrow.parquet

from . import binlog
from .bucket import Bucket

_DESCRIPTOR_START = 4
_EVENT_HEADER = 17
_FIXED = 52 + 8


def differences(real: bytes, kind: int) -> list[str]:
    origin, tables = binlog.read(real, kind)
    column = tables[0].column(0).combine_chunks()
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.chunk(0)
    ours = binlog.write(origin, kind, column)
    found = []
    end = _DESCRIPTOR_START + _EVENT_HEADER + _FIXED
    # The timestamp in an event's header is that of the writing, which the double does not imitate.
    for name, start, stop in (("magic number", 0, 4), ("descriptor", _DESCRIPTOR_START + _EVENT_HEADER, end)):
        if real[start:stop] != ours[start:stop]:
            found.append(f"{name}: {real[start:stop].hex()} and {ours[start:stop].hex()}")
    again, own = binlog.read(ours, kind)
    if again.extras != origin.extras:
        found.append(f"extras: {origin.extras} and {again.extras}")
    lengths = [struct.unpack_from("<i", data, end)[0] for data in (real, ours)]
    if lengths[0] != lengths[1]:
        found.append(f"length of the extras: {lengths}")
    if tables[0].schema.remove_metadata() != own[0].schema.remove_metadata():
        found.append(f"columns: {tables[0].schema} and {own[0].schema}")
    if len(tables) != 1:
        found.append(f"{len(tables)} data events")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("endpoint", "bucket", "access-key", "secret-key", "root-path"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"
    bucket = Bucket(options.endpoint, options.bucket, options.access_key, options.secret_key, "us-east-1")
    read = 0
    seen: Counter[str] = Counter()
    for directory, kind in (("insert_log", binlog.INSERT), ("delta_log", binlog.DELETE)):
        entries = bucket.list(f"{options.root_path}/{directory}/")
        if not entries:
            seen[f"there are no {directory}s"] += 1
        for entry in entries:
            read += 1
            try:
                for difference in differences(bucket.get(entry.key), kind):
                    seen[difference] += 1
            except binlog.BadBinlog as error:
                seen[f"{entry.key} cannot be read: {error}"] += 1
    for difference, count in seen.most_common(20):
        print(f"{count} times {difference}")
    print(f"{read} logs read, {sum(seen.values())} differences")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
