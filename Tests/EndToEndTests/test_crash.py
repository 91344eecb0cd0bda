"""SIGKILL, again and again, at any moment: nothing is lost, nothing comes twice, and no human is needed."""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any

from ledger import unaccounted
from localsource import SourceTable
from rig import Follower, Rig, images, item, key, line_images, until

KILLS = 20


class Load(threading.Thread):
    """Writes to a table without a pause: new items, changes and deletions, of keys few enough to be hit again."""

    def __init__(self, table: SourceTable, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._table = table
        self._chance = chance
        self._present: set[int] = set()
        self._enough = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        version = 0
        try:
            while not self._enough.is_set():
                version += 1
                number = self._chance.randrange(60)
                if number not in self._present or self._chance.random() < 0.3:
                    self._table.put(item(number, version, text={"S": "x" * self._chance.randrange(2000)}))
                    self._present.add(number)
                elif self._chance.random() < 0.7:
                    self._table.update(key(number), version={"N": str(version)})
                else:
                    self._table.delete(key(number))
                    self._present.remove(number)
        except BaseException as error:  # told to whoever asks for the end
            self._error = error

    def stop(self) -> None:
        self._enough.set()
        self.join()
        if self._error:
            raise self._error


def test_twenty_kills_under_load_lose_nothing_and_repeat_nothing(
    rig: Rig, table: SourceTable, chance: random.Random
) -> None:
    """Two daemons follow one table, into SQLite and into JSONL, and are killed at moments of their own."""
    followers = [Follower(rig, target, table, name=f"{target}.") for target in ("sqlite", "jsonl")]
    load = Load(table, chance)
    load.start()
    try:
        due = {follower: now() for follower in followers}
        kills = dict.fromkeys(followers, 0)
        while min(kills.values()) < KILLS:
            follower = min(followers, key=lambda follower: due[follower])
            time.sleep(max(0.0, due[follower] - now()))  # not to wait for anything: this is the random moment
            if follower.daemon is not None:
                assert follower.daemon.is_running, follower.daemon.log[-4000:]
                follower.kill()
                kills[follower] += 1
            follower.start()
            # Sometimes before it has opened anything, mostly in the middle of the work.
            due[follower] = now() + chance.uniform(0.0, 0.7)
    finally:
        load.stop()

    for follower in followers:
        numbers = follower.catch_up()
        follower.stop()
        assert follower.differences() == []
        history = follower.history()
        assert unaccounted(history, numbers) == []
        assert_history_is_possible(history)
        verified = follower.shakectl.one("verify")
        assert verified["ok"] is True
        assert follower.daemon is not None
    written = [line_images(line) for line in followers[1].jsonl.lines()]
    assert written == [images(record) for record in table.records()]
    print(f"{len(written)} records; {KILLS} kills each")


def assert_history_is_possible(history: list[dict[str, Any]]) -> None:
    assert [event["revision"] for event in history] == list(range(1, len(history) + 1))
    positions = [event["position"] for event in history]
    assert positions == sorted(set(positions))
    number = 0
    for event in history:
        if event["event"] == "sequence_advanced":
            assert int(event["sequence_number"]) > number, f"position {event['position']} goes back without a rewind"
            number = int(event["sequence_number"])


def now() -> float:
    return time.monotonic()


def test_a_daemon_killed_while_it_makes_its_journal_makes_it_the_next_time(
    rig: Rig, table: SourceTable, chance: random.Random
) -> None:
    table.put(item(1))
    for round in range(12):
        follower = Follower(rig, "sqlite", table, name=f"{round}.", more=("--until-idle", "0.05"))
        daemon = follower.start()
        first = os.path.join(follower.shakectl.journal, chance.choice(["daemon.lock", "lock.mdb", "data.mdb"]))
        until(lambda: os.path.exists(first) or not daemon.is_running, "the first files are there", every=0)
        time.sleep(chance.uniform(0, 0.01))  # not to wait for anything: this is the random moment
        daemon.kill()

        again = follower.start()
        assert again.wait() == 0, again.log
        assert follower.differences() == []
        assert follower.shakectl.one("verify")["ok"] is True


def test_a_daemon_killed_at_once_after_a_rewind_still_replays_it_once(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "jsonl", table)
    follower.start()
    table.put_all([item(number) for number in range(60)])
    numbers = follower.catch_up()
    lines = len(follower.jsonl.lines())

    follower.shakectl.text("rewind", follower.shard, numbers[39])
    follower.kill()
    follower.start()
    assert follower.daemon is not None
    follower.daemon.until(lambda: len(follower.replayed(lines)) >= 20, "the records are replayed")
    table.put(item(60))
    numbers = follower.catch_up()

    assert follower.replayed(lines) == numbers[40:]
    assert unaccounted(follower.history(), numbers) == []


def test_a_line_torn_by_a_crash_is_cut_off(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "jsonl", table)
    follower.start()
    table.put_all([item(number) for number in range(10)])
    follower.catch_up()
    follower.kill()
    whole = follower.jsonl.lines()
    with open(follower.replica.path, "rb") as file:
        line = file.readlines()[-1]
    with open(follower.replica.path, "ab") as file:  # a whole line that the journal doesn't know, and half of one
        file.write(line + line[: len(line) // 2])
    follower.start()
    table.put(item(10))
    follower.catch_up()

    lines = follower.jsonl.lines()
    assert lines[:10] == whole
    assert [line_images(line) for line in lines] == [images(record) for record in table.records()]
