"""What a command answers when it does not succeed, in MongoDB's numbers."""

from __future__ import annotations

from typing import Any

NAMES = {
    1: "InternalError", 2: "BadValue", 8: "UnknownError", 9: "FailedToParse", 13: "Unauthorized", 16: "InvalidLength",
    18: "AuthenticationFailed", 20: "IllegalOperation", 22: "InvalidBSON", 26: "NamespaceNotFound",
    27: "IndexNotFound", 28: "PathNotViable", 43: "CursorNotFound", 48: "NamespaceExists", 50: "MaxTimeMSExpired",
    52: "DollarPrefixedFieldName", 53: "InvalidIdField", 59: "CommandNotFound", 66: "ImmutableField",
    72: "InvalidOptions", 73: "InvalidNamespace", 85: "IndexOptionsConflict", 86: "IndexKeySpecsConflict",
    112: "WriteConflict", 121: "DocumentValidationFailure", 225: "TransactionTooOld", 238: "NotImplemented", 251: "NoSuchTransaction",
    256: "TransactionCommitted", 263: "OperationNotSupportedInTransaction", 11000: "DuplicateKey",
    6: "HostUnreachable", 7: "HostNotFound", 89: "NetworkTimeout", 91: "ShutdownInProgress", 189: "PrimarySteppedDown",
    262: "ExceededTimeLimit", 9001: "SocketException", 10107: "NotWritablePrimary",
    11600: "InterruptedAtShutdown", 11602: "InterruptedDueToReplStateChange", 13435: "NotPrimaryNoSecondaryOk",
    13436: "NotPrimaryOrSecondary", 64: "WriteConcernFailed", 100: "UnsatisfiableWriteConcern",
}

# After these a server tells the client that the same write may be sent once more (specification "Retryable Writes").
RETRYABLE = frozenset({6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})

TRANSIENT = "TransientTransactionError"
RETRYABLE_WRITE = "RetryableWriteError"


class CommandError(Exception):
    """A whole command failed, or, inside a write command, one statement of it."""

    def __init__(self, code: int, message: str, *, labels: tuple[str, ...] = (), **more: Any) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.labels = labels
        self.more = more  # what stands beside code and message, as the key pattern of a duplicate key

    def reply(self) -> dict[str, Any]:
        name = NAMES.get(self.code, f"Location{self.code}")
        reply: dict[str, Any] = {"ok": 0.0, "errmsg": self.message, "code": self.code, "codeName": name, **self.more}
        if self.labels:
            reply["errorLabels"] = list(self.labels)
        return reply

    def write_error(self, index: int) -> dict[str, Any]:
        return {"index": index, "code": self.code, **self.more, "errmsg": self.message}


class Disconnect(Exception):
    """The connection is to be closed without an answer."""
