"""Readers of the journal that die or stand still: what they keep from being used again, and how that ends or is said."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from localsource import SourceTable
from rig import Follower, Rig, item, key
from shake import until

# A process that is no Shake's: it opens the folder with the C library and begins a snapshot, as `shakectl` does for a moment.
READER = """
import ctypes, sys
lmdb = ctypes.CDLL(sys.argv[1])
def check(code):
    if code: raise SystemExit(f"lmdb: {code}")
environment, transaction = ctypes.c_void_p(), ctypes.c_void_p()
check(lmdb.mdb_env_create(ctypes.byref(environment)))
lmdb.mdb_env_set_mapsize(environment, ctypes.c_size_t(64 << 30))
lmdb.mdb_env_set_maxdbs(environment, 16)
lmdb.mdb_env_set_maxreaders(environment, 510)
MDB_RDONLY, MDB_NOTLS = 0x20000, 0x200000
check(lmdb.mdb_env_open(environment, sys.argv[2].encode(), MDB_RDONLY | MDB_NOTLS, 0o600))
check(lmdb.mdb_txn_begin(environment, None, MDB_RDONLY, ctypes.byref(transaction)))
print("reading", flush=True)
sys.stdin.read()
"""


class HeldSnapshot:
    """Somebody who reads one state of a journal, until killed."""

    def __init__(self, journal: str) -> None:
        library = ctypes.util.find_library("lmdb") or "liblmdb.so.0"
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, library, journal], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "reading\n"

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def follower(rig: Rig, table: SourceTable) -> Follower:
    follower = Follower(rig, "sqlite", table, more=("--poll-maximum", "20ms"))
    follower.start()
    table.put(item(0))
    follower.catch_up()
    return follower


@pytest.fixture
def reader(follower: Follower) -> Iterator[HeldSnapshot]:
    reader = HeldSnapshot(follower.shakectl.journal)
    yield reader
    reader.kill()


def size(follower: Follower) -> int:
    return os.path.getsize(os.path.join(follower.shakectl.journal, "data.mdb"))


def write(follower: Follower, count: int) -> int:
    """So many changes, each a transaction of the journal; by how much its file has grown."""
    before = size(follower)
    for number in range(count):
        follower.table.put(item(number, number))
        follower.catch_up()
    return size(follower) - before


def signs(follower: Follower) -> dict[str, object]:
    with open(os.path.join(follower.shakectl.journal, "vitals.json"), encoding="utf-8") as file:
        return json.load(file)


def test_a_killed_reader_keeps_nothing_for_longer_than_the_daemon_needs_to_see_it(
    follower: Follower, reader: HeldSnapshot
) -> None:
    assert reader.pid in [pid for pid, _ in readers(follower)], "what the other tests look at shows it"
    held = write(follower, 30)
    assert held > 30 * 4096, "each transaction takes new pages while the snapshot is held"
    reader.kill()
    assert follower.daemon is not None
    daemon = follower.daemon
    daemon.until(lambda: "slots are free again" in daemon.log, "the daemon has freed the slot of the killed reader")
    write(follower, 5)  # the pages of the last transactions are used again by those after the next
    rest = write(follower, 30)
    assert rest < held / 4, f"{held} bytes with the reader, and {rest} after it was killed"
    follower.stop()
    assert follower.differences() == []


def test_a_stopped_reader_is_named_until_it_is_gone(follower: Follower, reader: HeldSnapshot) -> None:
    os.kill(reader.pid, signal.SIGSTOP)
    assert follower.daemon is not None
    daemon = follower.daemon
    write(follower, 20)
    slow = daemon.until(lambda: signs(follower).get("slowReader"), "the reader is told of", deadline=60)
    assert isinstance(slow, dict) and slow["pid"] == reader.pid
    assert str(slow["name"]).endswith(", stopped") and slow["transactions"] > 0
    status = follower.shakectl.one("status")
    assert status["health"] == "degraded"
    assert f"process {reader.pid} (" in status["reason"] and f"kill -CONT {reader.pid}" in status["reason"]
    assert follower.shakectl.call("status", "--check").returncode == 69
    assert daemon.log.count(f"warning process {reader.pid} (") == 1, "it is said once, besides the change of health"
    # Nothing waits for it: records are brought as before.
    follower.table.update(key(0), version={"N": "5"})
    follower.catch_up()

    reader.kill()
    daemon.until(lambda: signs(follower).get("slowReader") is None, "nobody is told of any more")
    until(lambda: follower.shakectl.one("status")["health"] == "ok", "all is well again")
    assert "the room of the journal is used again" in daemon.log
    follower.stop()
    assert follower.differences() == []


@pytest.mark.parametrize("command", [["tail", "--follow"], ["export"], ["history"]])
def test_a_command_whose_output_nobody_reads_holds_no_snapshot(follower: Follower, command: list[str]) -> None:
    """It is blocked in the middle of its output, or waits for more: not within a transaction."""
    for number in range(40):
        follower.table.put(item(number, 1, text={"S": "x" * 100}))
    follower.catch_up()
    for _ in range(40):  # more than a pipe holds
        follower.shakectl.text("rewind", follower.shard, "--to-start", "--offline", "--reason", "r" * 4000)
    arguments = [*command, *([follower.shard] if command == ["history"] else [])]
    process = subprocess.Popen(
        [follower.shakectl.binary, *arguments, "--json", "--journal", follower.shakectl.journal],
        env=follower.shakectl.environment, stdout=subprocess.PIPE)
    try:
        def is_blocked() -> bool:
            with open(f"/proc/{process.pid}/wchan", encoding="ascii") as file:
                where = file.read()
            with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
                call = file.read().split()[0]
            return "pipe" in where or call == "1"

        assert process.stdout is not None
        if command == ["tail", "--follow"]:
            # All of it is there, and it waits for more.
            assert os.read(process.stdout.fileno(), 1) == b"{"
            until(lambda: process.pid not in [pid for pid, _ in readers(follower)], "it reads nothing")
            return
        for _ in range(2):
            until(is_blocked, "it is blocked by a full pipe")
            # It can do nothing, so what it holds now it would hold for ever.
            assert process.pid not in [pid for pid, _ in readers(follower)]
            # The pipe has room for a part of what comes next.
            assert os.read(process.stdout.fileno(), 1 << 15)
    finally:
        process.kill()
        process.wait()
        follower.stop()


def readers(follower: Follower) -> list[tuple[int, int]]:
    """Who reads which state, as LMDB's lock file says."""
    listed: list[tuple[int, int]] = []
    lmdb = ctypes.CDLL(ctypes.util.find_library("lmdb") or "liblmdb.so.0")
    environment = ctypes.c_void_p()
    lmdb.mdb_env_create(ctypes.byref(environment))
    lmdb.mdb_env_set_mapsize(environment, ctypes.c_size_t(64 << 30))
    assert lmdb.mdb_env_open(environment, follower.shakectl.journal.encode(), 0x20000 | 0x200000, 0o600) == 0

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    def take(line: bytes, _: int) -> int:
        fields = line.split()
        if len(fields) == 3 and fields[0].isdigit() and fields[2] != b"-":
            listed.append((int(fields[0]), int(fields[2])))
        return 0

    lmdb.mdb_reader_list(environment, take, None)
    lmdb.mdb_env_close(environment)
    return listed
