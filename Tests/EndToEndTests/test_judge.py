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
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from crashtest import DURING_COMPACTION, POINTS, is_refusal, points_of
from judge import Accounts
from replica import JSONLReplica, SQLiteReplica
from truth import Truth
from workfolder import work_folder

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
        self._run = 0
        self.start_run()

    def start_run(self, role: str = "daemon") -> None:
        self._run = next(self._positions)
        self._append(self._run, None, "run_started", {"role": role})

    def of_table(self, event: str, **own: Any) -> None:
        self._append(next(self._positions), None, event, own)

    def _append(self, position: int, shard: str | None, event: str, own: Event) -> None:
        revision = sum(other["shard"] == shard for other in self.events) + 1 if shard is not None else None
        self.events.append({
            "position": position, "revision": revision, "time": "1970-01-01T00:16:40Z", "run": self._run, "table": "t",
            "shard": shard, "event": event, **own,
        })

    def add(self, shard: str, event: str, **own: Any) -> None:
        self._append(next(self._positions), shard, event, own)

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


def wrong(
    journal: Journal, *, is_final: bool = True, times: dict[str, float] | None = None, mode: str = "incr",
    start_at: str = "trim-horizon",
) -> list[str]:
    return Accounts(truth(times), journal.events, is_final=is_final, mode=mode, start_at=start_at).wrong()


NAMES = [name for _, name in MADE]
SHARD_OF = {name: shard for shard, name in MADE}
AGAIN = [*NAMES, "a2", "c1", "a3", "b2", "a4", "c2"]


def line_of(name: str) -> dict[str, Any]:
    change = record(name)["dynamodb"]
    return {
        "table": "t", "shard": SHARD_OF[name], "sequence_number": NUMBERS[name], "event": record(name)["eventName"],
        "approximate_time": "1970-01-01T00:16:40Z", "keys": change["Keys"], "new_image": change["NewImage"],
        "old_image": None,
    }


def wrong_lines(
    folder: pathlib.Path, names: list[str], journal: Journal, *, is_final: bool = True, tail: str = "",
    altered: dict[str, Any] | None = None,
) -> list[str]:
    """`altered` are members of the first line, and `tail` is what comes after the last."""
    path = folder / "changes.jsonl"
    lines = [line_of(name) for name in names]
    lines[0] |= altered or {}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
    return Accounts(truth(), journal.events, is_final=is_final, mode="incr").wrong_lines(JSONLReplica(path), "t", BATCH)


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
    assert wrong(journal, is_final=False, mode="all") == []
    later = dict.fromkeys(NAMES, 1005.0)
    assert any("made after its anchor" in line for line in wrong(journal, is_final=False, times=later, mode="all"))


def anchored_journal() -> Journal:
    """Root begins behind its second record."""
    journal = Journal()
    journal.take_up("root", "unanchored_latest")
    journal.of_table("phase_changed", **{"from": None, "to": "full_sync"})
    journal.advance("root", 4, 2)
    journal.done("root")
    for shard in ("left", "right"):
        journal.take_up(shard)
        journal.advance(shard, 2, 2)
    return journal


def test_an_anchor_is_of_no_use_where_all_that_the_stream_holds_is_to_be_read() -> None:
    assert wrong(anchored_journal(), mode="all") == []
    assert wrong(anchored_journal(), mode="incr", start_at="latest") == []
    found = wrong(anchored_journal())
    assert any("root: position 2: begins at its newest record, and all" in line for line in found)
    assert any("2 records up to 103, but the stream has 4" in line for line in found)


def test_a_shard_that_is_not_needed_is_wrong_where_all_that_the_stream_holds_is_to_be_read() -> None:
    journal = Journal()
    journal.add("root", "status_changed", **{"from": "not_processed", "to": "not_needed", "reason": ""})
    for shard in ("left", "right"):
        journal.take_up(shard, "unanchored_latest")
        journal.advance(shard, 2, 2)
    assert wrong(journal, mode="all") == []
    assert any("root: position 2: is not read, and all" in line for line in wrong(journal))
    later = dict.fromkeys(NAMES, 1005.0)
    assert any("root: 4 records made after" in line for line in wrong(journal, mode="all", times=later))
    journal = right_journal()
    journal.events = [event for event in journal.events if event["shard"] != "right"]
    journal.add("right", "status_changed", **{"from": "not_processed", "to": "not_needed", "reason": ""})
    found = wrong(journal, mode="all")
    assert any("is not read, though its ancestor root is followed" in line for line in found)
    assert any("right: not_needed, 2 records before its end" in line for line in found)


