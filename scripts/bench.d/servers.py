"""The servers that are measured against: one SeaweedFS store of the testbed, and nginx as a plain web server."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layout import HOST, Layout, Store
from seaweedfs import SeaweedServer
from server import TestbedError
from tables import BenchError, Settings


@contextmanager
def seaweed(settings: Settings, number: int = 0) -> Iterator[tuple[Store, int]]:
    """One of two stores, running; its data stays for the next run. Yields its process id as well."""
    layout = Layout(settings.home, settings.base_port)
    store = layout.instances[number].store
    server = SeaweedServer(layout, store)
    try:
        server.ensure()
        pid = server.daemon.pid()
        if pid is None:
            raise BenchError(f"{server.name} has ended")
        yield store, pid
    except TestbedError as error:
        raise BenchError(str(error)) from error
    finally:
        server.stop()


def compact(store: Store) -> None:
    """Gives the space of deleted objects back; otherwise SeaweedFS does so in the middle of a run."""
    address = f"http://{HOST}:{store.ports['master']}/vol/vacuum?garbageThreshold=0.05"
    with urllib.request.urlopen(address, timeout=300) as answer:
        answer.read()


@contextmanager
def slowed(settings: Settings, store: Store, port: int, latency: str) -> Iterator[str]:
    """A way to a store on which each answer comes later. Yields its endpoint."""
    command = [
        str(settings.binary("fault-proxy")), "--to", store.endpoint.removeprefix("http://"), "--listen", f"{HOST}:{port}",
        "--latency", latency,
    ]
    proxy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(50):
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise BenchError(f"{command} does not listen")
        yield f"http://{HOST}:{port}"
    finally:
        proxy.terminate()
        proxy.wait(10)


NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  open_file_cache max=100;
  server {{ listen {host}:{port}; root {root}; }}
}}
"""


@contextmanager
def nginx(settings: Settings, root: Path) -> Iterator[tuple[str, list[int]]]:
    """A plain web server with one worker over a folder. Yields its URL and its process ids."""
    folder = settings.home / "nginx"
    folder.mkdir(exist_ok=True)
    port = settings.base_port + 39
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, host=HOST, port=port, root=root))
    with (folder / "output.log").open("wb") as output:
        master = subprocess.Popen(
            ["/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", str(file)], stdout=output, stderr=output
        )
    try:
        url = f"http://{HOST}:{port}"
        for _ in range(50):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise BenchError(f"nginx does not answer; see {folder}/output.log")
        children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()
        yield url, [master.pid, *map(int, children)]
    finally:
        master.terminate()
        master.wait(10)
