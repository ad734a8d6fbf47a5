"""What selfcheck.py needs: a running double, clients of it, and a count of what holds."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import grpc
import numpy
from botocore.config import Config
from pymilvus import DataType, MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2_grpc

# It logs every error that it raises: the checks tell.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
ROWS = 3000
DIMENSION = 8
HOME = Path(__file__).resolve().parents[1]


@dataclass
class Store:
    endpoint: str
    bucket: str
    access_key: str
    secret_key: str

    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key, region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )


class Checks:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def holds(self, what: str, condition: bool, details: object = "") -> None:
        if condition:
            self.passed += 1
            print(f"  ok    {what}")
        else:
            self.failed += 1
            print(f"  WRONG {what}: {details}")

    def equal(self, what: str, found: object, wanted: object) -> None:
        self.holds(what, found == wanted, f"{found!r} instead of {wanted!r}")

    def refused(self, what: str, action: Callable[[], Any], *words: str) -> None:
        """The action must fail, and say all the words."""
        try:
            answer = action()
        except (grpc.RpcError, Refused) as error:
            text = f"{error.code().name} {error.details()}" if isinstance(error, grpc.RpcError) else str(error)
            self.holds(f"refused: {what}", all(word in text for word in words), text)
            return
        self.holds(f"refused: {what}", False, f"it answered {str(answer)[:200]}")


class Refused(Exception):
    pass


@dataclass
class Bed:
    """One running double and its clients."""

    version: str
    address: str
    http: str
    management: str
    root: str
    store: Store
    stub: milvus_pb2_grpc.MilvusServiceStub
    channel: grpc.Channel

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")))

    def call(self, name: str, request: Any, database: str = "", **headers: str) -> Any:
        """A raw call; a failed status is an error."""
        metadata = [*([("dbname", database)] if database else []), *headers.items()]
        answer = getattr(self.stub, name)(request, metadata=metadata, timeout=60)
        status = answer if isinstance(answer, common_pb2.Status) else answer.status
        if status.code or status.error_code:
            raise Refused(f"{status.code}/{status.error_code} {status.reason}")
        return answer

    def rest(self, path: str, body: Any, port: str | None = None, **headers: str) -> Any:
        """The data of a REST answer; an error is `Refused`."""
        request = urllib.request.Request(
            f"http://{port or self.address}/v2/vectordb/{path}",
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers}, method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise Refused(f"HTTP {error.code} {error.read().decode()}") from error
        if answer["code"]:
            raise Refused(f"{answer['code']} {answer['message']}")
        return answer["data"]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.management}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def keys(self, prefix: str) -> list[str]:
        pages = self.store.client().get_paginator("list_objects_v2").paginate(Bucket=self.store.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def copy(self, source: str, target: str) -> None:
        client = self.store.client()
        body = client.get_object(Bucket=self.store.bucket, Key=source)["Body"].read()
        client.put_object(Bucket=self.store.bucket, Key=target, Body=body)

    def put(self, key: str, body: bytes) -> None:
        self.store.client().put_object(Bucket=self.store.bucket, Key=key, Body=body)

    def remove(self, prefix: str) -> None:
        client = self.store.client()
        for key in self.keys(prefix):
            client.delete_object(Bucket=self.store.bucket, Key=key)


@contextmanager
def double(version: str, store: Store, *options: str) -> Iterator[Bed]:
    root = f"selfcheck-{version}-{os.getpid()}"
    command = [
        sys.executable, "-m", "milvus_double", "--version", version, "--port", "0", "--management-port", "0",
        "--endpoint", store.endpoint, "--bucket", store.bucket, "--access-key", store.access_key,
        "--root-path", root, "--rows-per-log", "300", *options,
    ]
    environment = {**os.environ, "PYTHONPATH": str(HOME), "MILVUS_DOUBLE_SECRET_KEY": store.secret_key}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    bed = None
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"at ([\d.]+:\d+), REST (\d+), management (\d+)", line)
        if not match:
            raise RuntimeError(f"the double of {version} did not start: {line}")
        channel = grpc.insecure_channel(match[1], options=[("grpc.enable_http_proxy", 0)])
        bed = Bed(
            version, match[1], f"127.0.0.1:{match[2]}", f"127.0.0.1:{match[3]}", root, store,
            milvus_pb2_grpc.MilvusServiceStub(channel), channel,
        )
        yield bed
    finally:
        if bed is not None:
            bed.channel.close()
        process.terminate()
        try:
            status = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        if bed is not None:
            bed.remove(f"{root}/")
        if status:
            raise RuntimeError(f"the double ended with {status}")


def rows(number: int) -> list[dict[str, Any]]:
    generator = numpy.random.default_rng(7)
    return [
        {
            "id": key,
            "title": f"row {key} Zürich 東京",
            "attributes": {"even": key % 2 == 0, "nested": {"list": [key, None, "x"]}},
            "tags": [f"t{key % 5}", "all"],
            "score": float(numpy.float32(key / 7)),
            "embedding": generator.standard_normal(DIMENSION, dtype=numpy.float32).tolist(),
            "extra": key * 3,
        }
        for key in range(number)
    ]


def make(client: MilvusClient, name: str) -> None:
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=200)
    schema.add_field("attributes", DataType.JSON)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=8, max_length=20)
    schema.add_field("score", DataType.FLOAT)
    schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=DIMENSION)
    client.create_collection(name, schema=schema, num_shards=2)
    client.create_partition(name, "archive")


def make_index(client: MilvusClient, name: str) -> None:
    params = client.prepare_index_params()
    params.add_index("embedding", index_type="IVF_FLAT", metric_type="L2", params={"nlist": 16})
    client.create_index(name, params)


def contents(client: MilvusClient, name: str) -> dict[int, Any]:
    found = client.query(name, filter="id >= 0", output_fields=["*"], consistency_level="Strong")
    return {row["id"]: comparable(row) for row in found}


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    # Some releases of pymilvus show the values of dynamic fields beside $meta, some instead of it.
    return {
        key: [float(numpy.float32(part)) for part in value] if key == "embedding" else value
        for key, value in sorted(row.items())
        if key != "$meta"
    }
