"""Checks of what clients do every day: collections, rows, databases, aliases, indexes, flushing."""

from __future__ import annotations

import time
from typing import Any

import numpy
from pymilvus import DataType, MilvusClient, MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from .selfcheck_bed import ROWS, Bed, Checks, Store, comparable, contents, double, make, make_index, rows


def rows_are_written_and_read(checks: Checks, store: Store, version: str) -> None:
    with double(version, store) as bed:
        client = MilvusClient(f"http://{bed.address}")
        checks.equal("version", client.get_server_version(), f"v{version}")
        make(client, "coll")
        wanted = rows(ROWS)
        client.insert("coll", wanted[: ROWS // 2])
        client.insert("coll", wanted[ROWS // 2 :], partition_name="archive")
        client.flush("coll")
        checks.equal("row count of statistics", client.get_collection_stats("coll")["row_count"], ROWS)
        try:
            client.load_collection("coll")
            checks.holds("loading without an index is refused", False)
        except MilvusException as error:
            checks.equal("loading without an index is refused", error.code, 700)
        make_index(client, "coll")
        index = client.describe_index("coll", "embedding")
        checks.equal("index", (index["index_type"], index["metric_type"]), ("IVF_FLAT", "L2"))
        checks.refused("a query of what is not loaded", lambda: bed.call("Query", query("coll", "id >= 0")), "101")
        client.load_collection("coll")
        checks.equal("load state", client.get_load_state("coll")["state"].name, "Loaded")
        checks.equal("all rows", contents(client, "coll"), {row["id"]: comparable(row) for row in wanted})
        count = client.query("coll", filter="", output_fields=["count(*)"])
        checks.equal("count(*)", count[0]["count(*)"], ROWS)
        some = client.query("coll", filter="id in [3, 5] && extra == 9 || id == 7", output_fields=["title"])
        checks.equal("expression", sorted(row["id"] for row in some), [3, 7])
        deletes_and_segments(checks, bed, client)


def deletes_and_segments(checks: Checks, bed: Bed, client: MilvusClient) -> None:
    client.delete("coll", filter="id in [1, 2, 3]")
    client.upsert("coll", [{**rows(5)[4], "title": "new"}])
    found = contents(client, "coll")
    checks.equal("rows after deletes", len(found), ROWS - 3)
    checks.equal("an upserted row", found[4]["title"], "new")
    client.flush("coll")
    checks.equal("rows after flushing the deletes", contents(client, "coll"), found)
    segments = bed.call("GetPersistentSegmentInfo", milvus_pb2.GetPersistentSegmentInfoRequest(collectionName="coll"))
    # Two channels in each of two partitions, one more row, and deletes in one partition and in all.
    checks.equal("segments", len(segments.infos), 7)
    levels = [entry.level for entry in segments.infos]
    if bed.number >= (2, 4, 7):
        checks.equal("levels", sorted(levels), [common_pb2.L0] * 2 + [common_pb2.L1] * 5)
    else:
        checks.equal("no levels before 2.4.7", set(levels), {common_pb2.Legacy})
    storage = 2 if bed.number >= (2, 6, 0) else 0
    checks.equal("storage version", max(entry.storage_version for entry in segments.infos), storage)
    check_files(checks, bed, segments, storage)


def check_files(checks: Checks, bed: Bed, segments: Any, storage: int) -> None:
    described = bed.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name="coll"))
    checks.holds(
        "the dynamic field is not shown", "$meta" not in {field.name for field in described.schema.fields}
    )
    identifiers = [field.fieldID for field in described.schema.fields]
    checks.equal("field ids", identifiers, list(range(100, 106)))
    largest = max(segments.infos, key=lambda entry: entry.num_rows)
    base = f"{bed.root}/insert_log/{largest.collectionID}/{largest.partitionID}/{largest.segmentID}/"
    directories = {key[len(base) :].split("/")[0] for key in bed.keys(base)}
    wanted = {"0", "1", *map(str, range(100, 107))} if storage == 0 else {"0", "102", "103", "105", "106"}
    checks.equal("directories of a segment", directories, wanted)
    body = {"dbName": "default", "collectionId": largest.collectionID, "segmentIds": [largest.segmentID]}
    if bed.number < (2, 5, 8):
        checks.refused("segments/describe before 2.5.8", lambda: bed.rest("segments/describe", body), "HTTP 404")
        return
    described = bed.rest("segments/describe", body)["segmentInfos"][0]
    keys = {f"{base}{entry['fieldID']}/{log}" for entry in described["insertLogs"] for log in entry["logIDs"]}
    checks.equal("segments/describe names the objects", keys, set(bed.keys(base)))
    checks.equal("and tells the rows", described["numRows"], largest.num_rows)
    checks.refused(
        "a segment that is not there", lambda: bed.rest("segments/describe", {**body, "segmentIds": [1]}), "600"
    )


def catalogue(checks: Checks, store: Store, version: str) -> None:
    with double(version, store) as bed:
        client = MilvusClient(f"http://{bed.address}")
        client.create_database("db2")
        checks.equal("databases", sorted(client.list_databases()), ["db2", "default"])
        if bed.number >= (2, 4, 3):
            answer = bed.call("DescribeDatabase", milvus_pb2.DescribeDatabaseRequest(db_name="db2"))
            checks.holds("DescribeDatabase tells an id", answer.dbID > 1)
        else:
            checks.refused(
                "DescribeDatabase before 2.4.3",
                lambda: bed.call("DescribeDatabase", milvus_pb2.DescribeDatabaseRequest(db_name="db2")),
                "UNIMPLEMENTED",
            )
        other = MilvusClient(f"http://{bed.address}", db_name="db2")
        make(other, "coll")
        checks.equal("collections by database", (client.list_collections(), other.list_collections()), ([], ["coll"]))
        other.create_alias("coll", "by_alias")
        checks.equal("alias", other.describe_alias("by_alias")["collection_name"], "coll")
        checks.equal("described by alias", other.describe_collection("by_alias")["collection_name"], "coll")
        answer = bed.call(
            "DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name="coll"), database="db2"
        )
        checks.equal("the header names the database", (answer.db_name, list(answer.aliases)), ("db2", ["by_alias"]))
        checks.equal("a number of the database", answer.db_id > 0, bed.number >= (2, 4, 3))
        checks.refused(
            "a collection that is not there",
            lambda: bed.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name="coll")),
            "100/4", "not found",
        )
        checks.refused(
            "no index", lambda: bed.call(
                "DescribeIndex", milvus_pb2.DescribeIndexRequest(collection_name="coll"), database="db2"), "700/25"
        )
        checks.refused("a database that is not there", lambda: bed.call(
            "ShowCollections", milvus_pb2.ShowCollectionsRequest(), database="nowhere"), "800")
        adding_fields(checks, bed)
        strictness(checks, bed)


