"""Columns of values: from and to the FieldData of gRPC and the Arrow arrays of binlogs.

A row is a dictionary from field id to value. JSON, arrays, sparse and half-precision vectors are bytes as Milvus
stores them (an array is a serialized schema.ScalarField); float vectors are bytes of little-endian floats.
Source for the Arrow types: Milvus' internal/storage/payload_writer.go and schema.proto for FieldData.
"""

from __future__ import annotations

import json
from typing import Any

import numpy
import pyarrow
from pymilvus.grpc_gen import schema_pb2

from .errors import invalid

DataType = schema_pb2.DataType
_ARROW = {
    DataType.Bool: pyarrow.bool_(),
    DataType.Int8: pyarrow.int8(),
    DataType.Int16: pyarrow.int16(),
    DataType.Int32: pyarrow.int32(),
    DataType.Int64: pyarrow.int64(),
    DataType.Float: pyarrow.float32(),
    DataType.Double: pyarrow.float64(),
    DataType.VarChar: pyarrow.string(),
    DataType.Array: pyarrow.binary(),
    DataType.JSON: pyarrow.binary(),
    DataType.SparseFloatVector: pyarrow.binary(),
}
_SCALARS = {
    DataType.Bool: "bool_data",
    DataType.Int8: "int_data",
    DataType.Int16: "int_data",
    DataType.Int32: "int_data",
    DataType.Int64: "long_data",
    DataType.Float: "float_data",
    DataType.Double: "double_data",
    DataType.VarChar: "string_data",
    DataType.Array: "array_data",
    DataType.JSON: "json_data",
}
_VECTORS = {
    DataType.FloatVector: ("float_vector", 4.0),
    DataType.BinaryVector: ("binary_vector", 0.125),
    DataType.Float16Vector: ("float16_vector", 2.0),
    DataType.BFloat16Vector: ("bfloat16_vector", 2.0),
    DataType.Int8Vector: ("int8_vector", 1.0),
}
"""Member of VectorField, bytes per dimension."""
_NOTHING: dict[int, Any] = {
    **dict.fromkeys((DataType.Int8, DataType.Int16, DataType.Int32, DataType.Int64), 0),
    **dict.fromkeys((DataType.Float, DataType.Double), 0.0),
    DataType.Bool: False,
    DataType.VarChar: "",
    DataType.JSON: b"",
}
_RANGES = {DataType.Int8: 7, DataType.Int16: 15, DataType.Int32: 31, DataType.Int64: 63}
KNOWN = {*_SCALARS, *_VECTORS, DataType.SparseFloatVector}
VECTORS = {*_VECTORS, DataType.SparseFloatVector}


def parameter(field: schema_pb2.FieldSchema, key: str) -> int | None:
    for pair in field.type_params:
        if pair.key == key:
            return int(pair.value) if pair.value.isdecimal() else None
    return None


def vector_width(field: schema_pb2.FieldSchema) -> int:
    """Bytes of one dense vector."""
    return int((parameter(field, "dim") or 0) * _VECTORS[field.data_type][1])


def arrow_type(field: schema_pb2.FieldSchema) -> pyarrow.DataType:
    if field.data_type in _VECTORS:
        return pyarrow.binary(vector_width(field))
    return _ARROW[field.data_type]


def arrow_array(field: schema_pb2.FieldSchema, column: list[Any]) -> pyarrow.Array:
    return pyarrow.array(column, type=arrow_type(field))


def from_arrow(field: schema_pb2.FieldSchema, column: pyarrow.ChunkedArray) -> list[Any]:
    """The values; ValueError if they are not of the field's type."""
    wanted = arrow_type(field)
    if column.type != wanted:
        raise ValueError(f"field {field.name} holds values of type {column.type} instead of {wanted}")
    values = column.to_pylist()
    if not field.nullable and any(value is None for value in values):
        raise ValueError(f"field {field.name} has nulls and is not nullable")
    return values


def from_field_data(field: schema_pb2.FieldSchema, data: schema_pb2.FieldData, count: int) -> list[Any]:
    """The values that a client sends, checked against the schema."""
    if data.type != field.data_type:
        raise invalid(
            f"field {field.name} is of type {DataType.Name(field.data_type)} and gets {DataType.Name(data.type)}"
        )
    if data.valid_data and not field.nullable:
        raise invalid(f"the field {field.name} is not nullable and gets valid_data")
    values = _vectors(field, data) if field.data_type in VECTORS else _scalars(field, data)
    if data.valid_data:
        if len(data.valid_data) != count:
            raise invalid(f"the length of valid_data of field {field.name} is not the number of rows")
        if len(values) != count:
            remaining = iter(values)
            values = [next(remaining, None) if valid else None for valid in data.valid_data]
        values = [value if valid else None for value, valid in zip(values, data.valid_data, strict=True)]
    if len(values) != count:
        raise invalid(
            f"the num_rows ({len(values)}) of field ({field.name}) is not equal to passed num_rows ({count})"
        )
    for value in values:
        _check(field, value)
    return values


