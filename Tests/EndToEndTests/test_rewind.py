"""A rewind, beside a running daemon and without one. The JSONL file shows what was replayed: each record is a line."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from localsource import LocalSource, SourceTable
from rig import Follower, Rig, item, key, until

RECORDS = 40


@pytest.fixture
def follower(rig: Rig, table: SourceTable) -> Follower:
    """A running daemon that has followed some inserts, changes and deletions into JSONL."""
    follower = Follower(rig, "jsonl", table)
    follower.start()
    table.put_all([item(number) for number in range(RECORDS - 10)])
    for number in range(5):
        table.update(key(number), version={"N": "1"})
        table.delete(key(number + 10))
    numbers = follower.catch_up()
    assert len(numbers) == RECORDS
    return follower


def replay(follower: Follower, lines_before: int, count: int) -> list[str]:
    """Waits for `count` more lines; then for a new write, behind which no further replay can hide."""
    assert follower.daemon is not None
    follower.daemon.until(lambda: len(follower.replayed(lines_before)) >= count, f"{count} records are replayed")
    follower.table.put(item(9999, version=lines_before))
    follower.catch_up()
    return follower.replayed(lines_before)[:-1]


def lines(follower: Follower) -> int:
    return len(follower.jsonl.lines())


@pytest.mark.parametrize("inclusive", [False, True])
def test_a_live_rewind_replays_exactly_what_comes_after(follower: Follower, inclusive: bool) -> None:
    numbers, before = follower.table.sequence_numbers(), lines(follower)
    arguments = ("--inclusive",) if inclusive else ()
    answer = follower.shakectl.one("rewind", follower.shard, numbers[24], *arguments, "--reason", "a test of it")
    expected = numbers[24:] if inclusive else numbers[25:]

    assert list(answer) == [
        "shard", "from_sequence_number", "to_sequence_number", "inclusive", "dry_run", "cascaded", "position", "undo",
    ]
    assert answer["shard"] == follower.shard
    assert (answer["from_sequence_number"], answer["to_sequence_number"]) == (numbers[-1], numbers[24])
    assert (answer["inclusive"], answer["dry_run"], answer["cascaded"]) == (inclusive, False, [])
    assert replay(follower, before, len(expected)) == expected

    [rewound] = [event for event in follower.history() if event["event"] == "rewound"]
    assert rewound["position"] == answer["position"]
    assert (rewound["from_sequence_number"], rewound["to_sequence_number"]) == (numbers[-1], numbers[24])
    assert (rewound["inclusive"], rewound["reason"], rewound["epoch"]) == (inclusive, "a test of it", 1)
    replayed = follower.advances_after(answer["position"])
    assert sum(event["records"] for event in replayed) == len(expected) + 1  # and the write behind it
    resolved = next(
        event for event in follower.history()
        if event["position"] > answer["position"] and event["event"] == "iterator_resolved"
    )
    assert resolved["iterator_type"] == ("AT_SEQUENCE_NUMBER" if inclusive else "AFTER_SEQUENCE_NUMBER")
    assert resolved["sequence_number"] == numbers[24]
    assert follower.differences() == []


def test_a_live_rewind_to_the_start_replays_all(follower: Follower) -> None:
    numbers, before = follower.table.sequence_numbers(), lines(follower)
    answer = follower.shakectl.one("rewind", follower.shard, "--to-start")

    assert answer["to_sequence_number"] is None
    assert replay(follower, before, len(numbers)) == numbers
    assert follower.differences() == []


def test_a_live_rewind_of_sqlite_applies_the_records_again(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    daemon = follower.start()
    table.put_all([item(number) for number in range(30)])
    numbers = follower.catch_up()
    answer = follower.shakectl.one("rewind", follower.shard, numbers[9])

    def replayed() -> list[dict[str, Any]]:
        advances = follower.advances_after(answer["position"])
        return advances if advances and advances[-1]["sequence_number"] == numbers[-1] else []

    assert sum(event["records"] for event in daemon.until(replayed, "the records are replayed")) == 20
    assert follower.differences() == []
    [(number, epoch)] = follower.sqlite.query("SELECT sequence_number, epoch FROM _shake_positions")
    assert (number, epoch) == (numbers[-1], 1)


def test_a_rewind_to_a_time_or_a_position_goes_to_the_checkpoint_as_it_was_then(follower: Follower) -> None:
    numbers = follower.table.sequence_numbers()
    then = follower.history()[-1]
    follower.table.put_all([item(number) for number in range(100, 110)])
    later = follower.catch_up()
    for arguments in (["--to-time", then["time"]], ["--to-position", str(then["position"])]):
        before = lines(follower)
        answer = follower.shakectl.one("rewind", follower.shard, *arguments)
        expected = follower.table.sequence_numbers()[RECORDS:]

        assert answer["to_sequence_number"] == numbers[-1]
        assert replay(follower, before, len(expected)) == expected
    assert expected[:10] == later[RECORDS:]


def test_a_dry_run_says_the_same_and_changes_nothing(follower: Follower) -> None:
    numbers, before = follower.table.sequence_numbers(), lines(follower)
    events = follower.events()
    dry = follower.shakectl.one("rewind", follower.shard, numbers[4], "--dry-run")

    assert follower.events() == events
    assert (dry["dry_run"], dry["position"], dry["undo"]) == (True, None, None)
    assert replay(follower, before, 0) == []

    wet = follower.shakectl.one("rewind", follower.shard, numbers[4])
    for name in ("shard", "to_sequence_number", "inclusive", "cascaded"):
        assert dry[name] == wet[name]


def test_a_rewind_without_a_daemon_is_carried_out_by_the_next_one(follower: Follower) -> None:
    numbers, before = follower.table.sequence_numbers(), lines(follower)
    follower.stop()
    follower.shakectl.text("rewind", follower.shard, numbers[19])
    assert follower.shakectl.one("state", follower.shard)["sequence_number"] == numbers[19]
    follower.start()

    assert replay(follower, before, RECORDS - 20) == numbers[20:]
    assert follower.differences() == []


def test_the_printed_command_undoes_a_rewind_that_nobody_has_begun(follower: Follower) -> None:
    numbers, before = follower.table.sequence_numbers(), lines(follower)
    follower.stop()
    state = follower.shakectl.one("state", follower.shard)
    undo = follower.shakectl.one("rewind", follower.shard, numbers[3])["undo"]
    words = shlex.split(undo)
    assert words[:2] == ["shakectl", "rewind"]
    follower.shakectl.text(*(word for word in words[1:] if word not in ("--journal", follower.shakectl.journal)))

    undone = follower.shakectl.one("state", follower.shard)
    assert undone["sequence_number"] == state["sequence_number"] == numbers[-1]
    assert undone["epoch"] == 2, "an undo is a rewind too"
    follower.start()
    assert replay(follower, before, 0) == []
    assert follower.differences() == []


def test_the_shard_may_be_named_by_a_part_of_its_id(follower: Follower) -> None:
    numbers = follower.table.sequence_numbers()
    answer = follower.shakectl.one("rewind", follower.shard[-8:], numbers[-1], "--dry-run")
    assert answer["shard"] == follower.shard


class TestRefusals:
    """Each says what is possible instead, and changes nothing."""

    @pytest.fixture(autouse=True)
    def nothing_is_changed(self, follower: Follower) -> Any:
        before = follower.events()
        yield
        assert follower.events() == before

    def refused(self, follower: Follower, *arguments: str) -> str:
        result = follower.shakectl.call("rewind", *arguments)
        assert result.returncode == 64, (result.returncode, result.stderr)
        assert result.stdout == ""
        return result.stderr

    def test_an_unknown_shard(self, follower: Follower) -> None:
        message = self.refused(follower, "shardId-nowhere", "1")
        assert "shardId-nowhere" in message

    def test_a_number_ahead_of_the_checkpoint(self, follower: Follower) -> None:
        last = follower.table.sequence_numbers()[-1]
        message = self.refused(follower, follower.shard, str(int(last) + 1))
        assert last in message

    def test_a_number_before_the_shard(self, follower: Follower) -> None:
        first = follower.table.sequence_numbers()[0]
        message = self.refused(follower, follower.shard, str(int(first) - 1))
        assert first in message

    @pytest.mark.parametrize("number", ["12ab", "-1", "", "9" * 41])
    def test_what_is_no_number(self, follower: Follower, number: str) -> None:
        self.refused(follower, follower.shard, number)

    def test_two_places_at_once(self, follower: Follower) -> None:
        self.refused(follower, follower.shard, follower.table.sequence_numbers()[3], "--to-start")

    def test_no_place(self, follower: Follower) -> None:
        self.refused(follower, follower.shard)


def test_a_part_that_names_several_shards_is_refused_with_their_names(rig: Rig, source: LocalSource) -> None:
    """All of moto's shards have one id, so only the table tells these two apart."""
    tables = [source.create_table(f"ambiguous-{n}") for n in "ab"]
    for table in tables:
        table.put_all([item(number) for number in range(5)])
    follower = Follower(rig, "jsonl", *tables, more=("--until-idle", "0.3"))
    assert follower.start().wait() == 0
    [shard] = tables[0].shards
    result = follower.shakectl.call("rewind", shard[:12], "--to-start")

    assert result.returncode == 64
    assert all(table.name in result.stderr for table in tables)
    answer = follower.shakectl.one("rewind", f"{tables[1].name}/{shard}", "--to-start")
    assert answer["shard"] == shard
    states = {s["table"]: s["sequence_number"] for s in follower.shakectl.json("shards")}
    assert states[tables[0].name] is not None
    assert states[tables[1].name] is None


def test_a_rewind_asks_the_source_unless_told_not_to(follower: Follower) -> None:
    """Whether the stream still holds what would be replayed is known to the source only."""
    numbers = follower.table.sequence_numbers()
    follower.stop()
    away = follower.shakectl.environment | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    refused = follower.shakectl.call("rewind", follower.shard, numbers[3], environment=away)
    assert refused.returncode in (69, 77, 78), refused.stderr
    assert "--offline" in refused.stderr
    assert follower.shakectl.one("state", follower.shard)["sequence_number"] == numbers[-1]

    offline = follower.shakectl.call("rewind", follower.shard, numbers[3], "--offline", environment=away)
    assert offline.returncode == 0, offline.stderr
    until(
        lambda: follower.shakectl.one("state", follower.shard)["sequence_number"] == numbers[3], "the shard is set back"
    )
