"""A collection: documents as bytes, found by hash indexes; and its face inside a transaction, which nobody else sees."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from bson import ObjectId, Regex

from .errors import TRANSIENT, CommandError
from .evaluation import Filter, in_order, updated
from .values import Document, Entry, decode, encode, index_entries, key_of, values_at, MISSING
from .wire import MAX_DOCUMENT

if TYPE_CHECKING:
    from .sessions import Transaction


class Locked(Exception):
    """What is to be written was written by a transaction that has not ended."""

    def __init__(self, holder: Transaction) -> None:
        super().__init__("locked")
        self.holder = holder


class Stored(NamedTuple):
    raw: bytes
    entries: tuple[tuple[str, Entry], ...]  # index and key, for each index but that of _id


class Index:
    """An index as it was asked for."""

    def __init__(self, specification: Document) -> None:
        self.specification = {"v": 2} | {name: value for name, value in specification.items() if name != "ns"}
        self.name: str = specification["name"]
        self.key: Document = specification["key"]
        self.fields = list(self.key)
        self.unique = bool(specification.get("unique"))
        self._sparse = bool(specification.get("sparse"))
        partial = specification.get("partialFilterExpression")
        self._partial = Filter(partial) if partial else None
        self.holds_all = not self._sparse and not self._partial

    def entries(self, document: Document) -> set[Entry]:
        if self._partial and not self._partial.matches(document):
            return set()
        entries, present = index_entries(document, self.fields)
        return entries if present or not self._sparse else set()

    def lookups(self, filter: Filter) -> list[Entry] | None:
        """The keys under which this index has all that the filter can match, if it has."""
        columns = [filter.keys(name) for name in self.fields] if self.holds_all else [None]
        if any(column is None for column in columns):
            return None
        return list(itertools.product(*(column for column in columns if column is not None)))


@dataclass
class Outcome:
    """What one statement of a write command did."""

    matched: int = 0
    modified: int = 0
    upserted: Any = None
    is_upsert: bool = False


_ABSENT: Any = object()


class Collection:
    """`parent` is the collection itself, where this is its face inside a transaction."""

    def __init__(self, namespace: str, parent: Collection | None = None, writer: Transaction | None = None) -> None:
        self.namespace = namespace
        self.options: Document = {}
        self.indexes: dict[str, Index] = {}
        self._documents: dict[Hashable, Stored | None] = {}  # None: deleted by the transaction
        self._entries: dict[tuple[str, Entry], dict[Hashable, None]] = {}
        self._parent = parent
        self._writer = writer
        self._locks: dict[tuple[str, Hashable], Transaction] = {}
        self._changed_at: dict[Hashable, int] = {}
        self._clock = itertools.count(1)
        if parent is not None:
            self.options, self.indexes = parent.options, parent.indexes
            self._began = next(parent._clock)

    # --- Reading ---

    def __len__(self) -> int:
        return sum(1 for _ in self.all()) if self._parent is not None else len(self._documents)

    def get(self, key: Hashable) -> Stored | None:
        stored = self._documents.get(key, _ABSENT)
        if stored is _ABSENT:
            return self._parent.get(key) if self._parent is not None else None
        return stored

    def all(self) -> Iterator[tuple[Hashable, Stored]]:
        if self._parent is not None:
            for key, stored in self._parent.all():
                if key not in self._documents:
                    yield key, stored
        for key, own in self._documents.items():
            if own:
                yield key, own

    def _under(self, index: str, entry: Entry) -> list[Hashable]:
        """The keys of the documents that the index has under `entry`."""
        found = list(self._entries.get((index, entry), ()))
        if self._parent is not None:
            found += [key for key in self._parent._under(index, entry) if key not in self._documents]
        return found

    def _candidates(self, filter: Filter) -> tuple[Iterable[tuple[Hashable, Stored]], bool]:
        """Where to look, and whether the filter matches all of it without looking."""
        keys = filter.keys("_id")
        covered = filter.only_equalities and set(filter.equalities) == {"_id"}
        if keys is None:
            for index in self.indexes.values():
                lookups = index.lookups(filter)
                if lookups is not None:
                    keys = list(dict.fromkeys(key for entry in lookups for key in self._under(index.name, entry)))
                    covered = filter.only_equalities and set(filter.equalities) == set(index.fields)
                    break
            else:
                return self.all(), not filter.specification
        return ((key, stored) for key in keys if (stored := self.get(key))), covered

    def matching(self, filter: Filter) -> Iterator[tuple[Hashable, Stored]]:
        candidates, covered = self._candidates(filter)
        for key, stored in candidates:
            if covered or filter.matches(decode(stored.raw)):
                yield key, stored

    def find(self, filter: Filter, order: Document, skip: int = 0, limit: int = 0) -> list[bytes]:
        end = skip + limit if limit else None
        if not order or list(order) == ["$natural"]:
            found = [stored.raw for _, stored in itertools.islice(self.matching(filter), None)] \
                if end is None else [stored.raw for _, stored in itertools.islice(self.matching(filter), end)]
            return found[::-1][skip:] if order.get("$natural") == -1 else found[skip:]
        found = [stored.raw for _, stored in self.matching(filter)]
        wanted = [{name: document[name] for name in {path.split(".")[0] for path in order} if name in document}
                  for document in map(decode, found)]
        return [found[number] for number in in_order(wanted, order)[skip:end]]

    # --- Writing ---

    def insert(self, raw: bytes) -> None:
        document = decode(raw)
        if "_id" not in document:
            document = {"_id": ObjectId()} | document
            raw = encode(document)
        elif next(iter(document)) != "_id":
            document = {"_id": document["_id"]} | document
            raw = encode(document)
        if len(raw) > MAX_DOCUMENT:
            raise CommandError(
                2, f"object to insert too large. size in bytes: {len(raw)}, max size: {MAX_DOCUMENT}")
        self._put(_checked_id(document), raw, document, is_new=True)

    def update(self, filter: Filter, update: bytes, *, multi: bool, upsert: bool) -> Outcome:
        change = decode(update)
        replaces = not (change and next(iter(change)).startswith("$"))
        if replaces and multi:
            raise CommandError(9, "multi update is not supported for replacement-style update")
        matched = itertools.islice(self.matching(filter), None if multi else 1)
        outcome = Outcome()
        for key, stored in list(matched):
            outcome.matched += 1
            before = decode(stored.raw)
            if replaces:
                document = change if "_id" in change else {"_id": before["_id"]} | change
            else:
                document = updated(before, change, filter, inserting=False)
            if key_of(document.get("_id")) != key:
                raise CommandError(66, "Performing an update on the path '_id' would modify the immutable field '_id'")
            outcome.modified += self._replace(key, stored, document, update if document is change else None)
        if not outcome.matched and upsert:
            seed = filter.seed()
            if replaces:
                document = ({"_id": seed["_id"]} if "_id" in seed else {}) | change
                if "_id" in seed and key_of(document["_id"]) != key_of(seed["_id"]):
                    raise CommandError(
                        66, "Performing an update on the path '_id' would modify the immutable field '_id'")
            else:
                document = updated(seed, change, filter, inserting=True)
            document = {"_id": document.get("_id", None) if "_id" in document else ObjectId()} | document
            raw = encode(document)
            if len(raw) > MAX_DOCUMENT:
                raise _too_large(raw)
            self._put(_checked_id(document), raw, document, is_new=True)
            outcome.is_upsert, outcome.upserted = True, document["_id"]
        return outcome

    def _replace(self, key: Hashable, stored: Stored, document: Document, raw: bytes | None) -> bool:
        """`raw` is the document as it came, where it came as a whole with its _id."""
        if raw is None or next(iter(document)) != "_id":
            document = {"_id": document["_id"]} | document
            raw = encode(document)
        if len(raw) > MAX_DOCUMENT:
            raise _too_large(raw)
        if raw == stored.raw:
            self._lock(key, ())
            return False
        self._put(key, raw, document, is_new=False)
        return True

    def delete(self, filter: Filter, *, limit: int) -> int:
        found = list(itertools.islice(self.matching(filter), limit or None))
        for key, _ in found:
            self._remove(key)
        return len(found)

    def _put(self, key: Hashable, raw: bytes, document: Document, *, is_new: bool) -> None:
        if (validator := self.options.get("validator")) and not Filter(validator).matches(document):
            raise CommandError(121, "Document failed validation", errInfo={"failingDocumentId": document["_id"]})
        entries = tuple(
            (index.name, entry) for index in self.indexes.values() for entry in index.entries(document)
        )
        unique = [each for each in entries if self.indexes[each[0]].unique]
        self._lock(key, unique)
        if is_new and self.get(key):
            raise self._duplicate("_id_", {"_id": 1}, {"_id": document["_id"]})
        for name, entry in unique:
            if any(other != key for other in self._under(name, entry)):
                index = self.indexes[name]
                values = {field: next(values_at(document, field.split("."))) for field in index.fields}
                raise self._duplicate(
                    name, index.key, {field: None if value is MISSING else value for field, value in values.items()})
        self._write(key, Stored(raw, entries))

    def _remove(self, key: Hashable) -> None:
        stored = self.get(key)
        assert stored
        self._lock(key, [each for each in stored.entries if self.indexes[each[0]].unique])
        self._write(key, None)

    def _write(self, key: Hashable, stored: Stored | None) -> None:
        for each in (own.entries if (own := self._documents.get(key)) else ()):
            holders = self._entries[each]
            del holders[key]
            if not holders:
                del self._entries[each]
        for each in stored.entries if stored else ():
            self._entries.setdefault(each, {})[key] = None
        if stored or self._parent is not None:
            self._documents[key] = stored
        else:
            self._documents.pop(key, None)
        if self._parent is None:
            self._changed_at[key] = next(self._clock)

    def _duplicate(self, index: str, pattern: Document, values: Document) -> CommandError:
        shown = ", ".join(f"{name}: {_shown(value)}" for name, value in values.items())
        return CommandError(
            11000, f"E11000 duplicate key error collection: {self.namespace} index: {index} dup key: {{ {shown} }}",
            keyPattern=pattern, keyValue=values)

    # --- Transactions ---

    def _lock(self, key: Hashable, entries: Iterable[tuple[str, Entry]]) -> None:
        """Keeps what is written to the transaction that writes it; others get `Locked`, or a conflict."""
        root = self if self._parent is None else self._parent
        if not root._locks and not self._writer:
            return
        wanted: list[tuple[str, Hashable]] = [("_id_", key), *entries]
        for each in wanted:
            holder = root._locks.get(each)
            if holder and holder is not self._writer:
                raise Locked(holder)
        if self._writer:
            if root._changed_at.get(key, 0) > self._began:
                raise write_conflict()
            root._locks |= dict.fromkeys(wanted, self._writer)

    def inside(self, transaction: Transaction) -> Collection:
        return Collection(self.namespace, self, transaction)

    def merge(self) -> None:
        """What the transaction did becomes everybody's."""
        assert self._parent is not None
        for key, stored in self._documents.items():
            self._parent._write(key, stored)
        self.release()

    def release(self) -> None:
        assert self._parent is not None
        locks = self._parent._locks
        for each in [each for each, holder in locks.items() if holder is self._writer]:
            del locks[each]

    # --- Indexes ---

    def create_index(self, specification: Document) -> bool:
        """Whether there was no such index before."""
        index = Index(specification)
        for other in self.indexes.values():
            same = list(other.key.items()) == list(index.key.items())
            if other.name == index.name and not same:
                raise CommandError(86, f"An existing index has the same name as the requested index: {index.name}")
            if same and other.name == index.name and other.unique == index.unique:
                return False
            if same:
                raise CommandError(85, f"Index already exists with a different name or options: {other.name}")
        if index.name == "_id_" or index.fields == ["_id"]:
            return False
        entries: dict[Entry, dict[Hashable, None]] = {}
        own: dict[Hashable, tuple[tuple[str, Entry], ...]] = {}
        for key, stored in self.all():
            document = decode(stored.raw)
            found = index.entries(document)
            own[key] = tuple((index.name, entry) for entry in found)
            for entry in found:
                holders = entries.setdefault(entry, {})
                holders[key] = None
                if index.unique and len(holders) > 1:
                    values = {field: next(values_at(document, field.split("."))) for field in index.fields}
                    raise self._duplicate(index.name, index.key, {
                        field: None if value is MISSING else value for field, value in values.items()})
        self.indexes[index.name] = index
        self._entries |= {(index.name, entry): holders for entry, holders in entries.items()}
        for key, stored in list(self.all()):
            self._documents[key] = Stored(stored.raw, stored.entries + own[key])
        return True

    def drop_index(self, name: str) -> None:
        if name not in self.indexes:
            raise CommandError(27, f"index not found with name [{name}]")
        del self.indexes[name]
        self._entries = {each: holders for each, holders in self._entries.items() if each[0] != name}
        for key, stored in list(self.all()):
            kept = tuple(each for each in stored.entries if each[0] != name)
            self._documents[key] = Stored(stored.raw, kept)

    def index_specifications(self) -> list[Document]:
        return [{"v": 2, "key": {"_id": 1}, "name": "_id_"},
                *(index.specification for index in self.indexes.values())]


def write_conflict() -> CommandError:
    return CommandError(
        112, "WriteConflict error: this operation conflicted with another operation. Please retry your operation or "
        "multi-document transaction.", labels=(TRANSIENT,))


def _too_large(raw: bytes) -> CommandError:
    return CommandError(
        17419, f"Resulting document after update is larger than {MAX_DOCUMENT}: {len(raw)} bytes")


def _checked_id(document: Document) -> Hashable:
    value = document["_id"]
    if isinstance(value, (list, Regex)):
        kind = "array" if isinstance(value, list) else "regex"
        raise CommandError(53, f"The '_id' value cannot be of type {kind}")
    if isinstance(value, dict) and any(name.startswith("$") for name in value):
        raise CommandError(52, "_id fields may not contain '$'-prefixed fields")
    return key_of(value)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
