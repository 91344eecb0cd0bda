"""What tools/crashtest judges by: each mistake that a daemon could make is found, and a right journal is not blamed.

        root ── left
          └──── right

Keys a, b, c; root has a1 b1 a2 c1, left a3 a4, right b2 c2.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from judge import Accounts
from replica import JSONLReplica, SQLiteReplica
from truth import Truth

Event = dict[str, Any]
Line = tuple[str, int]

MADE = [
    ("root", "a1"), ("root", "b1"), ("root", "a2"), ("root", "c1"),
    ("left", "a3"), ("right", "b2"), ("left", "a4"), ("right", "c2"),
]
NUMBERS = {name: str(100 + place) for place, (_, name) in enumerate(MADE)}
OF = {shard: [NUMBERS[name] for at, name in MADE if at == shard] for shard in ("root", "left", "right")}
PARENTS = {"root": None, "left": "root", "right": "root"}
BATCH = 2


def record(name: str, time: float = 1000.0) -> dict[str, Any]:
    change = {
        "ApproximateCreationDateTime": time, "Keys": {"pk": {"S": name[0]}}, "SequenceNumber": NUMBERS[name],
        "NewImage": {"pk": {"S": name[0]}, "version": {"N": name[1]}},
    }
    return {"eventName": "INSERT" if name[1] == "1" else "MODIFY", "dynamodb": change}


def truth(times: dict[str, float] | None = None) -> Truth:
    shards = [
        {"shard": shard, "parent": parent, "ending_sequence_number": "200" if shard == "root" else None}
        for shard, parent in PARENTS.items()
    ]
    return Truth(shards, [{"shard": at, "record": record(name, (times or {}).get(name, 1000.0))} for at, name in MADE])


class Journal:
    """Writes events as `shakectl tail --json` gives them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._positions = itertools.count(1)

    def add(self, shard: str, event: str, **own: Any) -> None:
        revision = sum(other["shard"] == shard for other in self.events) + 1
        self.events.append({
            "position": next(self._positions), "revision": revision, "time": "1970-01-01T00:16:40Z", "table": "t",
            "shard": shard, "event": event, **own,
        })

    def take_up(self, shard: str, rule: str = "trim_horizon") -> None:
        self.add(shard, "iterator_resolved", rule=rule)
        self.add(shard, "status_changed", **{"from": "not_processed", "to": "in_processing", "reason": ""})

    def advance(self, shard: str, to: int, records: int) -> None:
        """`to` counts from one."""
        self.add(shard, "sequence_advanced", sequence_number=OF[shard][to - 1], records=records)

    def done(self, shard: str) -> None:
        self.add(shard, "status_changed", **{"from": "in_processing", "to": "done", "reason": ""})

    def rewind(self, shard: str, to: int, epoch: int, reason: str = "") -> None:
        self.add(
            shard, "rewound", to_sequence_number=OF[shard][to - 1] if to else None, inclusive=False, epoch=epoch,
            reason=reason,
        )


def right_journal() -> Journal:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 2, 2)
    journal.advance("root", 4, 2)
    journal.done("root")
    for shard in ("left", "right"):
        journal.take_up(shard)
        journal.advance(shard, 2, 2)
    return journal


def rewound_journal() -> Journal:
    """Root is put back behind its second record, and its children with it."""
    journal = right_journal()
    journal.rewind("root", 2, 1)
    journal.rewind("left", 0, 1)
    journal.rewind("right", 0, 1)
    journal.take_up("root")
    journal.advance("root", 4, 2)
    journal.done("root")
    for shard in ("left", "right"):
        journal.take_up(shard)
        journal.advance(shard, 2, 2)
    return journal


def wrong(journal: Journal, *, is_final: bool = True, times: dict[str, float] | None = None) -> list[str]:
    return Accounts(truth(times), journal.events, is_final=is_final).wrong()


NAMES = [name for _, name in MADE]
AGAIN = [*NAMES, "a2", "c1", "a3", "b2", "a4", "c2"]


