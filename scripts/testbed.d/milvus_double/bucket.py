"""The double's own bucket: the only place it reads from and writes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class BucketError(Exception):
    pass


@dataclass(frozen=True)
class Listed:
    key: str
    size: int


class Bucket:
    """Keys below one bucket. Safe to use from several threads."""

    def __init__(self, endpoint: str, bucket: str, access_key: str, secret_key: str, region: str) -> None:
        self.name = bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"total_max_attempts": 3},
                s3={"addressing_style": "path"},
                max_pool_connections=32,
            ),
        )

    def check(self) -> None:
        self._do("list", lambda: self._client.list_objects_v2(Bucket=self.name, MaxKeys=1))

    def put(self, key: str, body: bytes) -> None:
        self._do(f"write {key}", lambda: self._client.put_object(Bucket=self.name, Key=key, Body=body))

    def get(self, key: str) -> bytes:
        return self._do(f"read {key}", lambda: self._client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def list(self, prefix: str) -> list[Listed]:
        """All objects whose keys begin with the prefix, in the order of keys."""

        def pages() -> list[Listed]:
            found = []
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                found += [Listed(entry["Key"], entry["Size"]) for entry in page.get("Contents", [])]
            return sorted(found, key=lambda entry: entry.key)

        return self._do(f"list {prefix}", pages)

    def remove(self, keys: list[str]) -> None:
        for key in keys:
            self._do(f"remove {key}", lambda key=key: self._client.delete_object(Bucket=self.name, Key=key))

    def _do(self, what: str, action: Any) -> Any:
        try:
            return action()
        except (BotoCoreError, ClientError) as error:
            raise BucketError(f"cannot {what} in bucket {self.name}: {error}") from error
