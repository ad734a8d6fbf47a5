"""Makes backups of earlier generations of the format from a current one, in the bucket of the testbed.

generations.py TESTBED INSTANCE SOURCE GENERATION TARGET

GENERATION: flat (before 2023-02: no group directories, levelled metadata), groups (2023: numbered groups of several
segments), 0.4 (fake L0 segments, channel_cp_meta.json), 0.5 (state and times in the metadata, channel_cp_meta.json),
current (a copy).
"""

import json
import sys

from objects import client, keys


def main() -> None:
    testbed, instance, source, generation, target = sys.argv[1:]
    s3, bucket = client(testbed, instance)
    root = f"backup/{source}/"
    body = s3.get_object(Bucket=bucket, Key=f"{root}meta/full_meta.json")["Body"].read()
    full = json.loads(body)
    full["name"] = target
    groups = regroup(full, generation)
    for item in keys(s3, bucket, f"{root}binlogs/"):
        path = item["Key"][len(root) :]
        s3.copy_object(
            Bucket=bucket,
            Key=f"backup/{target}/{moved(path, groups)}",
            CopySource={"Bucket": bucket, "Key": item["Key"]},
        )
    for name, value in files(full, generation).items():
        text = json.dumps(value, separators=(",", ":")).encode()
        s3.put_object(Bucket=bucket, Key=f"backup/{target}/meta/{name}", Body=text)


def segments(full: dict):
    for collection in full["collection_backups"]:
        for partition in collection["partition_backups"]:
            for segment in partition.get("segment_backups", []):
                yield partition, segment


def regroup(full: dict, generation: str) -> dict[int, int | None]:
    """Gives segments the groups of the generation; returns them by segment id, None for no group directory."""
    groups: dict[int, int | None] = {}
    for collection in full["collection_backups"]:
        for partition in collection["partition_backups"]:
            for number, segment in enumerate(partition.get("segment_backups", [])):
                identifier = segment["segment_id"]
                if generation == "flat":
                    segment.pop("group_id", None)
                    groups[identifier] = None
                elif generation == "groups":
                    segment["group_id"] = groups[identifier] = 1 + number // 2
                else:
                    groups[identifier] = segment["group_id"]
            if generation == "0.4":
                fake(partition)
    return groups


def fake(partition: dict) -> None:
    """A segment that was garbage collected before it was copied: 0.4 took it for an L0 segment without anything."""
    identifier = 1 + max([s["segment_id"] for s in partition.get("segment_backups", [])] or [partition["partition_id"]])
    partition.setdefault("segment_backups", []).append(
        {
            "segment_id": identifier,
            "collection_id": partition["collection_id"],
            "partition_id": partition["partition_id"],
            "num_of_rows": 123,
            "is_l0": True,
            "group_id": identifier,
            "backuped": True,
            "size": 0,
        }
    )


def moved(path: str, groups: dict[int, int | None]) -> str:
    """binlogs/insert_log/C/P/G/S/F/L or binlogs/delta_log/C/P/G/S/L with another group."""
    parts = path.split("/")
    group = groups[int(parts[5])]
    parts[4:5] = [] if group is None else [str(group)]
    return "/".join(parts)


def files(full: dict, generation: str) -> dict[str, object]:
    old = generation in ("flat", "groups", "0.4", "0.5")
    if old:
        full.pop("database_backups", None)
        times = {"state_code": 2, "start_time": 1_690_000_000_000, "end_time": 1_690_000_001_000, "progress": 100}
        full.update(times)
        for collection in full["collection_backups"]:
            collection.update(times)
            for key in ("aliases", "db_id", "created_timestamp", "virtual_channel_names", "physical_channel_names"):
                collection.pop(key, None)
            if generation in ("flat", "groups"):
                # Before databases: the name was left out.
                collection.pop("db_name", None)
    top = {key: value for key, value in full.items() if key not in ("collection_backups", "database_backups")}
    partitions = [p for c in full["collection_backups"] for p in c["partition_backups"]]
    levels = {
        "backup_meta.json": top,
        "collection_meta.json": {"infos": full["collection_backups"]},
        "partition_meta.json": {"infos": partitions},
        "segment_meta.json": {"infos": [segment for _, segment in segments(full)]},
    }
    if generation in ("0.4", "0.5"):
        levels["channel_cp_meta.json"] = {
            c["collection_name"]: [{"name": "by-dev-rootcoord-dml_0", "position": "CgNkbWw="}]
            for c in full["collection_backups"]
        }
    # full_meta.json came in July 2023.
    return levels if generation == "flat" else {**levels, "full_meta.json": full}


if __name__ == "__main__":
    main()