def wrong_lines(folder: pathlib.Path, names: list[str], journal: Journal, *, is_final: bool = True) -> list[str]:
    shard_of = {name: shard for shard, name in MADE}
    path = folder / "changes.jsonl"
    with path.open("w") as file:
        for name in names:
            change = record(name)["dynamodb"]
            file.write(json.dumps({
                "table": "t", "shard": shard_of[name], "sequence_number": NUMBERS[name],
                "event": record(name)["eventName"], "keys": change["Keys"], "new_image": change["NewImage"],
                "old_image": None,
            }) + "\n")
    return Accounts(truth(), journal.events, is_final=is_final).wrong_lines(JSONLReplica(path), BATCH)


@pytest.mark.parametrize("journal", [right_journal, rewound_journal])
def test_a_right_journal_is_not_blamed(journal: Callable[[], Journal]) -> None:
    assert wrong(journal()) == []


def test_a_record_that_no_advance_counts_is_found() -> None:
    journal = right_journal()
    journal.events = [e for e in journal.events if not (e["shard"] == "left" and e["event"] == "sequence_advanced")]
    assert any("2 records before its end" in line for line in wrong(journal))


def test_a_shard_that_was_never_read_is_found() -> None:
    journal = right_journal()
    journal.events = [event for event in journal.events if event["shard"] != "right"]
    assert any(line.startswith("right: the journal does not know it") for line in wrong(journal))


def test_an_advance_that_counts_too_few_is_found() -> None:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 4, 3)
    assert any("3 records up to 103, but the stream has 4" in line for line in wrong(journal, is_final=False))


def test_folded_advances_count_no_more_than_the_stream_has() -> None:
    journal = Journal()
    journal.take_up("root")
    journal.add("root", "advances_folded", sequence_number=OF["root"][3], records=3, first_position=3, count=2)
    assert wrong(journal, is_final=False) == [], "recovery found one of them in the target"
    journal.events[-1]["records"] = 5
    assert any("5 records up to 103, but the stream has 4" in line for line in wrong(journal, is_final=False))


def test_a_step_back_without_a_rewind_is_found() -> None:
    journal = right_journal()
    journal.advance("left", 1, 1)
    assert any("goes back" in line for line in wrong(journal, is_final=False))


def test_a_child_that_is_read_before_its_parents_end_is_found() -> None:
    journal = Journal()
    journal.take_up("root")
    journal.take_up("left")
    assert any("read while its parent root is in_processing" in line for line in wrong(journal, is_final=False))


def test_a_closed_shard_that_is_not_done_is_found() -> None:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 4, 4)
    assert any(line == "root: closed, with 4 records, and in_processing" for line in wrong(journal))


def test_an_anchor_excuses_what_the_scan_holds_and_nothing_later() -> None:
    journal = Journal()
    journal.take_up("root", "unanchored_latest")
    journal.advance("root", 4, 2)
    assert wrong(journal, is_final=False) == []
    later = dict.fromkeys(NAMES, 1005.0)
    assert any("made after its anchor" in line for line in wrong(journal, is_final=False, times=later))


def test_the_lines_of_a_right_journal_are_not_blamed(tmp_path: pathlib.Path) -> None:
    assert wrong_lines(tmp_path, NAMES, right_journal()) == []
    assert wrong_lines(tmp_path, AGAIN, rewound_journal()) == []


@pytest.mark.parametrize(
    ("names", "journal"),
    [
        pytest.param(NAMES[:-1], right_journal, id="the last record is missing"),
        pytest.param(NAMES[:2] + NAMES[3:], right_journal, id="one in the middle is missing"),
        pytest.param([*NAMES[:2], "b1", *NAMES[2:]], right_journal, id="one is there twice"),
        pytest.param(AGAIN, right_journal, id="a replay that nobody declared"),
        pytest.param(NAMES, rewound_journal, id="a declared replay that did not come"),
        pytest.param(AGAIN[:-1], rewound_journal, id="a replay without its last record"),
        pytest.param(["a1", "b1", "a3", "a2", "c1", "b2", "a4", "c2"], right_journal, id="a child before its parent"),
        pytest.param(["a1", "b1", "a2", "c1", "a4", "a3", "b2", "c2"], right_journal, id="two of a key exchanged"),
        pytest.param(
            [*NAMES, "a2", "a3", "c1", "a4", "b2", "c2"], rewound_journal, id="a child before the replay of its parent"
        ),
    ],
)
def test_wrong_lines_are_found(tmp_path: pathlib.Path, names: list[str], journal: Callable[[], Journal]) -> None:
    assert wrong_lines(tmp_path, names, journal()) != []


