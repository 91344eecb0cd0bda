"""Results that are fetched batch by batch."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from bson import Int64
from bson.raw_bson import RawBSONDocument

from .errors import CommandError
from .values import Document, parts
from .wire import MAX_DOCUMENT

_FIRST_BATCH = 101


class Cursors:
    def __init__(self) -> None:
        self._open: dict[int, tuple[str, list[bytes]]] = {}  # what is still to be fetched, last first

    def first(self, namespace: str, found: list[bytes], size: int | None, *, single: bool = False) -> Document:
        found = found[::-1]
        batch = _take(found, _FIRST_BATCH if size is None else size)
        number = 0
        if found and not single:
            number = secrets.randbelow(1 << 62) + 1
            self._open[number] = (namespace, found)
        return _reply("firstBatch", batch, number, namespace)

    def more(self, number: int, namespace: str, size: int | None) -> Document:
        if number not in self._open or self._open[number][0] != namespace:
            raise CommandError(43, f"cursor id {number} not found")
        found = self._open[number][1]
        batch = _take(found, size or len(found))
        if not found:
            del self._open[number]
        return _reply("nextBatch", batch, number if found else 0, namespace)

    def kill(self, numbers: Iterable[int]) -> tuple[list[int], list[int]]:
        """Those that were open, and those that were not."""
        killed, unknown = [], []
        for number in numbers:
            (killed if self._open.pop(number, None) else unknown).append(Int64(number))
        return killed, unknown

    def clear(self) -> None:
        self._open.clear()


def _take(found: list[bytes], count: int) -> list[RawBSONDocument]:
    """At most `count` documents, and no more than one reply may hold."""
    batch: list[RawBSONDocument] = []
    size = 0
    while found and len(batch) < count and (not batch or size + len(found[-1]) <= MAX_DOCUMENT):
        size += len(found[-1])
        batch.append(parts(found.pop()))
    return batch


def _reply(name: str, batch: list[Any], number: int, namespace: str) -> Document:
    return {"cursor": {name: batch, "id": Int64(number), "ns": namespace}}
