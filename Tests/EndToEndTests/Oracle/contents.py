"""Collections of many kinds: made, described and compared row by row through pymilvus, an independent client.

contents.py TESTBED make INSTANCE KIND [DB.]NAME
contents.py TESTBED info INSTANCE [DB.]NAME             JSON: aliases, loaded, partitions, indexes, properties, rows
contents.py TESTBED compare INSTANCE [DB.]NAME INSTANCE [DB.]NAME
contents.py TESTBED drop INSTANCE [DB.]NAME…

INSTANCE is A, B or the address of a server that is not in the testbed.
"""

import json
import random
import sys

import numpy
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, db, utility
from pymilvus.client.types import LoadState

DIMENSION = 16
INDEX = {"index_type": "IVF_FLAT", "metric_type": "L2", "params": {"nlist": 16}}
LONG = 255


def connect(testbed: str, instance: str, name: str) -> tuple[str, str]:
    """Connects to the database of `[DB.]NAME`; returns the connection's alias and the bare name."""
    address = instance
    if ":" not in instance:
        with open(testbed, encoding="utf-8") as file:
            address = json.load(file)["instances"][instance]["milvus"]["address"]
    database, _, collection = name.rpartition(".")
    database = database or "default"
    root = f"{instance} root"
    if not connections.has_connection(root):
        connections.connect(root, address=address)
    if database not in db.list_database(using=root):
        db.create_database(database, using=root)
    alias = f"{instance} {database}"
    if not connections.has_connection(alias):
        connections.connect(alias, address=address, db_name=database)
    return alias, collection


def rows(ids, revision: int = 0):
    generator = numpy.random.default_rng([revision, *list(ids)[:1]])
    for number in ids:
        yield {
            "id": number,
            "tenant": number % 97,
            "text": f"row {number} r{revision}" if number % 7 else "",
            "v": generator.standard_normal(DIMENSION, dtype=numpy.float32),
            "extra": {"n": number, "r": revision},
        }


def schema(kind: str) -> CollectionSchema:
    field = "f" * LONG if kind == "limits" else "text"
    return CollectionSchema(
        [
            FieldSchema("id", DataType.INT64, is_primary=True),
            FieldSchema("tenant", DataType.INT64, is_partition_key=kind == "partitionkey"),
            FieldSchema(field, DataType.VARCHAR, max_length=64),
            FieldSchema("v", DataType.FLOAT_VECTOR, dim=DIMENSION),
        ],
        description=kind,
        enable_dynamic_field=True,
    )


def make(testbed: str, instance: str, kind: str, name: str) -> None:
    alias, name = connect(testbed, instance, name)
    if kind == "limits":
        name = name.ljust(LONG - 2, "x")
    drop_collection(alias, name)
    options = {"num_partitions": 64} if kind == "partitionkey" else {}
    shards = 16 if kind in ("segments64", "segments200") else 2
    made = Collection(
        name, schema(kind), using=alias, shards_num=shards, properties={"collection.ttl.seconds": 0}, **options
    )
    if kind == "partitionkey":
        insert(made, range(4000))
    elif kind == "churn":
        churn(made)
    elif kind == "deleted":
        # What 2.2 can do of it: that server has no upsert.
        insert(made, range(1200))
        made.flush()
        made.delete(f"id in {list(range(100, 160))}")
        insert(made, range(100, 110))
    elif kind == "segments64":
        for part in range(4):
            insert(made, range(part * 800, (part + 1) * 800))
            made.flush()
    elif kind == "segments200":
        for part in range(13):
            partition = made.create_partition(f"p{part}")
            insert(made, range(part * 400, (part + 1) * 400), partition.name)
    elif kind == "parts":
        # Partitions make import units: many enough for something to happen between them.
        for part in range(8):
            made.create_partition(f"p{part}")
            insert(made, range(part * 300, (part + 1) * 300), f"p{part}")
    elif kind == "emptypartition":
        made.create_partition("nothing")
        insert(made, range(500))
    elif kind == "limits":
        made.create_partition("p" * LONG)
        insert(made, range(300), "p" * LONG, text="f" * LONG)
    elif kind == "empty":
        made.create_partition("also_empty")
    else:
        insert(made, range(1000))
    made.flush()
    made.create_index("v", INDEX)
    utility.create_alias(name, f"{name[:200]}_alias", using=alias)
    made.load()


