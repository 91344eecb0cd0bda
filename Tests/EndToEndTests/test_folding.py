"""Old events are folded together, by the daemon and by hand, and the journal stays provable."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest
from crashtest import clock_ahead
from localsource import SourceTable
from rig import Follower, Rig, item, key
from shake import Shakectl, json_lines, until


@pytest.fixture
def follower(rig: Rig, table: SourceTable) -> Follower:
    """A stopped daemon's journal with sixty advances of one shard."""
    follower = Follower(rig, "sqlite", table, more=("--poll-maximum", "20ms"))
    follower.start()
    for number in range(60):
        table.put(item(number))
        follower.catch_up()
    follower.stop()
    return follower


def ahead(rig: Rig, seconds: int) -> list[str]:
    """What a command begins with that is to be run so much later."""
    return ["env", f"LD_PRELOAD={clock_ahead(str(rig.folder))}", f"SECONDS_AHEAD={seconds}"]


def kinds(follower: Follower) -> list[str]:
    return [event["event"] for event in follower.history()]


def test_a_daemon_folds_what_is_old_at_its_start_and_goes_on(follower: Follower, rig: Rig) -> None:
    before = follower.shakectl.one("state", follower.shard)
    # Three days later the stream has forgotten what came after: that is another matter.
    follower.arguments += ["--on-loss", "skip"]
    daemon = follower.start(prefix=ahead(rig, 3 * 86_400))
    daemon.until(lambda: "advances_folded" in kinds(follower), "old advances are folded")
    follower.table.update(key(1), version={"N": "1"})
    follower.catch_up()
    follower.stop()
    verified = follower.shakectl.one("verify")
    assert verified["ok"] is True and verified["folded"] >= 50
    assert follower.shakectl.one("state", follower.shard)["epoch"] == before["epoch"]
    assert kinds(follower).count("sequence_advanced") < 10, "one advance an hour stays"
    assert follower.differences() == []


def compact(follower: Follower, rig: Rig, *arguments: str, hours: int = 0) -> dict[str, object]:
    result = follower.shakectl.call("compact", *arguments, "--json", prefix=ahead(rig, hours * 3600))
    assert result.returncode == 0, result.stderr
    [report] = json_lines(result.stdout)
    return report


def test_when_and_how_much_is_as_it_is_asked_for(follower: Follower, rig: Rig) -> None:
    assert compact(follower, rig, hours=3)["folded"] == 0, "they are younger than 48 hours"
    options = ["--fold-after", "1h", "--fold-resolution", "1s"]
    fine = compact(follower, rig, *options, "--dry-run", hours=3)["folded"]
    coarse = compact(follower, rig, *options[:2], "--dry-run", hours=3)["folded"]
    assert isinstance(fine, int) and isinstance(coarse, int)
    assert 0 < fine < coarse < 60, "one a second stays, or one an hour"
    # The file says it too.
    (rig.folder / "shake.yaml").write_text("fold: {after: 1h, resolution: 1h}\n")
    assert compact(follower, rig, "--config", str(rig.folder / "shake.yaml"), "--dry-run", hours=3)["folded"] == coarse
    assert compact(follower, rig, *options, hours=3)["folded"] == fine
    assert compact(follower, rig, *options, hours=3)["folded"] == 0
    verified = follower.shakectl.one("verify")
    assert (verified["ok"], verified["folded"]) == (True, fine)


def test_a_compacted_copy_is_smaller_and_the_same_journal(follower: Follower, rig: Rig) -> None:
    copy = rig.folder / "copy"
    report = compact(follower, rig, "--fold-after", "1h", "--copy", str(copy), hours=3)
    assert isinstance(report["copy"], dict) and report["copy"]["path"] == str(copy)
    size = os.path.getsize(os.path.join(follower.shakectl.journal, "data.mdb"))
    assert report["copy"]["bytes"] == os.path.getsize(copy / "data.mdb") < size
    copied = Shakectl(follower.shakectl.binary, copy)
    assert copied.one("verify") == follower.shakectl.one("verify")
    assert copied.text("export") == follower.shakectl.text("export")
    again = follower.shakectl.call("compact", "--copy", str(copy))
    assert again.returncode == 73 and "there is a journal already" in again.stderr

    # The daemon goes on from it.
    os.rename(follower.shakectl.journal, follower.shakectl.journal + ".before")
    os.rename(copy, follower.shakectl.journal)
    follower.start()
    follower.table.delete(key(3))
    follower.catch_up()
    follower.stop()
    assert follower.differences() == []


