"""Fills a collection on a Milvus server with rows that exercise what a backup must carry."""

from __future__ import annotations

import argparse
import signal
import sys
import time

import clients
from layout import DEFAULT_BASE_PORT, DEFAULT_DIRECTORY, Layout
from rows import DIMENSION, OTHER_PARTITION, PARTITIONS, Plan

DESCRIPTION = """\
Fills a collection on a Milvus server: an int64 key, varchar, JSON, bool, int32, float, double,
a float vector with an IVF_FLAT index, dynamic fields; two partitions, two shards; several
flushed segments, rows deleted after the flush, rows written twice. Dropped and made anew when
it exists. The same seed and number of rows always give the same rows.
"""
INSERT_SIZE = 5_000
"""Rows per insert call: about 4 MB, far below the server's limit for one message."""
INDEX = {"index_type": "IVF_FLAT", "metric_type": "L2", "params": {"nlist": 128}}


def create_collection(name: str, plan: Plan, alias: str):
    from pymilvus import Collection, CollectionSchema, DataType, FieldSchema

    schema = CollectionSchema(
        [
            FieldSchema("id", DataType.INT64, is_primary=True, auto_id=False),
            FieldSchema("title", DataType.VARCHAR, max_length=256),
            FieldSchema("attributes", DataType.JSON),
            FieldSchema("active", DataType.BOOL),
            FieldSchema("quantity", DataType.INT32),
            FieldSchema("score", DataType.FLOAT),
            FieldSchema("price", DataType.DOUBLE),
            FieldSchema("embedding", DataType.FLOAT_VECTOR, dim=DIMENSION),
        ],
        description=plan.description,
        enable_dynamic_field=True,
    )
    collection = Collection(name, schema, using=alias, shards_num=2)
    collection.create_partition(OTHER_PARTITION)
    # Now, so that the server indexes one batch while the next one is written.
    collection.create_index("embedding", INDEX)
    return collection


def write_rows(collection, plan: Plan) -> None:
    for batch in plan.batches:
        for first in range(batch.start, batch.stop, INSERT_SIZE):
            rows = list(plan.make(range(first, min(first + INSERT_SIZE, batch.stop)), revision=1))
            for partition in PARTITIONS:
                collection.insert([row for row in rows if plan.partition(row["id"]) == partition], partition)
        collection.flush()

    rewritten = list(plan.make(plan.upserted, revision=2))
    for partition in PARTITIONS:
        collection.upsert([row for row in rewritten if plan.partition(row["id"]) == partition], partition)
        doomed = [row_id for row_id in plan.deleted if plan.partition(row_id) == partition]
        collection.delete(f"id in {doomed}", partition)
    collection.flush()


def is_as_wanted(name: str, plan: Plan, alias: str) -> bool:
    """Whether an earlier run has filled the collection to the end. Loads it."""
    from pymilvus import Collection, utility

    if not utility.has_collection(name, using=alias):
        return False
    collection = Collection(name, using=alias)
    if collection.description != plan.description or not collection.indexes:
        return False
    collection.load()
    # Deleting is the last step, and only after it are there this many rows.
    return clients.row_count(collection) == plan.final_count


def fill(name: str, plan: Plan, alias: str) -> None:
    from pymilvus import utility

    if utility.has_collection(name, using=alias):
        utility.drop_collection(name, using=alias)
    collection = create_collection(name, plan, alias)
    write_rows(collection, plan)
    collection.load()
    if (count := clients.row_count(collection)) != plan.final_count:
        raise RuntimeError(f"{name} has {count} rows instead of {plan.final_count}")


def main() -> int:
    default = Layout(DEFAULT_DIRECTORY, DEFAULT_BASE_PORT).instances[0].milvus.address
    parser = argparse.ArgumentParser(prog="fill.py", description=DESCRIPTION)
    parser.add_argument("--address", default=default, help="host:port of the Milvus server; default %(default)s")
    parser.add_argument("--collection", default="coll", help="default %(default)s")
    parser.add_argument("--rows", type=int, default=20_200, help="rows to insert; default %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default %(default)s")
    parser.add_argument("--keep", action="store_true", help="keep the collection when it is as wanted already")
    options = parser.parse_args()

    from pymilvus import MilvusException

    began = time.monotonic()
    try:
        plan = Plan(options.rows, options.seed)
        alias = clients.connect_milvus(options.address)
        kept = options.keep and is_as_wanted(options.collection, plan, alias)
        if not kept:
            fill(options.collection, plan, alias)
    except (MilvusException, OSError, RuntimeError, ValueError) as error:
        print(f"fill: {options.collection} on {options.address}: {error}", file=sys.stderr)
        return 1
    print(
        f"{options.collection} on {options.address}: {'kept' if kept else 'filled'}, "
        f"{plan.final_count} rows ({plan.rows} inserted, {len(plan.upserted)} of them upserted again, "
        f"{len(plan.deleted)} deleted) in partitions {' and '.join(PARTITIONS)}; "
        f"{time.monotonic() - began:.1f} s"
    )
    return 0


if __name__ == "__main__":
    # Interrupted, it ends at once instead of with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
