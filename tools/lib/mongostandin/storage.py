"""All collections of the server, and how they are kept in a file."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Iterator


from .collection import Collection, Outcome
from .errors import CommandError
from .sessions import Session
from .values import Document, decode, encode


class Storage:
    def __init__(self) -> None:
        self.collections: dict[str, Collection] = {}
        self.sessions: dict[bytes, Session] = {}

    def collection(self, namespace: str) -> Collection:
        """The collection, or an empty one that is nowhere kept."""
        found = self.collections.get(namespace)
        return Collection(namespace) if found is None else found

    def created(self, namespace: str) -> Collection:
        if namespace not in self.collections:
            database, _, name = namespace.partition(".")
            if not database or not name or "$" in name or "\0" in name or name.startswith(".") \
                    or len(namespace.encode()) > 255:
                raise CommandError(73, f"Invalid namespace specified '{namespace}'")
            self.collections[namespace] = Collection(namespace)
        return self.collections[namespace]

    def of(self, database: str) -> dict[str, Collection]:
        """The database's collections by their names."""
        prefix = f"{database}."
        return {namespace[len(prefix):]: collection for namespace, collection in self.collections.items()
                if namespace.startswith(prefix)}

    def databases(self) -> list[str]:
        return sorted({namespace.partition(".")[0] for namespace in self.collections})

    # --- In a file: for each collection and session a document, after a collection's its documents ---

    def save(self, path: pathlib.Path) -> None:
        """Replaces the file as a whole: what was there stays until all is written."""
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            for collection in self.collections.values():
                file.write(encode({
                    "collection": collection.namespace, "options": collection.options,
                    "indexes": [index.specification for index in collection.indexes.values()],
                    "documents": len(collection),
                }))
                for _, stored in collection.all():
                    file.write(stored.raw)
            for key, session in self.sessions.items():
                file.write(encode({
                    "session": key, "number": session.number,
                    "statements": [{"number": number, **vars(outcome)} for number, outcome in session.statements.items()],
                }))
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)

    @classmethod
    def load(cls, path: pathlib.Path) -> Storage:
        storage = cls()
        documents = cls._documents(path)
        for raw in documents:
            head: Document = decode(raw)
            if "session" in head:
                session = storage.sessions[head["session"]] = Session(head["number"])
                for statement in head["statements"]:
                    number = statement.pop("number")
                    session.statements[number] = Outcome(**statement)
                continue
            collection = storage.collections[head["collection"]] = Collection(head["collection"])
            collection.options = head["options"]
            for specification in head["indexes"]:
                collection.create_index(specification)
            for _ in range(head["documents"]):
                collection.insert(next(documents))
        return storage

    @staticmethod
    def _documents(path: pathlib.Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while size := file.read(4):
                yield size + file.read(int.from_bytes(size, "little") - 4)