def adding_fields(checks: Checks, bed: Bed) -> None:
    field = schema_pb2.FieldSchema(name="later", data_type=schema_pb2.Int64, nullable=True)
    request = milvus_pb2.AddCollectionFieldRequest(collection_name="coll", schema=field.SerializeToString())
    if bed.number < (2, 6, 0):
        checks.refused(
            "AddCollectionField before 2.6", lambda: bed.call("AddCollectionField", request, "db2"), "UNIMPLEMENTED"
        )
        return
    bed.call("AddCollectionField", request, database="db2")
    answer = bed.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name="coll"), "db2")
    checks.equal("the id of an added field follows the dynamic one", answer.schema.fields[-1].fieldID, 107)
    field.nullable, field.name = False, "other"
    request.schema = field.SerializeToString()
    checks.refused("a field that is not nullable", lambda: bed.call("AddCollectionField", request, "db2"), "nullable")


def strictness(checks: Checks, bed: Bed) -> None:
    def raw(name: str, data: bytes) -> bytes:
        return bed.channel.unary_unary(f"/milvus.proto.milvus.MilvusService/{name}")(data, timeout=10)

    # Field 99 as a number, which no message has.
    checks.refused("an unknown field", lambda: raw("HasCollection", b"\x98\x06\x01"), "INVALID_ARGUMENT", "99")
    nested = milvus_pb2.HasCollectionRequest(collection_name="coll").SerializeToString() + b"\x0a\x03\x98\x06\x01"
    checks.refused("an unknown field inside", lambda: raw("HasCollection", nested), "INVALID_ARGUMENT", "base")
    checks.refused("what is no message", lambda: raw("HasCollection", b"\xff\xff"), "INTERNAL")
    checks.refused("an unknown call", lambda: raw("NoSuchCall", b""), "UNIMPLEMENTED")
    checks.refused("a call that the double does not serve", lambda: raw("Search", b""), "UNIMPLEMENTED")
    schema = schema_pb2.CollectionSchema(name="nulls")
    schema.fields.add(name="id", data_type=schema_pb2.Int64, is_primary_key=True)
    schema.fields.add(name="v", data_type=schema_pb2.FloatVector).type_params.add(key="dim", value="4")
    schema.fields.add(name="n", data_type=schema_pb2.Int64, nullable=True)
    request = milvus_pb2.CreateCollectionRequest(collection_name="nulls", schema=schema.SerializeToString())
    if bed.number < (2, 5, 0):
        checks.refused("nullable before 2.5", lambda: bed.call("CreateCollection", request), "nullable")
    else:
        bed.call("CreateCollection", request)
        bed.call("CreateCollection", request)
        checks.holds("the same collection again is no error", True)
    unknown = milvus_pb2.CreateCollectionRequest(
        collection_name="nulls", schema=schema.SerializeToString() + b"\x98\x06\x01"
    )
    checks.refused("an unknown field in the schema", lambda: bed.call("CreateCollection", unknown), "99")


