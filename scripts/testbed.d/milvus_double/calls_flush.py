"""Flushing, segments and row counts.

Deletes become L0 segments, as in every version from 2.4 on that has not compacted them yet.
"""

from __future__ import annotations

import time

from pymilvus.grpc_gen import common_pb2, milvus_pb2, msg_pb2, schema_pb2

from .calls import Calls, pairs
from .calls_indexes import row_count
from .errors import invalid
from .state import Collection, Segment


class FlushCalls(Calls):
    def Flush(self, request: milvus_pb2.FlushRequest, database: str) -> milvus_pb2.FlushResponse:
        if not request.collection_names:
            raise invalid("collection names can't be empty")
        found = [self.find(database, name) for name in request.collection_names]
        answer = milvus_pb2.FlushResponse(db_name=database)
        for collection in found:
            before = [entry.id for entry in collection.segments.values() if entry.flushed_at is not None]
            sealed = self._flush(collection)
            name = collection.name
            timestamp = self.state.timestamp()
            answer.coll_segIDs[name].CopyFrom(schema_pb2.LongArray(data=[entry.id for entry in sealed]))
            answer.flush_coll_segIDs[name].CopyFrom(schema_pb2.LongArray(data=before))
            answer.coll_seal_times[name] = timestamp >> 18
            answer.coll_flush_ts[name] = timestamp
            for channel in collection.channels:
                answer.channel_cps[channel].CopyFrom(self._checkpoint(channel, timestamp))
        return answer

    def GetFlushState(
        self, request: milvus_pb2.GetFlushStateRequest, database: str
    ) -> milvus_pb2.GetFlushStateResponse:
        if request.collection_name:
            known = self.find(database, request.collection_name).segments
        else:
            known = {key: entry for found in self._everything() for key, entry in found.segments.items()}
        # A segment that is gone counts as flushed, as in Milvus: it was compacted or dropped.
        return milvus_pb2.GetFlushStateResponse(
            flushed=all(known[number].is_flushed for number in request.segmentIDs if number in known)
        )

    def FlushAll(self, request: milvus_pb2.FlushAllRequest, database: str) -> milvus_pb2.FlushAllResponse:
        found = self._targets(request.db_name, request.flush_targets)
        answer = milvus_pb2.FlushAllResponse()
        for collection in found:
            self._flush(collection)
        timestamp = self.state.timestamp()
        self.double.flush_all[timestamp] = time.monotonic() + self.double.settings.flush_delay
        answer.flush_all_ts = timestamp
        channels = sorted({channel.rpartition("_")[0] for entry in found for channel in entry.channels})
        for channel in channels:
            message = answer.flush_all_msgs[channel]
            message.id.id, message.id.WAL_name = str(timestamp), common_pb2.RocksMQ
            # The header of a message tells its time tick; milvus-backup reads it from the property _t.
            message.properties["_t"] = str(timestamp)
        answer.cluster_info.cluster_id = "by-dev"
        answer.cluster_info.cchannel = "by-dev-rootcoord-dml_0_vcchan"
        answer.cluster_info.pchannels.extend(channels)
        return answer

    def GetFlushAllState(
        self, request: milvus_pb2.GetFlushAllStateRequest, database: str
    ) -> milvus_pb2.GetFlushAllStateResponse:
        stamps = list(request.flush_all_tss.values()) or [request.flush_all_ts]
        done = [self.double.flush_all.get(stamp) for stamp in stamps]
        if any(moment is None for moment in done):
            raise invalid(f"no FlushAll was made at {stamps}")
        return milvus_pb2.GetFlushAllStateResponse(
            flushed=all(moment is not None and time.monotonic() >= moment for moment in done)
        )

    def GetPersistentSegmentInfo(
        self, request: milvus_pb2.GetPersistentSegmentInfoRequest, database: str
    ) -> milvus_pb2.GetPersistentSegmentInfoResponse:
        found = self.find(request.dbName or database, request.collectionName)
        return milvus_pb2.GetPersistentSegmentInfoResponse(
            infos=[
                milvus_pb2.PersistentSegmentInfo(
                    segmentID=segment.id,
                    collectionID=found.id,
                    partitionID=segment.partition,
                    num_rows=len(segment.rows),
                    state=common_pb2.Flushed if segment.is_flushed else common_pb2.Flushing,
                    level=segment.level,
                    storage_version=segment.storage_version,
                )
                for segment in found.segments.values()
                if segment.flushed_at is not None
            ]
        )

    def GetCollectionStatistics(
        self, request: milvus_pb2.GetCollectionStatisticsRequest, database: str
    ) -> milvus_pb2.GetCollectionStatisticsResponse:
        found = self.find(database, request.collection_name)
        return milvus_pb2.GetCollectionStatisticsResponse(stats=pairs({"row_count": str(row_count(found))}))

    def GetPartitionStatistics(
        self, request: milvus_pb2.GetPartitionStatisticsRequest, database: str
    ) -> milvus_pb2.GetPartitionStatisticsResponse:
        found = self.find(database, request.collection_name)
        rows = row_count(found, found.partition(request.partition_name).id)
        return milvus_pb2.GetPartitionStatisticsResponse(stats=pairs({"row_count": str(rows)}))

    def _targets(self, database: str, targets: list[milvus_pb2.FlushAllTarget]) -> list[Collection]:
        if not targets:
            if database:
                return list(self.state.database(database).collections.values())
            return self._everything()
        found: list[Collection] = []
        for target in targets:
            home = self.state.database(target.db_name)
            found += [home.resolve(name) for name in target.collection_names] or list(home.collections.values())
        return found

    def _everything(self) -> list[Collection]:
        return [entry for home in self.state.databases.values() for entry in home.collections.values()]

    def _flush(self, collection: Collection) -> list[Segment]:
        """Writes what grows and what is deleted; returns the segments so sealed."""
        importer = self.double.importer
        sealed = [entry for entry in collection.segments.values() if entry.flushed_at is None and entry.rows]
        for segment in sealed:
            importer.logs.write_rows(collection, segment)
        for partition, deletes in list(collection.pending_deletes.items()):
            if deletes:
                sealed.append(importer.add_l0(collection, partition, deletes))
            del collection.pending_deletes[partition]
        done = time.monotonic() + self.double.settings.flush_delay
        for segment in sealed:
            segment.flushed_at = done
        return sealed

    @staticmethod
    def _checkpoint(channel: str, timestamp: int) -> msg_pb2.MsgPosition:
        return msg_pb2.MsgPosition(
            channel_name=channel, msgID=timestamp.to_bytes(8, "little"), msgGroup=f"double-{channel}",
            timestamp=timestamp, WAL_name=common_pb2.RocksMQ,
        )


class ServerCalls(Calls):
    """Who the double is."""

    def Connect(self, request: milvus_pb2.ConnectRequest, database: str) -> milvus_pb2.ConnectResponse:
        self.state.database(database)
        answer = milvus_pb2.ConnectResponse(identifier=self.state.new_id())
        answer.server_info.build_tags = f"{self.features.version}"
        answer.server_info.deploy_mode = "STANDALONE"
        answer.server_info.git_commit = "double"
        return answer

    def GetVersion(self, request: milvus_pb2.GetVersionRequest, database: str) -> milvus_pb2.GetVersionResponse:
        return milvus_pb2.GetVersionResponse(version=f"v{self.features.version}")

    def CheckHealth(self, request: milvus_pb2.CheckHealthRequest, database: str) -> milvus_pb2.CheckHealthResponse:
        return milvus_pb2.CheckHealthResponse(isHealthy=True)

    def AllocTimestamp(
        self, request: milvus_pb2.AllocTimestampRequest, database: str
    ) -> milvus_pb2.AllocTimestampResponse:
        return milvus_pb2.AllocTimestampResponse(timestamp=self.state.timestamp())
