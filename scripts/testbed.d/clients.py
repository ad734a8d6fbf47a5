"""Clients of the testbed's servers: boto3 for S3, pymilvus for Milvus.

Both imports are slow, so they happen on first use. The caller's proxy and AWS settings are
put aside: everything here is on this machine and has its own credentials.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from layout import HOST, Store

if TYPE_CHECKING:
    from pymilvus import Collection

REGION = "us-east-1"

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"{HOST},localhost"


def s3_client(store: Store) -> Any:
    """An S3 client that fails at once instead of retrying: callers poll."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=REGION,
        config=Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )


def connect_milvus(address: str, timeout: float = 10) -> str:
    """Connects pymilvus to `host:port`; returns the alias of the connection."""
    from pymilvus import MilvusException, connections

    # It logs every error it raises: callers report them.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    alias = f"testbed {address}"
    try:
        connections.connect(alias, address=address, timeout=timeout)
    except MilvusException as error:
        raise ConnectionError(f"no Milvus server answers at {address}: {error.message}") from error
    return alias


def milvus_problem(address: str, timeout: float) -> str | None:
    """What Milvus itself says is wrong with it, over gRPC; None when it is healthy."""
    import grpc
    from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = milvus_pb2_grpc.MilvusServiceStub(channel)
        try:
            health = stub.CheckHealth(milvus_pb2.CheckHealthRequest(), timeout=timeout)
            if not health.isHealthy:
                return "; ".join(health.reasons) or "it reports itself as not healthy"
            stub.ShowCollections(milvus_pb2.ShowCollectionsRequest(), timeout=timeout)
        except grpc.RpcError as error:
            return f"gRPC {error.code().name}: {error.details()}"
    return None


def row_count(collection: Collection) -> int:
    """The number of rows of a loaded collection, counted by the server after all writes."""
    counted = collection.query(expr="", output_fields=["count(*)"], consistency_level="Strong")
    return int(counted[0]["count(*)"])
