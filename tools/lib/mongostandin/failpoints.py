"""`configureFailPoint` with `failCommand`, as MongoDB documents it for drivers, and three words more.

Source: https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
"""

from __future__ import annotations

from typing import Any

from bson.raw_bson import RawBSONDocument

from .errors import CommandError
from .values import Document

_KNOWN = frozenset({
    "failCommands", "errorCode", "errorLabels", "closeConnection", "blockConnection", "blockTimeMS",
    "writeConcernError", "appName", "failInternalCommands", "namespace",
    # The stand-in's own. Of both the effect happens:
    "closeConnectionAfter",  # the connection is closed without an answer
    "unreadable",  # the answer, and each of its write errors, has a text that is no UTF-8
    # Of this one nothing happens:
    "writeErrorCode",  # the answer is a success of the command, and says this of its first write
})

# {"text": b"\xff\xfe"}
UNREADABLE = RawBSONDocument(b"\x12\0\0\0\x02text\0\x03\0\0\0\xff\xfe\0\0")


class FailPoint:
    def __init__(self) -> None:
        self._data: Document = {}
        self._times: float = 0
        self._skip = 0
        self._entered = 0

    def configure(self, body: Document) -> int:
        """How often the fail point was met under what was configured before."""
        if body["configureFailPoint"] != "failCommand":
            raise CommandError(2, f"this stand-in knows failCommand, not {body['configureFailPoint']}")
        data = body.get("data", {})
        if unknown := data.keys() - _KNOWN:
            raise CommandError(9, f"failCommand has no {', '.join(sorted(unknown))}")
        match body.get("mode"):
            case "off":
                times, skip = 0.0, 0
            case "alwaysOn":
                times, skip = float("inf"), 0
            case {"times": count}:
                times, skip = float(count), 0
            case {"skip": count}:
                times, skip = float("inf"), int(count)
            case other:
                raise CommandError(9, f"a fail point's mode is off, alwaysOn, times or skip, not {other!r}")
        entered = self._entered
        self._data, self._times, self._skip, self._entered = data, times, skip, 0
        return entered

    def meet(self, command: str, namespace: str, application: str) -> Document:
        """What is to go wrong with this command; empty if nothing is."""
        data = self._data
        wanted: list[Any] = data.get("failCommands", [])
        if not self._times or command not in wanted or command == "configureFailPoint" \
                or data.get("appName", application) != application or data.get("namespace", namespace) != namespace:
            return {}
        if self._skip:
            self._skip -= 1
            return {}
        self._times -= 1
        self._entered += 1
        return data