def test_a_line_that_a_rewind_overtook_is_counted_and_read_again(tmp_path: pathlib.Path) -> None:
    """The batch of right's last record was on its way when root was put back, and came after the first line of its replay."""
    journal = rewound_journal()
    last = [e for e in journal.events if e["shard"] == "right" and e["event"] == "sequence_advanced"][0]
    last |= {"sequence_number": NUMBERS["b2"], "records": 1}
    path_of = [*NAMES[:-1], "a2", "c2", "c1", "a3", "b2", "a4", "c2"]
    assert wrong_lines(tmp_path, path_of, journal) == []
    accounts = Accounts(truth(), journal.events, is_final=True)
    accounts.wrong_lines(JSONLReplica(tmp_path / "changes.jsonl"), BATCH)
    assert accounts.overtaken == 1
    again = [*NAMES[:-1], "a2", "c2", "c1", "a3", "b2", "a4"]
    assert wrong_lines(tmp_path, again, journal) != [], "in the new epoch it must come again"


def test_after_a_kill_a_file_may_be_a_batch_ahead_and_no_more(tmp_path: pathlib.Path) -> None:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 1, 1)
    assert wrong_lines(tmp_path, NAMES[:3], journal, is_final=False) == []
    assert wrong_lines(tmp_path, NAMES[:4], journal, is_final=False) != []
    assert wrong_lines(tmp_path, NAMES[:3], journal) != [], "at the end it may not"


def test_a_file_behind_its_journal_is_found(tmp_path: pathlib.Path) -> None:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 2, 2)
    assert wrong_lines(tmp_path, NAMES[:1], journal, is_final=False) != []


def wrong_rows(
    folder: pathlib.Path, names: list[str], positions: dict[str, int], journal: Journal, *, is_final: bool = True
) -> list[str]:
    shard_of = {name: shard for shard, name in MADE}
    path = folder / "replica.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (item TEXT, sequence_number TEXT, shard TEXT)")
        database.execute("CREATE TABLE _shake_positions (shard TEXT, epoch INTEGER, sequence_number TEXT)")
        for name in names:
            image = json.dumps(record(name)["dynamodb"]["NewImage"])
            database.execute("INSERT INTO t VALUES (?, ?, ?)", (image, NUMBERS[name], shard_of[name]))
        for shard, place in positions.items():
            database.execute("INSERT INTO _shake_positions VALUES (?, 0, ?)", (shard, OF[shard][place - 1]))
    return Accounts(truth(), journal.events, is_final=is_final).wrong_rows(SQLiteReplica(path), "t", BATCH)


ENDS = {"root": 4, "left": 2, "right": 2}


def test_rows_are_the_newest_images_and_no_position_is_behind_the_journals(tmp_path: pathlib.Path) -> None:
    assert wrong_rows(tmp_path, ["a4", "b2", "c2"], ENDS, right_journal()) == []
    stale = ["a3", "b2", "c2"]
    assert any("older than" in line for line in wrong_rows(tmp_path, stale, ENDS, right_journal()))
    assert any("older than" in line for line in wrong_rows(tmp_path, stale, ENDS, right_journal(), is_final=False))
    behind = wrong_rows(tmp_path, ["a4", "b2", "c2"], ENDS | {"left": 1}, right_journal(), is_final=False)
    assert any("-1 records ahead" in line for line in behind)
    nothing = wrong_rows(tmp_path, ["a4", "b2", "c2"], {"root": 4, "right": 2}, right_journal(), is_final=False)
    assert any("the target holds nothing of it" in line for line in nothing)


def test_after_a_kill_rows_may_be_a_batch_ahead_and_no_more(tmp_path: pathlib.Path) -> None:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 1, 1)
    assert wrong_rows(tmp_path, ["a2", "b1"], {"root": 3}, journal, is_final=False) == []
    assert any("3 records ahead" in line for line in wrong_rows(
        tmp_path, ["a2", "b1", "c1"], {"root": 4}, journal, is_final=False
    ))
