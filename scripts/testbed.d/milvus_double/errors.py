"""Failures as Milvus reports them: a code of the second generation, its old companion, a reason.

Codes and the table of old ones: Milvus' pkg/util/merr (errors.go, utils.go), the same for 2.4 to 2.6.
"""

from __future__ import annotations

from pymilvus.grpc_gen import common_pb2

UNEXPECTED = 65535
RATE_LIMIT = 8
COLLECTION_NOT_FOUND = 100
COLLECTION_NOT_LOADED = 101
COLLECTION_ILLEGAL_SCHEMA = 105
PARTITION_NOT_FOUND = 200
SEGMENT_NOT_FOUND = 600
INDEX_NOT_FOUND = 700
DATABASE_NOT_FOUND = 800
DATABASE_INVALID_NAME = 802
KEY_NOT_FOUND = 1000
PARAMETER_INVALID = 1100
ALIAS_NOT_FOUND = 1600
ALIAS_AND_COLLECTION_CONFLICT = 1601
ALIAS_EXISTS = 1602
FIELD_NOT_FOUND = 1700
NEED_AUTHENTICATE = 1800
INCORRECT_FORMAT = 1801
MISSING_PARAMETERS = 1802
IMPORT_FAILED = 2100

_OLD_CODES = {
    RATE_LIMIT: common_pb2.RateLimit,
    COLLECTION_NOT_FOUND: common_pb2.CollectionNotExists,
    PARTITION_NOT_FOUND: common_pb2.MetaFailed,
    SEGMENT_NOT_FOUND: common_pb2.SegmentNotFound,
    INDEX_NOT_FOUND: common_pb2.IndexNotExist,
    PARAMETER_INVALID: common_pb2.IllegalArgument,
}
_RETRIABLE = {RATE_LIMIT}


class Failure(Exception):
    """A call that fails with a status."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    def status(self) -> common_pb2.Status:
        return common_pb2.Status(
            error_code=_OLD_CODES.get(self.code, common_pb2.UnexpectedError),
            code=self.code,
            reason=self.reason,
            detail=self.reason,
            retriable=self.code in _RETRIABLE,
        )


class Refusal(Exception):
    """A request that no client of this version can mean: unknown fields. The server would ignore them."""


def success() -> common_pb2.Status:
    return common_pb2.Status()


def invalid(reason: str) -> Failure:
    return Failure(PARAMETER_INVALID, f"{reason}: invalid parameter")


def import_failed(reason: str) -> Failure:
    return Failure(IMPORT_FAILED, f"{reason}: importing data failed")


def collection_not_found(database: str, name: object) -> Failure:
    return Failure(COLLECTION_NOT_FOUND, f"collection not found[database={database}][collection={name}]")


def partition_not_found(name: object) -> Failure:
    return Failure(PARTITION_NOT_FOUND, f"partition not found[partition={name}]")


def database_not_found(name: object) -> Failure:
    return Failure(DATABASE_NOT_FOUND, f"database not found[database={name}]")
