"""Collection schemas: what Milvus accepts, and the ids that it gives.

Field ids are given from 100 on in the order of the fields, whatever the client sends; the dynamic field comes last
(Milvus' internal/rootcoord/create_collection_task.go). Limits: internal/proxy/util.go.
"""

from __future__ import annotations

import re

from pymilvus.grpc_gen import schema_pb2

from . import values
from .errors import COLLECTION_ILLEGAL_SCHEMA, Failure, invalid
from .values import DataType
from .versions import Features

FIRST_FIELD = 100
ROW_ID, TIMESTAMP = 0, 1
DYNAMIC = "$meta"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")
_MAX_LENGTH = 65_535
_MAX_DIMENSION = 32_768


def check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid {kind} name: {name}. the first character must be an underscore or letter")


def system_fields() -> list[schema_pb2.FieldSchema]:
    return [
        schema_pb2.FieldSchema(fieldID=ROW_ID, name="RowID", data_type=DataType.Int64),
        schema_pb2.FieldSchema(fieldID=TIMESTAMP, name="Timestamp", data_type=DataType.Int64),
    ]


def primary_field(schema: schema_pb2.CollectionSchema) -> schema_pb2.FieldSchema:
    return next(field for field in schema.fields if field.is_primary_key)


def partition_key(schema: schema_pb2.CollectionSchema) -> schema_pb2.FieldSchema | None:
    return next((field for field in schema.fields if field.is_partition_key), None)


def admit(schema: schema_pb2.CollectionSchema, features: Features) -> schema_pb2.CollectionSchema:
    """The schema as Milvus would keep it: checked, with ids and with the dynamic field."""
    admitted = schema_pb2.CollectionSchema()
    admitted.CopyFrom(schema)
    if admitted.struct_array_fields:
        raise Failure(COLLECTION_ILLEGAL_SCHEMA, "the double knows no struct arrays")
    names = [field.name for field in admitted.fields]
    if len(set(names)) != len(names):
        raise invalid("duplicated field name")
    for field in admitted.fields:
        check_field(field, features)
    keys = [field for field in admitted.fields if field.is_primary_key]
    if len(keys) != 1:
        raise invalid("there are more than one primary key" if keys else "primary key is not specified")
    if keys[0].data_type not in (DataType.Int64, DataType.VarChar):
        raise invalid("the data type of primary key should be Int64 or VarChar")
    if keys[0].nullable or keys[0].HasField("default_value"):
        raise invalid("primary field can be neither nullable nor have a default value")
    if any(field.autoID and not field.is_primary_key for field in admitted.fields):
        raise invalid("only primary field can speficy AutoID with true")
    if schema.autoID and not keys[0].autoID:
        keys[0].autoID = True
    if not any(field.data_type in values.VECTORS for field in admitted.fields):
        raise invalid("schema does not contain vector field")
    if sum(field.is_partition_key for field in admitted.fields) > 1:
        raise invalid("there are more than one partition key")
    for number, field in enumerate(admitted.fields):
        field.fieldID = FIRST_FIELD + number
    if admitted.enable_dynamic_field:
        admitted.fields.add(
            fieldID=FIRST_FIELD + len(names), name=DYNAMIC, data_type=DataType.JSON, is_dynamic=True,
            description="dynamic schema",
        )
    _admit_functions(admitted)
    return admitted


def check_field(field: schema_pb2.FieldSchema, features: Features) -> None:
    check_name("field", field.name)
    if field.name == DYNAMIC or field.is_dynamic:
        raise invalid(f"the field {field.name} cannot be given: Milvus makes the dynamic field itself")
    if field.data_type not in values.KNOWN:
        raise invalid(f"the double knows no fields of type {DataType.Name(field.data_type)}")
    if field.data_type == DataType.Int8Vector and not features.storage_v2:
        raise invalid(f"Milvus {features.version} has no Int8Vector")
    if field.data_type in values.VECTORS - {DataType.SparseFloatVector}:
        dimension = values.parameter(field, "dim")
        if dimension is None or not 1 < dimension <= _MAX_DIMENSION:
            raise invalid(f"invalid dimension: of field {field.name}. it should be in range 2 to {_MAX_DIMENSION}")
        if field.data_type == DataType.BinaryVector and dimension % 8:
            raise invalid(f"invalid dimension: {dimension} of field {field.name}. it should be a multiple of 8")
    if field.data_type == DataType.SparseFloatVector and values.parameter(field, "dim") is not None:
        raise invalid(f"dim should not be specified for sparse vector field {field.name}")
    element = field.element_type if field.data_type == DataType.Array else field.data_type
    if element == DataType.VarChar and not 0 < (values.parameter(field, "max_length") or 0) <= _MAX_LENGTH:
        raise invalid(f"type param(max_length) should be specified for the field({field.name})")
    if field.data_type == DataType.Array and not 0 < (values.parameter(field, "max_capacity") or 0) <= 4096:
        raise invalid(f"type param(max_capacity) should be specified for the field({field.name})")
    if field.is_partition_key and field.data_type not in (DataType.Int64, DataType.VarChar):
        raise invalid("the data type of partition key should be Int64 or VarChar")
    if field.HasField("default_value") and not features.default_values_and_nulls:
        raise invalid(f"default values are not supported by Milvus {features.version}")


def add_field(schema: schema_pb2.CollectionSchema, field: schema_pb2.FieldSchema, features: Features) -> None:
    """AddCollectionField: the new field must be nullable, and gets the next free id."""
    check_field(field, features)
    if any(present.name == field.name for present in schema.fields):
        raise invalid(f"duplicate field name: {field.name}")
    if not field.nullable:
        raise invalid(f"added field must be nullable, please check it, field name = {field.name}")
    if field.is_primary_key or field.autoID or field.is_partition_key or field.data_type in values.VECTORS:
        raise invalid(f"the field {field.name} cannot be added: not a plain scalar field")
    added = schema.fields.add()
    added.CopyFrom(field)
    added.fieldID = max(present.fieldID for present in schema.fields) + 1


def _admit_functions(schema: schema_pb2.CollectionSchema) -> None:
    ids = {field.name: field.fieldID for field in schema.fields}
    for number, function in enumerate(schema.functions):
        function.id = FIRST_FIELD + number
        del function.input_field_ids[:]
        del function.output_field_ids[:]
        for name in [*function.input_field_names, *function.output_field_names]:
            if name not in ids:
                raise invalid(f"function {function.name} names the field {name}, which does not exist")
        function.input_field_ids.extend(ids[name] for name in function.input_field_names)
        function.output_field_ids.extend(ids[name] for name in function.output_field_names)
