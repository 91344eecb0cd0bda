"""What a simulated table's stream really was: every shard and every record that it ever had, in the order of making."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from replica import canonical, decode_json_item
from streamsim import StreamSim

# A record's place: its shard, and its index among the shard's records.
Place = tuple[str, int]


@dataclass
class Shard:
    id: str
    parent: str | None
    is_closed: bool
    records: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)

    def add(self, record: dict[str, Any]) -> int:
        change = record["dynamodb"]
        self.records.append(record)
        self.numbers.append(change["SequenceNumber"])
        self.keys.append(canonical(decode_json_item(change["Keys"])))
        self._index[change["SequenceNumber"]] = len(self.numbers) - 1
        return len(self.numbers) - 1

    def index(self, number: str) -> int | None:
        return self._index.get(number)


class Truth:
    def __init__(self, shards: list[dict[str, Any]], records: list[dict[str, Any]]) -> None:
        """Both as the simulator's control interface gives them, of one stream."""
        self.shards = {
            shard["shard"]: Shard(shard["shard"], shard["parent"], shard["ending_sequence_number"] is not None)
            for shard in shards
        }
        self.order: dict[str, list[Place]] = {}  # of each key, its records in the order of making
        self.rank: dict[Place, int] = {}  # a record's place in `order` of its key
        for entry in records:
            shard = self.shards[entry["shard"]]
            place = (shard.id, shard.add(entry["record"]))
            of_key = self.order.setdefault(shard.keys[-1], [])
            self.rank[place] = len(of_key)
            of_key.append(place)

    @classmethod
    def of(cls, simulator: StreamSim, table: str) -> Truth:
        # In this order: each record's shard is then among the shards, whatever is written meanwhile.
        records = simulator.records(table)
        return cls(simulator.shards(table), records)

    @property
    def count(self) -> int:
        return len(self.rank)

    def generations(self) -> int:
        """Of the longest line of descent."""
        depth: dict[str, int] = {}

        def of(shard: Shard) -> int:
            if shard.id not in depth:
                parent = self.shards.get(shard.parent) if shard.parent else None
                depth[shard.id] = 1 + (of(parent) if parent else 0)
            return depth[shard.id]

        return max((of(shard) for shard in self.shards.values()), default=0)

    def ancestry(self, shard: str) -> list[str]:
        """The shard and those that it descends from."""
        line = []
        current: str | None = shard
        while current is not None and current in self.shards:
            line.append(current)
            current = self.shards[current].parent
        return line
