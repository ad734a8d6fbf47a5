"""The gRPC side: takes requests as bytes, so that nothing in them goes unseen, and answers as the version would."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from pymilvus.grpc_gen import common_pb2, milvus_pb2

from .bucket import BucketError
from .calls import Calls, Double
from .calls_access import AccessCalls
from .calls_collections import CollectionCalls, PartitionCalls
from .calls_flush import FlushCalls, ServerCalls
from .calls_import import ImportCalls
from .calls_indexes import IndexCalls, LoadCalls
from .calls_names import AliasCalls, DatabaseCalls
from .calls_rows import QueryCalls, WriteCalls
from .errors import UNEXPECTED, Failure, Refusal
from .journal import Journal
from .strictness import check, prune
from .versions import CALLS

SERVICE = "milvus.proto.milvus.MilvusService"
_GROUPS: list[type[Calls]] = [
    ServerCalls, DatabaseCalls, CollectionCalls, PartitionCalls, AliasCalls, IndexCalls, LoadCalls, WriteCalls,
    QueryCalls, FlushCalls, ImportCalls, AccessCalls,
]
_METHODS = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"].methods_by_name
_log = logging.getLogger("milvus_double")


class Service(grpc.GenericRpcHandler):
    def __init__(self, double: Double, journal: Journal) -> None:
        self.double = double
        self.journal = journal
        self._calls: dict[str, Callable[[Any, str], Message]] = {}
        for group in _GROUPS:
            instance = group(double)
            for name in dir(group):
                if name in _METHODS:
                    self._calls[name] = getattr(instance, name)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        service, _, name = details.method.lstrip("/").partition("/")

        def handle(data: bytes, context: grpc.ServicerContext) -> bytes:
            return self._handle(service, name, data, context)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _handle(self, service: str, name: str, data: bytes, context: grpc.ServicerContext) -> bytes:
        headers = {entry.key: entry.value for entry in context.invocation_metadata()}
        database = str(headers.get("dbname", ""))

        def abort(code: grpc.StatusCode, text: str) -> None:
            self.journal.note("grpc", name, database, f"{code.name}: {text}")
            context.abort(code, text)

        if service != SERVICE:
            abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown service {service}")
        if not self.double.features.has_call(name) or name not in self._calls:
            abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown method {name} for service {SERVICE}")
        if (order := self.journal.ordered(name)) is not None and not order.code:
            abort(grpc.StatusCode[order.grpc], order.reason)
        # Milvus lets Connect pass; pymilvus' first call carries the credentials all the same.
        if name != "Connect" and not self.double.access.admits(str(headers.get("authorization", ""))):
            abort(
                grpc.StatusCode.UNAUTHENTICATED, "auth check failure, please check username and password are correct"
            )
        method = _METHODS[name]
        request = GetMessageClass(method.input_type)()
        try:
            request.ParseFromString(data)
            check(request, self.double.features)
        except DecodeError as error:
            abort(grpc.StatusCode.INTERNAL, f"grpc: error unmarshalling request: {error}")
        except Refusal as refusal:
            abort(grpc.StatusCode.INVALID_ARGUMENT, f"milvus_double: {refusal}")
        is_late = name == "GetImportState" and self.double.settings.state_delay > 0
        if is_late:
            self.journal.note("grpc", name, database, "waits")
            time.sleep(self.double.settings.state_delay)
        answer, outcome = self._answer(name, request, self._database(request, database), order)
        prune(answer, self.double.features)
        if is_late and not context.is_active():
            outcome = "nobody waits for the answer"
        self.journal.note("grpc", name, database, outcome)
        return answer.SerializeToString()

    def _answer(self, name: str, request: Message, database: str, order: Any) -> tuple[Message, str]:
        kind = GetMessageClass(_METHODS[name].output_type)
        try:
            if order is not None:
                raise Failure(order.code, order.reason)
            with self.double.state.lock:
                answer = self._calls[name](request, database)
            if kind is not common_pb2.Status:
                answer.status.SetInParent()
            return answer, "ok"
        except Failure as failure:
            problem = failure
        except BucketError as error:
            problem = Failure(UNEXPECTED, str(error))
        except Refusal as refusal:
            problem = Failure(UNEXPECTED, f"milvus_double: {refusal}")
        except Exception as error:  # noqa: BLE001  # a defect of the double must be told as one
            _log.exception("%s failed", name)
            problem = Failure(UNEXPECTED, f"milvus_double has a defect: {error!r}")
        status = problem.status()
        return (status if kind is common_pb2.Status else kind(status=status)), f"{problem.code}: {problem.reason}"

    @staticmethod
    def _database(request: Message, header: str) -> str:
        """The request's own name goes before the header (Milvus' internal/proxy/database_interceptor.go)."""
        if "db_name" in request.DESCRIPTOR.fields_by_name and request.db_name:
            return request.db_name
        return header


def missing() -> list[str]:
    """Calls that versions.py promises and no group has."""
    served = {name for group in _GROUPS for name in dir(group)}
    return sorted(set(CALLS) - served)
