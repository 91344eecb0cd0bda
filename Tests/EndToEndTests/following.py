"""A daemon that follows a source whose shards end, split and lose what they held."""

from __future__ import annotations

from replica import JSONLReplica, SQLiteReplica
from rig import Rig
from shake import Daemon, Shakectl
from shardedsource import ShardedSource, ShardedTable, SourceShard


class Following:
    """A daemon that follows tables of a sharded source into JSONL, or into SQLite."""

    def __init__(
        self, rig: Rig, source: ShardedSource, *tables: ShardedTable, target: str = "jsonl", more: tuple[str, ...] = ()
    ) -> None:
        self._rig = rig
        self._source = source
        self.shakectl: Shakectl = rig.shakectl()
        self.tables = tables
        self.jsonl: JSONLReplica = rig.jsonl()
        self.sqlite: SQLiteReplica = rig.sqlite()
        path = self.jsonl.path if target == "jsonl" else self.sqlite.path
        self._arguments = [
            *(argument for table in tables for argument in ("--table", table.name)), "--target", f"{target}:{path}",
            "--mode", "incr", "--poll-maximum", "50ms", "--discovery-interval", "200ms", *more,
        ]
        self.daemon: Daemon | None = None

    def start(self, prefix: list[str] | None = None) -> Daemon:
        self.daemon = self.shakectl.run(self._source, *self._arguments, prefix=prefix)
        self._rig.watch(self.daemon)
        return self.daemon

    def written(self) -> list[str]:
        return [line["sequence_number"] for line in self.jsonl.lines()]

    def wait_for(self, count: int) -> None:
        assert self.daemon is not None
        self.daemon.until(lambda: len(self.written()) >= count, f"{count} records are written")

    def mode(self, mode: str) -> None:
        self._arguments[self._arguments.index("incr")] = mode

    def limit(self, letters: int) -> None:
        """How many records may wait as dead letters."""
        self._arguments += ["--dead-letter-limit", str(letters)]

    def follow_too(self, table: ShardedTable) -> None:
        self._arguments += ["--table", table.name]

    def statuses_or_none(self) -> dict[str, str]:
        """Of a journal that may not be there yet."""
        return self.statuses() if self.shakectl.call("shards").returncode == 0 else {}

    def statuses(self) -> dict[str, str]:
        return {shard["shard"]: shard["status"] for shard in self.shakectl.json("shards")}


def one_shard(rig: Rig, source: ShardedSource, records: int = 1) -> tuple[Following, ShardedTable, SourceShard]:
    """A daemon that follows a table of one shard, and has written so many records of it."""
    table = source.create_table("orders")
    shard = table.open_shard()
    for version in range(records):
        table.put(shard, "a", version)
    following = Following(rig, source, table)
    following.start()
    following.wait_for(records)
    return following, table, shard
