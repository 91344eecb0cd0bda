"""docs/RUNBOOK.md is true: each of its commands is run where it is said to be run, and says what is said there.

Numbers, times and names of shards differ from run to run, and are passed over. With SHAKE_RUNBOOK=write the answers are written into the
document, to be looked at and committed.
"""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import sqlite3

from following import Following
from localsource import SourceTable
from rig import Follower, Rig, item, key
from shake import Shakectl, until
from shardedsource import Fault, ShardedSource
from streamsim import StreamSim
from test_full_disk import SmallDisk, disk
from test_remade import drop

__all__ = ["disk"]

BOOK = pathlib.Path(__file__).parents[2] / "docs" / "RUNBOOK.md"
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.S | re.M)
CHAPTERS = {part.split("\n", 1)[0]: part for part in BOOK.read_text().split("\n## ")[1:]}


def masked(text: str) -> str:
    """What stays the same from run to run, and from machine to machine."""
    text = re.sub(r"^(ok +(?:limits|disk|libraries)):.*$", r"\1", text, flags=re.M)
    text = re.sub(r"shardId-[0-9a-f-]+", "SHARD", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?", "TIME", text)
    text = re.sub(r"\b(host|on) [\w.-]+", r"\1 HOST", re.sub(r"uid \d+@[\w.-]+|\w+@[\w.-]+", "SOMEBODY", text))
    text = re.sub(r"/[^ ]*/", "/", text)
    text = re.sub(r"\b[0-9][0-9a-f.,:-]*\b", "#", text)
    text = re.sub(r"\b(ms|s|min|h|d|KiB|MiB|B)\b( # (ms|s|min|h|d)\b)?", "UNIT", text)
    return " ".join(re.sub(r"# UNIT( # UNIT)?", "# UNIT", text).split())


class Chapter:
    """The commands of one chapter, block by block, with what each answered."""

    def __init__(self, title: str, shakectl: Shakectl, prefix: list[str] | None = None, **names: str) -> None:
        self._title, self._shakectl, self._prefix, self._names = title, shakectl, prefix, names
        # As a machine of the reader's has them.
        folder = pathlib.Path(shakectl.journal).parent
        self._places = {str(shakectl.journal): "/var/lib/shake", str(folder): "/var/backups"}
        self._places |= {os.path.dirname(name): "/var/backups" for name in names.values() if name.startswith("/")}
        self._text = CHAPTERS[title]
        self._blocks = iter(BLOCK.findall(self._text))

    def play(self, code: int = 0) -> str:
        """Runs the commands of the next block; the last of them ends with `code`."""
        block = next(self._blocks)
        steps = re.split(r"^\$ ", block, flags=re.M)[1:]
        answers = []
        for number, step in enumerate(steps):
            command, _, told = step.partition("\n")
            words = [self._actual(word) for word in shlex.split(command, comments=True)]
            assert words.pop(0) == "shakectl"
            done = self._shakectl.call(*words, prefix=self._prefix)
            assert done.returncode == (code if number == len(steps) - 1 else 0), done.stderr + done.stdout
            answer = re.sub(r"\btable-\d+\b", "orders", done.stdout + done.stderr)
            answer = re.sub(r"\brequest [0-9A-Z]{20,}", "request REQUEST", answer)
            # Of this machine, not of what is asked.
            answer = re.sub(r"^.*WARNING: +mongoc: .*\n", "", answer, flags=re.M)
            for place, shown in self._places.items():
                answer = answer.replace(place, shown)
            answers.append(answer)
            if os.environ.get("SHAKE_RUNBOOK") == "write":
                fresh = self._text.replace(step, f"{command}\n{answer}", 1)
                BOOK.write_text(BOOK.read_text().replace(self._text, fresh, 1))
                self._text = fresh
            else:
                assert masked(told) == masked(answer), f"{self._title}: {command}\n{answer}"
        return "".join(answers)

    def _actual(self, word: str) -> str:
        for name, actual in self._names.items():
            word = word.replace(name, actual)
        return word


def following(rig: Rig, sharded: ShardedSource, records: int = 6, *more: str) -> tuple[Following, list[str]]:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    numbers = [table.put(shard, f"key-{number}", number) for number in range(records)]
    following = Following(rig, sharded, table, more=more)
    following.start()
    following.wait_for(records)
    return following, numbers


def test_lag_grows(rig: Rig, sharded: ShardedSource) -> None:
    followed, _ = following(rig, sharded)
    throttled = Fault(400, "ProvisionedThroughputExceededException")
    sharded.fault = lambda operation, request: throttled if operation.endswith("GetRecords") else None
    until(lambda: "tried again since" in followed.shakectl.one("status")["reason"], "status says so", deadline=60)
    Chapter("The lag grows", followed.shakectl).play()


def test_a_shard_stands_still(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    parent = table.open_shard()
    table.put(parent, "a", 1)
    [child] = table.split(parent, 1)
    table.put(child, "a", 2)
    followed = Following(rig, sharded, table)
    sharded.fault = lambda operation, request: Fault(500) if operation.endswith("GetRecords") else None
    followed.start()
    until(lambda: followed.statuses_or_none().get(parent.id) == "in_processing", "the parent is to be read")
    chapter = Chapter("A shard stands still", followed.shakectl, CHILD=child.id, PARENT=parent.id)
    chapter.play()
    chapter.play()


def test_records_were_lost(rig: Rig, sharded: ShardedSource) -> None:
    followed, _ = following(rig, sharded)
    assert followed.daemon is not None and followed.daemon.terminate() == 0
    [table] = followed.tables
    [shard] = table.shards.values()
    for number in range(10):
        table.put(shard, f"key-{number}", 100)
    shard.trimmed = 11
    assert followed.start().wait() == 69
    chapter = Chapter("Records were lost", followed.shakectl)
    chapter.play()
    chapter.play()
    daemon = followed.start()
    daemon.until(lambda: len(followed.written()) == 6 + 5, "it goes on with what is left")


def test_a_record_is_refused(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    table.put_without_key(shard, "b", 1)
    followed = Following(rig, sharded, table, target="sqlite")
    daemon = followed.start()
    daemon.until(lambda: followed.statuses_or_none() != {}, "the journal is there")
    daemon.until(lambda: followed.shakectl.json("dead-letters") != [], "it is put aside")
    chapter = Chapter("Records wait as dead letters", followed.shakectl)
    chapter.play()
    table.mend(shard)
    chapter.play()
    daemon.until(lambda: followed.sqlite.count("orders") == 2, "it is delivered")


def test_wrong_rows_were_written(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(10)])
    numbers = follower.catch_up()
    chapter = Chapter("The target was changed by somebody else", follower.shakectl, SHARD=follower.shard, NUMBER=numbers[3])
    chapter.play()
    chapter.play()
    follower.catch_up()
    assert follower.differences() == []


def test_the_target_was_restored(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(10)])
    follower.catch_up()
    backup = rig.folder / "backup.db"
    source, copy = sqlite3.connect(follower.replica.path), sqlite3.connect(backup)
    source.backup(copy)
    source.close()
    copy.close()
    table.update(key(3), version={"N": "1"})
    follower.catch_up()
    follower.stop()
    for suffix in ("-wal", "-shm"):
        pathlib.Path(follower.replica.path + suffix).unlink(missing_ok=True)
    shutil.copy(backup, follower.replica.path)
    follower.start()
    until(lambda: follower.differences() == [], "it is caught up by itself")
    Chapter("The target was restored from a backup", follower.shakectl, SHARD=follower.shard).play()


def test_the_journal_is_damaged(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(number) for number in range(10)])
    follower.catch_up()
    chapter = Chapter(
        "The journal is damaged", follower.shakectl, BACKUP=str(rig.folder / "backup"), ASIDE=str(rig.folder / "aside"))
    chapter.play()
    follower.stop()
    data = pathlib.Path(follower.shakectl.journal, "data.mdb")
    image = data.read_bytes()
    assert b"taken up" in image, "a reason that stands in an event"
    data.write_bytes(image.replace(b"taken up", b"token up"))
    chapter.play(65)
    os.rename(follower.shakectl.journal, rig.folder / "aside")
    chapter.play()
    follower.start()
    table.put(item(11))
    follower.catch_up()
    assert follower.differences() == []


