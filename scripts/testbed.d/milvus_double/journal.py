"""What was asked of the double, and failures that a test orders in advance."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass


@dataclass
class Call:
    kind: str
    """grpc, rest or management."""
    name: str
    database: str
    outcome: str
    """ok, or why not."""


@dataclass
class Order:
    """Fail the next calls of a name."""

    name: str
    times: int
    code: int
    """Of the status; 0: fail as a transport does."""
    grpc: str
    """Name of the gRPC status, when code is 0."""
    reason: str


class Journal:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._orders: list[Order] = []

    def note(self, kind: str, name: str, database: str, outcome: str) -> None:
        with self._lock:
            self._calls.append(Call(kind, name, database, outcome))

    def calls(self) -> list[dict[str, str]]:
        with self._lock:
            return [asdict(call) for call in self._calls]

    def order(self, order: Order) -> None:
        with self._lock:
            self._orders.append(order)

    def ordered(self, name: str) -> Order | None:
        """Takes one ordered failure of the call, if there is one."""
        with self._lock:
            for order in self._orders:
                if order.name == name and order.times > 0:
                    order.times -= 1
                    return order
        return None
