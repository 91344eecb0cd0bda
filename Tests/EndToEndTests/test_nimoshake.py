"""NimoShake's checkpoints are taken over: exactly what it had not brought arrives, and nothing that is in doubt."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
from typing import Any

from following import Following
from rig import Rig, until
from shake import REGION, Shakectl
from shardedsource import ShardedSource, ShardedTable, SourceShard

DONE, READING, PREPARED = "done", "in processing", "prepare stage"


def row(
    shard: SourceShard, status: str, kind: str, number: str = "", iterator: str = "", hours: float = 1 / 60
) -> dict[str, str]:
    """As NimoShake writes it; its records are so many hours old."""
    made = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    return {
        "ShardId": shard.id, "FatherId": shard.parent or "", "SequenceNumber": number, "Status": status,
        "WorkerId": "unknown", "IteratorType": kind, "ShardIt": iterator,
        "UpdateDate": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ApproximateTime": made.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
    }


def write(folder: pathlib.Path, status: str = "incr_sync", **tables: list[dict[str, str]]) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    (folder / "status_table").write_text(json.dumps({"Key": "status_key", "StatusValue": status}))
    for name, rows in tables.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def numbers(shard: SourceShard) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in shard.records]


def call(
    shakectl: Shakectl, source: ShardedSource, place: pathlib.Path, *more: str
) -> subprocess.CompletedProcess[str]:
    return shakectl.call("import", "nimoshake", str(place), "--source-endpoint", source.endpoint, "--region", REGION, *more)


def half_read(source: ShardedSource) -> tuple[ShardedTable, SourceShard, SourceShard, SourceShard]:
    """A shard that was read, its child that was read by half, and another one that has not begun."""
    table = source.create_table("orders")
    first = table.open_shard()
    for version in range(5):
        table.put(first, "a", version)
    half, other = table.split(first)
    for version in range(5, 15):
        table.put(half, "a", version)
        table.put(other, "b", version)
    return table, first, half, other


def test_exactly_the_rest_arrives_and_what_comes_after_it(rig: Rig, sharded: ShardedSource) -> None:
    table, first, half, other = half_read(sharded)
    folder = write(rig.folder / "nimo", orders=[
        row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3]),
        row(first, DONE, "AT_SEQUENCE_NUMBER", numbers(first)[2]),
        row(other, PREPARED, "LATEST", numbers(other)[6], "see sequence number"),
    ])
    following = Following(rig, sharded, table)
    dry = call(following.shakectl, sharded, folder, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert following.shakectl.call("verify").returncode == 74, "a dry run makes no journal"

    imported = call(following.shakectl, sharded, folder, "--json")
    assert imported.returncode == 0, imported.stderr
    [said] = [json.loads(line) for line in imported.stdout.splitlines()]
    assert (said["table"], said["imported"], said["shards"], said["unread"]) == ("orders", True, 3, 2)
    assert following.shakectl.call("verify").returncode == 0
    [event] = following.shakectl.json("history", half.id, "--event", "imported")
    assert event["origin"]["status"] == READING
    assert event["origin"]["source"] == str(folder)

    # A child that NimoShake never saw comes after the half that it left.
    [child] = table.split(half, 1)
    table.put(child, "a", 15)
    following.start()
    rest = numbers(half)[4:] + numbers(other)[6:] + numbers(child)
    following.wait_for(len(rest))
    table.put(child, "a", 16)
    following.wait_for(len(rest) + 1)
    written = following.written()
    assert sorted(written) == sorted(rest + numbers(child)[1:])
    assert written.index(numbers(half)[-1]) < written.index(numbers(child)[0])
    assert following.daemon is not None and following.daemon.terminate() == 0
    assert following.shakectl.call("verify").returncode == 0
    assert following.statuses()[half.id] == "done"


def test_it_goes_on_in_a_target_that_keeps_state_and_that_was_filled_before(rig: Rig, sharded: ShardedSource) -> None:
    table, first, half, other = half_read(sharded)
    following = Following(rig, sharded, table, target="sqlite")
    following.mode("all")
    folder = write(rig.folder / "nimo", orders=[
        row(first, DONE, "AT_SEQUENCE_NUMBER", numbers(first)[-1]),
        row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3]),
        row(other, READING, "AT_SEQUENCE_NUMBER", numbers(other)[-1]),
    ])
    assert call(following.shakectl, sharded, folder).returncode == 0

    # A target that nobody has filled is another one.
    daemon = following.start()
    daemon.until(lambda: "has no place for it" in daemon.log, "it is said")
    daemon.kill()
    # The rows that NimoShake had brought.
    filler = rig.shakectl("another-journal")
    arguments = ["--table", "orders", "--target", f"sqlite:{following.sqlite.path}", "--mode", "full"]
    assert filler.run(sharded, *arguments).wait() == 0

    following.start()
    until(lambda: following.shakectl.one("state", half.id)["sequence_number"] == numbers(half)[-1], "it is read on")
    events = following.shakectl.json("tail")
    assert [event for event in events if event["event"] in ("rewound", "range_lost")] == []
    assert sum(event.get("records", 0) for event in events if event["event"] == "sequence_advanced") == 6


def test_what_is_known_is_refused_and_stays_as_it_was(rig: Rig, sharded: ShardedSource) -> None:
    table, first, half, _ = half_read(sharded)
    folder = write(rig.folder / "nimo", orders=[row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3])])
    shakectl = rig.shakectl()
    assert call(shakectl, sharded, folder).returncode == 0
    events = shakectl.json("tail")
    for more in ([], ["--dry-run"], ["--table", "orders"]):
        again = call(shakectl, sharded, folder, *more)
        assert again.returncode == 64
        assert "knows orders already" in again.stderr
    told = [event for event in shakectl.json("tail") if not event["event"].startswith("run_")]
    assert told == [event for event in events if not event["event"].startswith("run_")]
    assert shakectl.call("verify").returncode == 0


def test_what_can_not_be_gone_on_with_is_said_and_appends_nothing(rig: Rig, sharded: ShardedSource) -> None:
    table, first, half, other = half_read(sharded)
    good = row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3])
    shakectl = rig.shakectl()

    def refused(code: int, word: str, place: pathlib.Path, *more: str) -> None:
        result = call(shakectl, sharded, place, *more)
        assert result.returncode == code, (result.stdout, result.stderr)
        assert word in result.stdout + result.stderr
        assert not os.path.exists(shakectl.journal)

    refused(64, "no such folder", rig.folder / "nowhere")
    empty = rig.folder / "empty"
    empty.mkdir()
    refused(65, "no checkpoints of NimoShake", empty)
    refused(65, "'full_sync'", write(rig.folder / "unfinished", status="full_sync", orders=[good]))
    refused(65, "LATEST without an iterator", write(rig.folder / "latest", orders=[row(half, PREPARED, "LATEST")]))
    refused(65, "is no sequence number", write(rig.folder / "number", orders=[good | {"SequenceNumber": "x"}]))
    refused(65, "another one than NimoShake followed", write(rig.folder / "other", orders=[good | {"ShardId": "shardId-0"}]))
    refused(65, "which stream", write(rig.folder / "gone", nosuch=[good]))
    broken = write(rig.folder / "broken", orders=[good])
    (broken / "orders").write_text("nonsense\n" + json.dumps(good) + "\n")
    refused(65, "orders:1", broken)
    refused(64, "did you mean 'orders'", write(rig.folder / "named", orders=[good]), "--table", "order")
    if os.geteuid() != 0:
        locked = write(rig.folder / "locked", orders=[good])
        (locked / "orders").chmod(0)
        refused(77, "can't be read", locked)


def test_a_torn_file_loses_no_record(rig: Rig, sharded: ShardedSource) -> None:
    table, first, half, other = half_read(sharded)
    folder = write(rig.folder / "nimo", orders=[
        row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3]),
        row(first, DONE, "AT_SEQUENCE_NUMBER", numbers(first)[-1]),
        row(other, READING, "AT_SEQUENCE_NUMBER", numbers(other)[3]),
    ])
    text = (folder / "orders").read_text()
    (folder / "orders").write_text(text[:-60])
    following = Following(rig, sharded, table)
    imported = call(following.shakectl, sharded, folder)
    assert imported.returncode == 0, imported.stderr
    assert "cut off" in imported.stdout
    following.start()
    expected = numbers(half)[4:] + numbers(other)
    following.wait_for(len(expected))
    assert sorted(following.written()) == sorted(expected)


def test_what_stood_still_for_a_day_is_a_loss_and_nothing_is_skipped_silently(
    rig: Rig, sharded: ShardedSource
) -> None:
    table, first, half, other = half_read(sharded)
    begins = row(half, PREPARED, "TRIM_HORIZON", str(half.starting)) | {"UpdateDate": "", "ApproximateTime": ""}
    folder = write(rig.folder / "nimo", orders=[
        row(first, DONE, "AT_SEQUENCE_NUMBER", numbers(first)[-1], hours=30), begins,
        row(other, DONE, "AT_SEQUENCE_NUMBER", numbers(other)[-1], hours=30),
    ])
    following = Following(rig, sharded, table)
    imported = call(following.shakectl, sharded, folder)
    assert imported.returncode == 0, imported.stderr
    assert "range_lost" in imported.stdout
    # Its only table waits for an operator.
    assert following.start().wait() == 69
    assert [event["cause"] for event in following.shakectl.json("tail") if event["event"] == "range_lost"] == ["stood_still"]
    assert following.written() == []
    assert following.shakectl.call("ack", "orders", "--skip").returncode == 0
    following.start()
    following.wait_for(len(half.records))
    assert following.written() == numbers(half)


def test_a_stream_that_is_named_needs_no_source(rig: Rig, sharded: ShardedSource) -> None:
    table, first, half, other = half_read(sharded)
    folder = write(rig.folder / "nimo", orders=[
        row(first, DONE, "AT_SEQUENCE_NUMBER", numbers(first)[-1]),
        row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3]),
        row(other, DONE, "AT_SEQUENCE_NUMBER", numbers(other)[-1]),
    ])
    following = Following(rig, sharded, table)
    calls = sharded.calls.total()
    imported = following.shakectl.call("import", "nimoshake", str(folder), "--stream", f"orders={table.stream}")
    assert imported.returncode == 0, imported.stderr
    assert sharded.calls.total() == calls
    following.start()
    following.wait_for(6)
    assert following.written() == numbers(half)[4:]


def test_a_configuration_is_made_and_can_be_used(rig: Rig, sharded: ShardedSource) -> None:
    conf = rig.folder / "nimo-shake.conf"
    conf.write_text(
        "conf.version = 4\nid = shop\nsync_mode = all\nsource.access_key_id = AKIA\nsource.secret_access_key = TREASURE\n"
        f"source.endpoint_url = {sharded.endpoint}\nfilter.collection.white = orders\nqps.full = 1000\n"
        "target.type = mongodb\ntarget.address = mongodb://u:TREASURE@localhost:1\ntarget.db.exist = drop\n"
    )
    shakectl = rig.shakectl()
    path = rig.folder / "shake.yaml"
    made = shakectl.call("config", "from-nimoshake", str(conf), "--output", str(path), journal=False)
    assert made.returncode == 0, made.stderr
    assert "qps.full = 1000: " in made.stderr
    text = path.read_text()
    assert "TREASURE" not in text + made.stdout + made.stderr
    assert "url: 'mongodb://u@localhost:1/shop?authSource=admin'" in text
    again = shakectl.call("config", "from-nimoshake", str(conf), "--output", str(path), journal=False)
    assert again.returncode == 73
    printed = shakectl.call("config", "from-nimoshake", str(conf), journal=False)
    assert printed.stdout == text
    keys: list[dict[str, Any]] = json.loads(
        shakectl.call("config", "from-nimoshake", str(conf), "--json", journal=False).stdout)["keys"]
    assert {key["key"] for key in keys if not key["kept"]} >= {"qps.full", "source.secret_access_key"}
