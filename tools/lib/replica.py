"""Reads what Shake's targets hold, and compares it with the source, item by item and type by type."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from typing import Any


class SQLiteReplica:
    """A `sqlite:` target, read from outside while the daemon may be writing to it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def query(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """The rows, or none while the file or the table isn't there yet."""
        if not os.path.exists(self.path):
            return []
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise
        finally:
            connection.close()

    def items(self, table: str) -> list[dict[str, Any]]:
        """The items in boto3's low-level form."""
        return [decode_item(item) for (item,) in self.query(f'SELECT item FROM "{table}"')]

    def count(self, table: str) -> int:
        rows = self.query(f'SELECT count(*) FROM "{table}"')
        return rows[0][0] if rows else 0

    def tables(self) -> list[str]:
        return [name for (name,) in self.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


class JSONLReplica:
    """A `jsonl:` target: every change as one line."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    @property
    def is_whole(self) -> bool:
        """Whether the file ends where a line does."""
        try:
            with open(self.path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            return True
        return not content or content.endswith(b"\n")

    def lines(self, table: str | None = None) -> list[dict[str, Any]]:
        """The complete lines, in order, of one table or of all."""
        try:
            with open(self.path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            return []
        complete = content[: content.rfind(b"\n") + 1]
        lines = [json.loads(line) for line in complete.splitlines()]
        return [line for line in lines if table is None or line["table"] == table]

    def items(self, table: str, key_names: list[str]) -> list[dict[str, Any]]:
        """What the changes leave behind, applied in order."""
        left: dict[str, dict[str, Any]] = {}
        for line in self.lines(table):
            key = canonical(decode_json_item({name: line["keys"][name] for name in key_names}))
            if line["new_image"] is None:
                left.pop(key, None)
            else:
                left[key] = decode_json_item(line["new_image"])
        return list(left.values())


def decode_item(text: str | bytes) -> dict[str, Any]:
    return decode_json_item(json.loads(text))


def decode_json_item(item: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB JSON as it is on the wire, in the form in which boto3 gives it: binary as bytes."""
    return {name: _decode(value) for name, value in item.items()}


def _decode(value: dict[str, Any]) -> dict[str, Any]:
    [(type, content)] = value.items()
    match type:
        case "B":
            return {type: base64.b64decode(content, validate=True)}
        case "BS":
            return {type: [base64.b64decode(element, validate=True) for element in content]}
        case "L":
            return {type: [_decode(element) for element in content]}
        case "M":
            return {type: decode_json_item(content)}
        case _:
            return {type: content}


def canonical(item: dict[str, Any]) -> str:
    """One text for each item: equal exactly for equal items. Sets have no order; numbers are compared as texts."""
    return json.dumps(_canonical_item(item), sort_keys=True)


def _canonical_item(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _canonical(value) for name, value in item.items()}


def _canonical(value: dict[str, Any]) -> dict[str, Any]:
    [(type, content)] = value.items()
    match type:
        case "B":
            return {type: bytes(content).hex()}
        case "BS":
            return {type: sorted(bytes(element).hex() for element in content)}
        case "SS" | "NS":
            return {type: sorted(content)}
        case "L":
            return {type: [_canonical(element) for element in content]}
        case "M":
            return {type: _canonical_item(content)}
        case _:
            return {type: content}


def differences(source: list[dict[str, Any]], target: list[dict[str, Any]], key_names: list[str]) -> list[str]:
    """One line for each key whose item isn't the same on both sides; none when they are equal."""

    def by_key(items: list[dict[str, Any]]) -> dict[str, list[str]]:
        keyed: dict[str, list[str]] = {}
        for item in items:
            keyed.setdefault(canonical({name: item[name] for name in key_names}), []).append(canonical(item))
        return keyed

    wanted, found = by_key(source), by_key(target)
    lines = []
    for key in sorted(wanted.keys() | found.keys()):
        left, right = wanted.get(key, []), found.get(key, [])
        if left == right:
            continue
        if not right:
            lines.append(f"{key}: missing in the target")
        elif not left:
            lines.append(f"{key}: in the target only")
        elif len(right) > 1:
            lines.append(f"{key}: {len(right)} times in the target")
        else:
            lines.append(f"{key}: source {left[0][:200]} target {right[0][:200]}")
    return lines
