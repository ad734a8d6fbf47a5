"""A made-up backup: as many log objects as wanted, random bytes, and metadata that promises exactly these.

It looks like a backup to everything but Milvus. Run as a program it puts one into a store of a testbed:

    synthetic.py TESTBED.json INSTANCE KEY_PREFIX NAME --objects 2000 --size 524288 [--seed N]
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

COLLECTION, PARTITION, FIRST_SEGMENT, FIRST_LOG = 4461, 4462, 446_300_000_000_000_000, 446_400_000_000_000_000
FIELDS = (0, 1, 100, 101)
"""Row ids, timestamps, a key and a vector: four log objects a segment, each in a directory of its own."""


def log_objects(count: int, size: int) -> Iterator[tuple[str, int, int, int]]:
    """Path below the backup, segment, field and size of each log object."""
    for number in range(count):
        segment, field = FIRST_SEGMENT + number // len(FIELDS), FIELDS[number % len(FIELDS)]
        path = f"binlogs/insert_log/{COLLECTION}/{PARTITION}/{segment}/{segment}/{field}/{FIRST_LOG + number}"
        yield path, segment, field, size


def metadata(name: str, count: int, size: int) -> bytes:
    """meta/full_meta.json, as milvus-backup writes it."""
    segments: dict[int, dict[str, Any]] = {}
    for number, (path, segment, field, length) in enumerate(log_objects(count, size)):
        entry = segments.setdefault(
            segment,
            {
                "segment_id": segment, "collection_id": COLLECTION, "partition_id": PARTITION, "num_of_rows": 1,
                "binlogs": [], "deltalogs": [], "size": 0, "group_id": segment,
            },
        )
        origin = f"files/insert_log/{COLLECTION}/{PARTITION}/{segment}/{field}/{FIRST_LOG + number}"
        entry["binlogs"].append(
            {"fieldID": field, "binlogs": [{"log_path": origin, "log_size": length, "log_id": FIRST_LOG + number}]})
        entry["size"] += length
    total = count * size
    partition = {
        "partition_id": PARTITION, "partition_name": "_default", "collection_id": COLLECTION,
        "segment_backups": list(segments.values()), "size": total, "load_state": "NotLoad",
    }
    fields = [
        {"fieldID": 100, "name": "pk", "is_primary_key": True, "data_type": 5},
        {"fieldID": 101, "name": "v", "data_type": 101, "type_params": [{"key": "dim", "value": "4"}]},
    ]
    collection = {
        "id": "f", "collection_id": COLLECTION, "db_name": "default", "collection_name": "made_up",
        "schema": {"name": "made_up", "fields": fields}, "shards_num": 1, "consistency_level": 2,
        "partition_backups": [partition], "size": total, "has_index": False, "load_state": "NotLoad",
    }
    return json.dumps({
        "id": "f", "state_code": 2, "name": name, "collection_backups": [collection], "size": total,
        "milvus_version": "v2.3.5", "database_backups": [{"db_name": "default"}],
    }).encode()


def put(s3: Any, bucket: str, prefix: str, name: str, count: int, size: int, seed: int = 1) -> None:
    """Puts the backup below `prefix`NAME/, its metadata last. The same arguments make the same bytes."""

    def put_one(item: tuple[int, tuple[str, int, int, int]]) -> None:
        number, (path, _, _, length) = item
        body = random.Random(seed * 1_000_003 + number).randbytes(length)
        s3.put_object(Bucket=bucket, Key=f"{prefix}{name}/{path}", Body=body)

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(put_one, enumerate(log_objects(count, size))):
            pass
    s3.put_object(Bucket=bucket, Key=f"{prefix}{name}/meta/full_meta.json", Body=metadata(name, count, size))


def main() -> None:
    import boto3
    from botocore.config import Config

    parser = argparse.ArgumentParser(description="Put a made-up backup into a store of a testbed.")
    for word in ("testbed", "instance", "prefix", "name"):
        parser.add_argument(word)
    parser.add_argument("--objects", type=int, default=40)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with open(options.testbed, encoding="utf-8") as file:
        store = json.load(file)["instances"][options.instance]["store"]
    s3 = boto3.client(
        "s3", endpoint_url=store["endpoint"], aws_access_key_id=store["accessKeyID"],
        aws_secret_access_key=store["secretAccessKey"], region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=8),
    )
    put(s3, store["bucket"], options.prefix, options.name, options.objects, options.size, options.seed)


if __name__ == "__main__":
    main()
