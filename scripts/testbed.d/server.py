"""What SeaweedFS and Milvus have in common here: start, wait until healthy, repair, stop."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path

from daemon import Daemon, ports_in_use
from layout import Layout

POLL_INTERVAL = 0.2
LOG_LINES_SHOWN = 25


class TestbedError(Exception):
    """Something the user should read; the text is the whole message."""


class Server(ABC):
    """One server process of the testbed."""

    start_bound: float
    """Seconds within which it must be healthy after its start."""
    stop_grace: float
    """Seconds it gets to end by itself."""

    def __init__(self, layout: Layout, name: str, address: str, ports: list[int], logs: Path) -> None:
        self.name = name
        self.address = address
        self.ports = ports
        self.logs = logs
        self.daemon = Daemon(name, layout.records / f"{name}.json", logs / "output.log")

    @abstractmethod
    def launch(self) -> None:
        """Writes the server's configuration and starts it."""

    @abstractmethod
    def problem(self) -> str | None:
        """Why it cannot be used now, None when it can. Takes a few seconds at most."""

    @abstractmethod
    def log_files(self) -> list[Path]:
        """Its newest logs, the most telling one last."""

    def ensure(self) -> str:
        """Makes the server run and answer. Returns what was done.

        A server that runs and does not answer gets as long as a starting one (it may be
        starting), and is started anew after that.
        """
        done = "started"
        if self.daemon.pid() is not None:
            if self.problem() is None or self._wait() is None:
                return "was running"
            self.stop()
            done = "started anew, as it did not answer"
        self._start()
        return done

    def stop(self) -> bool:
        return self.daemon.stop(self.stop_grace)

    def _start(self) -> None:
        if used := ports_in_use(self.ports):
            raise TestbedError(
                f"{self.name} cannot start: ports in use by processes that this testbed did not start: "
                f"{', '.join(map(str, used))}; end those (ss -ltnp names them) or use another --base-port"
            )
        self.launch()
        if problem := self._wait():
            raise TestbedError(f"{self.name} {problem}\n{self._log_tail()}")

    def _wait(self) -> str | None:
        """Polls until the server is healthy; returns what is wrong after the bound."""
        deadline = time.monotonic() + self.start_bound
        while True:
            problem = self.problem()
            if problem is None:
                return None
            if self.daemon.pid() is None:
                return "ended by itself while it was starting"
            if time.monotonic() >= deadline:
                return f"does not answer after {self.start_bound:.0f} s: {problem}"
            time.sleep(POLL_INTERVAL)

    def _log_tail(self) -> str:
        for log in reversed(self.log_files()):
            lines = log.read_text(errors="replace").splitlines()
            if lines:
                tail = "\n".join(f"  | {line[:300]}" for line in lines[-LOG_LINES_SHOWN:])
                return f"The end of {log}:\n{tail}"
        return f"Its logs in {self.logs} are empty."


def newest(directory: Path, pattern: str) -> list[Path]:
    """The newest file that matches, as a list of none or one."""
    found = [path for path in directory.glob(pattern) if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime)[-1:]
