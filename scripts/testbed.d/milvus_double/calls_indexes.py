"""Calls on indexes and loading. There are no real indexes: they are there at once, and loading makes queries legal."""

from __future__ import annotations

from pymilvus.grpc_gen import common_pb2, milvus_pb2

from . import values
from .calls import Calls, mapping, pairs
from .errors import (
    COLLECTION_NOT_LOADED,
    FIELD_NOT_FOUND,
    INDEX_NOT_FOUND,
    UNEXPECTED,
    Failure,
    invalid,
    success,
)
from .state import Collection, Index

_VECTOR_INDEXES = set(
    """AUTOINDEX FLAT IVF_FLAT IVF_SQ8 IVF_PQ HNSW HNSW_SQ HNSW_PQ HNSW_PRQ DISKANN SCANN GPU_IVF_FLAT GPU_IVF_PQ
    GPU_BRUTE_FORCE GPU_CAGRA BIN_FLAT BIN_IVF_FLAT MINHASH_LSH IVF_RABITQ SPARSE_INVERTED_INDEX
    SPARSE_WAND""".split()
)
_SCALAR_INDEXES = {"", "AUTOINDEX", "STL_SORT", "Trie", "INVERTED", "BITMAP", "HYBRID", "NGRAM"}
_METRICS = {"L2", "IP", "COSINE", "HAMMING", "JACCARD", "BM25", "MHJACCARD", "SUBSTRUCTURE", "SUPERSTRUCTURE"}


class IndexCalls(Calls):
    def CreateIndex(self, request: milvus_pb2.CreateIndexRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        field = next((entry for entry in found.schema.fields if entry.name == request.field_name), None)
        if field is None:
            raise Failure(FIELD_NOT_FOUND, f"cannot create index on non-existed field: {request.field_name}")
        params = mapping(request.extra_params)
        kind = params.get("index_type", "AUTOINDEX" if field.data_type in values.VECTORS else "")
        if kind not in (_VECTOR_INDEXES if field.data_type in values.VECTORS else _SCALAR_INDEXES):
            raise invalid(f"invalid index type: {kind} for field {field.name}")
        if field.data_type in values.VECTORS and params.get("metric_type", "").upper() not in _METRICS:
            raise invalid(f"metric type not set or unknown for vector index: {params.get('metric_type', '')}")
        name = request.index_name or field.name
        for index in found.indexes.values():
            if index.name == name and index.field == field.name and index.params == params:
                return success()
            if index.name == name or (index.field == field.name and field.data_type in values.VECTORS):
                raise Failure(UNEXPECTED, "CreateIndex failed: at most one distinct index is allowed per field")
        found.indexes[name] = Index(self.state.new_id(), name, field.name, params)
        return success()

    def DescribeIndex(
        self, request: milvus_pb2.DescribeIndexRequest, database: str
    ) -> milvus_pb2.DescribeIndexResponse:
        found = self.find(database, request.collection_name)
        rows = row_count(found)
        return milvus_pb2.DescribeIndexResponse(
            index_descriptions=[
                milvus_pb2.IndexDescription(
                    index_name=index.name,
                    indexID=index.id,
                    params=pairs(index.params),
                    field_name=index.field,
                    indexed_rows=rows,
                    total_rows=rows,
                    state=common_pb2.Finished,
                    min_index_version=1,
                    max_index_version=6,
                )
                for index in self._chosen(found, request.field_name, request.index_name)
            ]
        )

    def DropIndex(self, request: milvus_pb2.DropIndexRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        if found.loaded:
            raise Failure(UNEXPECTED, "index cannot be dropped, collection is loaded, please release it first")
        for index in list(found.indexes.values()):
            if request.index_name in ("", index.name) and request.field_name in ("", index.field, index.name):
                del found.indexes[index.name]
        return success()

    def GetIndexState(
        self, request: milvus_pb2.GetIndexStateRequest, database: str
    ) -> milvus_pb2.GetIndexStateResponse:
        self._chosen(self.find(database, request.collection_name), request.field_name, request.index_name)
        return milvus_pb2.GetIndexStateResponse(state=common_pb2.Finished)

    def GetIndexBuildProgress(
        self, request: milvus_pb2.GetIndexBuildProgressRequest, database: str
    ) -> milvus_pb2.GetIndexBuildProgressResponse:
        found = self.find(database, request.collection_name)
        self._chosen(found, request.field_name, request.index_name)
        return milvus_pb2.GetIndexBuildProgressResponse(indexed_rows=row_count(found), total_rows=row_count(found))

    @staticmethod
    def _chosen(collection: Collection, field: str, name: str) -> list[Index]:
        chosen = [
            index
            for index in collection.indexes.values()
            if name in ("", index.name) and (name or field in ("", index.field))
        ]
        if not chosen:
            raise Failure(INDEX_NOT_FOUND, f"index not found[collection={collection.name}]")
        return chosen


class LoadCalls(Calls):
    def LoadCollection(self, request: milvus_pb2.LoadCollectionRequest, database: str) -> common_pb2.Status:
        self._load(self.find(database, request.collection_name), request.replica_number)
        return success()

    def LoadPartitions(self, request: milvus_pb2.LoadPartitionsRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        for name in request.partition_names:
            found.partition(name)
        self._load(found, request.replica_number)
        return success()

    def _load(self, collection: Collection, replicas: int) -> None:
        if replicas not in (0, 1):
            raise Failure(UNEXPECTED, f"no enough nodes to create replicas: {replicas}")
        indexed = {index.field for index in collection.indexes.values()}
        missing = [
            field.name
            for field in collection.schema.fields
            if field.data_type in values.VECTORS and field.name not in indexed
        ]
        if missing:
            raise Failure(
                INDEX_NOT_FOUND,
                f"there is no vector index on field: {missing}, please create index firstly: index not found"
                f"[collection={collection.name}]",
            )
        collection.loaded = True

    def ReleaseCollection(self, request: milvus_pb2.ReleaseCollectionRequest, database: str) -> common_pb2.Status:
        self.find(database, request.collection_name).loaded = False
        return success()

    def GetLoadState(self, request: milvus_pb2.GetLoadStateRequest, database: str) -> milvus_pb2.GetLoadStateResponse:
        found = self.find(database, request.collection_name)
        for name in request.partition_names:
            found.partition(name)
        return milvus_pb2.GetLoadStateResponse(
            state=common_pb2.LoadStateLoaded if found.loaded else common_pb2.LoadStateNotLoad
        )

    def GetLoadingProgress(
        self, request: milvus_pb2.GetLoadingProgressRequest, database: str
    ) -> milvus_pb2.GetLoadingProgressResponse:
        found = self.find(database, request.collection_name)
        for name in request.partition_names:
            found.partition(name)
        if not found.loaded:
            raise Failure(COLLECTION_NOT_LOADED, f"collection not loaded[collection={found.id}]")
        return milvus_pb2.GetLoadingProgressResponse(progress=100, refresh_progress=100)


def row_count(collection: Collection, partition: int | None = None) -> int:
    """Rows of flushed segments; deletes are not subtracted, as in Milvus' statistics."""
    return sum(
        len(segment.rows)
        for segment in collection.segments.values()
        if segment.flushed_at is not None and partition in (None, segment.partition)
    )
