"""Health comes from what was last done: a daemon that is alive and does nothing is not well."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import signal
import sqlite3
import time
from collections.abc import Iterator

from following import Following, one_shard
from rig import Rig
from shake import until
from shardedsource import Fault, ShardedSource


def health(following: Following) -> tuple[str, str]:
    status = following.shakectl.one("status")
    return status["health"], status["reason"]


def test_a_daemon_that_follows_is_well_and_says_when_it_last_did_what(rig: Rig, sharded: ShardedSource) -> None:
    following, _, _ = one_shard(rig, sharded)
    until(lambda: following.shakectl.one("status")["acknowledged_seconds"] is not None, "the write is acknowledged")
    status = following.shakectl.one("status")
    assert status["health"] == "ok", status["reason"]
    assert status["lag_seconds"] == 0
    assert status["read_seconds"] < 20 and status["listed_seconds"] < 20
    assert following.shakectl.call("status", "--check").returncode == 0


def test_a_daemon_that_is_suspended_is_not_well(rig: Rig, sharded: ShardedSource) -> None:
    following, _, _ = one_shard(rig, sharded)
    daemon = following.daemon
    assert daemon is not None
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


@contextlib.contextmanager
def suspended(following: Following, seconds: int) -> Iterator[None]:
    """As if the daemon had begun so long ago, and could do nothing since a moment."""
    daemon = following.daemon
    assert daemon is not None
    daemon.until(lambda: following.shakectl.one("status")["read_seconds"] is not None, "it has said how it fares")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
        # In place: the lock is on the file.
        with open(f"{following.shakectl.journal}/daemon.lock", "r+", encoding="utf-8") as file:
            holder = json.load(file) | {"since": began.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
            file.seek(0)
            file.truncate()
            file.write(json.dumps(holder, separators=(",", ":")) + "\n")
        yield
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def test_a_daemon_whose_signs_can_not_be_read_is_not_well(rig: Rig, sharded: ShardedSource) -> None:
    following, _, _ = one_shard(rig, sharded)
    path = pathlib.Path(f"{following.shakectl.journal}/vitals.json")
    with suspended(following, seconds=30):
        for text in ("garbage", "", "[]", '{"written":"x"}', "\0" * 100):
            path.write_text(text)
            assert health(following)[0] == "failed", text
            assert "has given no sign" in health(following)[1] and "vitals.json can't be read" in health(following)[1]
        path.unlink()
        assert health(following)[0] == "failed"
        assert "No such file" in health(following)[1]
        path.mkdir()
        assert health(following)[0] == "failed"
        assert "directory" in health(following)[1]
        path.rmdir()
        assert following.shakectl.call("status", "--check").returncode == 69
        assert "daemon: running" in following.shakectl.text("status")
    assert following.daemon is not None
    following.daemon.until(lambda: health(following)[0] == "ok", "it is well again once it goes on")


def test_a_daemon_that_has_just_begun_need_not_have_said_anything(rig: Rig, sharded: ShardedSource) -> None:
    following, _, _ = one_shard(rig, sharded)
    with suspended(following, seconds=0):
        os.unlink(f"{following.shakectl.journal}/vitals.json")
        assert health(following)[0] == "ok"


def test_a_sign_of_the_future_is_no_sign(rig: Rig, sharded: ShardedSource) -> None:
    """The clock was set back, and nothing came since."""
    following, _, _ = one_shard(rig, sharded)
    path = f"{following.shakectl.journal}/vitals.json"
    with suspended(following, seconds=30):
        with open(path, encoding="utf-8") as file:
            signs = json.load(file)
        for ahead, expected in ((2, "ok"), (60, "failed"), (36_000, "failed")):
            later = json.loads(json.dumps(signs))
            later["written"] = time.time_ns() // 1000 + ahead * 1_000_000
            for shard in later["tables"][0]["shards"]:
                shard["page"] = later["written"]
            with open(path, "w", encoding="utf-8") as file:
                json.dump(later, file)
            status = following.shakectl.one("status")
            assert status["health"] == expected, (ahead, status)
            if expected == "failed":
                assert "clock was set back" in status["reason"] and status["read_seconds"] is None
                assert following.shakectl.call("status", "--check").returncode == 69


def test_a_shard_that_can_not_be_read_is_said_since_when_and_so_is_its_lag(rig: Rig, sharded: ShardedSource) -> None:
    following, _, _ = one_shard(rig, sharded)
    daemon = following.daemon
    assert daemon is not None
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
    following, _, _ = one_shard(rig, sharded)
    daemon = following.daemon
    assert daemon is not None
    daemon.kill()
    assert health(following)[0] == "stopped"
    assert following.shakectl.call("status", "--check").returncode == 69
