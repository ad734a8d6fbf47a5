"""Whether a request is one that a client of the version can send, and answers without what the version lacks."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from .errors import Refusal
from .versions import Features

_PREFIX = "milvus.proto."


def check(message: Message, features: Features, path: str = "") -> None:
    """Refuses fields that no version has and fields that are newer than the version."""
    where = path or message.DESCRIPTOR.name
    if unknown := sorted(field.field_number for field in UnknownFieldSet(message)):
        raise Refusal(f"{where} has fields of unknown numbers: {', '.join(map(str, unknown))}")
    for descriptor, value in message.ListFields():
        if not features.has_field(_name(descriptor)):
            raise Refusal(f"{where}.{descriptor.name} does not exist in Milvus {features.version}")
        for child in _children(descriptor, value):
            check(child, features, f"{where}.{descriptor.name}")


def prune(message: Message, features: Features) -> None:
    """Removes fields that are newer than the version."""
    for descriptor, value in message.ListFields():
        if not features.has_field(_name(descriptor)):
            message.ClearField(descriptor.name)
            continue
        for child in _children(descriptor, value):
            prune(child, features)


def _name(descriptor: FieldDescriptor) -> str:
    return descriptor.full_name.removeprefix(_PREFIX)


def _children(descriptor: FieldDescriptor, value: object) -> list[Message]:
    if descriptor.message_type is None:
        return []
    if descriptor.message_type.GetOptions().map_entry:
        values = descriptor.message_type.fields_by_name["value"]
        return list(value.values()) if values.message_type is not None else []
    return [value] if isinstance(value, Message) else list(value)
