"""A journal that is damaged, foreign or out of reach: no crash, no silent continuation, and what to do is said."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest
from localsource import SourceTable
from rig import Follower, Rig, item

MARK = "a-reason-that-is-nowhere-else-in-this-file"


@pytest.fixture
def follower(rig: Rig, table: SourceTable) -> Follower:
    """A stopped daemon's journal whose last event carries `MARK`, in clear."""
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(20)])
    numbers = follower.catch_up()
    follower.stop()
    follower.shakectl.text("rewind", follower.shard, numbers[9], "--reason", MARK)
    return follower


def data(follower: Follower) -> pathlib.Path:
    return pathlib.Path(follower.shakectl.journal) / "data.mdb"


def test_output_to_a_closed_descriptor_does_not_go_into_the_journal(follower: Follower) -> None:
    before = data(follower).read_bytes()
    for closed in ("<&- >&-", ">&-", "<&- >&- 2>&-"):
        result = subprocess.run(
            ["sh", "-c", f'exec "$0" status --journal "$1" {closed}', follower.shakectl.binary, follower.shakectl.journal],
            env=follower.shakectl.environment, timeout=20,
        )
        assert result.returncode == 74, "nobody could see it"
        assert data(follower).read_bytes() == before
    assert follower.shakectl.one("verify")["ok"] is True


@pytest.mark.parametrize("page", [0, 4096])
@pytest.mark.parametrize("byte", [136 + 3, 136 + 4, 136 + 5, 136 + 7])
def test_a_meta_page_that_claims_more_than_there_can_be_is_damage(follower: Follower, page: int, byte: int) -> None:
    """LMDB would ask again and again for a map of that size."""
    content = bytearray(data(follower).read_bytes())
    content[page + byte] ^= 0x08
    data(follower).write_bytes(content)
    for command in ("verify", "status"):
        result = follower.shakectl.call(command)
        # Of the two pages only the newer one counts.
        assert result.returncode in (0, 65), result.stderr
    codes = [follower.shakectl.call("verify").returncode]
    content[4096 - page + byte] ^= 0x08
    data(follower).write_bytes(content)
    codes.append(follower.shakectl.call("verify").returncode)
    assert codes[1] == 65


def test_one_flipped_bit_in_an_event_is_found_and_its_position_named(follower: Follower) -> None:
    [event] = [event for event in follower.history() if event["event"] == "rewound"]
    content = bytearray(data(follower).read_bytes())
    places = [place for place in range(len(content)) if content.startswith(MARK.encode(), place)]
    assert places, "the event's text is in the file"
    for place in places:  # LMDB may have left an older copy of the page behind
        content[place + 3] ^= 0x01
    data(follower).write_bytes(content)

    result = follower.shakectl.call("verify", "--json")
    assert result.returncode == 65, result.stderr
    [line] = result.stdout.splitlines()
    assert line.startswith('{"ok":false')
    assert f'"position":{event["position"]}' in line

    text = follower.shakectl.call("verify")
    assert text.returncode == 65
    assert str(event["position"]) in text.stderr

    refused = follower.attempt()
    assert refused.returncode == 65, refused.stderr
    assert str(event["position"]) in refused.stderr


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.8])
def test_a_truncated_data_file_is_refused(follower: Follower, share: float) -> None:
    size = data(follower).stat().st_size
    os.truncate(data(follower), int(size * share))
    for result in (follower.shakectl.call("verify"), follower.attempt("--until-idle", "0.2")):
        assert result.returncode == 65, (result.returncode, result.stderr)
        assert follower.shakectl.journal in result.stderr
        assert share == 0.0 or " at position " in result.stderr, "what is gone begins somewhere"


@pytest.mark.parametrize("name", ["data.mdb", "letter.txt"])
def test_a_folder_that_is_no_journal_is_left_alone(rig: Rig, table: SourceTable, name: str) -> None:
    follower = Follower(rig, "sqlite", table)
    folder = pathlib.Path(follower.shakectl.journal)
    folder.mkdir()
    (folder / name).write_bytes(b"Dear reader,\n" * 1000)
    before = sorted(path.name for path in folder.iterdir())
    for result in (follower.attempt(), follower.shakectl.call("status")):
        assert result.returncode in (64, 65, 73, 74), (result.returncode, result.stderr)
        assert str(folder) in result.stderr
    assert (folder / name).read_bytes() == b"Dear reader,\n" * 1000
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_file_in_the_journals_place_is_refused(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    pathlib.Path(follower.shakectl.journal).write_text("not a folder")
    result = follower.attempt()
    assert result.returncode in (64, 65, 73), result.stderr
    assert follower.shakectl.journal in result.stderr


def test_a_journal_that_cannot_be_made_is_said_so(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.shakectl.journal = "/proc/no-folder-can-be-made-here"
    result = follower.attempt()
    assert result.returncode == 73, result.stderr
    assert follower.shakectl.journal in result.stderr


@pytest.mark.parametrize("command", [["status"], ["shards"], ["tail"], ["verify"], ["history", "x"], ["state", "x"]])
def test_a_reading_command_makes_no_journal(rig: Rig, command: list[str]) -> None:
    shakectl = rig.shakectl()
    result = shakectl.call(*command)
    assert result.returncode not in (0, 70), result.stderr
    assert shakectl.journal in result.stderr
    assert not os.path.exists(shakectl.journal)


def test_the_journal_is_for_its_owner_only(follower: Follower) -> None:
    folder = pathlib.Path(follower.shakectl.journal)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_read_only_journal_is_refused_to_the_daemon_and_shown_to_readers(follower: Follower) -> None:
    journal = follower.shakectl.journal
    can_mount = os.geteuid() == 0 and subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, check=False
    ).returncode == 0
    if can_mount:
        # For root, permissions are no obstacle; a read-only mount is.
        script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        prefix = ["unshare", "--mount", "sh", "-c", script, journal]
    elif os.geteuid() != 0:
        for path in [*pathlib.Path(journal).iterdir(), pathlib.Path(journal)]:
            path.chmod(0o500 if path.is_dir() else 0o400)
        prefix = []
    else:
        pytest.skip("root without the right to mount can write everywhere")

    refused = follower.attempt(prefix=prefix)
    assert refused.returncode == 77, refused.stderr
    assert journal in refused.stderr
    for command in (["status", "--json"], ["verify", "--json"], ["history", follower.shard]):
        shown = follower.shakectl.call(*command, prefix=prefix)
        assert shown.returncode == 0, shown.stderr
    rewind = follower.shakectl.call("rewind", follower.shard, "--to-start", prefix=prefix)
    assert rewind.returncode == 77, rewind.stderr


def test_a_copy_of_the_folder_is_a_journal(follower: Follower, rig: Rig) -> None:
    shutil.copytree(follower.shakectl.journal, rig.folder / "copy")
    copy = rig.shakectl("copy")
    assert copy.one("verify") == follower.shakectl.one("verify")
    assert copy.json("tail") == follower.events()
