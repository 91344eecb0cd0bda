"""Messages: OP_MSG both ways, and OP_QUERY for the first greeting, which older drivers send so."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from .errors import CommandError
from .values import Document, decode, parts

MAX_MESSAGE = 48_000_000
MAX_DOCUMENT = 16 * 1024 * 1024

_HEADER = struct.Struct("<iiii")
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_CHECKSUM, _MORE_TO_COME = 1, 2
_numbers = itertools.count(1)


class ProtocolError(Exception):
    """The peer does not speak MongoDB."""


@dataclass
class Request:
    """A command; `sequences` are the documents that came beside its body."""

    number: int
    raw: bytes
    legacy: bool = False
    wants_reply: bool = True
    database: str = ""
    sequences: dict[str, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.body: Document = decode(self.raw)
        self.database = self.database or self.body.get("$db", "")
        self.name: str = next(iter(self.body), "")

    def documents(self, name: str) -> list[bytes]:
        """The documents of the array `name`, as bytes, wherever in the message they are."""
        if name in self.sequences:
            return self.sequences[name]
        found = parts(self.raw).get(name)
        if not isinstance(found, list) or not all(isinstance(each, RawBSONDocument) for each in found):
            raise CommandError(9, f"BSON field '{self.name}.{name}' is missing but a required field")
        return [each.raw for each in found]


async def receive(reader: asyncio.StreamReader) -> Request | None:
    """The next command, or None where the peer has closed the connection."""
    try:
        length, number, _, operation = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        if not _HEADER.size < length <= MAX_MESSAGE:
            raise ProtocolError(f"a message of {length} bytes")
        payload = await reader.readexactly(length - _HEADER.size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        if operation == _OP_MSG:
            return _message(number, payload)
        if operation == _OP_QUERY:
            return _query(number, payload)
    except (struct.error, bson.errors.InvalidBSON, IndexError) as error:
        raise ProtocolError(f"a message that can't be read: {error}") from error
    raise ProtocolError(f"operation {operation}")


def _message(number: int, payload: bytes) -> Request:
    [flags] = struct.unpack_from("<I", payload)
    end = len(payload) - (4 if flags & _CHECKSUM else 0)
    at, body, sequences = 4, b"", dict[str, list[bytes]]()
    while at < end:
        kind = payload[at]
        at += 1
        [size] = struct.unpack_from("<i", payload, at)
        if size < 5 or at + size > end:
            raise ProtocolError("a section that is longer than its message")
        if kind == 0:
            body = payload[at : at + size]
        elif kind == 1:
            name_end = payload.index(b"\0", at + 4)
            sequences[payload[at + 4 : name_end].decode()] = _sequence(payload, name_end + 1, at + size)
        else:
            raise ProtocolError(f"a section of kind {kind}")
        at += size
    return Request(number, body, wants_reply=not flags & _MORE_TO_COME, sequences=sequences)


def _sequence(payload: bytes, at: int, end: int) -> list[bytes]:
    documents = []
    while at < end:
        [size] = struct.unpack_from("<i", payload, at)
        if size < 5 or at + size > end:
            raise ProtocolError("a document that is longer than its section")
        documents.append(payload[at : at + size])
        at += size
    return documents


def _query(number: int, payload: bytes) -> Request:
    end = payload.index(b"\0", 4)
    at = end + 1 + 8
    [size] = struct.unpack_from("<i", payload, at)
    database = payload[4:end].decode().partition(".")[0]
    return Request(number, payload[at : at + size], legacy=True, database=database)


def reply(request: Request, document: Mapping[str, Any]) -> bytes:
    encoded = bson.encode(document)
    if request.legacy:
        body = struct.pack("<iqii", 8, 0, 0, 1) + encoded
    else:
        body = b"\0\0\0\0\0" + encoded
    operation = _OP_REPLY if request.legacy else _OP_MSG
    return _HEADER.pack(_HEADER.size + len(body), next(_numbers) & 0x7FFFFFFF, request.number, operation) + body
