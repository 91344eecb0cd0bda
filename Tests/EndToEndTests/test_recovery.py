"""Target and journal disagree, since one of them was restored or lost: the next start needs no human."""

from __future__ import annotations

import pathlib
import shutil
import sqlite3

import pytest
from ledger import unaccounted
from localsource import SourceTable
from rig import Follower, Rig, item, key


def copy_database(path: str, to: pathlib.Path) -> None:
    """A backup as SQLite's own tools would take it."""
    source, copy = sqlite3.connect(path), sqlite3.connect(to)
    with copy:
        source.backup(copy)
    source.close()
    copy.close()


def restore_database(copy: pathlib.Path, path: str) -> None:
    for suffix in ("-wal", "-shm"):
        pathlib.Path(path + suffix).unlink(missing_ok=True)
    shutil.copy(copy, path)


def test_a_target_restored_from_a_backup_is_caught_up_by_itself(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(40)])
    at_the_backup = follower.catch_up()
    copy_database(follower.replica.path, rig.folder / "backup.db")
    for number in range(10):
        table.update(key(number), version={"N": "1"})
        table.delete(key(number + 20))
    follower.catch_up()
    follower.stop()
    end = follower.history()[-1]["position"]
    restore_database(rig.folder / "backup.db", follower.replica.path)
    assert follower.differences() != []

    follower.start()
    table.put(item(40))
    numbers = follower.catch_up()

    assert follower.differences() == []
    [rewound] = [event for event in follower.history() if event["event"] == "rewound"]
    assert rewound["position"] > end
    assert rewound["author"] == "recovery"
    assert rewound["to_sequence_number"] == at_the_backup[-1]
    assert unaccounted(follower.history(), numbers) == []


def test_a_target_that_was_emptied_is_filled_again_while_the_stream_has_it_all(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(40)])
    follower.catch_up()
    follower.stop()
    for path in pathlib.Path(follower.replica.path).parent.glob("replica.db*"):
        path.unlink()

    follower.start()
    table.put(item(40))
    numbers = follower.catch_up()
    assert follower.differences() == []
    assert unaccounted(follower.history(), numbers) == []


def test_nothing_is_replayed_when_the_target_is_ahead_of_a_restored_journal(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(40)])
    follower.catch_up()
    follower.stop()
    shutil.copytree(follower.shakectl.journal, rig.folder / "backup")
    follower.start()
    for number in range(10):
        table.update(key(number), version={"N": "1"})
    numbers = follower.catch_up()
    follower.stop()
    shutil.rmtree(follower.shakectl.journal)
    shutil.copytree(rig.folder / "backup", follower.shakectl.journal)
    end = follower.history()[-1]["position"]
    # A witness within the target: whoever touches an item leaves a trace.
    with sqlite3.connect(follower.replica.path) as database:
        database.execute("CREATE TABLE touched (what TEXT)")
        for change in ("INSERT", "UPDATE", "DELETE"):
            database.execute(
                f'CREATE TRIGGER touched_{change} AFTER {change} ON "{table.name}" '
                f"BEGIN INSERT INTO touched VALUES ('{change}'); END"
            )
    database.close()

    follower.start()
    follower.catch_up()
    assert sum(event["records"] for event in follower.advances_after(end)) == 0
    assert follower.sqlite.query("SELECT count(*) FROM touched") == [(0,)]

    table.put(item(41))
    follower.catch_up()
    assert follower.sqlite.query("SELECT count(*) FROM touched") == [(1,)]
    assert follower.differences() == []
    assert unaccounted(follower.history(), table.sequence_numbers()) == []
    assert len(numbers) == 50


def test_a_lost_journal_is_begun_anew_and_ends_in_the_same_place(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(40)])
    follower = Follower(rig, "sqlite", table, mode="all")
    daemon = follower.start()
    daemon.until(lambda: follower.sqlite.count(table.name) == 40, "the table is scanned")
    table.delete(key(7))
    follower.catch_up()
    follower.stop()
    shutil.rmtree(follower.shakectl.journal)
    table.delete(key(8))
    table.put(item(41))

    refused = follower.attempt()
    assert refused.returncode == 78
    assert "--existing append" in refused.stderr
    follower.arguments += ["--existing", "append"]
    daemon = follower.start()
    daemon.until(lambda: follower.differences() == [], "source and target are equal")


