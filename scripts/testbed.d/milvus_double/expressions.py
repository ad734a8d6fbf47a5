"""Boolean expressions of queries and deletes, as far as clients of backups use them.

Milvus' grammar is read as Python's after its own operators are replaced; anything but comparisons, `in`, `and`,
`or`, `not`, names, keys of JSON fields and literals is refused.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any

from pymilvus.grpc_gen import schema_pb2

from .errors import invalid
from .schemas import DYNAMIC
from .state import Row
from .values import DataType

Predicate = Callable[[Row], bool]
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_WORDS = [("&&", " and "), ("||", " or "), ("!=", "\0"), ("!", " not "), ("\0", "!=")]
_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def predicate(text: str, schema: schema_pb2.CollectionSchema) -> Predicate:
    """Tells for a row whether the expression holds; an empty one always does."""
    if not text.strip():
        return lambda row: True
    try:
        tree = ast.parse(_pythonic(text.strip()), mode="eval").body
        compiled = _Compiler(schema).compile(tree)
    except SyntaxError as error:
        raise invalid(f"failed to create query plan: cannot parse expression: {text}") from error
    return lambda row: compiled(row) is True


def _pythonic(text: str) -> str:
    parts, position = [], 0
    for match in _STRING.finditer(text):
        parts += [_replaced(text[position : match.start()]), match[0]]
        position = match.end()
    return "".join([*parts, _replaced(text[position:])])


def _replaced(text: str) -> str:
    for old, new in _WORDS:
        text = text.replace(old, new)
    return re.sub(r"\b(true|false)\b", lambda match: match[1].capitalize(), text)


class _Compiler:
    def __init__(self, schema: schema_pb2.CollectionSchema) -> None:
        self.fields = {field.name: field for field in schema.fields}

    def compile(self, node: ast.AST) -> Callable[[Row], Any]:
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                compiled = [self.compile(part) for part in parts]
                return lambda row: all(part(row) is True for part in compiled)
            case ast.BoolOp(op=ast.Or(), values=parts):
                compiled = [self.compile(part) for part in parts]
                return lambda row: any(part(row) is True for part in compiled)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.compile(operand)
                return lambda row: inner(row) is False
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return lambda row, value=-value: value
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._comparison(left, ops, rights)
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return lambda row: value
            case ast.List(elts=elements):
                literal = [self.compile(element)({}) for element in elements]
                try:
                    constant = frozenset(literal)
                except TypeError as error:
                    raise invalid("lists in expressions hold numbers or strings") from error
                return lambda row: constant
            case ast.Name(id=name):
                return self._field(name)
            case ast.Subscript(value=inner, slice=ast.Constant(value=str() | int() as key)):
                return self._element(self.compile(inner), key)
        raise invalid(f"failed to create query plan: the double cannot evaluate {ast.unparse(node)}")

    def _comparison(self, left: ast.AST, ops: list[ast.cmpop], rights: list[ast.expr]) -> Callable[[Row], bool]:
        sides = [self.compile(side) for side in (left, *rights)]
        for op in ops:
            if type(op) not in _COMPARISONS:
                raise invalid("failed to create query plan: unknown comparison")
        tests = [_COMPARISONS[type(op)] for op in ops]

        def holds(row: Row) -> bool:
            found = [side(row) for side in sides]
            if any(value is None for value in found):
                return False
            try:
                return all(test(a, b) for test, a, b in zip(tests, found, found[1:], strict=False))
            except TypeError:
                return False

        return holds

    def _field(self, name: str) -> Callable[[Row], Any]:
        if name in self.fields:
            field = self.fields[name]
            if field.data_type == DataType.JSON:
                return lambda row: _decoded(row.get(field.fieldID))
            return lambda row: row.get(field.fieldID)
        if DYNAMIC not in self.fields:
            raise invalid(f"failed to create query plan: field {name} not exist")
        return self._element(self._field(DYNAMIC), name)

    @staticmethod
    def _element(inner: Callable[[Row], Any], key: str | int) -> Callable[[Row], Any]:
        def value(row: Row) -> Any:
            try:
                return inner(row)[key]
            except (KeyError, IndexError, TypeError):
                return None

        return value


def _decoded(text: bytes | None) -> Any:
    return None if text is None else json.loads(text)
