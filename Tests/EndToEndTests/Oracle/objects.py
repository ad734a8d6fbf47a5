"""What is in the testbed's buckets, seen through boto3: an S3 client that has nothing to do with the program under test."""

import hashlib
import json
import random
import sys
import traceback

import boto3
from botocore.config import Config


def client(testbed: str, instance: str):
    with open(testbed, encoding="utf-8") as file:
        store = json.load(file)["instances"][instance]["store"]
    s3 = boto3.client(
        "s3",
        endpoint_url=store["endpoint"],
        aws_access_key_id=store["accessKeyID"],
        aws_secret_access_key=store["secretAccessKey"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 5}),
    )
    return s3, store["bucket"]


def keys(s3, bucket: str, prefix: str):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", [])


def answer(s3, bucket: str, verb: str, prefix: str, rest: list[str]) -> str:
    if verb == "list":
        lines = []
        for item in keys(s3, bucket, prefix):
            try:
                body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            except s3.exceptions.NoSuchKey:  # removed since it was listed
                continue
            assert len(body) == item["Size"], f"{item['Key']}: {len(body)} bytes read, {item['Size']} listed"
            lines.append(f"{len(body)}:{hashlib.sha256(body).hexdigest()}\t{item['Key'][len(prefix):]}")
        return "\n".join(lines)
    if verb == "uploads":
        # SeaweedFS takes the prefix literally; filtering here works everywhere.
        uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return str(sum(upload["Key"].startswith(prefix) for upload in uploads))
    if verb == "remove":
        for item in list(keys(s3, bucket, prefix)):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
    elif verb == "put":
        count, size = int(rest[0]), int(rest[1])
        generator = random.Random(f"{prefix}{count}{size}")
        for number in range(count):
            key = f"{prefix}binlogs/insert_log/1/2/{number % 7}/{number % 7}/{100 + number % 5}/{number}"
            s3.put_object(Bucket=bucket, Key=key, Body=generator.randbytes(size))
        s3.put_object(Bucket=bucket, Key=f"{prefix}meta/full_meta.json", Body=b"{}")
    elif verb == "store":
        s3.put_object(Bucket=bucket, Key=prefix, Body=rest[0].encode())
    elif verb == "show":
        # As text: what the examples show.
        return s3.get_object(Bucket=bucket, Key=prefix)["Body"].read().decode()
    elif verb == "delete":
        for key in rest:
            s3.delete_object(Bucket=bucket, Key=prefix + key)
    else:
        raise ValueError(f"unknown verb {verb}")
    return ""


def main() -> None:
    testbed, *words = sys.argv[1:]
    if words == ["serve"]:
        serve(testbed)
    else:
        instance, verb, prefix, *rest = words
        print(answer(*client(testbed, instance), verb, prefix, rest))


def serve(testbed: str) -> None:
    """Answers requests, a line of JSON each, until there are no more: loading boto3 takes longer than asking."""
    clients = {}
    for line in sys.stdin:
        instance, verb, prefix, *rest = json.loads(line)
        try:
            if instance not in clients:
                clients[instance] = client(testbed, instance)
            result = {"answer": answer(*clients[instance], verb, prefix, rest)}
        except Exception:
            result = {"error": traceback.format_exc()}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