def test_a_copy_beside_a_daemon_is_refused_since_what_comes_after_it_would_be_lost(follower: Follower, rig: Rig) -> None:
    follower.start()
    follower.table.put(item(3, 1))
    follower.catch_up()
    refused = follower.shakectl.call("compact", "--copy", str(rig.folder / "copy"))
    assert refused.returncode == 75, refused.stderr
    assert "in use by another daemon" in refused.stderr and f"pid {follower.daemon.pid}" in refused.stderr
    assert not (rig.folder / "copy").exists() and not (rig.folder / "copy.incomplete").exists()
    assert follower.shakectl.call("compact").returncode == 0, "without a copy it works beside one"
    follower.stop()
    assert follower.shakectl.call("compact", "--copy", str(rig.folder / "copy")).returncode == 0


@contextlib.contextmanager
def copying(follower: Follower, rig: Rig, hanging_disk: str) -> Iterator[subprocess.Popen[str]]:
    """`compact --copy`, with all of the copy written and nothing of it durable: its disk hangs until this is over."""
    hangs, data = rig.folder / "hangs", rig.folder / "copy.incomplete" / "data.mdb"
    hangs.touch()
    process = subprocess.Popen(
        [follower.shakectl.binary, "compact", "--copy", str(rig.folder / "copy"), "--journal", follower.shakectl.journal],
        env={**follower.shakectl.environment, "LD_PRELOAD": hanging_disk, "SHAKE_DISK_HANGS": str(hangs),
             "SHAKE_DISK_HANGS_IN": "copy.incomplete"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or data.exists() and data.stat().st_size >= 8192, "it writes the copy")
        yield process
    finally:
        hangs.unlink()
        process.communicate(timeout=60)


def test_while_it_is_copied_no_daemon_runs_and_none_hangs(follower: Follower, rig: Rig, hanging_disk: str) -> None:
    """What the daemon has said an hour ago is no sign of the copying, which is no daemon."""
    path = pathlib.Path(follower.shakectl.journal) / "vitals.json"
    signs = json.loads(path.read_text())
    path.write_text(json.dumps(signs | {"written": signs["written"] - 3_600_000_000}))
    with copying(follower, rig, hanging_disk) as process:
        who = "the journal is being copied by `compact --copy` (host "
        [table] = follower.shakectl.json("status")
        assert table["health"] == "stopped" and table["reason"].startswith(f"no daemon is running; {who}"), table
        assert f", pid {process.pid}, since " in table["reason"]
        assert follower.shakectl.text("status").startswith(f"daemon: not running; {who}")
        checked = follower.shakectl.call("status", "--check")
        assert checked.returncode == 69 and f"is stopped: no daemon is running; {who}" in checked.stderr, checked.stderr
        explained = follower.shakectl.one("explain", follower.shard)
        assert any(sentence.startswith(f"No daemon is running; {who}") for sentence in explained["next"]), explained
        [found] = [line for line in json_lines(follower.shakectl.call("doctor", "--json").stdout) if line["check"] == "daemon"]
        assert (found["severity"], found["exit_code"]) == ("problem", 75) and who in found["detail"]
        refused = follower.attempt()
        assert refused.returncode == 75 and f"pid {process.pid}" in refused.stderr, refused.stderr
        process.kill()
    # It is over however it ended.
    assert "being copied" not in follower.shakectl.text("status")
    follower.start()
    follower.catch_up()
    assert follower.shakectl.text("status").startswith("daemon: running, host ")
    follower.stop()


def test_a_copy_of_which_the_journal_went_on_is_refused(follower: Follower, rig: Rig, hanging_disk: str) -> None:
    """What somebody said while it was written would be lost with the journal that it is to replace."""
    copy = rig.folder / "copy"
    with copying(follower, rig, hanging_disk) as process:
        last = follower.shakectl.one("verify")["last_position"]
        follower.shakectl.text("pause", follower.table.name, "--reason", "meanwhile")
        gone_on = follower.shakectl.one("verify")["last_position"]
        (rig.folder / "hangs").rename(rig.folder / "no longer")
        _, stderr = process.communicate(timeout=60)
        (rig.folder / "no longer").rename(rig.folder / "hangs")
    assert process.returncode == 75, stderr
    assert f"went on to position {gone_on} while it was copied, and the copy ended at {last}" in stderr
    assert "The copy was removed" in stderr
    assert not copy.exists() and not (rig.folder / "copy.incomplete").exists()
    # Said again, it is all there.
    follower.shakectl.text("compact", "--copy", str(copy))
    [table] = Shakectl(follower.shakectl.binary, copy).json("status")
    assert [pause["reason"] for pause in table["pauses"]] == ["meanwhile"]


def test_what_can_not_be_meant_is_refused(follower: Follower, rig: Rig) -> None:
    refused = follower.shakectl.call("compact", "--fold-after", "48h", "--fold-history", "2h")
    assert refused.returncode == 64 and "--fold-history" in refused.stderr
    assert follower.shakectl.call("compact", "--fold-after", "1s").returncode == 64
    assert follower.shakectl.call("compact", "--copy", str(pathlib.Path(rig.folder) / "a"), "--dry-run").returncode == 64
    assert follower.attempt("--fold-resolution", "2d").returncode == 64
