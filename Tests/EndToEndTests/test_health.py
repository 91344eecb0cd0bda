"""Health comes from what was last done: a daemon that is alive and does nothing is not well."""

from __future__ import annotations

import json
import signal
import sqlite3

from following import Following
from rig import Rig
from shake import until
from shardedsource import Fault, ShardedSource


def health(following: Following) -> tuple[str, str]:
    status = following.shakectl.one("status")
    return status["health"], status["reason"]


def test_a_daemon_that_follows_is_well_and_says_when_it_last_did_what(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    following = Following(rig, sharded, table)
    following.start()
    following.wait_for(1)
    until(lambda: following.shakectl.one("status")["acknowledged_seconds"] is not None, "the write is acknowledged")
    status = following.shakectl.one("status")
    assert status["health"] == "ok", status["reason"]
    assert status["lag_seconds"] == 0
    assert status["read_seconds"] < 20 and status["listed_seconds"] < 20
    assert following.shakectl.call("status", "--check").returncode == 0


def test_a_daemon_that_is_suspended_is_not_well(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    table.put(table.open_shard(), "a", 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(1)
    until(lambda: following.shakectl.one("status")["read_seconds"] is not None, "it has said how it fares")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        # As if it had happened half a minute ago.
        path = f"{following.shakectl.journal}/vitals.json"
        with open(path, encoding="utf-8") as file:
            signs = json.load(file)
        signs["written"] -= 30_000_000
        with open(path, "w", encoding="utf-8") as file:
            json.dump(signs, file)
        assert health(following)[0] == "failed"
        assert "no sign" in health(following)[1]
        checked = following.shakectl.call("status", "--check")
        assert checked.returncode == 69
        assert "orders is failed" in checked.stderr
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    daemon.until(lambda: health(following)[0] == "ok", "it is well again once it goes on")


def test_a_shard_that_can_not_be_read_is_said_since_when_and_so_is_its_lag(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(1)
    daemon.until(lambda: health(following)[0] == "ok", "all is well")
    gone = Fault(type="ResourceNotFoundException")
    sharded.fault = lambda operation, _: gone if operation.endswith(("GetRecords", "GetShardIterator")) else None
    daemon.until(lambda: health(following)[0] != "ok", "it is noticed")
    assert "ResourceNotFoundException" in health(following)[1]
    daemon.until(lambda: "tried again since" in health(following)[1], "and since when")
    assert "health changed" in daemon.log
    sharded.fault = lambda *_: None
    daemon.until(lambda: health(following)[0] == "ok", "all is well again")


def test_a_target_that_acknowledges_nothing_shows(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    daemon.until(lambda: following.statuses_or_none() != {}, "the journal is there")
    daemon.until(lambda: following.shakectl.one("state", shard.id)["sequence_number"] is not None, "it is followed")
    lock = sqlite3.connect(following.sqlite.path, isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        table.put(shard, "b", 1)
        path = f"{following.shakectl.journal}/vitals.json"

        def busy() -> bool:
            with open(path, encoding="utf-8") as file:
                target = json.load(file)["target"]
            return target.get("busySince") is not None and "lock" in target.get("trouble", "")

        daemon.until(busy, "the daemon says so")
        lock.execute("ROLLBACK")
        daemon.until(lambda: not busy(), "and that it is over")
    finally:
        lock.close()


def test_without_a_daemon_nobody_follows(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    table.put(table.open_shard(), "a", 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(1)
    daemon.kill()
    assert health(following)[0] == "stopped"
    assert following.shakectl.call("status", "--check").returncode == 69
