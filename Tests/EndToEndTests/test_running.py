"""A daemon's life as an operator sees it: signals, a second daemon, a source that goes away."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import socket
import sqlite3
import subprocess
import termios
import threading
import time

from ledger import unaccounted
from localsource import SourceTable
from rig import Follower, Rig, item
from shake import until


def test_sigterm_ends_it_well_and_the_journal_says_so(rig: Rig, table: SourceTable) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        follower = Follower(rig, "sqlite", table, name=number.name)
        daemon = follower.start()
        table.put(item(1, number))
        follower.catch_up()
        daemon.process.send_signal(number)

        assert daemon.wait() == 0
        last = follower.events()[-1]
        assert last["event"] == "run_stopped"
        assert number.name in last["reason"]


def test_what_is_in_flight_at_sigterm_is_finished(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "jsonl", table)
    table.put_all([item(number, text={"S": "x" * 2000}) for number in range(400)])
    daemon = follower.start()
    daemon.until(lambda: follower.jsonl.lines(), "the first records are written")
    follower.stop()

    lines = follower.jsonl.lines()
    assert follower.journaled() == lines[-1]["sequence_number"], "the journal has all that was written"
    assert [line["sequence_number"] for line in lines] == table.sequence_numbers()[: len(lines)]
    assert daemon.process.returncode == 0


def test_a_second_signal_ends_it_at_once(rig: Rig, table: SourceTable) -> None:
    """The target is a pipe that nobody reads: the write in flight can't be finished."""
    table.put_all([item(number, text={"S": "x" * 5000}) for number in range(100)])
    read, write = os.pipe()
    shakectl = rig.shakectl()
    daemon = rig.run(
        shakectl, "--table", table.name, "--target", "jsonl:-", "--mode", "incr", stdout=write
    )
    os.close(write)
    try:
        [shard] = table.shards
        until(lambda: shakectl.call("state", shard, "--json").stdout.find('"in_processing"') > 0, "the shard is read")
        until(lambda: is_full(read), "the pipe is full")
        daemon.process.send_signal(signal.SIGTERM)
        until(lambda: "SIGTERM" in daemon.log, "the daemon says that it is stopping")
        assert daemon.is_running, daemon.process.returncode
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.wait(deadline=5) != 0
    finally:
        os.close(read)
    assert shakectl.one("verify")["ok"] is True


def is_full(pipe: int) -> bool:
    waiting = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0] >= 64 * 1024


def test_a_second_daemon_is_refused_by_name(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    daemon = follower.start()
    table.put(item(1))
    follower.catch_up()
    second = follower.attempt()

    assert second.returncode == 75
    started = next(event for event in follower.events() if event["event"] == "run_started")
    assert str(daemon.pid) in second.stderr
    assert socket.gethostname() in second.stderr
    assert started["time"][:10] in second.stderr, "since when"
    table.put(item(2))
    follower.catch_up()

    # A daemon that was killed holds nothing up.
    follower.kill()
    follower.start()
    table.put(item(3))
    follower.catch_up()


def test_any_number_of_readers_may_look_on(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(50)])
    commands = [["status"], ["shards"], ["tail"], ["verify"]] * 3
    readers = [
        subprocess.Popen(
            [follower.shakectl.binary, *command, "--json", "--journal", follower.shakectl.journal],
            env=follower.shakectl.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for command in (commands if until(follower.events_or_none, "there is a journal") else [])
    ]
    for reader in readers:
        _, errors = reader.communicate(timeout=30)
        assert reader.returncode == 0, errors
    follower.catch_up()
    assert follower.differences() == []


class Gate:
    """Stands between daemon and source, and can be shut: a source that goes away and comes back."""

    def __init__(self, port: int) -> None:
        self._behind = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self.refused = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._open:
                    self.refused += 1
                    near.close()
                    continue
                far = socket.create_connection(self._behind)
                self._connections += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def shut(self) -> None:
        with self._lock:
            self._open = False
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self._connections = []

    def reopen(self) -> None:
        with self._lock:
            self._open = True

    def close(self) -> None:
        self.shut()
        self._listener.close()


def test_a_source_that_goes_away_is_waited_for(rig: Rig, table: SourceTable) -> None:
    gate = Gate(int(rig.source.endpoint.rsplit(":", 1)[1]))
    try:
        follower = Follower(rig, "jsonl", table, more=("--source-endpoint", gate.endpoint))  # the last one counts
        daemon = follower.start()
        table.put(item(1))
        follower.catch_up()
        gate.shut()
        table.put(item(2))
        until(lambda: gate.refused >= 3, "the daemon tries again")
        assert daemon.is_running
        gate.reopen()
        numbers = follower.catch_up()
        assert follower.replayed(0) == numbers
        gate.shut()
        until(lambda: gate.refused >= 5, "the daemon tries again")
        began = time.monotonic()
        assert daemon.terminate() == 0
        assert time.monotonic() - began < 3, "a source that is away does not hold up the end"
    finally:
        gate.close()


def test_a_target_that_is_locked_is_waited_for(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    daemon = follower.start()
    table.put(item(1))
    follower.catch_up()
    other = sqlite3.connect(follower.replica.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        table.put(item(2))
        quiet = len(daemon.log)
        daemon.until(lambda: "locked" in daemon.log[quiet:], "the daemon says what it waits for")
    finally:
        other.execute("ROLLBACK")
        other.close()
    follower.catch_up()
    assert follower.differences() == []
    history = follower.history()
    assert unaccounted(history, table.sequence_numbers()) == []
