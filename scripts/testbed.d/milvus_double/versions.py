"""Which version has which call, field and ability.

Sources: the message descriptors of the pymilvus releases 2.4.0 to 2.6.17, compared with each other, and Milvus'
release notes, which name the pymilvus release that belongs to each server release. Where a change is known only by
the former, the first server release with that pymilvus or a later one is taken: the double may lack what a server
already had, never the other way round.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple


class Version(NamedTuple):
    major: int
    minor: int
    patch: int

    @staticmethod
    def parse(text: str) -> Version:
        match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", text)
        if not match:
            raise ValueError(f"{text!r} is not a version such as 2.5.4")
        version = Version(*(int(part) for part in match.groups()))
        if version.major != 2 or version.minor not in Since.MINORS:
            raise ValueError(f"there is no double of Milvus {text}: only of 2.4, 2.5 and 2.6")
        return version

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class Since(NamedTuple):
    """The first patch release of each line that has something; None: the line never got it."""

    in_2_4: int | None
    in_2_5: int | None
    in_2_6: int | None

    MINORS = (4, 5, 6)

    def includes(self, version: Version) -> bool:
        patch = self[version.minor - 4]
        return patch is not None and version.patch >= patch


ALWAYS = Since(0, 0, 0)
ONLY_2_5_ON = Since(None, 0, 0)
ONLY_2_6 = Since(None, None, 0)
RBAC_BACKUP = Since(10, 0, 0)  # milvus pull request 35513, August 2024
FLUSH_ALL_MESSAGES = Since(None, None, 11)
PER_COLLECTION_GC = Since(None, None, 8)
FLUSH_TARGETS = Since(None, None, 5)

CALLS: dict[str, Since] = {
    **dict.fromkeys(
        """Connect GetVersion CheckHealth CreateDatabase DropDatabase ListDatabases CreateCollection DropCollection
        HasCollection DescribeCollection ShowCollections AlterCollection RenameCollection GetCollectionStatistics
        CreatePartition DropPartition HasPartition ShowPartitions GetPartitionStatistics CreateAlias DropAlias
        AlterAlias DescribeAlias ListAliases CreateIndex DescribeIndex DropIndex GetIndexState GetIndexBuildProgress
        LoadCollection LoadPartitions ReleaseCollection GetLoadState GetLoadingProgress Insert
        Upsert Delete Query Flush GetFlushState FlushAll GetFlushAllState GetPersistentSegmentInfo AllocTimestamp
        Import GetImportState ListImportTasks CreateCredential DeleteCredential ListCredUsers CreateRole DropRole
        OperateUserRole SelectRole SelectUser OperatePrivilege SelectGrant""".split(),
        ALWAYS,
    ),
    "AlterDatabase": Since(3, 0, 0),
    "DescribeDatabase": Since(3, 0, 0),
    "BackupRBAC": RBAC_BACKUP,
    "RestoreRBAC": RBAC_BACKUP,
    "CreatePrivilegeGroup": Since(18, 0, 0),
    "ListPrivilegeGroups": Since(18, 0, 0),
    "OperatePrivilegeGroup": Since(18, 0, 0),
    "AddCollectionField": ONLY_2_6,
}
"""The calls of MilvusService that the double serves. It has none of the others, whatever the version."""

FIELDS: dict[str, Since] = {
    "common.ReplicateInfo.replicateID": Since(23, 2, 0),
    "milvus.AlterCollectionRequest.delete_keys": Since(23, 0, 0),
    "milvus.AlterDatabaseRequest.delete_keys": Since(23, 2, 0),
    "milvus.CreateDatabaseRequest.properties": Since(9, 0, 0),
    "milvus.CreateCredentialRequest.description": Since(None, None, 17),
    "milvus.DeleteRequest.expr_template_values": Since(15, 0, 0),
    "milvus.DescribeCollectionResponse.db_id": Since(3, 0, 0),
    "milvus.DescribeCollectionResponse.request_time": Since(23, 2, 0),
    "milvus.DescribeCollectionResponse.update_timestamp": Since(24, 6, 0),
    "milvus.DescribeCollectionResponse.update_timestamp_str": Since(None, 14, 0),
    "milvus.DropRoleRequest.force_drop": Since(15, 0, 0),
    "milvus.FlushAllRequest.flush_targets": FLUSH_TARGETS,
    "milvus.FlushAllResponse.flush_results": FLUSH_TARGETS,
    "milvus.FlushAllResponse.flush_all_msgs": FLUSH_ALL_MESSAGES,
    "milvus.FlushAllResponse.cluster_info": FLUSH_ALL_MESSAGES,
    "milvus.FlushResponse.channel_cps": Since(3, 0, 0),
    "milvus.GetFlushAllStateRequest.flush_targets": FLUSH_TARGETS,
    "milvus.GetFlushAllStateRequest.flush_all_tss": FLUSH_ALL_MESSAGES,
    "milvus.GetFlushAllStateResponse.flush_states": FLUSH_TARGETS,
    "milvus.IndexDescription.min_index_version": Since(None, 14, 0),
    "milvus.IndexDescription.max_index_version": Since(None, 14, 0),
    "milvus.InsertRequest.schema_timestamp": Since(24, 6, 0),
    "milvus.InsertRequest.namespace": Since(None, None, 2),
    "milvus.ListDatabasesResponse.db_ids": ONLY_2_5_ON,
    "milvus.LoadCollectionRequest.load_fields": Since(10, 0, 0),
    "milvus.LoadCollectionRequest.skip_load_dynamic_field": Since(10, 0, 0),
    "milvus.LoadCollectionRequest.load_params": Since(None, 14, 0),
    "milvus.LoadPartitionsRequest.load_fields": Since(10, 0, 0),
    "milvus.LoadPartitionsRequest.skip_load_dynamic_field": Since(10, 0, 0),
    "milvus.LoadPartitionsRequest.load_params": Since(None, 14, 0),
    "milvus.OperatePrivilegeRequest.version": Since(18, 0, 0),
    "milvus.PersistentSegmentInfo.level": Since(7, 0, 0),  # milvus pull request 35023, July 2024
    "milvus.PersistentSegmentInfo.is_sorted": ONLY_2_5_ON,
    "milvus.PersistentSegmentInfo.storage_version": ONLY_2_6,
    "milvus.QueryRequest.expr_template_values": Since(15, 0, 0),
    "milvus.QueryRequest.namespace": Since(None, None, 5),
    "milvus.QueryResults.session_ts": Since(23, 0, 0),
    "milvus.QueryResults.primary_field_name": Since(23, 4, 0),
    "milvus.RBACMeta.privilege_groups": Since(18, 0, 0),
    "milvus.RoleEntity.description": Since(None, None, 17),
    "milvus.ShowCollectionsResponse.shards_num": Since(None, None, 1),
    "milvus.UpsertRequest.schema_timestamp": Since(24, 6, 0),
    "milvus.UpsertRequest.partial_update": Since(None, None, 1),
    "milvus.UpsertRequest.namespace": Since(None, None, 2),
    "milvus.UpsertRequest.field_ops": Since(None, None, 17),
    "msg.MsgPosition.WAL_name": Since(None, None, 8),
    "schema.CollectionSchema.dbName": Since(23, 2, 0),
    "schema.CollectionSchema.functions": ONLY_2_5_ON,
    "schema.CollectionSchema.struct_array_fields": ONLY_2_6,
    "schema.CollectionSchema.version": Since(None, None, 8),
    "schema.CollectionSchema.enable_namespace": Since(None, None, 8),
    "schema.FieldData.valid_data": ONLY_2_5_ON,
    "schema.FieldData.struct_arrays": ONLY_2_6,
    "schema.FieldSchema.nullable": ONLY_2_5_ON,
    "schema.FieldSchema.is_function_output": ONLY_2_5_ON,
    "schema.ScalarField.geometry_data": ONLY_2_5_ON,
    "schema.ScalarField.geometry_wkt_data": Since(None, 19, 1),
    "schema.ScalarField.timestamptz_data": Since(None, None, 1),
    "schema.ValueField.timestamptz_data": Since(None, None, 1),
    "schema.VectorField.int8_vector": ONLY_2_6,
    "schema.VectorField.vector_array": ONLY_2_6,
}
"""Fields that came after 2.4.0, of the messages of the calls above; all others are as old as 2.4."""


@dataclass(frozen=True)
class Features:
    """What the version can do beyond having a call or not."""

    version: Version

    def has_call(self, name: str) -> bool:
        return name in CALLS and CALLS[name].includes(self.version)

    def has_field(self, name: str) -> bool:
        """`name`: message and field without the package's prefix, such as `milvus.RBACMeta.users`."""
        return name not in FIELDS or FIELDS[name].includes(self.version)

    @property
    def default_values_and_nulls(self) -> bool:
        return ONLY_2_5_ON.includes(self.version)

    @property
    def schema_properties(self) -> bool:
        """DescribeCollection tells the collection's properties also inside the schema."""
        return ONLY_2_5_ON.includes(self.version)

    @property
    def storage_v2(self) -> bool:
        """Segments may be Parquet column groups, and import knows `storage_version`."""
        return ONLY_2_6.includes(self.version)

    @property
    def l0_import(self) -> bool:
        """Import knows `l0_import`: release notes of 2.4.5, #33712."""
        return Since(5, 0, 0).includes(self.version)

    @property
    def several_l0_prefixes(self) -> bool:
        """An L0 import takes more than one directory."""
        return Since(None, None, 5).includes(self.version)

    @property
    def hybrid_import_timestamps(self) -> bool:
        """Import reads start_ts and end_ts as hybrid timestamps; before, as milliseconds, like 2.3.

        Milvus issue 40326, pull requests 40332 to 40334 of March 2025; first in 2.4.24 and 2.5.6.
        """
        return Since(24, 6, 0).includes(self.version)

    @property
    def import_describe(self) -> bool:
        """REST `jobs/import/describe` beside the older `get_progress`."""
        return ALWAYS.includes(self.version)

    @property
    def segments_describe(self) -> bool:
        """REST `segments/describe`: Milvus pull request 40466."""
        return Since(None, 8, 0).includes(self.version)

    @property
    def flush_all_messages(self) -> bool:
        return FLUSH_ALL_MESSAGES.includes(self.version)

    @property
    def per_collection_gc(self) -> bool:
        return PER_COLLECTION_GC.includes(self.version)
