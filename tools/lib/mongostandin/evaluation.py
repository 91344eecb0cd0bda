"""Filters, updates, projections, orders and pipelines, evaluated by mongomock.

mongomock computes with Python's values, for which True equals 1, a Decimal128 compares with nothing and the order of
names in a document does not count. It is therefore shown a *view* in which these are as MongoDB has them.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import mongomock
from bson import Decimal128, Int64, Regex
from bson.errors import InvalidDocument
from bson.son import SON
from mongomock import aggregate, filtering

from .errors import CommandError
from .values import MISSING, Document, key_of, values_at

T = TypeVar("T")


class Truth(bytes):
    """A boolean that equals a boolean only. Of bytes, so that mongomock can put it in an order."""

    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Truth) and bytes(self) == bytes(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


_TRUTH = {False: Truth(b""), True: Truth(b"\x01")}

# What stands after these is no value to compare with.
_NO_VALUES = frozenset({"$exists", "$type", "$size", "$options", "$regex", "$comment"})

_TYPES: dict[str, tuple[int, Callable[[Any], bool]]] = {
    "double": (1, lambda value: isinstance(value, float)),
    "string": (2, lambda value: isinstance(value, str)),
    "object": (3, lambda value: isinstance(value, dict)),
    "array": (4, lambda value: isinstance(value, list)),
    "binData": (5, lambda value: isinstance(value, bytes) and not isinstance(value, Truth)),
    "bool": (8, lambda value: isinstance(value, Truth)),
    "date": (9, lambda value: isinstance(value, datetime.datetime)),
    "null": (10, lambda value: value is None),
    "int": (16, lambda value: isinstance(value, int) and not isinstance(value, Int64)),
    "long": (18, lambda value: isinstance(value, Int64)),
    "decimal": (19, lambda value: isinstance(value, Decimal)),
    "number": (-1, lambda value: isinstance(value, (int, float, Decimal))),
}
for _name, (_number, _test) in _TYPES.items():
    filtering.TYPE_MAP[_name] = _test
    if _number > 0:
        filtering.TYPE_MAP[_number] = _test


def view(value: Any) -> Any:
    match value:
        case bool():
            return _TRUTH[value]
        case Decimal128():
            return value.to_decimal()
        case dict():
            return SON((name, inner if name in _NO_VALUES else view(inner)) for name, inner in value.items())
        case list():
            return [view(inner) for inner in value]
        case _:
            return value


def unview(value: Any) -> Any:
    match value:
        case Truth():
            return bool(value)
        case Decimal():
            return Decimal128(value)
        case dict():
            return {name: unview(inner) for name, inner in value.items()}
        case list() | tuple():
            return [unview(inner) for inner in value]
        case _:
            return value


def evaluated(what: str, body: Callable[[], T]) -> T:
    """`body`, with mongomock's refusals as MongoDB's."""
    try:
        return body()
    except NotImplementedError as refusal:
        raise CommandError(238, f"this stand-in cannot evaluate the {what}: {refusal}") from refusal
    except InvalidDocument as refusal:
        raise CommandError(52, str(refusal)) from refusal
    except mongomock.OperationFailure as refusal:
        raise CommandError(refusal.code or 2, str(refusal)) from refusal
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as refusal:
        raise CommandError(2, f"this stand-in cannot evaluate the {what}: {refusal!r}") from refusal


# --- Filters ---


class Filter:
    """A filter, and what it says about equality, by which an index finds the documents without looking at all."""

    def __init__(self, specification: Document) -> None:
        self.specification = specification
        self.equalities: dict[str, list[Any]] = {}
        self.only_equalities = self._collect(specification)
        self._view: Any = None

    def _collect(self, specification: Document) -> bool:
        whole = True
        for name, condition in specification.items():
            if name == "$and" and isinstance(condition, list) and all(isinstance(part, dict) for part in condition):
                whole &= all([self._collect(part) for part in condition])
            elif name.startswith("$") or name in self.equalities or isinstance(condition, Regex):
                whole = False
            elif isinstance(condition, dict) and condition and next(iter(condition)).startswith("$"):
                whole &= len(condition) == 1
                if "$eq" in condition and not isinstance(condition["$eq"], Regex):
                    self.equalities[name] = [condition["$eq"]]
                elif isinstance(choices := condition.get("$in"), list) \
                        and not any(isinstance(choice, Regex) for choice in choices):
                    self.equalities[name] = choices
                else:
                    whole = False
            else:
                self.equalities[name] = [condition]
        return whole

    def keys(self, path: str) -> list[Hashable] | None:
        """The keys under which an index over `path` has all documents that can match, if the filter says so."""
        values = self.equalities.get(path)
        return None if values is None else list(dict.fromkeys(map(key_of, values)))

    def matches(self, document: Document) -> bool:
        if not self.specification:
            return True
        if self._view is None:
            self._view = view(self.specification)
        return evaluated("filter", lambda: bool(filtering.filter_applies(self._view, view(document))))

    def seed(self) -> Document:
        """The document that an upsert begins with: what the filter says is equal."""
        document: Document = {}
        for path, values in self.equalities.items():
            if len(values) == 1:
                *parents, name = path.split(".")
                place = document
                for parent in parents:
                    place = place.setdefault(parent, {})
                place[name] = values[0]
        return document


# --- Updates ---

_OPERATORS = frozenset({
    "$set", "$unset", "$inc", "$max", "$min", "$pop", "$rename", "$setOnInsert", "$currentDate", "$addToSet", "$pull",
    "$pullAll", "$push",
})
_scratch = mongomock.MongoClient()["scratch"]["scratch"]


def updated(document: Document, update: Document, filter: Filter, *, inserting: bool) -> Document:
    """The document after the update's operators. New names at its top come in their order, as MongoDB adds them."""
    before = list(document)
    for operator, changes in update.items():
        if operator not in _OPERATORS:
            raise CommandError(9, f"Unknown modifier: {operator}. Expected a valid update modifier")
        if not isinstance(changes, dict):
            raise CommandError(9, f"Modifiers operate on fields but we found type {type(changes).__name__} instead")
        for path in changes:
            _refuse_path_through_scalar(document, path)
    ordered = {operator: dict(sorted(changes.items())) for operator, changes in update.items()}
    longs = [path for path, by in ordered.get("$inc", {}).items() if isinstance(by, Int64) or any(
        isinstance(value, Int64) for value in values_at(document, path.split(".")))]
    changed = copy.deepcopy(document)
    evaluated("update", lambda: _scratch._apply_update_document(
        changed, filter.specification, copy.deepcopy(ordered), inserting))
    for path in longs:
        _make_long(changed, path.split("."))
    return {name: changed[name] for name in before if name in changed} | {
        name: changed[name] for name in sorted(changed.keys() - set(before))
    }


