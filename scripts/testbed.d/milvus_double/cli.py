"""The command line: makes the parts, opens the ports, waits for a signal."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from .bucket import Bucket, BucketError
from .calls import Double, Settings
from .front import Front
from .http_server import management_server, rest_server
from .imports import Importer
from .journal import Journal
from .logs import LogStore
from .management import Management
from .rbac import AccessControl
from .rest import RestAPI
from .service import Service
from .state import State
from .versions import Features, Version

DESCRIPTION = """\
A strict double of the Milvus interfaces that backups use: gRPC and REST on one port as the version has them, state in
memory, binlogs in a bucket of its own. Not a Milvus server. Prints one line when it is ready; ends on SIGTERM.
"""
HOST = "127.0.0.1"
_MAX_MESSAGE = 512 << 20


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="milvus_double", description=DESCRIPTION)
    parser.add_argument("--version", required=True, dest="stands_for", help="version it stands for, such as 2.5.4")
    parser.add_argument("--port", type=int, required=True, help="gRPC and REST, as Milvus' proxy; 0: any free one")
    parser.add_argument("--http-port", type=int, help="REST alone; default: none")
    parser.add_argument("--grpc-port", type=int, default=0, help="gRPC alone; default: any free one")
    parser.add_argument("--management-port", type=int, required=True, help="health, garbage collection; 0: any")
    parser.add_argument("--endpoint", required=True, help="of the S3 store, such as http://127.0.0.1:9000")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--secret-key", default=os.environ.get("MILVUS_DOUBLE_SECRET_KEY", ""),
                        help="default: the environment variable MILVUS_DOUBLE_SECRET_KEY")
    parser.add_argument("--region", default="us-east-1", help="default %(default)s")
    parser.add_argument("--root-path", default="files", help="prefix of its keys; default %(default)s")
    parser.add_argument("--user", default="", help="with --password: what every call must carry; default: nothing")
    parser.add_argument("--password", default="")
    parser.add_argument("--storage-version", type=int, choices=(0, 2),
                        help="of the segments it writes; default: 2 from 2.6 on, else 0")
    parser.add_argument("--rows-per-log", type=int, default=4096, help="default %(default)s")
    parser.add_argument("--flush-delay", type=float, default=0.2, help="seconds; default %(default)s")
    parser.add_argument("--import-delay", type=float, default=0.1, help="seconds per segment; default %(default)s")
    parser.add_argument("--state-delay", type=float, default=0,
                        help="seconds until GetImportState is answered; default %(default)s")
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    try:
        features = Features(Version.parse(options.stands_for))
    except ValueError as error:
        parser.error(str(error))
    if options.storage_version == 2 and not features.storage_v2:
        parser.error(f"Milvus {features.version} has no storage version 2")
    if options.rows_per_log < 1 or bool(options.user) != bool(options.password):
        parser.error("--rows-per-log is positive, and --user goes with --password")
    logging.basicConfig(level=logging.WARNING, format="milvus_double: %(message)s")
    bucket = Bucket(options.endpoint, options.bucket, options.access_key, options.secret_key, options.region)
    try:
        bucket.check()
    except BucketError as error:
        print(f"milvus_double: {error}", file=sys.stderr)
        return 1
    return _serve(options, features, bucket)


def _serve(options: argparse.Namespace, features: Features, bucket: Bucket) -> int:
    # Signals are blocked before any thread starts, so that all threads leave them to sigwait.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    state = State()
    logs = LogStore(bucket, options.root_path.strip("/"), options.rows_per_log, state.new_id)
    storage = options.storage_version
    if storage is None:
        storage = 2 if features.storage_v2 else 0
    importer = Importer(state, logs, features, storage, options.import_delay)
    settings = Settings(options.flush_delay, options.state_delay)
    double = Double(features, state, importer, AccessControl(options.user, options.password), settings)
    journal = Journal()
    server = grpc.server(
        ThreadPoolExecutor(16, thread_name_prefix="grpc"),
        handlers=[Service(double, journal)],
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE),
            ("grpc.max_send_message_length", _MAX_MESSAGE),
            ("grpc.so_reuseport", 0),
            # Clients ping a connection without calls, as milvus-backup does every five seconds.
            ("grpc.http2.min_ping_interval_without_data_ms", 1000),
            ("grpc.keepalive_permit_without_calls", 1),
        ],
    )
    try:
        grpc_port = server.add_insecure_port(f"{HOST}:{options.grpc_port}")
        rest = rest_server((HOST, options.http_port or 0), RestAPI(double, journal))
        management = management_server((HOST, options.management_port), Management(double, journal))
        front = Front(HOST, options.port, (HOST, grpc_port), rest.server_address[:2])
    except (OSError, RuntimeError) as error:
        print(f"milvus_double: cannot open its ports: {error}", file=sys.stderr)
        return 1
    server.start()
    print(
        f"milvus_double: standing for Milvus {features.version} at {HOST}:{front.port}, "
        f"REST {rest.server_address[1]}, management {management.server_address[1]}, "
        f"gRPC {grpc_port}",
        flush=True,
    )
    signal.sigwait(signals)
    front.close()
    server.stop(grace=1).wait()
    # After a second signal it does not finish what it has begun.
    threading.Thread(target=lambda: (signal.sigwait(signals), os._exit(1)), daemon=True).start()
    importer.stop()
    rest.shutdown()
    management.shutdown()
    return 0
