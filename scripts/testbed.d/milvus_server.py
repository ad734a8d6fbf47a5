"""A Milvus 2.3.5 standalone server with embedded etcd and message queue."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from clients import milvus_problem
from daemon import clean_environment
from layout import HOST, MILVUS_HOME, Layout, Milvus, Store
from server import Server, newest
from templates import render

PROBE_TIMEOUT = 5.0


class MilvusServer(Server):
    # After a crash it waits for the sessions of its former self to expire: a bit over a minute.
    start_bound = 180
    # A clean stop of 2.3.5 standalone never gets beyond its root coordinator. All state is in
    # the logs of etcd and of the message queue, so it loses nothing by being killed.
    stop_grace = 1

    def __init__(self, layout: Layout, milvus: Milvus, store: Store) -> None:
        super().__init__(layout, milvus.name, milvus.address, list(milvus.ports.values()), milvus.logs)
        self.milvus = milvus
        self.store = store

    def launch(self) -> None:
        configs = self.milvus.config / "configs"
        configs.mkdir(parents=True, exist_ok=True)
        values = {
            **{f"{role}_port": port for role, port in self.milvus.ports.items()},
            "host": HOST,
            "data": self.milvus.data,
            "logs": self.milvus.logs,
            "etcd_config": configs / "etcd.yaml",
            "s3_port": self.store.ports["s3"],
            "bucket": self.store.bucket,
            "access_key": self.store.access_key,
            "secret_key": self.store.secret_key,
        }
        for name in ("milvus.yaml", "etcd.yaml", "glog.conf"):
            (configs / name).write_text(render(name, values))
        self.milvus.data.mkdir(parents=True, exist_ok=True)

        binaries = MILVUS_HOME / "bin"
        environment = clean_environment(
            DEPLOY_MODE="STANDALONE",
            METRICS_PORT=str(self.milvus.ports["metrics"]),
            MILVUS_RUN_DIR=str(self.milvus.config),
            LD_LIBRARY_PATH=str(binaries),
        )
        # The alias makes the name of the machine-wide lock file that Milvus takes its own.
        alias = f"testbed-{self.milvus.ports['proxy']}"
        command = [str(binaries / "milvus"), "run", "standalone", f"-alias={alias}"]
        self.daemon.start(command, directory=self.milvus.config, environment=environment)

    def problem(self) -> str | None:
        url = f"{self.milvus.management}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT):
                pass
        except urllib.error.HTTPError as error:
            return f"{url} answers {error.code}: {error.read(200).decode(errors='replace')}"
        except OSError as error:
            return f"{url}: {error}"
        return milvus_problem(self.milvus.address, PROBE_TIMEOUT)

    def stop(self) -> bool:
        if self.daemon.pid() is not None:
            self._end_sessions()
        return super().stop()

    def log_files(self) -> list[Path]:
        return newest(self.logs, "output.log") + newest(self.logs, "standalone*.log")

    def _end_sessions(self) -> None:
        """Removes the components' session keys from etcd, as a clean stop would.

        With them gone, the next start takes seconds instead of waiting for them to expire.
        """
        first, end = (base64.b64encode(key).decode() for key in (b"by-dev/meta/session/", b"by-dev/meta/session0"))
        request = urllib.request.Request(
            f"http://{HOST}:{self.milvus.ports['etcd_client']}/v3/kv/deleterange",
            data=json.dumps({"key": first, "range_end": end}).encode(),
        )
        # Only the next start's duration depends on it.
        with suppress(OSError):
            urllib.request.urlopen(request, timeout=PROBE_TIMEOUT).close()
