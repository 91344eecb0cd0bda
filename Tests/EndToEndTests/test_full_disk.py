"""A disk without room, under the journal and under the target: a small file system of its own, filled up."""

from __future__ import annotations

import itertools
import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest
from ledger import unaccounted
from localsource import SourceTable
from rig import Follower, Rig, item
from shake import until


class SmallDisk:
    """2 MiB of memory as a file system, in a mount namespace that no other process sees and that ends with this."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=2m none "$0" && echo && exec cat', str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()  # once it is mounted
        self.inside = ["nsenter", "--target", str(self._holder.pid), "--mount"]

    def shell(self, script: str) -> None:
        subprocess.run([*self.inside, "sh", "-c", script, str(self.folder)], check=True, capture_output=True)

    def fill(self) -> None:
        self.shell('cat /dev/zero > "$0/ballast" 2>/dev/null || true')

    def make_room(self) -> None:
        self.shell('rm "$0/ballast"')

    def close(self) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait()


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> Iterator[SmallDisk]:
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system takes root and the right to mount")
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.close()


def test_a_full_disk_under_the_journal_loses_nothing(rig: Rig, table: SourceTable, disk: SmallDisk) -> None:
    # Polls often, so that the journal gets many events and soon needs another page.
    follower = Follower(rig, "sqlite", table, more=("--poll-maximum", "10ms"))
    follower.shakectl.journal = f"{disk.folder}/journal"
    daemon = follower.start(disk.inside)
    table.put_all([item(number) for number in range(20)])
    numbers = table.sequence_numbers()
    daemon.until(lambda: follower.held() == numbers[-1], "the target is in step")
    disk.fill()
    fresh = itertools.count(20)

    def ended() -> bool:
        table.put(item(next(fresh)))
        return not daemon.is_running

    until(ended, "the journal meets the full disk")
    assert daemon.process.returncode == 74, daemon.log
    assert follower.shakectl.journal in daemon.log
    assert "pace" in daemon.log, "space, on the device: what to do about it is said"

    disk.make_room()
    daemon = follower.start(disk.inside)
    numbers = table.sequence_numbers()
    daemon.until(lambda: follower.held() == numbers[-1], "the target is in step again")
    assert daemon.terminate() == 0
    assert follower.differences() == []
    verified = follower.shakectl.call("verify", prefix=disk.inside)
    assert verified.returncode == 0, verified.stderr


def test_a_full_disk_under_the_target_is_waited_for(rig: Rig, table: SourceTable, disk: SmallDisk) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.arguments[follower.arguments.index("--target") + 1] = f"sqlite:{disk.folder}/replica.db"
    daemon = follower.start(disk.inside)
    table.put_all([item(number) for number in range(20)])
    numbers = table.sequence_numbers()
    daemon.until(lambda: follower.journaled() == numbers[-1], "the target is in step")
    disk.fill()
    table.put_all([item(number, text={"S": "x" * 10_000}) for number in range(30)])
    daemon.until(lambda: "full" in daemon.log, "the daemon says what it waits for")
    assert daemon.is_running

    disk.make_room()
    numbers = table.sequence_numbers()
    daemon.until(lambda: follower.journaled() == numbers[-1], "the target is in step again")
    assert daemon.terminate() == 0
    disk.shell(f'cp "$0"/replica.db* {rig.folder}/')
    assert follower.differences() == []
    assert unaccounted(follower.history(), numbers) == []