def _scalars(field: schema_pb2.FieldSchema, data: schema_pb2.FieldData) -> list[Any]:
    member = _SCALARS[field.data_type]
    if data.WhichOneof("field") not in (None, "scalars") or data.scalars.WhichOneof("data") not in (None, member):
        raise invalid(f"field {field.name} gets {data.scalars.WhichOneof('data')} instead of {member}")
    values = list(getattr(data.scalars, member).data)
    if field.data_type == DataType.Array:
        return [value.SerializeToString() for value in values]
    return values


def _vectors(field: schema_pb2.FieldSchema, data: schema_pb2.FieldData) -> list[Any]:
    if field.data_type == DataType.SparseFloatVector:
        return list(data.vectors.sparse_float_vector.contents)
    member, _ = _VECTORS[field.data_type]
    if data.WhichOneof("field") != "vectors" or data.vectors.WhichOneof("data") != member:
        raise invalid(f"field {field.name} gets no {member}")
    if data.vectors.dim != parameter(field, "dim"):
        raise invalid(f"field {field.name} has dimension {parameter(field, 'dim')} and gets {data.vectors.dim}")
    content = getattr(data.vectors, member)
    if member == "float_vector":
        content = numpy.array(content.data, dtype="<f4").tobytes()
    width = vector_width(field)
    if len(content) % width:
        raise invalid(f"the vectors of field {field.name} are cut short")
    return [content[start : start + width] for start in range(0, len(content), width)]


def _check(field: schema_pb2.FieldSchema, value: Any) -> None:
    if value is None:
        return
    if field.data_type in _RANGES and not -(2 ** _RANGES[field.data_type]) <= value < 2 ** _RANGES[field.data_type]:
        raise invalid(f"the value {value} of field {field.name} does not fit {DataType.Name(field.data_type)}")
    if field.data_type == DataType.VarChar and len(value.encode()) > (parameter(field, "max_length") or 0):
        raise invalid(f"length of varchar field {field.name} exceeds max length")
    if field.data_type == DataType.JSON:
        try:
            decoded = json.loads(value)
        except ValueError as error:
            raise invalid(f"field {field.name} gets what is not JSON") from error
        if field.is_dynamic and not isinstance(decoded, dict):
            raise invalid("the dynamic field gets what is not a JSON object")


def to_field_data(field: schema_pb2.FieldSchema, values: list[Any], features_nulls: bool) -> schema_pb2.FieldData:
    """The answer to a query; nulls stand as zero values beside valid_data."""
    data = schema_pb2.FieldData(
        type=field.data_type, field_name=field.name, field_id=field.fieldID, is_dynamic=field.is_dynamic
    )
    if field.nullable and features_nulls:
        data.valid_data.extend(value is not None for value in values)
    if field.data_type == DataType.SparseFloatVector:
        data.vectors.sparse_float_vector.contents.extend(values)
        data.vectors.sparse_float_vector.dim = max((_sparse_dimension(value) for value in values), default=0)
        data.vectors.dim = data.vectors.sparse_float_vector.dim
    elif field.data_type in _VECTORS:
        member, _ = _VECTORS[field.data_type]
        data.vectors.dim = parameter(field, "dim") or 0
        joined = b"".join(values)
        if member == "float_vector":
            data.vectors.float_vector.data.extend(numpy.frombuffer(joined, dtype="<f4").tolist())
        else:
            setattr(data.vectors, member, joined)
    elif field.data_type == DataType.Array:
        data.scalars.array_data.element_type = field.element_type
        for value in values:
            data.scalars.array_data.data.add().ParseFromString(value or b"")
    else:
        zero = _NOTHING[field.data_type]
        getattr(data.scalars, _SCALARS[field.data_type]).data.extend(zero if v is None else v for v in values)
    return data


def _sparse_dimension(content: bytes) -> int:
    """Sparse vectors are pairs of a 32-bit index and a 32-bit float."""
    return max((int.from_bytes(content[at : at + 4], "little") + 1 for at in range(0, len(content), 8)), default=0)


def default_of(field: schema_pb2.FieldSchema) -> Any:
    """The value of a field that a row lacks; None stands for null."""
    if not field.HasField("default_value"):
        return None
    member = field.default_value.WhichOneof("data")
    value = getattr(field.default_value, member) if member else None
    return value.encode() if field.data_type == DataType.JSON and isinstance(value, str) else value
