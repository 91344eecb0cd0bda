"""A full scan, then the stream: nothing is missing and nothing is read twice, whatever happens in between."""

from __future__ import annotations

import random
import signal
from collections import Counter

import pytest
from localsource import SourceTable
from rig import Follower, Rig, file_size, images, item, key, line_images

# 12 MB: more than one page in each of four segments.
ITEMS = 300
PADDING = {"S": "x" * 40_000}


def fill(table: SourceTable) -> None:
    table.put_all([item(number, padding=PADDING) for number in range(ITEMS)])


@pytest.mark.parametrize("target", ["sqlite", "jsonl"])
def test_a_table_is_scanned_and_then_followed(rig: Rig, table: SourceTable, target: str) -> None:
    fill(table)
    before = table.sequence_numbers()
    follower = Follower(rig, target, table, mode="all", more=("--scan-segments", "4"))
    daemon = follower.start()
    daemon.until(
        lambda: any(event["event"] == "scan_advanced" for event in follower.events_or_none()), "the scan has begun"
    )
    # While the scan runs: items that it has read, items that it will read, and items that it can't know.
    for number in range(0, ITEMS, 10):
        table.update(key(number), version={"N": "1"})
        table.put(item(ITEMS + number))
    table.delete(key(ITEMS))
    follower.catch_up()
    assert follower.differences() == []

    # And afterwards.
    table.put(item(1, version=2))
    table.delete(key(2))
    numbers = follower.catch_up()
    assert follower.differences() == []

    events = follower.events()
    phases = [(event["from"], event["to"]) for event in events if event["event"] == "phase_changed"]
    assert phases == [(None, "full_sync"), ("full_sync", "incr_sync")]
    scans = [event for event in events if event["event"] == "scan_advanced"]
    ends = sorted(event["segment"] for event in scans if event["last_evaluated_key"] is None)
    assert ends == [0, 1, 2, 3], "each segment was read to its end, once"
    assert len(scans) > 4, "some segment took several pages"
    [finished] = [event for event in events if event["event"] == "scan_finished"]
    assert finished["items"] == sum(event["items"] for event in scans) >= ITEMS
    if target == "jsonl":
        changes = [line["sequence_number"] for line in follower.jsonl.lines() if line["event"] != "SNAPSHOT"]
        assert changes == numbers[len(before) :]


def test_a_scan_that_is_killed_goes_on_where_it_stood(rig: Rig, table: SourceTable, chance: random.Random) -> None:
    fill(table)
    before = len(table.sequence_numbers())
    follower = Follower(rig, "jsonl", table, mode="all", more=("--scan-segments", "4", "--scan-readers", "2"))
    # Each life is given one or two of the scan's twelve pages: however fast the machine is, no kill comes after the scan.
    for _ in range(5):
        point = chance.choice(["before_target_write", "after_target_write"])
        killed = follower.start(["env", f"SHAKE_CRASH_AT={point}:{chance.randint(1, 2)}"])
        assert killed.wait() == -signal.SIGKILL, killed.log[-4000:]
    assert not any(event["event"] == "scan_finished" for event in follower.events()), "the kills came after the scan"

    daemon = follower.start()
    daemon.until(lambda: any(event["event"] == "scan_finished" for event in follower.events()), "the scan is finished")
    table.update(key(7), version={"N": "1"})
    table.put(item(ITEMS))
    numbers = follower.catch_up()

    assert follower.differences() == []
    lines = follower.jsonl.lines()
    snapshots = Counter(line["keys"]["pk"]["S"] for line in lines if line["event"] == "SNAPSHOT")
    assert set(snapshots.values()) == {1}, "every item once, although the daemon was killed"
    assert len(snapshots) == ITEMS
    assert [line["sequence_number"] for line in lines if line["event"] != "SNAPSHOT"] == numbers[before:]
    scans = [event for event in follower.events() if event["event"] == "scan_advanced"]
    assert sum(event["items"] for event in scans) == ITEMS
    assert sorted(event["segment"] for event in scans if event["last_evaluated_key"] is None) == [0, 1, 2, 3]
    assert follower.shakectl.one("verify")["ok"] is True


def test_changes_that_fall_into_a_killed_scan_are_applied_after_it(rig: Rig, table: SourceTable) -> None:
    """The place in the stream is pinned before the first page: what happens while nobody runs comes too."""
    fill(table)
    before = len(table.sequence_numbers())
    follower = Follower(rig, "jsonl", table, mode="all", more=("--scan-segments", "4", "--scan-readers", "1"))
    daemon = follower.start()
    daemon.until(lambda: file_size(follower.replica.path) > 0, "the scan has begun")
    table.update(key(0), version={"N": "1"})
    daemon.kill()
    table.update(key(1), version={"N": "2"})
    table.put(item(ITEMS))
    table.delete(key(ITEMS - 1))
    follower.start()
    follower.catch_up()

    assert follower.differences() == []
    changes = [line_images(line) for line in follower.jsonl.lines() if line["event"] != "SNAPSHOT"]
    assert changes == [images(record) for record in table.records()[before:]]


def test_mode_full_scans_and_ends(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(100)])
    follower = Follower(rig, "sqlite", table, mode="full")
    daemon = follower.start()

    assert daemon.wait() == 0
    assert follower.differences() == []

    # The stream's place was kept, so following begins where the scan did.
    table.put(item(100))
    follower.arguments[follower.arguments.index("full")] = "all"
    follower.start()
    follower.catch_up()
    assert follower.differences() == []


def test_an_empty_table_is_in_step_at_once(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table, mode="all", more=("--until-idle", "0.3"))
    assert follower.start().wait() == 0
    assert follower.items() == []

    table.put(item(1))
    assert follower.start().wait() == 0
    assert follower.differences() == []
