"""Pausing, resuming and another full sync, beside a running daemon and between two."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from following import Following
from localsource import LocalSource, SourceTable
from rig import Follower, Rig, item, key
from shake import Shakectl
from shardedsource import ShardedSource
from test_scan import fill


@pytest.fixture
def follower(rig: Rig, table: SourceTable) -> Follower:
    """A running daemon that has followed some records into JSONL, where each shows as a line."""
    follower = Follower(rig, "jsonl", table)
    daemon = follower.start()
    table.put_all([item(number) for number in range(10)])
    follower.catch_up()
    daemon.until(lambda: shards_read(follower.shakectl), "the daemon says that the shard is read")
    return follower


def shards_read(shakectl: Shakectl) -> set[str]:
    """The shards that the daemon has in its hands, as its signs of life say."""
    with open(f"{shakectl.journal}/vitals.json", encoding="utf-8") as file:
        return {shard["id"] for table in json.load(file)["tables"] for shard in table["shards"]}


def refusal(shakectl: Shakectl, *arguments: str) -> str:
    result = shakectl.call(*arguments)
    assert result.returncode == 64, f"{arguments}: exit {result.returncode}: {result.stdout}{result.stderr}"
    return result.stderr


def full_syncs(follower: Follower) -> int:
    return sum(event["event"] == "scan_finished" for event in follower.events_or_none())


def test_a_paused_table_waits_over_kills_and_restarts_and_then_all_comes_once(follower: Follower) -> None:
    shakectl, name = follower.shakectl, follower.table.name
    answer = shakectl.one("pause", name, "--reason", "the target is moved")
    assert list(answer) == [
        "table", "stream", "shard", "paused", "changed", "author", "reason", "since", "held_until", "position",
    ]
    assert (answer["table"], answer["shard"], answer["paused"], answer["changed"]) == (name, None, True, True)
    assert follower.daemon is not None
    follower.daemon.until(lambda: not shards_read(shakectl), "the shard is put down")
    before = len(follower.jsonl.lines())
    follower.table.put_all([item(number, version=1) for number in range(10)])

    for _ in range(2):
        follower.kill()
        follower.start().until(lambda: shakectl.one("status")["listed_seconds"] is not None, "it follows again")
        [status] = shakectl.json("status")
        assert status["health"] == "ok" and "paused by" in status["reason"] and "moved" in status["reason"]
        assert [(pause["shard"], pause["reason"]) for pause in status["pauses"]] == [(None, "the target is moved")]
        assert ", paused" in shakectl.text("shards")
        assert len(follower.jsonl.lines()) == before

    again = shakectl.one("pause", name)
    assert (again["paused"], again["changed"], again["reason"]) == (True, False, "the target is moved")
    assert "resume" in shakectl.text("status")
    resumed = shakectl.one("resume", name)
    assert (resumed["paused"], resumed["changed"]) == (False, True)
    numbers = follower.catch_up()
    assert [line["sequence_number"] for line in follower.jsonl.lines()] == numbers, "each once, in order"
    assert not shakectl.one("resume", name)["changed"]
    assert [event["event"] for event in follower.events()].count("paused") == 1
    assert shakectl.one("verify")["ok"]


def test_until_idle_takes_a_paused_table_for_at_rest(follower: Follower) -> None:
    follower.stop()
    follower.shakectl.text("pause", follower.table.name)
    follower.table.put(item(99))
    before = len(follower.jsonl.lines())
    result = follower.attempt("--until-idle", "1")
    assert result.returncode == 0, result.stderr
    assert len(follower.jsonl.lines()) == before


def test_a_paused_shard_and_its_children_wait_while_others_go_on(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    parent, other = table.open_shard(), table.open_shard()
    table.put(parent, "a", 1)
    table.put(other, "z", 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(2)
    shakectl = following.shakectl
    daemon.until(lambda: len(shards_read(shakectl)) == 2, "the daemon says that both are read")
    answer = shakectl.one("pause", parent.id)
    assert (answer["shard"], answer["changed"]) == (parent.id, True)
    daemon.until(lambda: shards_read(shakectl) == {other.id}, "the shard is put down")
    waiting = [table.put(parent, "a", 2)]
    [child] = table.split(parent, 1)
    waiting.append(table.put(child, "a", 3))
    going_on = table.put(other, "z", 2)
    following.wait_for(3)
    daemon.until(lambda: child.id in following.statuses(), "the child is discovered")
    assert following.written()[2:] == [going_on]
    assert following.statuses()[child.id] == "waiting_for_parent"
    assert [pause["shard"] for pause in shakectl.one("status")["pauses"]] == [parent.id]
    daemon.kill()
    daemon = following.start()
    daemon.until(lambda: following.statuses()[other.id] == "in_processing", "it follows again")
    assert following.written()[2:] == [going_on]

    shakectl.text("resume", f"{table.name}/{parent.id}")
    following.wait_for(5)
    assert following.written()[3:] == waiting
    daemon.until(lambda: following.statuses()[parent.id] == "done", "the parent is done")
    assert "nothing more is read" in refusal(shakectl, "pause", parent.id)
    assert shakectl.one("verify")["ok"]


def test_wrong_names_are_refused_with_what_could_be_meant(follower: Follower) -> None:
    shakectl, name = follower.shakectl, follower.table.name
    before = follower.events()[-1]["position"]
    for command in ["pause", "resume", "resync"]:
        assert name in refusal(shakectl, command, name[:-1] + "x")
        refusal(shakectl, command, "nothing-like-it-at-all")
        refusal(shakectl, command)
    assert "--mode incr" in refusal(shakectl, "resync", name)
    appended = [event["event"] for event in follower.events() if event["position"] > before]
    assert set(appended) <= {"run_started", "run_stopped"}, "nothing but that somebody opened the journal"
    assert shakectl.call("pause", name, "--journal", "/nonexistent", journal=False).returncode != 0


def resynced(follower: Follower) -> dict[str, Any]:
    return follower.shakectl.one("resync", follower.table.name, "--reason", "edited by hand")


def test_a_table_is_scanned_again_in_place_while_it_is_followed(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(50)])
    follower = Follower(rig, "sqlite", table, mode="all")
    daemon = follower.start()
    daemon.until(lambda: full_syncs(follower) == 1, "the first scan is finished")
    table.put(item(50))
    follower.catch_up()
    answer = resynced(follower)
    assert (answer["from"], answer["to"], answer["running"]) == ("incr_sync", "full_sync", True)
    daemon.until(lambda: full_syncs(follower) == 2, "the second scan is finished")
    table.put(item(51))
    table.delete(key(3))
    follower.catch_up()
    assert follower.differences() == []
    reasons = [event["reason"] for event in follower.events() if event["event"] == "phase_changed"]
    assert any("asked for it: edited by hand" in reason for reason in reasons)

    # Without a daemon the next one takes it up.
    follower.stop()
    assert resynced(follower)["running"] is False
    follower.start().until(lambda: full_syncs(follower) == 3, "the third scan is finished")
    table.put(item(52))
    follower.catch_up()
    assert follower.differences() == []
    assert follower.shakectl.one("verify")["ok"]


def test_a_scan_that_is_under_way_begins_again_and_one_of_a_paused_table_waits(rig: Rig, table: SourceTable) -> None:
    fill(table)
    follower = Follower(rig, "sqlite", table, mode="all", more=("--scan-segments", "4", "--scan-readers", "1"))
    killed = follower.start(["env", "SHAKE_CRASH_AT=after_target_write:2"])
    killed.wait()
    follower.shakectl.text("pause", table.name)
    daemon = follower.start()
    daemon.until(lambda: follower.shakectl.one("status")["listed_seconds"] is not None, "it follows")
    assert full_syncs(follower) == 0
    assert "is paused by" in follower.shakectl.text("resync", table.name)
    follower.shakectl.text("resume", table.name)
    daemon.until(lambda: full_syncs(follower) == 1, "the scan is finished")
    resynced(follower)
    daemon.until(lambda: full_syncs(follower) == 2, "it is scanned again")
    table.put(item(1000))
    follower.catch_up()
    assert follower.differences() == []


def test_a_resync_waits_for_a_running_daemon_to_say_that_it_scans(rig: Rig, table: SourceTable) -> None:
    scanning = Follower(rig, "sqlite", table, mode="all")
    scanning.start().until(lambda: full_syncs(scanning) == 1, "it is scanned")
    scanning.stop()
    vitals = rig.folder / "journal" / "vitals.json"
    older = vitals.read_bytes()
    follower = Follower(rig, "sqlite", table, mode="incr")
    daemon = follower.start()
    # Not by asking for a scan: before the daemon has begun, nobody says that it only follows.
    daemon.until(
        lambda: vitals.exists() and json.loads(vitals.read_bytes())["mode"] == "incr", "it says that it only follows"
    )
    refusal(follower.shakectl, "resync", table.name)

    os.kill(daemon.pid, signal.SIGSTOP)
    for signs in [older, None]:
        vitals.unlink()
        if signs:
            vitals.write_bytes(signs)
        for command in [["resync", table.name], ["ack", table.name, "--resync"]]:
            result = follower.shakectl.call(*command)
            assert result.returncode == 75, result
            assert "has not said yet" in result.stderr
    os.kill(daemon.pid, signal.SIGCONT)
    daemon.until(lambda: follower.shakectl.call("resync", table.name).returncode == 64, "it says that it only follows")


def test_a_resync_of_a_table_that_the_running_daemon_does_not_follow_says_so(
    rig: Rig, source: LocalSource, table: SourceTable
) -> None:
    both = Follower(rig, "sqlite", table, source.create_table(f"{table.name}-too"), mode="all")
    daemon = both.start()
    daemon.until(lambda: full_syncs(both) == 2, "both are scanned")
    both.stop()
    vitals = rig.folder / "journal" / "vitals.json"
    vitals.unlink()
    one = Follower(rig, "sqlite", table, mode="all")
    daemon = one.start()
    daemon.until(vitals.exists, "it runs")
    answer = one.shakectl.one("resync", f"{table.name}-too")
    assert answer["running"] is False
    assert "does not follow it" in one.shakectl.text("resync", f"{table.name}-too")
    assert one.shakectl.one("resync", table.name)["running"] is True