def test_a_child_of_a_shard_that_is_followed_has_no_anchor() -> None:
    journal = right_journal()
    journal.events = [event for event in journal.events if event["shard"] != "left"]
    journal.take_up("left", "unanchored_latest")
    journal.advance("left", 2, 1)
    for mode, start_at in (("all", "trim-horizon"), ("incr", "latest")):
        found = wrong(journal, mode=mode, start_at=start_at)
        assert any("begins at its newest record, though its ancestor root is followed" in line for line in found)
        assert any("1 records up to 106, but the stream has 2" in line for line in found)


def test_what_is_anchored_after_the_scan_has_begun_is_found() -> None:
    journal = Journal()
    journal.of_table("phase_changed", **{"from": None, "to": "full_sync"})
    journal.of_table("scan_advanced")
    journal.take_up("root", "unanchored_latest")
    assert any("after the scan had begun" in line for line in wrong(journal, is_final=False, mode="all"))


def recovered_journal(role: str = "daemon") -> Journal:
    """A daemon that was killed after a write finds two records of root in the target."""
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 2, 2)
    journal.start_run(role)
    journal.advance("root", 4, 0)
    journal.add("root", "iterator_resolved", rule="after_sequence_number")
    return journal


def test_an_advance_of_no_records_is_recoverys_and_nobody_elses() -> None:
    accounts = Accounts(truth(), recovered_journal().events, is_final=False, mode="incr")
    assert accounts.wrong() == [] and accounts.recovered == [2]
    nothing = "0 records up to 103, but the stream has 2"
    assert any(nothing in line for line in wrong(recovered_journal("rewind"), is_final=False)), "a command's"
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 2, 2)
    journal.advance("root", 4, 0)
    assert any(nothing in line for line in wrong(journal, is_final=False)), "in the middle of a run"
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 2, 2)
    journal.start_run()
    journal.add("root", "iterator_resolved", rule="after_sequence_number")
    journal.advance("root", 4, 0)
    assert any(nothing in line for line in wrong(journal, is_final=False)), "after it was taken up"
    journal = Journal()
    journal.advance("root", 2, 0)
    journal.advance("root", 4, 0)
    assert any(nothing in line for line in wrong(journal, is_final=False)), "a second one"


def test_what_recovery_finds_of_an_anchored_shard_is_counted_from_the_anchor_on() -> None:
    journal = Journal()
    journal.take_up("root", "unanchored_latest")
    journal.start_run()
    journal.advance("root", 4, 0)
    accounts = Accounts(truth({"c1": 1005.0}), journal.events, is_final=False, mode="all")
    assert accounts.wrong() == [] and accounts.recovered == [1]


LATE = "a parent of it was listed late"


def late_journal(reason: str = LATE) -> Journal:
    """Left is read while nothing is known of root."""
    journal = Journal()
    journal.take_up("left")
    journal.advance("left", 2, 2)
    journal.take_up("root")
    if reason:
        journal.rewind("left", 0, 1, reason)
    journal.advance("root", 4, 4)
    journal.done("root")
    for shard in ("left", "right"):
        journal.take_up(shard)
        if reason or shard != "left":
            journal.advance(shard, 2, 2)
    return journal


LATE_LINES = ["a3", "a4", "a1", "b1", "a2", "c1", "a3", "a4", "b2", "c2"]


def test_a_child_that_is_read_before_its_parent_is_known_must_be_read_again(tmp_path: pathlib.Path) -> None:
    assert wrong(late_journal()) == []
    for journal in (late_journal(""), late_journal("an operator's")):
        assert any("read before its parent root is known, and not again" in line for line in wrong(journal))
    assert wrong_lines(tmp_path, LATE_LINES, late_journal()) == []
    again = ["a3", "a4", "a1", "b1", "a2", "a3", "c1", "a4", "b2", "c2"]
    assert any(
        "comes before the end of its parent" in line for line in wrong_lines(tmp_path, again, late_journal())
    ), "in its new epoch it has no excuse"
    again = ["a3", "a4", "a1", "b1", "a2", "b2", "c1", "a3", "a4", "c2"]
    assert any(
        "right 105 comes before the end of its parent" in line for line in wrong_lines(tmp_path, again, late_journal())
    ), "nor has its brother"