def insert(collection, ids, partition: str | None = None, text: str = "text") -> None:
    batch = [{text if key == "text" else key: value for key, value in row.items()} for row in rows(ids)]
    collection.insert(batch, partition)


def churn(collection) -> None:
    """Rows that are rewritten and deleted across segments and partitions, some of them several times."""
    chosen = random.Random(7)
    collection.create_partition("other")
    insert(collection, range(600))
    insert(collection, range(600, 1200), "other")
    collection.flush()
    for revision in (1, 2):
        again = sorted(chosen.sample(range(600), 200))
        collection.upsert(list(rows(again, revision)))
        collection.delete(f"id in {sorted(chosen.sample(range(600, 1200), 40))}", "other")
        collection.flush()
    gone = sorted(chosen.sample(range(600), 50))
    collection.delete(f"id in {gone}")
    insert(collection, gone[:10])
    collection.flush()


def drop_collection(alias: str, name: str) -> None:
    if not utility.has_collection(name, using=alias):
        return
    for other in utility.list_aliases(name, using=alias):
        utility.drop_alias(other, using=alias)
    utility.drop_collection(name, using=alias)


def content(collection) -> dict:
    """All rows by id, as bytes and values that compare exactly; with the partition each is in."""
    collection.load(timeout=300)
    found = {}
    key = collection.schema.partition_key_field if hasattr(collection.schema, "partition_key_field") else None
    names = [None] if key else [partition.name for partition in collection.partitions]
    for partition in names:
        for first in range(0, 6000, 2000):
            got = collection.query(
                f"id >= {first} and id < {first + 2000}",
                # 2.2 leaves the vectors out of "*".
                output_fields=["*", "v"],
                partition_names=[partition] if partition else None,
                consistency_level="Strong",
            )
            for row in got:
                row["v"] = numpy.asarray(row["v"], dtype=numpy.float32).tobytes()
                if row["id"] in found:
                    sys.exit(f"{collection.name}: the row {row['id']} is there twice")
                found[row["id"]] = (partition, row)
    return found


def describe(collection) -> dict:
    fields = [
        (f.name, str(f.dtype), f.params, f.is_primary, getattr(f, "is_partition_key", False))
        for f in collection.schema.fields
    ]
    partitions = sorted(partition.name for partition in collection.partitions)
    return {
        "fields": fields,
        "dynamic": collection.schema.enable_dynamic_field,
        "description": collection.description,
        "partitions": partitions,
        "shards": collection.describe()["num_shards"],
    }


def compare(testbed: str, *names: str) -> None:
    sides = []
    for instance, name in (names[:2], names[2:]):
        alias, name = connect(testbed, instance, name)
        collection = Collection(name, using=alias)
        if not collection.indexes:
            collection.create_index("v", INDEX)
        sides.append((describe(collection), content(collection)))
    (one, first), (two, second) = sides
    if one != two:
        sys.exit(f"described otherwise:\n{one}\n{two}")
    if first.keys() != second.keys():
        missing, more = sorted(first.keys() - second.keys()), sorted(second.keys() - first.keys())
        sys.exit(f"{len(missing)} rows are missing ({missing[:5]}), {len(more)} too many ({more[:5]})")
    other = [key for key in first if first[key] != second[key]]
    if other:
        sys.exit(f"{len(other)} rows differ, such as\n{first[other[0]]}\n{second[other[0]]}")
    print(f"{len(first)} rows equal")


def info(testbed: str, instance: str, name: str) -> None:
    alias, name = connect(testbed, instance, name)
    collection = Collection(name, using=alias)
    description = collection.describe()
    print(
        json.dumps(
            {
                "aliases": description["aliases"],
                "loaded": utility.load_state(name, using=alias) == LoadState.Loaded,
                "partitions": sorted(partition.name for partition in collection.partitions),
                "indexes": [index.field_name for index in collection.indexes],
                "rows": collection.num_entities,
            }
        )
    )


def drop(testbed: str, instance: str, *names: str) -> None:
    for name in names:
        alias, name = connect(testbed, instance, name)
        for candidate in utility.list_collections(using=alias):
            # Names at the limit are longer than what they were asked for by.
            if candidate == name or candidate.startswith(f"{name}xx"):
                drop_collection(alias, candidate)


def main() -> None:
    testbed, verb, *rest = sys.argv[1:]
    {"make": make, "info": info, "compare": compare, "drop": drop}[verb](testbed, *rest)


if __name__ == "__main__":
    main()
