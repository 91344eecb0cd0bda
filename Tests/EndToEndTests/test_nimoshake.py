"""NimoShake's checkpoints are taken over: exactly what it had not brought arrives, and nothing that is in doubt."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import socket
import subprocess
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from following import Following
from pymongo import MongoClient
from rig import Rig, until
from shake import REGION, Shakectl
from shardedsource import ShardedSource, ShardedTable, SourceShard
from throwaway import MongoStandin

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


@pytest.fixture(scope="module")
def checkpoint_server() -> Iterator[MongoStandin]:
    """With a login: one user that may do all, and one that may only read."""
    server = MongoStandin("--user", "shake:s3cret", "--reader", "looker:look")
    yield server
    server.close()


def fill(
    server: MongoStandin, database: str, status: str | None = "incr_sync", **tables: list[dict[str, str]]
) -> None:
    """As NimoShake fills its database."""
    with MongoClient[dict[str, Any]](server.url) as client:
        client.drop_database(database)
        if status is not None:
            client[database]["status_table"].update_one(
                {"Key": "status_key"}, {"$set": {"Key": "status_key", "StatusValue": status}}, upsert=True)
        for name, rows in tables.items():
            client[database][name].insert_many([dict(row) for row in rows])


def address(server: MongoStandin, credentials: str = "shake:s3cret", database: str = "", **options: str) -> str:
    parts = urllib.parse.urlsplit(server.url)
    query = urllib.parse.urlencode({"authSource": "admin", **options})
    return f"mongodb://{credentials}@{parts.hostname}:{parts.port}/{database}?{query}"


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


def test_checkpoints_in_mongodb_are_taken_over_as_those_in_files_are(
    rig: Rig, sharded: ShardedSource, checkpoint_server: MongoStandin
) -> None:
    table, first, half, other = half_read(sharded)
    rows = [
        row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3]),
        row(first, DONE, "AT_SEQUENCE_NUMBER", numbers(first)[2]),
        row(other, PREPARED, "LATEST", numbers(other)[6], "see sequence number"),
    ]
    fill(checkpoint_server, "nimo-shake-checkpoint", orders=rows)
    following = Following(rig, sharded, table)

    def imported(*arguments: str, **environment: str) -> dict[str, Any]:
        result = following.shakectl.call(
            "import", "nimoshake", *arguments, "--source-endpoint", sharded.endpoint, "--region", REGION, "--json",
            environment={**following.shakectl.environment, **environment})
        assert result.returncode == 0, result.stderr
        assert "s3cret" not in result.stdout + result.stderr
        [said] = [json.loads(line) for line in result.stdout.splitlines()]
        return said

    # The password need not be in the URL.
    said = imported(address(checkpoint_server, "shake"), "--dry-run", SHAKE_MONGODB_PASSWORD="s3cret")
    assert (said["table"], said["shards"], said["unread"]) == ("orders", 3, 2)
    assert following.shakectl.call("verify").returncode == 74, "a dry run makes no journal"
    # What is in the URL counts.
    said = imported(address(checkpoint_server), SHAKE_MONGODB_PASSWORD="wrong")
    assert said["imported"] is True
    assert following.shakectl.call("verify").returncode == 0
    [event] = following.shakectl.json("history", half.id, "--event", "imported")
    host = urllib.parse.urlsplit(checkpoint_server.url)
    assert event["origin"]["source"] == f"mongodb://{host.hostname}:{host.port}/nimo-shake-checkpoint"

    following.start()
    rest = numbers(half)[4:] + numbers(other)[6:]
    following.wait_for(len(rest))
    assert sorted(following.written()) == sorted(rest)
    with MongoClient[dict[str, Any]](checkpoint_server.url) as client:
        kept = [{name: one[name] for name in rows[0]} for one in client["nimo-shake-checkpoint"]["orders"].find()]
    assert kept == rows, "it is read, and never written"


def test_the_database_is_the_one_that_is_named(
    rig: Rig, sharded: ShardedSource, checkpoint_server: MongoStandin
) -> None:
    table, first, half, other = half_read(sharded)
    good = row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3])
    fill(checkpoint_server, "nimo-shake-checkpoint", status="full_sync", orders=[good])
    fill(checkpoint_server, "shop-checkpoint", orders=[good])
    shakectl = rig.shakectl()
    for arguments in (
        [address(checkpoint_server), "--database", "shop-checkpoint"], [address(checkpoint_server, database="shop-checkpoint")],
        [address(checkpoint_server, database="admin"), "--database", "shop-checkpoint"],
    ):
        result = shakectl.call(
            "import", "nimoshake", *arguments, "--dry-run", "--source-endpoint", sharded.endpoint, "--region", REGION)
        assert result.returncode == 0, (arguments, result.stderr)
    for arguments in ([address(checkpoint_server)], [address(checkpoint_server, database="admin")]):
        result = shakectl.call(
            "import", "nimoshake", *arguments, "--dry-run", "--source-endpoint", sharded.endpoint, "--region", REGION)
        assert result.returncode == 65, (arguments, result.stderr)
        assert "'full_sync'" in result.stdout + result.stderr


def test_a_database_that_can_not_be_read_is_said_and_appends_nothing(
    rig: Rig, sharded: ShardedSource, checkpoint_server: MongoStandin
) -> None:
    table, first, half, other = half_read(sharded)
    good = row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3])
    shakectl = rig.shakectl()

    def refused(code: int, word: str, url: str, *more: str) -> None:
        result = shakectl.call(
            "import", "nimoshake", url, *more, "--source-endpoint", sharded.endpoint, "--region", REGION)
        said = result.stdout + result.stderr
        assert result.returncode == code, said
        assert word in said
        assert "s3cret" not in said and "TREASURE" not in said
        assert not os.path.exists(shakectl.journal)

    # A port on which nobody listens, and none else can begin to meanwhile.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        refused(
            69, "can be reached from here", f"mongodb://shake:TREASURE@127.0.0.1:{port}/?serverSelectionTimeoutMS=500")
    refused(77, "the password is wrong", address(checkpoint_server, "shake:TREASURE"))
    refused(77, "the password is wrong", address(checkpoint_server, "nobody:TREASURE"))
    refused(64, "the URL can't be read", "mongodb://shake:TREASURE@/")
    refused(64, "'tlz'", address(checkpoint_server, tlz="true"))
    refused(65, "no checkpoints of NimoShake", address(checkpoint_server), "--database", "nosuch")
    fill(checkpoint_server, "empty-checkpoint", status=None)
    refused(65, "no checkpoints of NimoShake", address(checkpoint_server), "--database", "empty-checkpoint")
    # A database of something else.
    with MongoClient[dict[str, Any]](checkpoint_server.url) as client:
        client.drop_database("shop")
        client["shop"]["orders"].insert_one({"customer": "TREASURE"})
    refused(65, "a document of orders is no checkpoint", address(checkpoint_server), "--database", "shop")
    fill(checkpoint_server, "broken-checkpoint", orders=[good | {"SequenceNumber": 42}])  # type: ignore[dict-item]
    refused(65, "its SequenceNumber is no text", address(checkpoint_server), "--database", "broken-checkpoint")
    fill(checkpoint_server, "latest-checkpoint", orders=[row(half, PREPARED, "LATEST")])
    refused(65, "LATEST without an iterator", address(checkpoint_server), "--database", "latest-checkpoint")


def test_a_user_that_may_only_read_is_enough(
    rig: Rig, sharded: ShardedSource, checkpoint_server: MongoStandin
) -> None:
    table, first, half, other = half_read(sharded)
    fill(checkpoint_server, "read-checkpoint", orders=[row(half, READING, "AT_SEQUENCE_NUMBER", numbers(half)[3])])
    result = rig.shakectl().call(
        "import", "nimoshake", address(checkpoint_server, "looker:look"), "--database", "read-checkpoint", "--dry-run",
        "--source-endpoint", sharded.endpoint, "--region", REGION)
    assert result.returncode == 0, result.stderr