def test_a_child_may_be_ahead_of_a_parent_that_is_not_known_yet(tmp_path: pathlib.Path) -> None:
    journal = Journal()
    journal.take_up("left")
    journal.advance("left", 1, 1)
    assert wrong(journal, is_final=False) == []
    assert wrong_lines(tmp_path, ["a3", "a4"], journal, is_final=False) == []
    assert wrong_lines(tmp_path, ["a3", "a4"], journal) != []


def test_a_shard_that_is_set_back_though_all_its_parents_were_known_is_found() -> None:
    journal = right_journal()
    journal.rewind("left", 0, 1, LATE)
    journal.take_up("left")
    journal.advance("left", 2, 2)
    assert any("set back since a parent of it was listed late, and none was" in line for line in wrong(journal))


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


def test_a_line_that_a_rewind_overtook_comes_before_the_replay_and_is_read_again(tmp_path: pathlib.Path) -> None:
    """The batch of right's last record was on its way when root was put back."""
    journal = rewound_journal()
    last = [e for e in journal.events if e["shard"] == "right" and e["event"] == "sequence_advanced"][0]
    last |= {"sequence_number": NUMBERS["b2"], "records": 1}
    assert wrong_lines(tmp_path, AGAIN, journal) == []
    late = [*NAMES[:-1], "a2", "c2", "c1", "a3", "b2", "a4", "c2"]
    assert any("a late one of epoch 0" in line for line in wrong_lines(tmp_path, late, journal))
    again = [*NAMES, "a2", "c1", "a3", "b2", "a4"]
    assert wrong_lines(tmp_path, again, journal) != [], "in the new epoch it must come again"


def test_at_the_end_a_file_ends_with_a_whole_line(tmp_path: pathlib.Path) -> None:
    torn = '{"table":"t","shard":"le'
    assert any("in the middle of a line" in line for line in wrong_lines(tmp_path, NAMES, right_journal(), tail=torn))
    assert wrong_lines(tmp_path, NAMES, right_journal(), tail=torn, is_final=False) == []


@pytest.mark.parametrize(
    "altered",
    [
        {"table": "u"}, {"keys": {"pk": {"S": "b"}}}, {"approximate_time": "1970-01-01T00:16:41Z"},
        {"approximate_time": None}, {"event": "MODIFY"}, {"old_image": {"pk": {"S": "a"}}}, {"more": 1},
    ],
    ids=str,
)
def test_each_member_of_a_line_is_as_the_stream_had_it(tmp_path: pathlib.Path, altered: dict[str, Any]) -> None:
    assert wrong_lines(tmp_path, NAMES, right_journal(), altered=altered) == [
        f"line 1: root 100 is not as the stream had it: {', '.join(altered)}"
    ]


def test_a_row_of_a_scan_is_as_scans_have_them(tmp_path: pathlib.Path) -> None:
    row = {
        "shard": None, "sequence_number": None, "event": "SNAPSHOT", "approximate_time": None, "keys": {"pk": {"S": "a"}},
    }
    assert wrong_lines(tmp_path, ["a1", *NAMES], right_journal(), altered=row) == []
    for wrong_one in ({"table": "u"}, {"keys": {"pk": {"S": "b"}}}, {"shard": "root"}):
        assert any(
            "is not as a scan" in line
            for line in wrong_lines(tmp_path, ["a1", *NAMES], right_journal(), altered=row | wrong_one)
        )


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
    folder: pathlib.Path, names: list[str], positions: dict[str, int], journal: Journal, *, is_final: bool = True,
    epochs: dict[str, int] | None = None,
) -> list[str]:
    path = folder / "replica.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (item TEXT, sequence_number TEXT, shard TEXT)")
        database.execute("CREATE TABLE _shake_positions (shard TEXT, epoch INTEGER, sequence_number TEXT)")
        for name in names:
            image = json.dumps(record(name)["dynamodb"]["NewImage"])
            database.execute("INSERT INTO t VALUES (?, ?, ?)", (image, NUMBERS[name], SHARD_OF[name]))
        for shard, place in positions.items():
            epoch = (epochs or {}).get(shard, 0)
            database.execute("INSERT INTO _shake_positions VALUES (?, ?, ?)", (shard, epoch, OF[shard][place - 1]))
    return Accounts(truth(), journal.events, is_final=is_final, mode="incr").wrong_rows(SQLiteReplica(path), "t", BATCH)


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


