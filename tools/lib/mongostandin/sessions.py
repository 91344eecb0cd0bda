"""Sessions: transactions, and the writes that are not done a second time when they are sent again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from .collection import Collection, Outcome
from .errors import TRANSIENT, CommandError
from .values import Document


class Transaction:
    """Its writes are kept apart from the collections until it commits."""

    def __init__(self, number: int, lifetime: float) -> None:
        self.number = number
        self.state = "open"  # open, committed, aborted
        self.ended = asyncio.Event()
        self._expires = time.monotonic() + lifetime
        self._faces: dict[str, Collection] = {}

    @property
    def remaining(self) -> float:
        """Seconds until it is aborted for being too old."""
        return max(0.0, self._expires - time.monotonic())

    def face(self, collection: Collection) -> Collection:
        face = self._faces.get(collection.namespace)
        if face is None:
            face = self._faces[collection.namespace] = collection.inside(self)
        return face

    def touches(self, namespace: str) -> bool:
        return namespace in self._faces

    def commit(self) -> None:
        for face in self._faces.values():
            face.merge()
        self._end("committed")

    def abort(self) -> None:
        if self.state == "open":
            for face in self._faces.values():
                face.release()
            self._end("aborted")

    def _end(self, state: str) -> None:
        self.state = state
        self._faces = {}
        self.ended.set()


@dataclass
class Session:
    """What the server knows under a logical session's id."""

    number: int = -1
    transaction: Transaction | None = None
    statements: dict[int, Outcome] = field(default_factory=dict)

    def _advance(self, number: int) -> None:
        if number < self.number:
            raise CommandError(
                225, f"Cannot start transaction {number} on session because a newer transaction {self.number} "
                "has already started")
        if number > self.number:
            if self.transaction:
                self.transaction.abort()
            self.number, self.transaction, self.statements = number, None, {}

    def retryable(self, number: int) -> dict[int, Outcome]:
        """What the statements of this write did, as far as they are done."""
        self._advance(number)
        return self.statements

    def open_transaction(self, body: Document, lifetime: float) -> Transaction:
        """The transaction that a command belongs to."""
        number = int(body["txnNumber"])
        if body.get("startTransaction"):
            if number == self.number:
                raise CommandError(251, f"transaction {number} has already been started", labels=(TRANSIENT,))
            self._advance(number)
            self.transaction = Transaction(number, lifetime)
            return self.transaction
        transaction = self.transaction
        if transaction is None or transaction.number != number:
            raise CommandError(
                251, f"Given transaction number {number} does not match any in-progress transactions. The active "
                f"transaction number is {self.number}", labels=(TRANSIENT,))
        if transaction.state == "open" and not transaction.remaining:
            transaction.abort()
        ending = next(iter(body))
        if transaction.state == "aborted" and ending != "abortTransaction":
            raise CommandError(251, f"Transaction with {{ txnNumber: {number} }} has been aborted.", labels=(TRANSIENT,))
        if transaction.state == "aborted":
            raise CommandError(251, f"Transaction with {{ txnNumber: {number} }} has been aborted.")
        if transaction.state == "committed" and ending != "commitTransaction":
            raise CommandError(256, f"Transaction with {{ txnNumber: {number} }} has been committed.")
        return transaction


def session_key(identifier: Any) -> bytes:
    try:
        return bytes(identifier["id"])
    except (TypeError, KeyError) as error:
        raise CommandError(72, "a session's id is { id: UUID }") from error
