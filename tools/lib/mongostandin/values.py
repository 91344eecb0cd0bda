"""BSON in and out without loss, and values as keys of a hash index."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Hashable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import bson
from bson import CodecOptions, DatetimeMS, Decimal128
from bson.binary import Binary
from bson.code import Code
from bson.codec_options import DatetimeConversion
from bson.raw_bson import RawBSONDocument

Document = dict[str, Any]

_EXACT: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def decode(raw: bytes) -> Document:
    """The document in Python's types, of which `encode` makes the same bytes again."""
    if b"$ref\x00" in raw:
        return _plain(RawBSONDocument(raw, _RAW))  # else PyMongo makes a DBRef of a map with such a name
    return bson.decode(raw, _EXACT)


def encode(document: Mapping[str, Any]) -> bytes:
    return bson.encode(document)


def parts(raw: bytes) -> RawBSONDocument:
    """The document's fields, with documents inside of it as bytes."""
    return RawBSONDocument(raw, _RAW)


def _plain(value: Any) -> Any:
    if isinstance(value, RawBSONDocument):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


# --- Values as keys ---


def key_of(value: Any) -> Hashable:
    """Equal for two values that MongoDB holds to be equal, whatever the type of a number is, and for no others.

    Python's numbers are equal and hash alike if they have the same value, whether they are int, float or Decimal.
    """
    match value:
        case None:
            return None
        case bool():
            return ("bool", value)
        case Code():
            return ("code", str(value), key_of(value.scope))
        case str() | int():
            return value
        case float():
            return value if value == value else ("nan",)
        case Decimal128():
            return ("nan",) if (number := value.to_decimal()).is_nan() else number
        case Decimal():
            return value
        case Binary():
            return ("binary", value.subtype, bytes(value))
        case bytes():
            return ("binary", 0, value)
        case Mapping():
            return ("document", tuple((name, key_of(inner)) for name, inner in value.items()))
        case list():
            return ("array", tuple(map(key_of, value)))
        case datetime.datetime() | DatetimeMS():
            return ("date", int(DatetimeMS(value)))
        case _:
            return (type(value).__name__, encode({"": value}))


MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """What a path leads to: several values where it leads through an array, `MISSING` where it leads nowhere."""
    if not path:
        yield value
    elif isinstance(value, dict):
        yield from values_at(value.get(path[0], MISSING), path[1:])
    elif isinstance(value, list):
        if path[0].isdecimal() and int(path[0]) < len(value):
            yield from values_at(value[int(path[0])], path[1:])
        for inner in value:
            if isinstance(inner, dict):
                yield from values_at(inner, path)
    else:
        yield MISSING


Entry = tuple[Hashable, ...]


def index_entries(document: Document, fields: list[str]) -> tuple[set[Entry], bool]:
    """Under which keys an index holds the document, and whether it has any of the fields.

    An array is held under each of its elements, and whole, since a filter may ask for either.
    """
    columns: list[set[Hashable]] = []
    present = False
    for field in fields:
        column: set[Hashable] = set()
        for value in values_at(document, field.split(".")):
            present |= value is not MISSING
            column.add(None if value is MISSING else key_of(value))
            if isinstance(value, list):
                column.update(map(key_of, value))
        columns.append(column or {None})
    return set(itertools.product(*columns)), present
