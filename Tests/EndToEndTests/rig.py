"""What tests share: daemons that are always ended, and the conditions that they wait for."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any

from localsource import LocalSource, SourceTable
from replica import JSONLReplica, SQLiteReplica, canonical, decode_json_item, differences
from shake import Daemon, Shakectl, run_arguments, until

Item = dict[str, Any]


class Rig:
    """One test's folder, source and processes."""

    def __init__(self, binary: str, source: LocalSource, folder: pathlib.Path) -> None:
        self.binary = binary
        self.source = source
        self.folder = folder
        self._daemons: list[Daemon] = []

    def shakectl(self, journal: str = "journal") -> Shakectl:
        return Shakectl(self.binary, self.folder / journal)

    def run(
        self, shakectl: Shakectl, *arguments: str, stdout: Any = None, prefix: list[str] | None = None
    ) -> Daemon:
        daemon = shakectl.run(self.source, *arguments, stdout=stdout, prefix=prefix)
        self.watch(daemon)
        return daemon

    def watch(self, daemon: Daemon) -> None:
        """Ends the daemon with the test at the latest."""
        self._daemons.append(daemon)

    def sqlite(self, name: str = "replica.db") -> SQLiteReplica:
        return SQLiteReplica(self.folder / name)

    def jsonl(self, name: str = "changes.jsonl") -> JSONLReplica:
        return JSONLReplica(self.folder / name)

    def close(self) -> None:
        for daemon in self._daemons:
            if daemon.is_running:
                daemon.kill()


class Follower:
    """A daemon's whole command, to be started again and again: one journal, one target, tables."""

    def __init__(
        self, rig: Rig, target: str, *tables: SourceTable, mode: str = "incr", name: str = "",
        more: tuple[str, ...] = (),
    ) -> None:
        """`target` is "sqlite" or "jsonl"; `name` keeps several followers of one test apart."""
        self.rig = rig
        self.shakectl = rig.shakectl(f"{name}journal")
        self.tables = tables
        self.replica: SQLiteReplica | JSONLReplica = (
            rig.sqlite(f"{name}replica.db") if target == "sqlite" else rig.jsonl(f"{name}changes.jsonl")
        )
        self.arguments = [
            *(argument for table in tables for argument in ("--table", table.name)),
            "--target", f"{target}:{self.replica.path}", "--mode", mode, *more,
        ]
        self.daemon: Daemon | None = None

    @property
    def table(self) -> SourceTable:
        [table] = self.tables
        return table

    @property
    def shard(self) -> str:
        """moto's streams have one shard each."""
        [shard] = self.table.shards
        return shard

    @property
    def jsonl(self) -> JSONLReplica:
        assert isinstance(self.replica, JSONLReplica)
        return self.replica

    @property
    def sqlite(self) -> SQLiteReplica:
        assert isinstance(self.replica, SQLiteReplica)
        return self.replica

    @property
    def key_names(self) -> list[str]:
        return self.table.key_names

    def start(self, prefix: list[str] | None = None) -> Daemon:
        assert self.daemon is None or not self.daemon.is_running
        self.daemon = self.rig.run(self.shakectl, *self.arguments, prefix=prefix)
        return self.daemon

    def attempt(self, *more: str, prefix: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a daemon that is to end by itself."""
        return self.shakectl.call(*run_arguments(self.rig.source, *self.arguments, *more), prefix=prefix)

    def stop(self) -> None:
        """SIGTERM; the daemon must end well."""
        assert self.daemon is not None
        code = self.daemon.terminate()
        assert code == 0, f"after SIGTERM the daemon ended with {code}:\n{self.daemon.log[-4000:]}"

    def kill(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()

    # --- How far it is ---

    def held(self) -> str | None:
        """The last sequence number that the target holds."""
        if isinstance(self.replica, SQLiteReplica):
            rows = self.replica.query("SELECT sequence_number FROM _shake_positions")
            return rows[0][0] if rows else None
        numbers = [line["sequence_number"] for line in self.replica.lines() if line["event"] != "SNAPSHOT"]
        return numbers[-1] if numbers else None

    def journaled(self) -> str | None:
        """The last sequence number that the journal holds."""
        result = self.shakectl.call("state", self.shard, "--json")
        if result.returncode != 0:
            return None  # the shard isn't discovered yet
        return json.loads(result.stdout)["sequence_number"]

    def catch_up(self) -> list[str]:
        """Waits until target and journal hold the stream's last record, and gives all of its sequence numbers."""
        assert self.daemon is not None
        numbers = self.table.sequence_numbers()
        self.daemon.until(lambda: self.held() == numbers[-1], f"the target holds {numbers[-1]}")
        self.daemon.until(lambda: self.journaled() == numbers[-1], f"the journal holds {numbers[-1]}")
        return numbers

    # --- What it holds ---

    def items(self) -> list[Item]:
        if isinstance(self.replica, SQLiteReplica):
            return self.replica.items(self.table.name)
        return self.replica.items(self.table.name, self.key_names)

    def differences(self) -> list[str]:
        return differences(self.table.items(), self.items(), self.key_names)

    def replayed(self, lines_before: int) -> list[str]:
        """The sequence numbers that the JSONL file has got since it had `lines_before` lines."""
        return [line["sequence_number"] for line in self.jsonl.lines()[lines_before:]]

    def history(self, *arguments: str) -> list[dict[str, Any]]:
        return self.shakectl.json("history", self.shard, *arguments)

    def history_or_none(self) -> list[dict[str, Any]]:
        """Of a shard that may not be discovered yet."""
        result = self.shakectl.call("history", self.shard, "--json")
        return [json.loads(line) for line in result.stdout.splitlines()] if result.returncode == 0 else []

    def events(self) -> list[dict[str, Any]]:
        """The whole journal."""
        return self.shakectl.json("tail")

    def events_or_none(self) -> list[dict[str, Any]]:
        """Of a journal that may not be there yet."""
        result = self.shakectl.call("tail", "--json")
        return [json.loads(line) for line in result.stdout.splitlines()] if result.returncode == 0 else []

    def advances_after(self, position: int) -> list[dict[str, Any]]:
        return [
            event for event in self.history() if event["event"] == "sequence_advanced" and event["position"] > position
        ]


def item(number: int, version: int = 0, **more: Any) -> Item:
    return {
        "pk": {"S": f"item-{number:05}"},
        "number": {"N": str(number)},
        "version": {"N": str(version)},
        **more,
    }


def key(number: int) -> Item:
    return {"pk": {"S": f"item-{number:05}"}}


def images(record: dict[str, Any]) -> tuple[str, str, str | None, str | None]:
    """A stream record as boto3 gives it, in a form that can be compared with `line_images`."""
    change = record["dynamodb"]
    return (
        change["SequenceNumber"], record["eventName"],
        canonical(change["NewImage"]) if "NewImage" in change else None,
        canonical(change["OldImage"]) if "OldImage" in change else None,
    )


def line_images(line: dict[str, Any]) -> tuple[str, str, str | None, str | None]:
    """A line of a JSONL target, in the form of `images`."""
    def image(name: str) -> str | None:
        return canonical(decode_json_item(line[name])) if line[name] is not None else None

    return line["sequence_number"], line["event"], image("new_image"), image("old_image")


def file_size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


__all__ = ["Follower", "Item", "Rig", "file_size", "images", "item", "key", "line_images", "until"]
