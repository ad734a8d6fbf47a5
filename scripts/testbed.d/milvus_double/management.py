"""The management port: health, garbage collection, and what tests ask of the double itself.

Garbage collection: Milvus' internal/proxy/management.go; tickets as milvus-backup reads them. Below /double/:

  calls                                   what was asked so far, as JSON
  gc                                      which pauses hold, as JSON
  fail?call=NAME&times=N&code=8&reason=…  the next N calls of a name fail with a status of this code
  fail?call=NAME&times=N&grpc=UNAVAILABLE … or as a transport does (REST: with HTTP 503)
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import grpc

from .calls import Double
from .errors import Failure
from .journal import Journal, Order

_GC = "/management/datacoord/garbage_collection/"
_MAX_PAUSE = 24 * 3600


@dataclass
class Management:
    double: Double
    journal: Journal
    pauses: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Collection (0: all) and end of each pause, by ticket; "" is the ticket of servers without tickets."""

    def get(self, path: str, query: str) -> tuple[int, str]:
        params = dict(parse_qsl(query, keep_blank_values=True))
        status, body = self._get(path, params)
        if path.startswith("/management/"):
            outcome = "ok" if status == 200 else f"HTTP {status}: {body}"
            self.journal.note("management", path.removeprefix("/management/"), json.dumps(params), outcome)
        return status, body

    def _get(self, path: str, params: dict[str, str]) -> tuple[int, str]:
        match path:
            case "/healthz":
                return 200, "OK"
            case "/double/calls":
                return 200, json.dumps(self.journal.calls(), indent=1)
            case "/double/gc":
                return 200, json.dumps({key: collection for key, (collection, _) in self._holding().items()})
            case "/double/fail":
                return self._order(params)
        for name, action in (("pause", self._pause), ("resume", self._resume)):
            if path == _GC + name:
                if (order := self.journal.ordered(f"gc/{name}")) is not None:
                    return 500, json.dumps({"msg": order.reason})
                return action(params)
        return 404, "404 page not found"

    def _pause(self, params: dict[str, str]) -> tuple[int, str]:
        allowed = {"pause_seconds", "collection_id"}
        if unknown := sorted(params.keys() - allowed):
            return 400, _message(f"milvus_double: unknown parameters: {', '.join(unknown)}")
        seconds = params.get("pause_seconds", "")
        if not seconds.isdecimal() or not 0 < int(seconds) <= _MAX_PAUSE:
            return 500, _message(f"failed to pause garbage collection, pause duration not valid: {seconds}")
        collection = params.get("collection_id", "0")
        if not collection.isdecimal():
            return 400, _message(f"failed to pause garbage collection, collection_id: {collection}")
        end = time.monotonic() + int(seconds)
        if not self.double.features.per_collection_gc:
            # The server ignores the collection and pauses all of it.
            self.pauses[""] = (0, end)
            return 200, _message("OK")
        if int(collection):
            try:
                self.double.state.collection_by_id(int(collection))
            except Failure as failure:
                return 500, _message(f"failed to pause garbage collection, {failure.reason}")
        ticket = str(self.double.state.new_id())
        self.pauses[ticket] = (int(collection), end)
        return 200, json.dumps({"msg": "OK", "data": {"ticket": ticket}})

    def _resume(self, params: dict[str, str]) -> tuple[int, str]:
        allowed = {"ticket", "collection_id"} if self.double.features.per_collection_gc else set()
        if unknown := sorted(params.keys() - allowed):
            return 400, _message(f"milvus_double: unknown parameters: {', '.join(unknown)}")
        if "ticket" in params:
            if params["ticket"] not in self._holding():
                return 500, _message(f"failed to resume garbage collection, no such ticket: {params['ticket']}")
            del self.pauses[params["ticket"]]
        else:
            self.pauses.clear()
        return 200, _message("OK")

    def _holding(self) -> dict[str, tuple[int, float]]:
        now = time.monotonic()
        return {ticket: pause for ticket, pause in self.pauses.items() if pause[1] > now}

    def _order(self, params: dict[str, str]) -> tuple[int, str]:
        if unknown := sorted(params.keys() - {"call", "times", "code", "grpc", "reason"}):
            return 400, f"unknown parameters: {', '.join(unknown)}"
        name, times, code = params.get("call", ""), params.get("times", "1"), params.get("code", "0")
        status = params.get("grpc", "UNAVAILABLE")
        if not name or not times.isdecimal() or not code.isdecimal() or status not in grpc.StatusCode.__members__:
            return 400, "call, times, code or grpc is missing or wrong"
        self.journal.order(Order(name, int(times), int(code), status, params.get("reason", "ordered by a test")))
        return 200, "OK"


def _message(text: str) -> str:
    return json.dumps({"msg": text})


def encoded(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