def test_a_target_is_made_ready_before_anything_is_copied(rig: Rig, table: SourceTable) -> None:
    table.put(item(1))
    follower = Follower(rig, "sqlite", table, mode="all")
    prepared = follower.attempt("--schema-only")
    assert prepared.returncode == 0, prepared.stderr
    assert follower.sqlite.count(table.name) == 0
    # The empty place that was made is no stranger's.
    daemon = follower.start()
    daemon.until(lambda: follower.sqlite.count(table.name) == 1, "the table is scanned")


def test_a_jsonl_file_that_lost_its_end_is_refused(rig: Rig, table: SourceTable) -> None:
    """The journal says that more was durable: somebody cut the file, or put another in its place."""
    follower = Follower(rig, "jsonl", table)
    follower.start()
    table.put_all([item(number) for number in range(10)])
    follower.catch_up()
    follower.stop()
    path = pathlib.Path(follower.replica.path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    daemon = follower.start()

    assert daemon.wait() == 78
    assert str(path) in daemon.log
    assert path.read_bytes() == whole[: len(whole) // 2], "it is left alone"
    path.write_bytes(whole)
    follower.start()
    table.put(item(10))
    follower.catch_up()
    assert follower.replayed(0) == table.sequence_numbers()


def test_a_backup_from_before_a_rewind_is_caught_up_too(rig: Rig, table: SourceTable) -> None:
    """Its position is of an older epoch; what came since is missing in it all the same."""
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(20)])
    numbers = follower.catch_up()
    copy_database(follower.replica.path, rig.folder / "backup.db")
    position = follower.shakectl.one("rewind", follower.shard, numbers[9])["position"]
    assert follower.daemon is not None
    follower.daemon.until(lambda: follower.advances_after(position), "the rewind is replayed")
    table.put_all([item(number, version=1) for number in range(10, 30)])
    follower.catch_up()
    follower.stop()
    restore_database(rig.folder / "backup.db", follower.replica.path)

    follower.start()
    table.put(item(99))
    numbers = follower.catch_up()
    assert follower.differences() == []
    assert unaccounted(follower.history(), numbers) == []


def test_a_scanned_target_that_was_emptied_is_scanned_again_by_the_second_start(rig: Rig, table: SourceTable) -> None:
    """The first one says what is the matter, since the stream can't give back what the scan brought."""
    table.put_all([item(number) for number in range(40)])
    follower = Follower(rig, "sqlite", table, mode="all")
    daemon = follower.start()
    daemon.until(lambda: follower.sqlite.count(table.name) == 40, "the table is scanned")
    table.put(item(40))
    follower.catch_up()
    follower.stop()
    for path in pathlib.Path(follower.replica.path).parent.glob("replica.db*"):
        path.unlink()
    refused = follower.attempt()
    assert refused.returncode == 69, refused.stderr
    assert "full sync" in refused.stderr

    table.delete(key(7))
    daemon = follower.start()
    daemon.until(lambda: follower.differences() == [], "source and target are equal")
    table.put(item(41))
    follower.catch_up()
    assert follower.differences() == []


def test_a_scanned_target_that_was_emptied_before_anything_changed_is_scanned_again(
    rig: Rig, table: SourceTable
) -> None:
    """No shard has a position yet by which the target could tell what it lacks."""
    table.put_all([item(number) for number in range(20)])
    follower = Follower(rig, "sqlite", table, mode="all", more=("--until-idle", "0.3"))
    assert follower.start().wait() == 0
    for path in pathlib.Path(follower.replica.path).parent.glob("replica.db*"):
        path.unlink()
    refused = follower.attempt()
    assert refused.returncode == 69, refused.stderr
    assert "20 items" in refused.stderr
    assert follower.start().wait() == 0
    assert follower.differences() == []


def test_another_target_is_not_taken_for_the_one_that_the_journal_filled(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(20)])
    first = Follower(rig, "sqlite", table, more=("--until-idle", "0.3"))
    assert first.start().wait() == 0
    other = Follower(rig, "jsonl", table, more=("--until-idle", "0.3"))
    other.shakectl = first.shakectl
    result = other.attempt()

    assert result.returncode == 78, result.stderr
    assert f"sqlite:{first.replica.path}" in result.stderr and "--journal" in result.stderr
    assert first.attempt().returncode == 0, "the refused run has changed nothing"
