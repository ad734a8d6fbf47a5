"""Checks of import: a collection goes through its binlogs into another one, row by row; and what is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from pymilvus import MilvusClient
from pymilvus.grpc_gen import common_pb2, milvus_pb2

from .selfcheck_bed import ROWS, Bed, Checks, Refused, Store, contents, double, make, make_index, rows


@dataclass
class Backup:
    """Logs in a backup's layout, with a directory of its own for each segment."""

    base: str
    storage: int = 0
    segments: list[tuple[str, list[str]]] = field(default_factory=list)
    """Partition name, insert directory."""
    deletes: list[tuple[str, str]] = field(default_factory=list)
    """Partition name or "", directory of the deletes."""


def fill(bed: Bed, client: MilvusClient) -> None:
    make(client, "coll")
    wanted = rows(ROWS)
    client.insert("coll", wanted[: ROWS // 2])
    client.insert("coll", wanted[ROWS // 2 :], partition_name="archive")
    client.flush("coll")
    client.delete("coll", filter="id < 10")
    client.delete("coll", filter="id in [2000, 2001]", partition_name="archive")
    client.upsert("coll", [{**wanted[20], "title": "new"}])
    client.flush("coll")
    make_index(client, "coll")
    client.load_collection("coll")


def back_up(bed: Bed) -> Backup:
    answer = bed.call("ShowPartitions", milvus_pb2.ShowPartitionsRequest(collection_name="coll"))
    names = dict(zip(answer.partitionIDs, answer.partition_names, strict=True))
    answer = bed.call("GetPersistentSegmentInfo", milvus_pb2.GetPersistentSegmentInfoRequest(collectionName="coll"))
    backup = Backup(f"{bed.root}/backup/b1/binlogs")
    for entry in answer.infos:
        home = f"{entry.collectionID}/{entry.partitionID}"
        backup.storage = max(backup.storage, entry.storage_version)
        group = f"{home}/{entry.segmentID}" if entry.partitionID != -1 else home
        for kind in ("insert_log", "delta_log"):
            source = f"{bed.root}/{kind}/{home}/{entry.segmentID}/"
            for key in bed.keys(source):
                bed.copy(key, f"{backup.base}/{kind}/{group}/{entry.segmentID}/{key[len(source):]}")
        if entry.num_rows:
            directory = f"{backup.base}/insert_log/{group}/"
            backup.segments.append((names[entry.partitionID], [directory]))
        else:
            last = "" if entry.partitionID != -1 else f"{entry.segmentID}/"
            backup.deletes.append((names.get(entry.partitionID, ""), f"{backup.base}/delta_log/{group}/{last}"))
    return backup


def options_of(backup: Backup) -> dict[str, str]:
    return {"backup": "true", **({"storage_version": str(backup.storage)} if backup.storage else {})}


def grpc_import(bed: Bed, name: str, partition: str, files: list[str], options: dict[str, str]) -> Any:
    request = milvus_pb2.ImportRequest(collection_name=name, partition_name=partition, files=files)
    for key, value in options.items():
        request.options.add(key=key, value=value)
    task = bed.call("Import", request).tasks[0]
    while True:
        answer = bed.call("GetImportState", milvus_pb2.GetImportStateRequest(task=task))
        if answer.state == common_pb2.ImportFailed:
            raise Refused({pair.key: pair.value for pair in answer.infos}["failed_reason"])
        if answer.state == common_pb2.ImportCompleted:
            return answer
        time.sleep(0.05)


def rest_import(
    bed: Bed, name: str, partition: str, files: list[list[str]], options: dict[str, str], path: str = "describe"
) -> Any:
    body = {"dbName": "default", "collectionName": name, "files": files, "options": options}
    if partition:
        body["partitionName"] = partition
    job = bed.rest("jobs/import/create", body)["jobId"]
    while True:
        answer = bed.rest(f"jobs/import/{path}", {"dbName": "default", "jobId": job})
        if answer["state"] == "Failed":
            raise Refused(answer["reason"])
        if answer["state"] == "Completed":
            return answer
        time.sleep(0.05)


def a_backup_comes_back_by_grpc(checks: Checks, store: Store, version: str) -> None:
    with double(version, store) as bed:
        client = MilvusClient(f"http://{bed.address}")
        fill(bed, client)
        backup = back_up(bed)
        make(client, "again")
        total = 0
        for partition, files in backup.segments:
            total += grpc_import(bed, "again", partition, [*files, ""], options_of(backup)).row_count
        checks.equal("rows of the import", total, ROWS + 1)
        if bed.number >= (2, 4, 5):
            for partition, directory in backup.deletes:
                grpc_import(bed, "again", partition, [directory], {"l0_import": "true"})
        else:
            checks.refused("l0_import before 2.4.5", lambda: grpc_import(
                bed, "again", "", [backup.deletes[0][1]], {"l0_import": "true"}), "l0_import")
        make_index(client, "again")
        client.load_collection("again")
        wanted, found = contents(client, "coll"), contents(client, "again")
        checks.equal("rows of the source", len(wanted), ROWS - 12)
        if bed.number >= (2, 4, 5):
            checks.equal("all rows came back, the deleted ones not", found, wanted)
            checks.refused("an L0 import into what is loaded", lambda: grpc_import(
                bed, "again", "", [backup.deletes[0][1]], {"l0_import": "true"}), "release it first")
        again = bed.call("GetPersistentSegmentInfo", milvus_pb2.GetPersistentSegmentInfoRequest(collectionName="again"))
        entry = max(again.infos, key=lambda entry: entry.num_rows)
        checks.holds("imported segments have objects of their own", len(bed.keys(
            f"{bed.root}/insert_log/{entry.collectionID}/{entry.partitionID}/{entry.segmentID}/")) > 0)
        tasks = bed.call("ListImportTasks", milvus_pb2.ListImportTasksRequest(collection_name="again")).tasks
        checks.holds("the tasks are listed", len(tasks) >= len(backup.segments))


def a_backup_comes_back_by_rest(checks: Checks, store: Store, version: str) -> None:
    with double(version, store) as bed:
        client = MilvusClient(f"http://{bed.address}")
        fill(bed, client)
        backup = back_up(bed)
        make(client, "again")
        by_partition: dict[str, list[list[str]]] = {}
        for partition, files in backup.segments:
            by_partition.setdefault(partition, []).append(files)
        answers = [
            rest_import(bed, "again", partition, files, options_of(backup), path)
            for (partition, files), path in zip(by_partition.items(), ["describe", "get_progress"], strict=True)
        ]
        checks.equal("imported rows", sum(answer["importedRows"] for answer in answers), ROWS + 1)
        checks.equal("total rows", sum(answer["totalRows"] for answer in answers), ROWS + 1)
        checks.equal("details, one a segment", sum(len(entry["details"]) for entry in answers), len(backup.segments))
        listed = bed.rest("jobs/import/list", {"collectionName": "again"})["records"]
        checks.equal("listed jobs", [entry["state"] for entry in listed], ["Completed"] * 2)
        if bed.number >= (2, 4, 5):
            together = [[directory] for _, directory in backup.deletes]
            if bed.number < (2, 6, 5):
                checks.refused("two L0 directories before 2.6.5", lambda: rest_import(
                    bed, "again", "", together, {"l0_import": "true"}), "one prefix")
            for partition, directory in backup.deletes:
                rest_import(bed, "again", partition, [[directory]], {"l0_import": "true"})
            make_index(client, "again")
            client.load_collection("again")
            checks.equal("all rows came back", contents(client, "again"), contents(client, "coll"))
        rest_is_strict(checks, bed, backup)


def rest_is_strict(checks: Checks, bed: Bed, backup: Backup) -> None:
    partition, files = backup.segments[0]
    body = {"collectionName": "again", "partitionName": partition, "files": [files], "options": options_of(backup)}

    def create(**changes: Any) -> Any:
        return bed.rest("jobs/import/create", {**body, **changes})

    checks.refused("an unknown key", lambda: create(useful=True), "1801", "useful")
    checks.refused("no collection", lambda: create(collectionName=""), "1802")
    checks.refused("a collection that is not there", lambda: create(collectionName="nowhere"), "100 ")
    checks.refused("a database that is not there", lambda: create(dbName="nowhere"), "800 ")
    checks.refused("a partition that is not there", lambda: create(partitionName="nowhere"), "200 ")
    checks.refused("no partition", lambda: create(partitionName=""), "1100", "partition not specified")
    checks.refused("an empty path", lambda: create(files=[[*files, ""]]), "2100", "ParseInt")
    checks.refused("options that are no texts", lambda: create(options={"backup": True}), "1801")
    checks.refused("an unknown option", lambda: create(options={"backup": "true", "end_time": "1"}), "end_time")
    checks.refused("what is no JSON", lambda: bed.rest("jobs/import/create", b"{"), "1801")
    checks.refused("a job that is not there", lambda: bed.rest("jobs/import/describe", {"jobId": "1"}), "2100",
                   "does not exist")
    checks.refused("a job as a number", lambda: bed.rest("jobs/import/describe", {"jobId": 1}), "1801")
    checks.refused("an unknown path", lambda: bed.rest("jobs/import/stop", {}), "HTTP 404")


def wrong_files_are_refused(checks: Checks, store: Store, version: str) -> None:
    # Small files, and storage version 1 also where 2 is the default: both must be read.
    with double(version, store, "--storage-version", "0", "--import-delay", "0") as bed:
        client = MilvusClient(f"http://{bed.address}")
        fill(bed, client)
        backup = back_up(bed)
        partition, (directory,) = backup.segments[0]
        make(client, "again")

        def refused(what: str, files: list[str], *words: str, **options: str) -> None:
            checks.refused(what, lambda: grpc_import(
                bed, "again", partition, files, {"backup": "true", **options}), *words)

        refused("a directory without its slash", [directory[:-1]], "slash")
        refused("a URL", [f"s3://{store.bucket}/{directory}"], "no key of this bucket")
        refused("an absolute path", ["/" + directory], "no key of this bucket")
        refused("a directory that is not there", [directory.replace("/b1/", "/b2/")], "no binlog to import")
        refused("three paths", [directory, "", ""], "too many input paths")
        refused("the directory of the segment itself", [directory + directory.rstrip("/").rpartition("/")[2] + "/"],
                "field id")
        refused("an unknown option", [directory], "end_time", end_time="5")
        refused("a flag that is neither", [directory], "backup", backup="yes")
        moment = int(time.time() * 1000)
        hybrid = bed.number >= (2, 5, 6) or (2, 5, 0) > bed.number >= (2, 4, 24)
        right, wrong = (moment << 18, moment) if hybrid else (moment, moment << 18)
        refused("end_ts in the other unit", [directory], "end_ts", end_ts=str(wrong))
        if bed.number < (2, 6, 0):
            refused("storage_version before 2.6", [directory], "storage_version", storage_version="2")
        answer = grpc_import(bed, "again", partition, [directory], {"backup": "true", "end_ts": str(right)})
        checks.holds("end_ts in the right unit imports all", answer.row_count > 0)
        answer = grpc_import(
            bed, "again", partition, [directory], {"backup": "true", "end_ts": str((right >> 1) if not hybrid else
                                                                                   (moment >> 1 << 18))}
        )
        checks.equal("an end_ts of long ago imports none", answer.row_count, 0)
        broken_files(checks, bed, backup, refused)


def broken_files(checks: Checks, bed: Bed, backup: Backup, refused: Any) -> None:
    _, (directory,) = backup.segments[0]
    files: dict[str, list[str]] = {}
    for key in bed.keys(directory):
        files.setdefault(key.split("/")[-2], []).append(key)
    client = bed.store.client()

    def body(key: str) -> bytes:
        return client.get_object(Bucket=bed.store.bucket, Key=key)["Body"].read()

    victim = files["100"][0]
    original = body(victim)
    for what, content, word in (
        ("cut short", original[: len(original) // 2], "cut short"),
        ("without its magic number", b"\0" * 8 + original[8:], "magic number"),
        ("of another field", body(files["101"][0]), "descriptor says field 101"),
        ("of a wrong Parquet", original[:-20] + b"\0" * 20, "Parquet"),
        ("empty", b"", "magic number"),
    ):
        bed.put(victim, content)
        refused(f"a log {what}", [directory], word)
    bed.put(victim, original)
    bed.put(victim.replace("/100/", "/100x/"), original)
    refused("a directory that is no field", [directory], "field id")
    bed.remove(victim.replace("/100/", "/100x/"))
    client.delete_object(Bucket=bed.store.bucket, Key=victim)
    refused("a field with a log less", [directory], "misaligned")
    for key in files["100"][1:]:
        client.delete_object(Bucket=bed.store.bucket, Key=key)
    refused("a field without logs", [directory], "no binlog for field:id")
    if bed.number >= (2, 4, 5):
        _, deletes = backup.deletes[0]
        for key in bed.keys(deletes):
            bed.put(key, original)
        checks.refused("an insert log among deletes", lambda: grpc_import(
            bed, "again", "", [deletes], {"l0_import": "true"}), "wrong binlog type")


IMPORT_PARTS = [a_backup_comes_back_by_grpc, a_backup_comes_back_by_rest, wrong_files_are_refused]
