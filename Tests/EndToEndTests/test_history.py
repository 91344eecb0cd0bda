"""What the commands tell: every field of DESIGN 6, and that it is true. One journal with a whole life is asked."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ledger import unaccounted
from localsource import LocalSource
from rig import Follower, Rig, item, key

ENVELOPE = ["position", "revision", "time", "run", "table", "stream", "shard", "event"]
OWN = {
    "run_started": {"version", "host", "pid"},
    "run_stopped": {"reason"},
    "phase_changed": {"phase", "reason"},
    "shard_discovered": {"parent", "starting_sequence_number", "ending_sequence_number"},
    "queried": {"seen_revision", "status", "iterator_type", "sequence_number", "worker"},
    "iterator_resolved": {"rule", "iterator_type", "sequence_number"},
    "status_changed": {"from", "to", "reason"},
    "sequence_advanced": {"sequence_number", "records", "bytes", "approximate_time"},
    "faulted": {"code", "message", "retried"},
    "rewound": {"from_sequence_number", "to_sequence_number", "inclusive", "reason", "author", "epoch"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class Life:
    """A journal in which most things have happened: started, followed, rewound, killed, recovered, stopped."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.shakectl = follower.shakectl
        follower.start()
        follower.table.put_all([item(number) for number in range(30)])
        follower.catch_up()
        follower.table.update(key(3), version={"N": "1"})
        follower.table.delete(key(4))
        numbers = follower.catch_up()
        before = follower.history()[-1]["position"]
        follower.shakectl.text("rewind", follower.shard, numbers[9], "--reason", "to have one in here")
        assert follower.daemon is not None
        follower.daemon.until(lambda: follower.advances_after(before), "something is replayed")
        follower.catch_up()
        follower.kill()
        follower.start()
        follower.table.put(item(50))
        self.numbers = follower.catch_up()
        follower.stop()
        self.shard = follower.shard
        self.history = follower.history()
        self.events = follower.events()


