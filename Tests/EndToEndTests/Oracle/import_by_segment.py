"""The course that is to be beaten: one Import for each segment of a backup, all polled every three seconds.

import_by_segment.py TESTBED INSTANCE BACKUP SOURCE TARGET: prints the seconds it took. TARGET must exist, empty.
"""

import json
import sys
import time

import grpc
from objects import client
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

COMPLETED, FAILED = 6, (1, 7)


def main() -> None:
    testbed, instance, backup, source, target = sys.argv[1:]
    with open(testbed, encoding="utf-8") as file:
        address = json.load(file)["instances"][instance]["milvus"]["address"]
    s3, bucket = client(testbed, instance)
    root = f"backup/{backup}/"
    full = json.loads(s3.get_object(Bucket=bucket, Key=f"{root}meta/full_meta.json")["Body"].read())
    collection = next(c for c in full["collection_backups"] if c["collection_name"] == source)
    options = [common_pb2.KeyValuePair(key="backup", value="true")]
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = milvus_pb2_grpc.MilvusServiceStub(channel)
        began = time.monotonic()
        tasks = []
        for partition in collection["partition_backups"]:
            for segment in partition.get("segment_backups", []):
                ids = f"{collection['collection_id']}/{partition['partition_id']}/{segment['group_id']}/"
                has_deltas = any(log.get("binlogs") for log in segment.get("deltalogs", []))
                request = milvus_pb2.ImportRequest(
                    collection_name=target,
                    partition_name=partition["partition_name"],
                    files=[
                        f"{root}binlogs/insert_log/{ids}",
                        f"{root}binlogs/delta_log/{ids}" if has_deltas else "",
                    ],
                    options=options,
                )
                tasks += stub.Import(request).tasks
        open_tasks = set(tasks)
        while open_tasks:
            time.sleep(3)
            for task in sorted(open_tasks):
                state = stub.GetImportState(milvus_pb2.GetImportStateRequest(task=task))
                if state.state in FAILED:
                    sys.exit(f"task {task} failed: {state.infos}")
                if state.state == COMPLETED:
                    open_tasks.remove(task)
        print(f"{len(tasks)} {time.monotonic() - began:.1f}")


if __name__ == "__main__":
    main()
