"""SCRAM-SHA-256 (RFC 7677) as MongoDB wraps it, and who may write."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from .errors import CommandError
from .values import Document

_ITERATIONS = 4096  # the least that drivers accept
MECHANISM = "SCRAM-SHA-256"


@dataclass(frozen=True)
class User:
    name: str
    password: str
    may_write: bool = True


class Conversation:
    """One authentication: the client's two messages, and a third that is empty if the client wants it so."""

    def __init__(self, users: dict[str, User], start: Document) -> None:
        if start.get("mechanism") != MECHANISM:
            raise CommandError(334, f"Received authentication for mechanism {start.get('mechanism')} which is not enabled")
        self._short = bool(start.get("options", {}).get("skipEmptyExchange"))
        header, _, self._first = bytes(start["payload"]).decode().partition(",,")
        fields = _fields(self._first)
        if header not in ("n", "y") or "n" not in fields or "r" not in fields:
            raise _failed()
        user = users.get(fields["n"].replace("=2C", ",").replace("=3D", "="))
        # One that is not there fails as one with another password does, at the same moment.
        self._user = user or User("", secrets.token_hex())
        salt = secrets.token_bytes(28)
        self._salted = hashlib.pbkdf2_hmac("sha256", self._user.password.encode(), salt, _ITERATIONS)
        self._nonce = fields["r"] + secrets.token_urlsafe(24)
        self._challenge = f"r={self._nonce},s={base64.b64encode(salt).decode()},i={_ITERATIONS}"
        self._proven = False

    def begin(self) -> Document:
        return {"conversationId": 1, "done": False, "payload": self._challenge.encode()}

    def advance(self, payload: bytes) -> tuple[Document, User | None]:
        """The answer, and the user once it is proven and said."""
        if self._proven:
            return {"conversationId": 1, "done": True, "payload": b""}, self._user
        text, _, proof = payload.decode().rpartition(",p=")
        message = f"{self._first},{self._challenge},{text}".encode()
        client_key = _hmac(self._salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), message)
        expected = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        if _fields(text).get("r") != self._nonce or not self._user.name \
                or not hmac.compare_digest(base64.b64decode(proof), expected):
            raise _failed()
        self._proven = True
        answer = base64.b64encode(_hmac(_hmac(self._salted, b"Server Key"), message))
        return {"conversationId": 1, "done": self._short, "payload": b"v=" + answer}, self._user if self._short else None


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _fields(text: str) -> dict[str, str]:
    return {field[0]: field[2:] for field in text.split(",") if field[1:2] == "="}


def _failed() -> CommandError:
    return CommandError(18, "Authentication failed.")