@pytest.fixture(scope="module")
def life(binary: str, source: LocalSource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    rig = Rig(binary, source, pathlib.Path(tmp_path_factory.mktemp("life")))
    yield Life(Follower(rig, "sqlite", source.create_table("life")))
    rig.close()


def test_every_event_has_its_fields(life: Life) -> None:
    for event in life.events:
        assert list(event)[: len(ENVELOPE)] == ENVELOPE
        assert set(event) >= OWN[event["event"]], event
        assert TIME.fullmatch(event["time"])
    kinds = {event["event"] for event in life.events}
    assert kinds >= set(OWN) - {"faulted"}
    for event in life.history:
        assert (event["table"], event["stream"], event["shard"]) == (
            life.follower.table.name, life.follower.table.stream, life.shard,
        )


def test_positions_and_revisions_leave_no_gap(life: Life) -> None:
    assert [event["position"] for event in life.events] == list(range(1, len(life.events) + 1))
    assert [event["revision"] for event in life.history] == list(range(1, len(life.history) + 1))
    assert [event for event in life.events if event["shard"] == life.shard] == life.history


def test_every_event_names_the_run_that_wrote_it(life: Life) -> None:
    runs = {event["position"]: event for event in life.events if event["event"] == "run_started"}
    assert [run["role"] for run in runs.values()].count("daemon") == 2
    assert len(runs) == 3, "two daemons and a rewind"
    for event in life.events:
        assert event["run"] in runs and event["run"] <= event["position"]
    stopped = [event["run"] for event in life.events if event["event"] == "run_stopped"]
    daemons = [position for position, run in runs.items() if run["role"] == "daemon"]
    assert daemons[1] in stopped
    assert daemons[0] not in stopped, "a run that was killed has no end"


def test_statuses_form_a_chain(life: Life) -> None:
    status = "not_processed"
    for event in life.history:
        match event["event"]:
            case "status_changed":
                assert event["from"] == status
                status = event["to"]
            case "rewound":
                status = "prepared"
    assert status == life.shakectl.one("state", life.shard)["status"] == "in_processing"


def test_the_advances_account_for_every_record(life: Life) -> None:
    assert unaccounted(life.history, life.numbers) == []
    [rewound] = [event for event in life.history if event["event"] == "rewound"]
    assert rewound["to_sequence_number"] == life.numbers[9]
    advances = [event for event in life.history if event["event"] == "sequence_advanced"]
    assert sum(event["records"] for event in advances) == len(life.numbers) + len(life.numbers[10:-1])
    assert all(TIME.fullmatch(event["approximate_time"]) and event["bytes"] > 0 for event in advances)


def test_a_start_is_queried_and_resolved_before_it_is_taken_up(life: Life) -> None:
    kinds = [event["event"] for event in life.history]
    for place, kind in enumerate(kinds):
        if kind == "queried":
            seen = life.history[place]
            assert seen["seen_revision"] == seen["revision"] - 1
            assert "iterator_resolved" in kinds[place : place + 4]
    rules = [event["rule"] for event in life.history if event["event"] == "iterator_resolved"]
    assert rules[0] == "trim_horizon"
    assert set(rules[1:]) == {"after_sequence_number"}


def test_the_state_at_every_position_is_the_fold_up_to_it(life: Life) -> None:
    """Folded here, from the history alone, by rules written a second time."""
    expected: dict[str, Any] = {}
    for event in life.history:
        match event["event"]:
            case "shard_discovered":
                expected = {
                    "status": "not_processed", "iterator_type": event["start"], "sequence_number": None, "epoch": 0,
                    "parent": event["parent"], "worker": None, "approximate_time": None,
                }
            case "queried":
                expected |= {"worker": event["worker"]}
            case "status_changed":
                expected |= {"status": event["to"]}
            case "sequence_advanced":
                expected |= {
                    "sequence_number": event["sequence_number"], "iterator_type": "AFTER_SEQUENCE_NUMBER",
                    "approximate_time": event["approximate_time"] or expected["approximate_time"],
                }
            case "rewound":
                expected |= {
                    "sequence_number": event["to_sequence_number"], "iterator_type": "AFTER_SEQUENCE_NUMBER",
                    "epoch": event["epoch"], "status": "prepared", "approximate_time": None,
                }
        expected |= {"revision": event["revision"], "position": event["position"], "updated": event["time"]}
        state = life.shakectl.one("state", life.shard, "--at", str(event["position"]))
        assert {name: state[name] for name in expected} == expected, event


def test_the_state_at_a_time_is_the_state_after_the_last_event_before_it(life: Life) -> None:
    advance = next(event for event in life.history if event["event"] == "sequence_advanced")
    state = life.shakectl.one("state", life.shard, "--at", advance["time"])
    assert state["sequence_number"] == advance["sequence_number"]
    assert state["updated"] <= advance["time"]


def test_state_has_its_fields(life: Life) -> None:
    state = life.shakectl.one("state", life.shard)
    assert list(state)[:13] == [
        "table", "stream", "shard", "parent", "status", "iterator_type", "sequence_number", "epoch", "revision",
        "position", "worker", "approximate_time", "updated",
    ]
    assert (state["loss"], state["dead_letters"]) == (None, [])
    assert state["sequence_number"] == life.numbers[-1]
    assert (state["epoch"], state["revision"]) == (1, len(life.history))


def test_status_has_its_fields(life: Life) -> None:
    [status] = life.shakectl.json("status")
    assert set(status) >= {
        "table", "stream", "phase", "health", "reason", "lag_seconds", "records", "shards", "last_error",
    }
    assert (status["table"], status["phase"], status["health"]) == ("life", "incr_sync", "stopped")
    assert status["shards"] == {"in_processing": 1}
    assert status["records"] == sum(e["records"] for e in life.history if e["event"] == "sequence_advanced")
    assert status["last_error"] is None


def test_shards_has_its_fields(life: Life) -> None:
    [shard] = life.shakectl.json("shards")
    assert list(shard) == [
        "table", "stream", "shard", "parent", "children", "status", "sequence_number", "starting_sequence_number",
        "ending_sequence_number", "lag_seconds",
    ]
    assert (shard["shard"], shard["parent"], shard["children"]) == (life.shard, None, [])
    assert shard["sequence_number"] == life.numbers[-1]
    assert (shard["starting_sequence_number"], shard["ending_sequence_number"]) == (life.numbers[0], None)
    [narrowed] = life.shakectl.json("shards", "life")
    assert narrowed | {"lag_seconds": None} == shard | {"lag_seconds": None}  # it grows while nobody follows


def test_verify_has_its_fields(life: Life) -> None:
    assert life.shakectl.one("verify") == {
        "ok": True, "events": len(life.events), "folded": 0, "shards": 1, "last_position": life.events[-1]["position"],
    }


@pytest.mark.parametrize("kind", ["sequence_advanced", "rewound", "status_changed"])
def test_history_can_be_narrowed_to_a_kind(life: Life, kind: str) -> None:
    wanted = [event for event in life.history if event["event"] == kind]
    assert life.follower.history("--event", kind) == wanted


def test_history_can_be_limited_and_reversed(life: Life) -> None:
    assert life.follower.history("--limit", "3") == life.history[:3]
    assert life.follower.history("--reverse") == life.history[::-1]
    assert life.follower.history("--limit", "3", "--reverse") == life.history[: -4 : -1]


def test_history_can_be_narrowed_to_a_time(life: Life) -> None:
    middle = life.history[len(life.history) // 2]["time"]
    assert life.follower.history("--since", middle) == [event for event in life.history if event["time"] >= middle]
    until = life.follower.history("--until", middle)
    assert [event for event in life.history if event["time"] < middle] == [e for e in until if e["time"] < middle]
    assert all(event["time"] <= middle for event in until)


def test_text_is_for_people_and_without_colour_in_a_pipe(life: Life) -> None:
    for arguments in (["status"], ["shards"], ["history", life.shard], ["state", life.shard], ["tail"], ["verify"]):
        text = life.shakectl.text(*arguments)
        assert text.strip() and "\x1b" not in text
        assert not text.startswith("{")
    assert life.shard in life.shakectl.text("shards")
    assert "to have one in here" in life.shakectl.text("history", life.shard)


def test_tail_ends_when_its_reader_has_gone_though_nothing_comes(life: Life) -> None:
    tail = subprocess.Popen(
        [life.shakectl.binary, "tail", "--follow", "--journal", life.shakectl.journal], env=life.shakectl.environment,
        stdout=subprocess.PIPE,
    )
    assert tail.stdout is not None and tail.stdout.readline()
    tail.stdout.close()
    assert tail.wait(timeout=10) == 0


def test_tail_follows_the_journal_as_it_grows(rig: Rig, source: LocalSource) -> None:
    table = source.create_table("tailed")
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put(item(1))
    follower.catch_up()
    tail = subprocess.Popen(
        [follower.shakectl.binary, "tail", "--follow", "--json", "--journal", follower.shakectl.journal],
        env=follower.shakectl.environment, stdout=subprocess.PIPE, text=True,
    )
    try:
        assert tail.stdout is not None
        seen = []
        for line in tail.stdout:
            seen.append(json.loads(line))
            if seen[-1]["event"] == "sequence_advanced":
                if len([event for event in seen if event["event"] == "sequence_advanced"]) == 2:
                    break
                table.put(item(2))  # only now: this one must come by following
    finally:
        tail.terminate()
        tail.wait()
    assert [event["position"] for event in seen] == list(range(1, len(seen) + 1))
