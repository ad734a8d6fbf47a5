"""Removes a backup from both stores of a testbed, and collections from Milvus B."""

from __future__ import annotations

import argparse
import signal
import sys

import clients
from layout import DEFAULT_BASE_PORT, DEFAULT_DIRECTORY, Layout, Store

BACKUP_ROOT = "backup"


def delete_backup(store: Store, name: str) -> int:
    """Deletes every object of the backup and aborts its unfinished uploads; returns the number of objects."""
    client = clients.s3_client(store)
    prefix = f"{BACKUP_ROOT}/{name}/"
    deleted = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=prefix):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            answer = client.delete_objects(Bucket=store.bucket, Delete={"Objects": keys, "Quiet": True})
            if errors := answer.get("Errors"):
                raise OSError(f"{store.bucket}/{errors[0]['Key']} cannot be deleted: {errors[0]['Message']}")
            deleted += len(keys)
    uploads = client.list_multipart_uploads(Bucket=store.bucket, Prefix=prefix).get("Uploads", [])
    for upload in uploads:
        client.abort_multipart_upload(Bucket=store.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return deleted


def drop_collection(address: str, name: str) -> bool:
    from pymilvus import utility

    alias = clients.connect_milvus(address)
    if not utility.has_collection(name, using=alias):
        return False
    utility.drop_collection(name, using=alias)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="clean.py", description=__doc__)
    parser.add_argument("--base-port", type=int, default=DEFAULT_BASE_PORT, help="of the testbed; default %(default)s")
    parser.add_argument("--backup", metavar="NAME", help="delete backup/NAME/ from the buckets of A and B")
    parser.add_argument("--collection", metavar="NAME", help="drop it from Milvus B")
    options = parser.parse_args()

    from botocore.exceptions import BotoCoreError, ClientError
    from pymilvus import MilvusException

    instances = Layout(DEFAULT_DIRECTORY, options.base_port).instances
    try:
        if options.backup:
            for instance in instances:
                if count := delete_backup(instance.store, options.backup):
                    print(f"{instance.store.bucket}: deleted backup {options.backup} ({count} objects)")
        if options.collection and drop_collection(instances[1].milvus.address, options.collection):
            print(f"Milvus {instances[1].name}: dropped collection {options.collection}")
    except (BotoCoreError, ClientError, MilvusException, OSError) as error:
        print(f"clean: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # Interrupted, it ends at once instead of with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