def test_a_stale_row_is_found_whatever_was_rewound_elsewhere(tmp_path: pathlib.Path) -> None:
    journal = right_journal()
    journal.rewind("left", 0, 1)
    journal.take_up("left")
    journal.advance("left", 1, 1)
    now = {"epochs": {"left": 1}, "is_final": False}
    places = ENDS | {"left": 1}
    assert wrong_rows(tmp_path, ["a3", "b2", "c2"], places, journal, **now) == [], "it has not caught up"
    assert any("older than" in line for line in wrong_rows(tmp_path, ["a3", "b1", "c2"], places, journal, **now))
    assert any("older than" in line for line in wrong_rows(tmp_path, ["a2", "b2", "c2"], places, journal, **now))
    journal.advance("left", 2, 1)
    found = wrong_rows(tmp_path, ["a3", "b2", "c2"], ENDS, journal, **now)
    assert any("older than" in line for line in found), "it has caught up"


def test_after_a_kill_rows_may_be_a_batch_ahead_and_no_more(tmp_path: pathlib.Path) -> None:
    journal = Journal()
    journal.take_up("root")
    journal.advance("root", 1, 1)
    assert wrong_rows(tmp_path, ["a2", "b1"], {"root": 3}, journal, is_final=False) == []
    assert any("3 records ahead" in line for line in wrong_rows(
        tmp_path, ["a2", "b1", "c1"], {"root": 4}, journal, is_final=False
    ))


def program(folder: pathlib.Path, points: frozenset[str]) -> str:
    """One that knows these crash points, and nothing else."""
    path = folder / "shakectl"
    path.write_text(
        f'#!/bin/sh\necho "shakectl: SHAKE_CRASH_AT=?: the points are {", ".join(sorted(points))}" >&2\nexit 64\n'
    )
    path.chmod(0o755)
    return str(path)


def test_a_program_that_lacks_a_crash_point_is_refused(tmp_path: pathlib.Path) -> None:
    assert set(points_of(program(tmp_path, POINTS))) == POINTS
    for point in (DURING_COMPACTION, "in_discovery"):
        with pytest.raises(SystemExit, match=f"does not know the crash points {point}"):
            points_of(program(tmp_path, POINTS - {point}))
    with pytest.raises(SystemExit, match="not tested here: in_a_dream"):
        points_of(program(tmp_path, POINTS | {"in_a_dream"}))


def test_damage_is_no_refusal() -> None:
    def ended(code: int, said: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], code, "", said)

    assert is_refusal(ended(65, "shakectl: sequence number 7 lies ahead of shard a's checkpoint"))
    assert is_refusal(ended(69, "shakectl: the source does not answer"))
    assert not is_refusal(ended(65, "shakectl: journal: data.mdb is damaged at position 7: the hash differs"))
    assert not is_refusal(ended(74, "shakectl: I/O error"))


@pytest.mark.parametrize("failure", [AssertionError("no"), json.JSONDecodeError("no", "", 0), sqlite3.Error(), OSError()])
def test_whatever_went_wrong_the_folder_is_kept(
    failure: Exception, tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, work_folder(f"{tmp_path}/kept.", lambda: ["here it lies"]) as folder:
        raise failure
    assert ended.value.code == 1 and pathlib.Path(folder).is_dir()
    assert "here it lies" in capfd.readouterr().err


def test_the_folder_is_gone_where_all_held_or_somebody_ended_the_test(tmp_path: pathlib.Path) -> None:
    with work_folder(f"{tmp_path}/gone.", list):
        pass
    with pytest.raises(SystemExit, match="143"), work_folder(f"{tmp_path}/gone.", list):
        raise SystemExit(143)
    assert list(tmp_path.iterdir()) == []
