"""Compares a collection with its restored copy, on the same or on another Milvus server."""

from __future__ import annotations

import argparse
import signal
import sys
import time

import clients
from comparison import Comparison
from layout import DEFAULT_BASE_PORT, DEFAULT_DIRECTORY, Layout

DESCRIPTION = """\
Reads every row of two collections and compares them: schema, partitions, number of rows, ids,
and each value of each field, dynamic fields and vectors included, bit by bit. Of a collection
that fill.py made, also that deleted rows are gone and rewritten ones are new. A collection that
has no index or is not loaded gets the source's index and is loaded. Exit status 0 only when
everything is equal, 1 otherwise.
"""


def open_collection(address: str, name: str):
    from pymilvus import Collection, DataType, utility

    alias = clients.connect_milvus(address)
    if not utility.has_collection(name, using=alias):
        raise ValueError(f"there is no collection {name} on {address}")
    collection = Collection(name, using=alias)
    if collection.primary_field.dtype != DataType.INT64:
        raise ValueError(f"the key of {name} is not int64: this script pages by ranges of numbers")
    return collection


def make_queryable(collection, like) -> None:
    """Gives the collection the indexes of the other one where it has none, and loads it."""
    present = {index.field_name for index in collection.indexes}
    for index in like.indexes:
        if index.field_name not in present:
            print(f"{collection.name}: creating the {index.params['index_type']} index on {index.field_name}")
            collection.create_index(index.field_name, index.params)
    collection.load(timeout=300)


def print_result(comparison: Comparison, source: str, target: str) -> None:
    lines = [("compared", source, target, "equal")]
    lines += [
        (finding.what, str(finding.source), str(finding.target), "yes" if finding.equal else "NO")
        for finding in comparison.findings
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for number, line in enumerate(lines):
        print("  ".join(text.ljust(width) for text, width in zip(line, [*widths, 0], strict=True)))
        if number == 0:
            print("  ".join("-" * width for width in [*widths, 5]))
    if comparison.difference_count:
        print(f"\ndifferences in rows: {comparison.difference_count}, the first of them:")
        for difference in comparison.differences:
            print(f"  {difference}")


def main() -> int:
    addresses = [i.milvus.address for i in Layout(DEFAULT_DIRECTORY, DEFAULT_BASE_PORT).instances]
    parser = argparse.ArgumentParser(prog="verify.py", description=DESCRIPTION)
    parser.add_argument("--source", default=addresses[0], help="host:port; default %(default)s")
    parser.add_argument("--source-collection", default="coll", help="default %(default)s")
    parser.add_argument("--target", default=addresses[1], help="host:port; default %(default)s")
    parser.add_argument("--target-collection", default="coll_bak", help="default %(default)s")
    parser.add_argument("--min-rows", type=int, default=1, help="fewer rows are a failure; default %(default)s")
    options = parser.parse_args()
    if options.min_rows < 1:
        parser.error("--min-rows must be at least 1: two empty collections prove nothing")

    from pymilvus import MilvusException

    began = time.monotonic()
    try:
        source = open_collection(options.source, options.source_collection)
        target = open_collection(options.target, options.target_collection)
        make_queryable(source, like=source)
        make_queryable(target, like=source)
        comparison = Comparison(source, target)
        comparison.run(options.min_rows)
    except (MilvusException, OSError, ValueError) as error:
        print(f"verify: {error}", file=sys.stderr)
        return 1
    print_result(
        comparison,
        f"{options.source_collection} on {options.source}",
        f"{options.target_collection} on {options.target}",
    )
    verdict = "EQUAL" if comparison.equal else "NOT EQUAL"
    print(f"\n{verdict} ({time.monotonic() - began:.1f} s)")
    return 0 if comparison.equal else 1


if __name__ == "__main__":
    # Interrupted, it ends at once instead of with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
