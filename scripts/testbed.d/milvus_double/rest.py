"""REST version 2, as far as backups use it: import jobs and segments/describe.

Sources: Milvus' internal/distributed/proxy/httpserver (handler_v2.go, request_v2.go, constant.go). Answers have
status 200 and a code of their own; what is no JSON, or lacks a key, has the codes 1801 and 1802. The server ignores
keys that it does not know; here they are refused with 1801.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import schemas
from .calls import Double
from .errors import (
    INCORRECT_FORMAT,
    MISSING_PARAMETERS,
    NEED_AUTHENTICATE,
    SEGMENT_NOT_FOUND,
    UNEXPECTED,
    Failure,
    invalid,
)
from .imports import Job, moment
from .journal import Journal
from .state import DEFAULT, Segment

BASE = "/v2/vectordb/"


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any] | str


@dataclass(frozen=True)
class Route:
    handler: Callable[[dict[str, Any], str], dict[str, Any]]
    keys: dict[str, type]
    required: tuple[str, ...]


class RestAPI:
    def __init__(self, double: Double, journal: Journal) -> None:
        self.double = double
        self.journal = journal
        text = {"dbName": str, "collectionName": str}
        job = Route(self._describe_job, {"dbName": str, "jobId": str}, ("jobId",))
        self.routes = {
            "jobs/import/create": Route(
                self._create_job, {**text, "partitionName": str, "files": list, "options": dict},
                ("collectionName", "files"),
            ),
            "jobs/import/get_progress": job,
            "jobs/import/list": Route(self._list_jobs, text, ()),
        }
        if double.features.import_describe:
            self.routes["jobs/import/describe"] = job
        if double.features.segments_describe:
            self.routes["segments/describe"] = Route(
                self._describe_segments, {"dbName": str, "collectionID": int, "collectionId": int, "segmentIDs": list,
                                          "segmentIds": list}, ()
            )

    def post(self, path: str, authorization: str, body: bytes) -> Answer:
        name = path.removeprefix(BASE)
        answer, database = self._post(path, name, authorization, body)
        outcome = "ok"
        if answer.status != 200 or not isinstance(answer.body, dict):
            outcome = f"HTTP {answer.status}"
        elif answer.body["code"]:
            outcome = f"{answer.body['code']}: {answer.body['message']}"
        self.journal.note("rest", name, database, outcome)
        return answer

    def _post(self, path: str, name: str, authorization: str, body: bytes) -> tuple[Answer, str]:
        if not path.startswith(BASE) or name not in self.routes:
            return Answer(404, "404 page not found"), ""
        if not self._admits(authorization):
            return Answer(401, _failed(NEED_AUTHENTICATE, "user hasn't authenticated")), ""
        order = self.journal.ordered(name)
        if order is not None and not order.code:
            return Answer(503, order.reason), ""
        database = ""
        try:
            request = _decoded(body, self.routes[name])
            database = request.get("dbName") or DEFAULT
            if order is not None:
                raise Failure(order.code, order.reason)
            with self.double.state.lock:
                self.double.state.database(database)
                data = self.routes[name].handler(request, database)
            return Answer(200, {"code": 0, "data": data}), database
        except Failure as failure:
            return Answer(200, _failed(failure.code, failure.reason)), database
        except Exception as error:  # noqa: BLE001  # a defect of the double must be told as one
            return Answer(200, _failed(UNEXPECTED, f"milvus_double has a defect: {error!r}")), database

    def _admits(self, authorization: str) -> bool:
        kind, _, token = authorization.partition(" ")
        if kind == "Bearer":
            return self.double.access.admits(base64.b64encode(token.encode()).decode())
        return self.double.access.admits(token if kind == "Basic" else "")

    def _create_job(self, request: dict[str, Any], database: str) -> dict[str, Any]:
        files = request["files"]
        if not all(isinstance(paths, list) and all(isinstance(path, str) for path in paths) for paths in files):
            raise _malformed("files is no list of lists of texts")
        options = request.get("options", {})
        if not all(isinstance(value, str) for value in options.values()):
            raise _malformed("the values of options are texts")
        if any(path == "" for paths in files for path in paths):
            # Up to 2.6.11 the bucket's root is listed then, and its directories are taken for segments
            # (milvus-backup issues 849 and 1037).
            raise Failure(2100, 'strconv.ParseInt: parsing "meta": invalid syntax: importing data failed')
        job = self.double.importer.submit(
            database, request["collectionName"], request.get("partitionName", ""), files, list(options.items())
        )
        return {"jobId": str(job.id)}

    def _describe_job(self, request: dict[str, Any], database: str) -> dict[str, Any]:
        if not request["jobId"].isdecimal():
            raise Failure(2100, f"parse job id failed: {request['jobId']}: importing data failed")
        job = self.double.importer.job(int(request["jobId"]))
        details = [
            {
                "fileName": f"[{unit.directory}]",
                "fileSize": unit.size,
                "progress": job.progress,
                "completeTime": moment(job.completed),
                "state": job.state,
                "importedRows": job.imported_rows,
                "totalRows": job.total_rows,
                **({"reason": job.reason} if job.reason else {}),
            }
            for unit in job.units
        ]
        return {
            **_summary(job),
            "completeTime": moment(job.completed),
            "importedRows": job.imported_rows,
            "totalRows": job.total_rows,
            "fileSize": job.size,
            "details": details,
        }

    def _list_jobs(self, request: dict[str, Any], database: str) -> dict[str, Any]:
        wanted = None
        if request.get("collectionName"):
            wanted = self.double.state.collection(database, request["collectionName"])
        jobs = self.double.importer.jobs.values()
        return {"records": [_summary(job) for job in jobs if wanted in (None, job.collection)]}

    def _describe_segments(self, request: dict[str, Any], database: str) -> dict[str, Any]:
        number = request.get("collectionID", request.get("collectionId"))
        segments = request.get("segmentIDs", request.get("segmentIds"))
        if number is None or not segments:
            raise Failure(MISSING_PARAMETERS, "missing required parameters, error: collectionId, segmentIds")
        if not all(isinstance(entry, int) for entry in segments):
            raise _malformed("segmentIds is no list of numbers")
        collection = self.double.state.collection_by_id(number)
        if collection.database != database:
            raise invalid(f"the collection {number} is not in database {database}")
        found = []
        for entry in segments:
            if entry not in collection.segments:
                raise Failure(SEGMENT_NOT_FOUND, f"segment not found[segment={entry}]")
            found.append(_segment(collection.id, collection.segments[entry]))
        return {"segmentInfos": found}


def _segment(collection: int, segment: Segment) -> dict[str, Any]:
    deltas = [{"fieldID": schemas.ROW_ID, "logIDs": segment.delta_logs}] if segment.delta_logs else []
    return {
        "segmentID": segment.id,
        "collectionID": collection,
        "partitionID": segment.partition,
        "vChannel": segment.channel,
        "numRows": len(segment.rows),
        "state": 4 if segment.is_flushed else 5,
        "level": segment.level,
        "isSorted": False,
        "insertLogs": [{"fieldID": key, "logIDs": logs} for key, logs in segment.insert_logs.items()],
        "deltaLogs": deltas,
        "statsLogs": [],
    }


def _summary(job: Job) -> dict[str, Any]:
    return {
        "jobId": str(job.id),
        "collectionName": job.collection.name,
        "state": job.state,
        "progress": job.progress,
        **({"reason": job.reason} if job.reason else {}),
    }


def _decoded(body: bytes, route: Route) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError as error:
        raise _malformed(str(error)) from error
    if not isinstance(request, dict):
        raise _malformed("the body is no object")
    if unknown := sorted(request.keys() - route.keys.keys()):
        raise _malformed(f"unknown keys: {', '.join(unknown)}")
    for key, value in request.items():
        if not isinstance(value, route.keys[key]) or isinstance(value, bool):
            raise _malformed(f"{key} is no {route.keys[key].__name__}")
    if lacking := [key for key in route.required if not request.get(key)]:
        raise Failure(MISSING_PARAMETERS, f"missing required parameters, error: {', '.join(lacking)}")
    return request


def _malformed(reason: str) -> Failure:
    return Failure(INCORRECT_FORMAT, f"can only accept json format request, error: {reason}")


def _failed(code: int, reason: str) -> dict[str, Any]:
    return {"code": code, "message": reason}
