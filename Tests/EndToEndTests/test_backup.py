"""Backups, restores, exports and imports of the journal: hot, verified, and beside a target of another moment."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time
from typing import Any

import pytest
from following import Following
from ledger import unaccounted
from localsource import SourceTable
from rig import Follower, Rig, item, key
from shake import Shakectl, json_lines, until
from shardedsource import Fault, ShardedSource
from test_recovery import copy_database, restore_database


@pytest.fixture
def follower(rig: Rig, table: SourceTable) -> Follower:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(40)])
    follower.catch_up()
    return follower


def at(follower: Follower, journal: pathlib.Path) -> Shakectl:
    """The same program, another journal."""
    return Shakectl(follower.shakectl.binary, journal)


def witness(follower: Follower) -> None:
    """Whoever touches an item of the target from here on leaves a trace in it."""
    with sqlite3.connect(follower.replica.path) as database:
        database.execute("CREATE TABLE touched (what TEXT)")
        for change in ("INSERT", "UPDATE", "DELETE"):
            database.execute(
                f'CREATE TRIGGER touched_{change} AFTER {change} ON "{follower.table.name}" '
                f"BEGIN INSERT INTO touched VALUES ('{change}'); END")
    database.close()


def restore(follower: Follower, backup: pathlib.Path) -> None:
    shutil.move(follower.shakectl.journal, follower.shakectl.journal + ".before")
    follower.shakectl.text("restore", str(backup))
    shutil.rmtree(follower.shakectl.journal + ".before")


# --- Backup and restore ---


def test_a_backup_that_is_taken_while_the_daemon_writes_is_whole(follower: Follower) -> None:
    backup = follower.rig.folder / "backup"
    for number in range(3):
        follower.table.put_all([item(version, number) for version in range(40)])
        report = follower.shakectl.one("backup", f"{backup}{number}")
        verified = at(follower, pathlib.Path(f"{backup}{number}")).one("verify")
        assert verified["ok"] is True
        assert {name: report[name] for name in ("events", "folded", "shards", "last_position")} == {
            name: verified[name] for name in ("events", "folded", "shards", "last_position")}
        assert report["bytes"] == os.path.getsize(f"{backup}{number}/data.mdb")
    follower.catch_up()
    follower.stop()
    assert follower.differences() == []
    everything = follower.events()
    for number in range(3):
        copied = at(follower, pathlib.Path(f"{backup}{number}")).json("tail")
        assert copied == everything[: len(copied)]


def test_a_backup_says_where_it_is_and_how_to_go_back(follower: Follower) -> None:
    backup = follower.rig.folder / "a backup"
    text = follower.shakectl.text("backup", str(backup))
    assert text.startswith("backed up to ")
    assert f"shakectl restore '{backup}'" in text
    assert (backup.stat().st_mode & 0o777, (backup / "data.mdb").stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_killed_backup_leaves_no_journal(follower: Follower, hanging_disk: str) -> None:
    """It is killed with all of the copy written and nothing of it durable: its disk hangs."""
    follower.stop()
    backup, leftover, hangs = (follower.rig.folder / name for name in ("backup", "backup.incomplete", "hangs"))
    hangs.touch()
    process = subprocess.Popen(
        [follower.shakectl.binary, "backup", str(backup), "--journal", follower.shakectl.journal],
        env={**follower.shakectl.environment, "LD_PRELOAD": hanging_disk, "SHAKE_DISK_HANGS": str(hangs)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    data = leftover / "data.mdb"
    until(lambda: process.poll() is not None or data.exists() and data.stat().st_size >= 8192, "it writes the copy")
    process.kill()
    _, stderr = process.communicate()
    assert process.returncode == -signal.SIGKILL, stderr
    assert data.exists(), "it has left something"
    assert not backup.exists()
    assert at(follower, backup).call("verify").returncode == 74, "there is no journal"
    follower.shakectl.text("backup", str(backup))
    assert at(follower, backup).one("verify")["ok"] is True
    assert not leftover.exists()


def test_a_backup_whose_disk_is_full_leaves_nothing(follower: Follower) -> None:
    """A file that can't grow ends it in the middle of the copy."""
    follower.stop()
    backup = follower.rig.folder / "backup"
    ended = subprocess.run(
        ["sh", "-c", "ulimit -f 16; exec \"$0\" \"$@\"", follower.shakectl.binary,
         "backup", str(backup), "--journal", follower.shakectl.journal],
        env=follower.shakectl.environment, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 74 and "can't be written" in ended.stderr, ended.stderr
    assert not backup.exists() and not (follower.rig.folder / "backup.incomplete").exists()


@pytest.mark.parametrize("command", ["backup", "restore", "import"])
def test_nothing_is_ever_written_over(follower: Follower, command: str) -> None:
    """Whichever folder a command would make: one with a journal is refused, and stays as it is."""
    follower.stop()
    before = follower.events()
    export = follower.rig.folder / "journal.jsonl"
    export.write_text(follower.shakectl.text("export"))
    follower.shakectl.text("backup", str(follower.rig.folder / "backup"))
    argument = {"backup": follower.shakectl.journal, "restore": str(follower.rig.folder / "backup"), "import": str(export)}
    result = follower.shakectl.call(command, argument[command])
    assert result.returncode == 73
    assert follower.shakectl.journal in result.stderr and "move that one away" in result.stderr
    assert follower.events() == before
    # A folder with something else in it.
    other = follower.rig.folder / "other"
    other.mkdir()
    (other / "letter").write_text("dear")
    if command == "backup":
        result = follower.shakectl.call(command, str(other))
    else:
        result = at(follower, other).call(command, argument[command])
    assert result.returncode == 73, result.stderr
    assert os.listdir(other) == ["letter"]


def test_what_is_no_backup_is_said(follower: Follower, rig: Rig) -> None:
    new = rig.shakectl("new")
    missing = new.call("restore", str(rig.folder / "nowhere"))
    assert missing.returncode == 74
    assert "nowhere" in missing.stderr and "shakectl backup" in missing.stderr
    follower.shakectl.text("backup", str(rig.folder / "backup"))
    data = rig.folder / "backup" / "data.mdb"
    content = data.read_bytes()
    shard = follower.shard.encode()
    data.write_bytes(content.replace(shard, shard[:-1] + b"X"))
    damaged = new.call("restore", str(rig.folder / "backup"))
    assert damaged.returncode == 65
    assert "Nothing was restored" in damaged.stderr and str(rig.folder / "backup") in damaged.stderr
    assert not os.path.exists(new.journal) and not os.path.exists(new.journal + ".incomplete")
    data.write_bytes(content)
    new.text("restore", str(rig.folder / "backup"))
    assert new.one("verify")["ok"] is True


def test_a_journal_restored_beside_a_target_that_went_on_replays_nothing(follower: Follower) -> None:
    backup = follower.rig.folder / "backup"
    follower.shakectl.text("backup", str(backup))
    for number in range(10):
        follower.table.update(key(number), version={"N": "1"})
    follower.table.delete(key(20))
    follower.catch_up()
    follower.stop()
    restore(follower, backup)
    end = follower.history()[-1]["position"]
    witness(follower)

    follower.start()
    follower.catch_up()
    assert sum(event["records"] for event in follower.advances_after(end)) == 0
    assert follower.sqlite.query("SELECT count(*) FROM touched") == [(0,)]
    follower.table.put(item(41))
    follower.catch_up()
    follower.stop()
    assert follower.sqlite.query("SELECT count(*) FROM touched") == [(1,)]
    assert follower.differences() == []
    assert unaccounted(follower.history(), follower.table.sequence_numbers()) == []
    assert follower.shakectl.one("verify")["ok"] is True


def test_a_journal_from_before_a_rewind_is_not_taken_back_by_it(follower: Follower) -> None:
    """The target has the positions of a rewind that the restored journal knows nothing of."""
    backup = follower.rig.folder / "backup"
    follower.shakectl.text("backup", str(backup))
    numbers = follower.table.sequence_numbers()
    follower.shakectl.text("rewind", follower.shard, numbers[4], "--reason", "a test")
    for number in range(5):
        follower.table.update(key(number), version={"N": "7"})
    follower.catch_up()
    follower.stop()
    restore(follower, backup)

    follower.start()
    for number in range(5, 10):
        follower.table.update(key(number), version={"N": "8"})
    follower.catch_up()
    follower.stop()
    assert follower.differences() == []
    assert follower.shakectl.one("verify")["ok"] is True


def test_a_journal_from_before_a_rewind_is_caught_up_where_the_replay_was_cut_off(rig: Rig, sharded: ShardedSource) -> None:
    """Older rows lie over newer ones then, and only the target knows."""
    sharded.page_limit = 20
    table = sharded.create_table("orders")
    shard = table.open_shard()
    for version in range(400):
        table.put(shard, f"key-{version % 10}", version)
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    daemon.until(lambda: positions(following) == [(0, table.numbers()[-1])], "all is there")
    backup = rig.folder / "backup"
    following.shakectl.text("backup", str(backup))

    def cut_off(operation: str, request: dict[str, Any]) -> Fault | None:
        """What is read comes slowly, and no more of it once the replay has brought something."""
        if not operation.endswith("GetRecords"):
            return None
        time.sleep(0.05)
        return Fault(500) if positions(following)[0][0] == 1 else None

    sharded.fault = cut_off
    following.shakectl.text("rewind", shard.id, "--to-start", "--reason", "a test")
    daemon.until(lambda: positions(following)[0][0] == 1, "the replay has begun")
    daemon.kill()
    assert positions(following)[0][1] != table.numbers()[-1], "and was cut off"
    sharded.fault = lambda operation, request: None
    os.rename(following.shakectl.journal, rig.folder / "aside")
    following.shakectl.text("restore", str(backup))

    daemon = following.start()
    daemon.until(lambda: {item["pk"]["S"]: item for item in following.sqlite.items("orders")} == table.items, "it is caught up")
    # And a rewind that is said again is one.
    before = following.shakectl.json("history", shard.id)[-1]["position"]
    following.shakectl.text("rewind", shard.id, "--to-start", "--reason", "again")
    daemon.until(
        lambda: sum(
            event["records"] for event in following.shakectl.json("history", shard.id, "--event", "sequence_advanced")
            if event["position"] > before) >= 400,
        "all of it is brought again",
    )
    assert following.shakectl.one("verify")["ok"] is True


def positions(following: Following) -> list[tuple[int, str]]:
    return following.sqlite.query("SELECT epoch, sequence_number FROM _shake_positions")


def test_both_restored_from_their_backups_are_caught_up(follower: Follower) -> None:
    """The target's copy is older than the journal's: the shard is rewound to what the target holds."""
    copy = follower.rig.folder / "copy.db"
    copy_database(follower.replica.path, copy)
    held = follower.held()
    for number in range(10):
        follower.table.update(key(number), version={"N": "1"})
    follower.catch_up()
    backup = follower.rig.folder / "backup"
    follower.shakectl.text("backup", str(backup))
    for number in range(10, 20):
        follower.table.delete(key(number))
    follower.catch_up()
    follower.stop()
    restore(follower, backup)
    restore_database(copy, follower.replica.path)
    assert follower.differences() != []

    follower.start()
    follower.catch_up()
    follower.stop()
    assert follower.differences() == []
    [rewound] = [event for event in follower.history() if event["event"] == "rewound"]
    assert (rewound["author"], rewound["to_sequence_number"]) == ("recovery", held)
    assert unaccounted(follower.history(), follower.table.sequence_numbers()) == []


def test_a_journal_restored_to_before_the_targets_full_sync_scans_again(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table, mode="all")
    table.put_all([item(number) for number in range(40)])
    daemon = follower.start()
    daemon.until(lambda: follower.sqlite.count(table.name) == 40, "the table is scanned")
    daemon.until(lambda: any(event["event"] == "scan_finished" for event in follower.events_or_none()), "and it is journaled")
    backup = rig.folder / "backup"
    follower.shakectl.text("backup", str(backup))
    follower.shakectl.text("resync", table.name, "--reason", "a test")
    daemon.until(
        lambda: len([event for event in follower.events() if event["event"] == "scan_finished"]) == 2, "the second scan")
    table.delete(key(3))
    follower.catch_up()
    follower.stop()
    restore(follower, backup)

    # "a journal from before the target's last full sync needs another one" (docs/OPERATING.md).
    table.put(item(41))
    refused = follower.attempt()
    assert refused.returncode == 69
    assert "needs a full sync" in refused.stderr and "the journal is an older copy" in refused.stderr
    daemon = follower.start()
    daemon.until(lambda: follower.differences() == [], "source and target are equal")
    follower.stop()
    assert follower.shakectl.one("verify")["ok"] is True


# --- Export and import ---


def export(follower: Follower) -> list[str]:
    return [line for line in follower.shakectl.text("export").split("\n") if line]


def test_an_export_is_the_journal_and_comes_back_as_it_was(follower: Follower, rig: Rig) -> None:
    follower.shakectl.text("rewind", follower.shard, follower.table.sequence_numbers()[4], "--reason", "ünïcödé \" \\")
    follower.table.put(item(50))
    follower.catch_up()
    follower.stop()
    lines = export(follower)
    head, *events = [json.loads(line) for line in lines]
    assert head["shake_export"] == 1 and head["last_position"] == events[-1]["position"]
    told = [{name: value for name, value in event.items() if name not in ("hash", "encoded")} for event in events]
    assert told == follower.events()

    file = rig.folder / "journal.jsonl"
    file.write_text("\n".join(lines) + "\n")
    new = rig.shakectl("new")
    report = new.one("import", str(file))
    assert report["last_position"] == head["last_position"]
    assert [line for line in new.text("export").split("\n") if line] == lines
    assert new.one("verify") == follower.shakectl.one("verify")
    shards, before = new.json("shards"), follower.shakectl.json("shards")
    for shard in shards + before:
        shard["lag_seconds"] = None  # the newest record grows older
    assert shards == before
    assert new.one("state", follower.shard) == follower.shakectl.one("state", follower.shard)

    # The daemon goes on from it.
    follower.shakectl.journal = new.journal
    follower.start()
    follower.table.delete(key(1))
    numbers = follower.catch_up()
    follower.stop()
    assert follower.differences() == []
    assert unaccounted(follower.history(), numbers) == []


def test_a_pipe_from_export_to_import_needs_no_file(follower: Follower, rig: Rig) -> None:
    new = rig.folder / "new"
    ran = subprocess.run(
        ["sh", "-c", '"$0" export --journal "$1" | "$0" import - --journal "$2" --json', follower.shakectl.binary,
         follower.shakectl.journal, str(new)],
        env=follower.shakectl.environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["path"] == str(new)
    assert at(follower, new).one("verify")["ok"] is True


def test_an_export_that_another_program_has_written_anew_is_taken(follower: Follower, rig: Rig) -> None:
    """Spaces and the order of members say nothing; fields that this version doesn't know are another's."""
    follower.stop()
    lines = export(follower)
    other = [json.dumps(dict(reversed(list({**json.loads(line), "more": [1, None]}.items())))) for line in lines]
    file = rig.folder / "journal.jsonl"
    file.write_text("\n".join(other))
    new = rig.shakectl("new")
    new.text("import", str(file))
    assert [line for line in new.text("export").split("\n") if line] == lines


@pytest.mark.parametrize("what", [
    "text", "bytes", "hash", "field", "gap", "swap", "cut", "short", "long", "head", "version", "base64", "empty",
])
def test_the_first_bad_line_is_named_and_nothing_is_left(follower: Follower, rig: Rig, what: str) -> None:
    follower.stop()
    lines = export(follower)
    place = next(number for number, line in enumerate(lines) if '"event":"sequence_advanced"' in line)
    event = json.loads(lines[place])
    bad = place + 1
    match what:
        case "text": lines[place] = "what is this"
        case "bytes":
            content = bytearray(base64.b64decode(event["encoded"]))
            content[-1] ^= 1
            lines[place] = json.dumps({**event, "encoded": base64.b64encode(content).decode()})
        case "hash": lines[place] = json.dumps({**event, "hash": "00" + event["hash"][2:]})
        case "field": lines[place] = lines[place].replace('"records":', '"records":1')
        case "gap": del lines[place]
        case "swap": lines[place], lines[place + 1] = lines[place + 1], lines[place]
        case "cut": lines[place:] = [lines[place][:40]]
        case "short":
            del lines[place:]
            bad = place
        case "long":
            lines.append(lines[-1])
            bad = len(lines)
        case "head":
            del lines[0]
            bad = 1
        case "version":
            lines[0] = lines[0].replace('"shake_export":1', '"shake_export":2')
            bad = 1
        case "base64": lines[place] = json.dumps({**event, "encoded": "?"})
        case "empty":
            lines = []
            bad = 1
    file = rig.folder / "journal.jsonl"
    file.write_text("".join(line + "\n" for line in lines))
    new = rig.shakectl("new")
    result = new.call("import", str(file))
    assert result.returncode == 65, result.stderr
    assert f"{file}, line {bad}: " in result.stderr, result.stderr
    assert "Nothing was imported" in result.stderr
    assert not os.path.exists(new.journal) and not os.path.exists(new.journal + ".incomplete")


def test_a_line_without_an_end_is_refused_with_bounded_memory(follower: Follower, rig: Rig) -> None:
    file = rig.folder / "journal.jsonl"
    with open(file, "wb") as written:
        written.write(export(follower)[0].encode() + b"\n")
        for _ in range(300):
            written.write(b"x" * (1 << 20))
    new = rig.shakectl("new")
    process = subprocess.Popen(
        [new.binary, "import", str(file), "--journal", new.journal], env=new.environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    stderr = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 65
    assert f"{file}, line 2: it has no end within 64 MiB" in stderr and "Nothing was imported" in stderr
    assert usage.ru_maxrss < 300 << 10, f"{usage.ru_maxrss >> 10} MiB"
    assert not os.path.exists(new.journal) and not os.path.exists(new.journal + ".incomplete")


def test_import_says_what_it_wants(rig: Rig) -> None:
    new = rig.shakectl("new")
    assert new.call("import").returncode == 64
    missing = new.call("import", str(rig.folder / "nothing.jsonl"))
    assert missing.returncode == 64 and "nothing.jsonl" in missing.stderr
    help_text = new.call("import", "--help", journal=False)
    assert help_text.returncode == 0 and "nimoshake" in help_text.stdout
    assert json_lines("") == []