def test_the_disk_is_full(rig: Rig, sharded: ShardedSource, disk: SmallDisk) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    followed = Following(rig, sharded, table, more=("--poll-maximum", "10ms"))
    followed.shakectl.journal = f"{disk.folder}/journal"
    daemon = followed.start(disk.inside)
    followed.wait_for(1)
    disk.fill()
    numbers: list[str] = []

    def ended() -> bool:
        numbers.append(table.put(shard, "a", len(numbers)))
        return not daemon.is_running

    until(ended, "the journal meets the full disk")
    assert daemon.process.returncode == 74, daemon.log
    chapter = Chapter("A disk is full", followed.shakectl, prefix=disk.inside, COPY=str(rig.folder / "copy"))
    chapter.play()
    chapter.play()
    chapter.play()
    followed.shakectl.journal = str(rig.folder / "copy")
    daemon = followed.start(disk.inside)
    daemon.until(lambda: followed.written()[-1:] == numbers[-1:], "it goes on with the smaller one")


def test_a_role_is_denied(rig: Rig, simulator: StreamSim) -> None:
    rig.source = simulator  # type: ignore[assignment]
    table = simulator.create_table("orders")
    follower = Follower(rig, "sqlite", table)
    daemon = follower.start()
    table.put_all([item(number) for number in range(5)])
    follower.catch_up()
    simulator.faults(
        [{"action": action, "fault": "AccessDeniedException", "percent": 100} for action in ("GetRecords", "GetShardIterator")])
    assert daemon.wait() == 77, daemon.log
    chapter = Chapter(
        "Credentials", follower.shakectl, TARGET=f"sqlite:{follower.replica.path}", ENDPOINT=simulator.endpoint)
    chapter.play()
    chapter.play(77)


def test_a_table_is_made_again(rig: Rig, simulator: StreamSim) -> None:
    rig.source = simulator  # type: ignore[assignment]
    first = simulator.create_table("orders")
    first.put_all([item(number) for number in range(30)])
    follower = Follower(rig, "sqlite", first, mode="all", more=("--discovery-interval", "1s"))
    daemon = follower.start()
    daemon.until(lambda: len(follower.replica.items("orders")) == 30, "it is copied")
    drop(simulator, "orders")
    daemon.until(lambda: "table_removed" in follower.shakectl.text("tail"), "that it is gone is said")
    daemon.until(lambda: "has it no more" in follower.shakectl.one("status")["reason"], "and stays so")
    chapter = Chapter("A table was made again", follower.shakectl)
    chapter.play()
    second = simulator.create_table("orders")
    second.put_all([item(number) for number in range(20, 40)])
    daemon.until(lambda: len(follower.replica.items("orders")) == 20, "the second is there, and it only")
    daemon.until(lambda: "following" in follower.shakectl.one("status")["reason"], "it is followed")
    chapter.play()


def test_each_chapter_with_commands_is_played() -> None:
    played = set(re.findall(r'Chapter\(\s*"([^"]+)"', pathlib.Path(__file__).read_text()))
    assert {title for title, text in CHAPTERS.items() if BLOCK.search(text)} == played
