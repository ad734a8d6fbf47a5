"""Import by gRPC: the calls of 2.3 and before, which 2.4 and later translate into jobs (Milvus' internal/proxy/impl.go
and util.go)."""

from __future__ import annotations

from pymilvus.grpc_gen import common_pb2, milvus_pb2

from . import imports
from .calls import Calls, pairs
from .errors import invalid
from .imports import Job

_STATES = {
    imports.PENDING: common_pb2.ImportPending,
    imports.IMPORTING: common_pb2.ImportStarted,
    imports.COMPLETED: common_pb2.ImportCompleted,
    imports.FAILED: common_pb2.ImportFailed,
}


class ImportCalls(Calls):
    def Import(self, request: milvus_pb2.ImportRequest, database: str) -> milvus_pb2.ImportResponse:
        """All paths of a call are one group."""
        if request.channel_names or request.row_based or request.clustering_info:
            raise invalid("channel_names, row_based and clustering_info mean nothing since 2.4")
        job = self.double.importer.submit(
            request.db_name or database,
            request.collection_name,
            request.partition_name,
            [list(request.files)],
            [(option.key, option.value) for option in request.options],
        )
        return milvus_pb2.ImportResponse(tasks=[job.id])

    def GetImportState(
        self, request: milvus_pb2.GetImportStateRequest, database: str
    ) -> milvus_pb2.GetImportStateResponse:
        return _state(self.double.importer.job(request.task))

    def ListImportTasks(
        self, request: milvus_pb2.ListImportTasksRequest, database: str
    ) -> milvus_pb2.ListImportTasksResponse:
        wanted = self.find(request.db_name or database, request.collection_name) if request.collection_name else None
        jobs = [job for job in self.double.importer.jobs.values() if wanted in (None, job.collection)]
        if request.limit > 0:
            jobs = jobs[-request.limit :]
        return milvus_pb2.ListImportTasksResponse(tasks=[_state(job) for job in jobs])


def _state(job: Job) -> milvus_pb2.GetImportStateResponse:
    return milvus_pb2.GetImportStateResponse(
        state=_STATES[job.state],
        row_count=job.imported_rows,
        infos=pairs({"failed_reason": job.reason, "progress_percent": str(job.progress)}),
        id=job.id,
    )
