"""Checks of users and rights, of the management port, and of ordered failures."""

from __future__ import annotations

import base64
import json
import urllib.parse

import grpc
from pymilvus import MilvusClient, MilvusException
from pymilvus.grpc_gen import milvus_pb2

from .selfcheck_bed import Bed, Checks, Store, double, make


def rights_are_saved_and_restored(checks: Checks, store: Store, version: str) -> None:
    with double(version, store) as bed:
        client = MilvusClient(f"http://{bed.address}")
        client.create_user("anna", "secret1")
        client.create_role("reader")
        client.grant_role("anna", "reader")
        client.grant_privilege("reader", "Collection", "Query", "coll")
        checks.equal("roles of a user", list(client.describe_user("anna")["roles"]), ["reader"])
        if bed.number < (2, 4, 10):
            checks.refused("BackupRBAC before 2.4.10", lambda: bed.call(
                "BackupRBAC", milvus_pb2.BackupRBACMetaRequest()), "UNIMPLEMENTED")
            return
        meta = bed.call("BackupRBAC", milvus_pb2.BackupRBACMetaRequest()).RBAC_meta
        checks.equal("users", [(user.user, user.roles[0].name) for user in meta.users], [("anna", "reader")])
        checks.equal("grants", [(e.role.name, e.object_name, e.grantor.privilege.name) for e in meta.grants],
                     [("reader", "coll", "Query")])
        request = milvus_pb2.RestoreRBACMetaRequest(RBAC_meta=meta)
        checks.refused("restoring what is there", lambda: bed.call("RestoreRBAC", request), "already exists")
    with double(version, store) as bed:
        bed.call("RestoreRBAC", request)
        again = bed.call("BackupRBAC", milvus_pb2.BackupRBACMetaRequest()).RBAC_meta
        checks.equal("what came back, hashes included", again, meta)
        request.RBAC_meta.users[0].user = "berta"
        del request.RBAC_meta.roles[:]
        request.RBAC_meta.users[0].roles[0].name = "nobody"
        del request.RBAC_meta.grants[:]
        checks.refused("a user of a role that is not there", lambda: bed.call("RestoreRBAC", request), "nobody")
        groups = milvus_pb2.RestoreRBACMetaRequest()
        groups.RBAC_meta.privilege_groups.add(group_name="group1").privileges.add(name="Query")
        if bed.number < (2, 4, 18):
            checks.refused(
                "privilege groups before 2.4.18", lambda: bed.call("RestoreRBAC", groups), "privilege_groups"
            )
        else:
            bed.call("RestoreRBAC", groups)
            names = [e.group_name for e in bed.call("BackupRBAC", milvus_pb2.BackupRBACMetaRequest()).RBAC_meta
                     .privilege_groups]
            checks.equal("privilege groups", names, ["group1"])


def calls_need_credentials(checks: Checks, store: Store, version: str) -> None:
    with double(version, store, "--user", "root", "--password", "Secret1") as bed:
        request = milvus_pb2.ListDatabasesRequest()
        checks.refused("no credentials", lambda: bed.call("ListDatabases", request), "UNAUTHENTICATED", "auth check")
        wrong, right = (base64.b64encode(text).decode() for text in (b"root:no", b"root:Secret1"))
        checks.refused("wrong ones", lambda: bed.call("ListDatabases", request, authorization=wrong), "auth check")
        bed.call("ListDatabases", request, authorization=right)
        try:
            MilvusClient(f"http://{bed.address}", user="root", password="no").list_collections()
            checks.holds("pymilvus with a wrong password fails", False)
        except (MilvusException, grpc.RpcError) as error:
            checks.holds("pymilvus with a wrong password fails", "auth check failure" in str(error), error)
        client = MilvusClient(f"http://{bed.address}", user="root", password="Secret1")
        checks.equal("pymilvus with the right one", client.list_collections(), [])
        checks.refused("REST without", lambda: bed.rest("jobs/import/list", {}), "HTTP 401", "1800")
        checks.refused("REST with a wrong one", lambda: bed.rest(
            "jobs/import/list", {}, Authorization="Bearer root:no"), "HTTP 401")
        answer = bed.rest("jobs/import/list", {}, Authorization="Bearer root:Secret1")
        checks.equal("REST with the right one", answer, {"records": []})


def garbage_collection_is_paused(checks: Checks, store: Store, version: str) -> None:
    with double(version, store) as bed:
        checks.equal("health", bed.get("/healthz")[0], 200)
        pause = "/management/datacoord/garbage_collection/pause"
        checks.equal("no duration", bed.get(pause)[0], 500)
        checks.equal("an unknown parameter", bed.get(f"{pause}?pause_seconds=9&seconds=9")[0], 400)
        status, text = bed.get(f"{pause}?pause_seconds=3600&collection_id=0")
        checks.equal("pause", (status, json.loads(text)["msg"]), (200, "OK"))
        checks.equal("it holds", len(json.loads(bed.get("/double/gc")[1])), 1)
        resume = pause.replace("pause", "resume")
        if bed.number >= (2, 6, 8):
            client = MilvusClient(f"http://{bed.address}")
            make(client, "coll")
            number = bed.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name="coll"))
            own = json.loads(bed.get(f"{pause}?pause_seconds=60&collection_id={number.collectionID}")[1])
            checks.equal("a collection that is not there", bed.get(f"{pause}?pause_seconds=60&collection_id=5")[0], 500)
            checks.equal("its ticket ends it", bed.get(f"{resume}?ticket={own['data']['ticket']}")[0], 200)
            checks.equal("once", bed.get(f"{resume}?ticket={own['data']['ticket']}")[0], 500)
            checks.equal("the other pause still holds", len(json.loads(bed.get("/double/gc")[1])), 1)
        else:
            checks.equal("no tickets before 2.6.8", bed.get(f"{resume}?ticket=5")[0], 400)
        checks.equal("resume", bed.get(resume)[0], 200)
        checks.equal("nothing holds", json.loads(bed.get("/double/gc")[1]), {})
        checks.equal("an unknown path", bed.get("/management/datacoord/nothing")[0], 404)
        ordered_failures(checks, bed)


def ordered_failures(checks: Checks, bed: Bed) -> None:
    reason = urllib.parse.quote("rate limit exceeded")
    bed.get(f"/double/fail?call=ListDatabases&times=2&code=8&reason={reason}")
    for _ in range(2):
        checks.refused("an ordered failure", lambda: bed.call(
            "ListDatabases", milvus_pb2.ListDatabasesRequest()), "8/49", "rate limit")
    bed.call("ListDatabases", milvus_pb2.ListDatabasesRequest())
    bed.get("/double/fail?call=ListDatabases&grpc=UNAVAILABLE")
    checks.refused("an ordered failure of the transport", lambda: bed.call(
        "ListDatabases", milvus_pb2.ListDatabasesRequest()), "UNAVAILABLE")
    bed.get("/double/fail?call=jobs/import/list")
    checks.refused("an ordered failure of REST", lambda: bed.rest("jobs/import/list", {}), "HTTP 503")
    bed.rest("jobs/import/list", {}, port=bed.http)
    checks.holds("REST answers on its own port, too", True)
    calls = json.loads(bed.get("/double/calls")[1])
    outcomes = [call["outcome"][:2] for call in calls if call["name"] == "ListDatabases"]
    checks.equal("the calls are written down", outcomes, ["8:", "8:", "ok", "UN"])


ACCESS_PARTS = [rights_are_saved_and_restored, calls_need_credentials, garbage_collection_is_paused]
