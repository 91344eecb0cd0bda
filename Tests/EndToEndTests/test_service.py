"""What a service manager hears of the daemon: that it is up, that it gets on, that it stops (sd_notify(3))."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator

import pytest
from following import Following
from http_client import HTTPClient
from rig import Rig
from shake import Daemon, until
from shardedsource import Fault, ShardedSource


class Manager:
    """Listens where systemd would, and notes who said what."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.messages: list[str] = []
        self.senders: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                message, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(12))
            except OSError:
                return
            if not message:
                return
            self.senders.add(struct.unpack("iII", ancillary[0][2])[0])
            self.messages.append(message.decode())

    def variables(self, name: str) -> list[str]:
        lines = [line for message in list(self.messages) for line in message.split("\n")]
        return [line[len(name) + 1:] for line in lines if line.startswith(name + "=")]

    def environment(self) -> list[str]:
        return ["env", f"NOTIFY_SOCKET={self.address}", "WATCHDOG_USEC=60000000"]

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes who listens
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify") if request.param == "path" else f"@shake-test-{os.getpid()}-{id(request)}")
    yield manager
    manager.close()


@pytest.fixture
def one_manager(tmp_path: pathlib.Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


def following(rig: Rig, sharded: ShardedSource, *more: str) -> Following:
    table = sharded.create_table("orders")
    table.put(table.open_shard(), "a", 1)
    return Following(rig, sharded, table, more=more)


def test_it_is_up_once_it_follows_and_says_that_it_lives_and_that_it_stops(
    rig: Rig, sharded: ShardedSource, manager: Manager
) -> None:
    follower = following(rig, sharded)
    daemon = follower.start(manager.environment())
    daemon.until(lambda: manager.variables("READY"), "it says that it is up")
    daemon.until(lambda: len(manager.variables("WATCHDOG")) > 2, "it says that it lives")
    assert manager.variables("READY") == ["1"]
    assert manager.variables("STOPPING") == []
    assert manager.variables("STATUS")[-1] == "following orders"
    assert manager.senders == {daemon.pid}
    assert daemon.terminate() == 0
    until(lambda: manager.variables("STATUS")[-1] == "ended: SIGTERM", "it says why it has ended")
    assert manager.variables("STOPPING") == ["1"]


def test_nothing_that_it_starts_could_speak_in_its_name(
    rig: Rig, sharded: ShardedSource, one_manager: Manager
) -> None:
    daemon = following(rig, sharded).start(one_manager.environment())
    daemon.until(lambda: one_manager.variables("READY"), "it says that it is up")
    # What the process was started with is there for ever; what it would hand on is what `getenv` finds.
    gdb = shutil.which("gdb")
    if gdb is None:
        pytest.skip("there is no gdb to ask the process with")
    asked = subprocess.run(
        [gdb, "-p", str(daemon.pid), "-batch", "-ex", 'print (char *(*)(const char *))getenv("NOTIFY_SOCKET")'],
        capture_output=True, text=True, check=False)
    assert re.search(r"^\$1 = .*0x0$", asked.stdout, re.MULTILINE), asked.stdout[-500:] + asked.stderr[-500:]


def test_it_is_not_up_before_a_table_answers(rig: Rig, sharded: ShardedSource, one_manager: Manager) -> None:
    answers = threading.Event()

    def wait(operation: str, request: dict[str, object]) -> None:
        if operation.endswith(".DescribeStream"):
            answers.wait(30)

    sharded.fault = wait
    daemon = following(rig, sharded).start(one_manager.environment())
    try:
        daemon.until(lambda: any(name.endswith(".DescribeStream") for name in list(sharded.calls)), "it asks for the shards")
        daemon.until(lambda: one_manager.variables("STATUS"), "it says what it does")
        assert one_manager.variables("STATUS") == ["starting to follow orders"]
        assert one_manager.variables("READY") == one_manager.variables("WATCHDOG") == []
    finally:
        answers.set()
    daemon.until(lambda: one_manager.variables("READY"), "it says that it is up")


def test_a_source_that_refuses_starves_nobody(rig: Rig, sharded: ShardedSource, one_manager: Manager) -> None:
    """Another start would not mend it."""
    follower = following(rig, sharded)
    daemon = follower.start(one_manager.environment())
    follower.wait_for(1)
    daemon.until(lambda: one_manager.variables("READY"), "it says that it is up")
    gone = Fault(type="ResourceNotFoundException")
    sharded.fault = lambda operation, _: gone if operation.endswith(("GetRecords", "GetShardIterator")) else None
    daemon.until(lambda: any("degraded" in line for line in one_manager.variables("STATUS")), "it says what is wrong")
    fed = len(one_manager.variables("WATCHDOG"))
    daemon.until(lambda: len(one_manager.variables("WATCHDOG")) > fed + 1, "it lives all the same")


def signs(follower: Following) -> dict[str, object]:
    return json.loads(pathlib.Path(f"{follower.shakectl.journal}/vitals.json").read_text(encoding="utf-8"))


def speaks(daemon: Daemon, follower: Following, times: int) -> None:
    """Waits until the daemon has said so often how it fares."""
    for _ in range(times):
        last = signs(follower)["written"]
        daemon.until(lambda: signs(follower)["written"] != last, "it says how it fares")


def test_a_journal_that_hangs_starves_the_watchdog_until_it_gets_on(
    rig: Rig, sharded: ShardedSource, one_manager: Manager, hanging_disk: str
) -> None:
    hangs, ahead = rig.folder / "hangs", rig.folder / "ahead"
    follower = following(rig, sharded, "--http", "127.0.0.1:0")
    daemon = follower.start(
        [*one_manager.environment(), f"LD_PRELOAD={hanging_disk}", f"SHAKE_DISK_HANGS={hangs}", f"SHAKE_CLOCK_AHEAD={ahead}"])
    follower.wait_for(1)
    daemon.until(lambda: one_manager.variables("READY"), "it says that it is up")
    client = HTTPClient.of(daemon)
    assert client.get("/livez").status == 200
    hangs.touch()
    table = follower.tables[0]
    table.put(table.open_shard(), "b", 2)
    daemon.until(lambda: signs(follower).get("journalBusySince"), "it sees that the journal does not answer")
    ahead.touch()
    daemon.until(
        lambda: any(line.startswith("hangs: the journal has taken nothing") for line in one_manager.variables("STATUS")),
        "it says that it hangs")
    fed = len(one_manager.variables("WATCHDOG"))
    speaks(daemon, follower, 3)
    assert len(one_manager.variables("WATCHDOG")) == fed, "it says that it lives"
    assert follower.shakectl.one("status")["health"] == "failed"
    dead = client.get("/livez")
    assert dead.status == 503 and "it hangs: the journal has taken nothing" in dead.text, "a probe would end it as well"
    hangs.unlink()
    daemon.until(lambda: len(one_manager.variables("WATCHDOG")) > fed, "it says again that it lives")
    daemon.until(lambda: client.get("/livez").status == 200, "so a probe hears")
    assert follower.shakectl.call("verify").returncode == 0