def flushing(checks: Checks, store: Store, version: str) -> None:
    with double(version, store, "--flush-delay", "2") as bed:
        client = MilvusClient(f"http://{bed.address}")
        make(client, "coll")
        client.insert("coll", rows(10))
        answer = bed.call("Flush", milvus_pb2.FlushRequest(collection_names=["coll"]))
        checks.holds("Flush seals segments", len(answer.coll_segIDs["coll"].data) > 0)
        checks.equal("channel positions", len(answer.channel_cps) > 0, bed.number >= (2, 4, 3))
        state = milvus_pb2.GetFlushStateRequest(
            segmentIDs=answer.coll_segIDs["coll"].data, flush_ts=answer.coll_flush_ts["coll"], collection_name="coll"
        )
        checks.equal("not flushed at once", bed.call("GetFlushState", state).flushed, False)
        checks.holds("flushed after a while", eventually(lambda: bed.call("GetFlushState", state).flushed))
        client.insert("coll", rows(20)[10:])
        answer = bed.call("FlushAll", milvus_pb2.FlushAllRequest())
        checks.equal("FlushAll tells messages", len(answer.flush_all_msgs) > 0, bed.number >= (2, 6, 11))
        state = milvus_pb2.GetFlushAllStateRequest(flush_all_ts=answer.flush_all_ts)
        if bed.number >= (2, 6, 11):
            stamps = {key: int(value.properties["_t"]) for key, value in answer.flush_all_msgs.items()}
            state = milvus_pb2.GetFlushAllStateRequest(flush_all_tss=stamps)
        checks.equal("not all flushed at once", bed.call("GetFlushAllState", state).flushed, False)
        checks.holds("all flushed after a while", eventually(lambda: bed.call("GetFlushAllState", state).flushed))
        checks.equal("row count", client.get_collection_stats("coll")["row_count"], 20)
        if bed.number < (2, 6, 5):
            target = milvus_pb2.FlushAllRequest(flush_targets=[milvus_pb2.FlushAllTarget(db_name="default")])
            checks.refused("FlushAll of targets before 2.6.5", lambda: bed.call("FlushAll", target), "flush_targets")


def eventually(condition: Any, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def query(name: str, expression: str) -> milvus_pb2.QueryRequest:
    return milvus_pb2.QueryRequest(collection_name=name, expr=expression, output_fields=["id"])


def many_types(checks: Checks, store: Store, version: str) -> None:
    """Types that the other parts do not use, through files and back: see also the import's."""
    with double(version, store) as bed:
        client = MilvusClient(f"http://{bed.address}")
        schema = client.create_schema(auto_id=True, enable_dynamic_field=False)
        schema.add_field("key", DataType.VARCHAR, max_length=100, is_primary=True)
        schema.add_field("flag", DataType.BOOL)
        schema.add_field("small", DataType.INT8)
        schema.add_field("price", DataType.DOUBLE)
        schema.add_field("half", DataType.FLOAT16_VECTOR, dim=4)
        schema.add_field("bits", DataType.BINARY_VECTOR, dim=16)
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        client.create_collection("types", schema=schema)
        wanted = [
            {
                "flag": number % 2 == 0, "small": number - 50, "price": number / 3,
                "half": numpy.array([number, 1, 2, 3], dtype=numpy.float16), "bits": bytes([number, 255 - number]),
                "sparse": {number: 0.5, 1000 + number: 1.5},
            }
            for number in range(100)
        ]
        client.insert("types", wanted)
        client.flush("types")
        params = client.prepare_index_params()
        params.add_index("half", index_type="FLAT", metric_type="L2")
        params.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
        params.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        client.create_index("types", params)
        client.load_collection("types")
        found = client.query("types", filter="small >= -50", output_fields=["*"])
        checks.equal("rows with given ids", len({row["key"] for row in found}), 100)
        first = min(found, key=lambda row: row["small"])
        checks.equal("sparse vector", dict(first["sparse"]), {0: 0.5, 1000: 1.5})
        checks.equal("scalars", (first["flag"], first["price"]), (True, 0.0))


DATA_PARTS = [rows_are_written_and_read, catalogue, flushing, many_types]
