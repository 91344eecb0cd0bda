"""A disk that fails one call beneath the journal: nothing that was not durable is built upon, by this run or the next."""

from __future__ import annotations

import itertools
import pathlib
import shutil
import subprocess

import pytest
from ledger import unaccounted
from localsource import SourceTable
from rig import Follower, Rig, images, item, line_images
from shake import until


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a disk that fails is made with a C compiler, and there is no cc")
    library = tmp_path_factory.mktemp("shim") / "failingdisk.so"
    source = pathlib.Path(__file__).with_name("failingdisk.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl", "-lpthread"],
        check=True,
    )
    return str(library)


class FailingDisk:
    """A daemon's start on it, and what is left when the machine loses power."""

    def __init__(self, folder: pathlib.Path, shim: str, failure: str) -> None:
        self.image = folder / "image"
        self._trigger = folder / "trigger"
        self.beneath = [
            "env", f"LD_PRELOAD={shim}", f"SHAKE_DISK_IMAGE={self.image}", f"SHAKE_DISK_FAIL={failure}",
            f"SHAKE_DISK_TRIGGER={self._trigger}",
        ]

    def break_down(self) -> None:
        self._trigger.touch()

    @property
    def has_failed(self) -> bool:
        return self._trigger.exists() and self._trigger.read_text() != ""


@pytest.mark.parametrize("power", ["stays", "fails"])
@pytest.mark.parametrize("failure", ["data:1", "data:2", "sync:1", "sync:2", "meta:1", "meta:2", "meta-written:1"])
def test_a_write_or_sync_that_fails_is_never_built_upon(
    rig: Rig, table: SourceTable, shim: str, failure: str, power: str
) -> None:
    disk = FailingDisk(rig.folder, shim, failure)
    follower = Follower(rig, "jsonl", table)
    daemon = follower.start(disk.beneath)
    for round in range(3):
        table.put_all([item(number, round) for number in range(20)])
        follower.catch_up()
    known = follower.journaled()
    assert known is not None

    disk.break_down()
    fresh = itertools.count(100)

    def ended() -> bool:
        table.put(item(next(fresh)))
        return not daemon.is_running

    until(ended, "the journal meets the failure")
    assert daemon.process.returncode == 74, daemon.log
    assert disk.has_failed
    assert follower.shakectl.journal in daemon.log
    assert "health" in daemon.log, "space, or the disk's health: what to look at is said"

    if power == "fails":
        shutil.copy(disk.image, pathlib.Path(follower.shakectl.journal) / "data.mdb")
        assert int(follower.journaled() or 0) >= int(known), "what was acknowledged has survived"
    assert follower.shakectl.one("verify")["ok"] is True

    follower.start()
    table.put_all([item(number, 4) for number in range(20)])
    numbers = follower.catch_up()
    follower.stop()
    assert follower.shakectl.one("verify")["ok"] is True
    assert unaccounted(follower.history(), numbers) == []
    assert [line_images(line) for line in follower.jsonl.lines()] == [images(record) for record in table.records()]


def test_a_disk_that_fails_at_the_start_is_no_journal_to_start_with(
    rig: Rig, table: SourceTable, shim: str
) -> None:
    follower = Follower(rig, "jsonl", table)
    follower.start()
    table.put_all([item(number) for number in range(20)])
    follower.catch_up()
    follower.kill()
    before = follower.events()

    disk = FailingDisk(rig.folder, shim, "sync:1")
    disk.break_down()
    result = follower.attempt(prefix=disk.beneath)
    assert result.returncode == 74, result.stderr
    assert follower.shakectl.journal in result.stderr
    assert disk.has_failed
    assert follower.events() == before, "what is read may not be on the disk: nothing is appended to it"