def _refuse_path_through_scalar(document: Document, path: str) -> None:
    *parents, name = path.split(".")
    place: Any = document
    for parent in parents:
        if isinstance(place, list):
            return  # by position; mongomock says what it can't
        place = place.get(parent, MISSING)
        if place is MISSING:
            return
        if not isinstance(place, (dict, list)):
            raise CommandError(28, f"Cannot create field '{name}' in element {{{parent}: {place!r}}}")


def _make_long(document: Any, path: list[str]) -> None:
    for name in path[:-1]:
        document = document[int(name) if isinstance(document, list) else name]
    last = int(path[-1]) if isinstance(document, list) else path[-1]
    if isinstance(document[last], int):
        document[last] = Int64(document[last])


# --- Results ---


def projected(documents: list[Document], projection: Document) -> list[Document]:
    if not projection:
        return documents
    return evaluated("projection", lambda: list(
        aggregate.process_pipeline(documents, None, [{"$project": projection}], None)))


def in_order(documents: Iterable[Document], order: Document) -> list[int]:
    """The numbers of the documents in the given order."""
    views = [view(document) for document in documents]
    numbers = list(range(len(views)))
    for path, direction in reversed(order.items()):
        evaluated("sort", lambda: numbers.sort(
            key=lambda number: filtering.resolve_sort_key(path, views[number]), reverse=direction < 0))
    return numbers


def piped(documents: list[Document], pipeline: list[Document]) -> list[Document]:
    stages: list[Document] = []
    for stage in pipeline:
        [(name, options)] = stage.items()
        if name == "$count":  # of nothing it gives nothing, where mongomock says 0
            stages += [{"$group": {"_id": 1, options: {"$sum": 1}}}, {"$project": {"_id": 0}}]
        elif name in ("$out", "$merge", "$lookup", "$graphLookup"):
            raise CommandError(238, f"this stand-in has no {name}")
        else:
            stages.append(stage)
    views = [view(document) for document in documents]
    return evaluated("pipeline", lambda: [
        unview(document) for document in aggregate.process_pipeline(views, None, stages, None)])
