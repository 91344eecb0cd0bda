"""What a stream holds: its records by view type, their numbers, and the streams of a table."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim
from support import (
    DYNAMODB, STREAMS, Item, Record, alike, drain, iterator, key, listing, n, number, numbers, pages, post, records,
    records_of, refused, s, wire,
)

VIEWS = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]


def enable(dynamodb: Any, name: str, view: str | None) -> Any:
    """Switches a table's stream on with a view, or off with none."""
    specification = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
    return dynamodb.update_table(TableName=name, StreamSpecification=specification)["TableDescription"]


def images(record: Record) -> tuple[Item | None, Item | None]:
    return record["dynamodb"].get("NewImage"), record["dynamodb"].get("OldImage")


@pytest.mark.parametrize("view", VIEWS)
def test_a_record_has_the_images_of_its_streams_view(sim: StreamSim, streams: Any, name: str, view: str) -> None:
    table = sim.create_table(name, range_type="N", view=view)
    keys = {"pk": s("a"), "sk": n(1)}
    one, two = keys | {"v": n(1)}, keys | {"v": n(2), "b": {"B": b"\0\xff"}}
    table.put(one)
    table.put(two)
    table.update(keys, v=n(3))
    table.delete(keys)

    found = records(streams, table.stream)
    assert [record["eventName"] for record in found] == ["INSERT", "MODIFY", "MODIFY", "REMOVE"]
    three = two | {"v": n(3)}
    new, old = [one, two, three, None], [None, one, two, three]
    assert [images(record) for record in found] == [
        (after if "NEW" in view else None, before if "OLD" in view else None)
        for after, before in zip(new, old, strict=True)
    ]
    for record in found:
        assert record["dynamodb"]["Keys"] == keys
        assert record["dynamodb"]["StreamViewType"] == view
        assert record["dynamodb"]["SizeBytes"] > 0
        assert record["eventSource"] == "aws:dynamodb"
        assert record["awsRegion"] == "us-east-1"
        assert record["eventVersion"]
        assert "userIdentity" not in record
    assert len({record["eventID"] for record in found}) == 4


def test_a_record_is_the_same_on_the_wire_and_in_the_truth(
    sim: StreamSim, streams: Any, table: SimulatedTable
) -> None:
    sim.load(table.name, 200, keys=20)
    [shard] = table.shards
    body = {"ShardIterator": iterator(streams, table.stream, shard)}
    raw = post(sim, STREAMS, "GetRecords", body).json["Records"]
    assert raw == table.records()
    assert [alike(wire(record)) for record in records(streams, table.stream)] == [alike(record) for record in raw]
    # Epoch seconds, rounded down, as an integer.
    assert all(type(record["dynamodb"]["ApproximateCreationDateTime"]) is int for record in raw)


def test_a_record_has_the_time_of_its_change(
    clocked: StreamSim, clocked_streams: Any, clocked_table: SimulatedTable
) -> None:
    now = clocked.advance(0)
    clocked_table.put(key(1))
    clocked.advance(90.75)
    clocked_table.put(key(2))
    times = [
        record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
        for record in records(clocked_streams, clocked_table.stream)
    ]
    assert times == [int(now), int(now + 90.75)]


def test_what_changes_nothing_makes_no_record(dynamodb: Any, streams: Any, table: SimulatedTable) -> None:
    item = key(1) | {"n": n(1), "set": {"SS": ["a", "b"]}, "m": {"M": {"x": n(1), "y": n(2)}}}
    table.put(item)
    table.put(item)
    table.put({"m": {"M": {"y": n("2.0"), "x": n("1.0")}}, "set": {"SS": ["b", "a"]}, "n": n("1.00"), **key(1)})
    table.put_all([item])
    table.update(key(1), n=n(1))
    dynamodb.update_item(TableName=table.name, Key=key(1), UpdateExpression="REMOVE absent")
    dynamodb.update_item(TableName=table.name, Key=key(1))
    table.delete(key("never there"))
    for call in (dynamodb.delete_item, dynamodb.update_item):
        with refused("ConditionalCheckFailedException"):
            call(TableName=table.name, Key=key(1), ConditionExpression="attribute_not_exists(pk)")
    assert [record["eventName"] for record in records(streams, table.stream)] == ["INSERT"]
    table.put(item | {"n": n(2)})
    assert [record["eventName"] for record in records(streams, table.stream)] == ["INSERT", "MODIFY"]


def test_an_update_that_makes_an_item_is_an_insert(streams: Any, table: SimulatedTable) -> None:
    table.update(key(1), a=n(1))
    [record] = records(streams, table.stream)
    assert (record["eventName"], images(record)) == ("INSERT", (key(1) | {"a": n(1)}, None))


def test_sequence_numbers_grow_and_get_longer(start: Callable[..., StreamSim]) -> None:
    """In the order of their texts they would be wrong, which is what they are to show."""
    sim = start()
    table = sim.create_table("Table")
    sim.load(table.name, 3000, keys=10)
    found = records(sim.streams, table.stream)
    texts = [record["dynamodb"]["SequenceNumber"] for record in found]
    assert all(re.fullmatch(r"[1-9]\d{20,39}", text) for text in texts)
    assert all(earlier < later for earlier, later in zip(numbers(found), numbers(found)[1:]))
    assert texts != sorted(texts)


def test_a_stream_is_described(streams: Any, dynamodb: Any, table: SimulatedTable) -> None:
    described = dynamodb.describe_table(TableName=table.name)["Table"]
    stream = streams.describe_stream(StreamArn=table.stream)["StreamDescription"]
    assert stream["StreamArn"] == described["LatestStreamArn"]
    assert stream["StreamLabel"] == described["LatestStreamLabel"]
    assert stream["StreamArn"].endswith(f"/stream/{stream['StreamLabel']}")
    assert stream["StreamStatus"] == "ENABLED"
    assert stream["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert stream["TableName"] == table.name
    assert stream["KeySchema"] == described["KeySchema"]
    assert datetime.datetime.fromisoformat(stream["StreamLabel"])
    assert stream["CreationRequestDateTime"].year >= 2025
    assert 37 <= len(stream["StreamArn"]) <= 1024


def test_a_stream_that_is_not_there_is_not_found(streams: Any, table: SimulatedTable) -> None:
    arn = table.stream
    for other in (arn[:-1] + ("1" if arn[-1] != "1" else "2"), arn.replace(table.name, "nowhere")):
        with refused("ResourceNotFoundException"):
            streams.describe_stream(StreamArn=other)
        with refused("ResourceNotFoundException"):
            iterator(streams, other, table.shards[0])
    for none in ("", "arn:short"):
        with refused("ValidationException"):
            streams.describe_stream(StreamArn=none)


def test_streams_are_listed_by_table_and_in_pages(sim: StreamSim, streams: Any, name: str) -> None:
    tables = [sim.create_table(f"{name}-{number}") for number in range(5)]
    sim.create_table(f"{name}-without", view=None)
    for table in tables:
        [stream] = streams.list_streams(TableName=table.name)["Streams"]
        assert stream == {
            "StreamArn": table.stream, "TableName": table.name, "StreamLabel": table.stream.rsplit("/", 1)[1]
        }
    assert streams.list_streams(TableName=f"{name}-without")["Streams"] == []
    found: list[str] = []
    for page in pages(streams.list_streams, "ExclusiveStartStreamArn", "LastEvaluatedStreamArn", Limit=2):
        assert len(page["Streams"]) <= 2
        found += [stream["StreamArn"] for stream in page["Streams"]]
    assert {table.stream for table in tables} <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_of_streams_has_1_to_100(streams: Any, limit: int) -> None:
    with refused("ValidationException"):
        streams.list_streams(Limit=limit)


# --- Off and on ---


def test_a_stream_that_is_switched_off_ends_and_stays_readable(
    dynamodb: Any, streams: Any, table: SimulatedTable
) -> None:
    table.put(key(1))
    arn, [shard] = table.stream, table.shards
    waiting = iterator(streams, arn, shard, "LATEST")
    enable(dynamodb, table.name, None)
    table.put(key(2))  # not in the stream any more

    described = dynamodb.describe_table(TableName=table.name)["Table"]
    assert not described.get("StreamSpecification", {}).get("StreamEnabled")
    assert described["LatestStreamArn"] == arn
    stream = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert stream["StreamStatus"] == "DISABLED"
    [last] = stream["Shards"]
    assert last["SequenceNumberRange"]["EndingSequenceNumber"]
    assert [one["StreamArn"] for one in streams.list_streams(TableName=table.name)["Streams"]] == [arn]

    assert drain(streams, waiting) == ([], None)
    found, rest = drain(streams, iterator(streams, arn, shard))
    assert ([record["dynamodb"]["Keys"] for record in found], rest) == ([key(1)], None)
    assert [one["pk"]["S"] for one in sorted(table.items(), key=str)] == ["1", "2"]


def test_a_stream_that_is_switched_on_again_is_another(
    clocked: StreamSim, clocked_dynamodb: Any, clocked_streams: Any, name: str
) -> None:
    """Even in the same instant, as a clock that stands still has it."""
    table = clocked.create_table(name, view="NEW_IMAGE")
    table.put(key(1))
    first = table.stream
    going = iterator(clocked_streams, first, table.shards[0])
    enable(clocked_dynamodb, name, None)
    told = enable(clocked_dynamodb, name, "KEYS_ONLY")
    second = table.stream
    assert second == told["LatestStreamArn"] != first
    table.put(key(2))

    listed = clocked_streams.list_streams(TableName=name)["Streams"]
    assert {stream["StreamArn"] for stream in listed} == {first, second}
    assert len({stream["StreamLabel"] for stream in listed}) == 2
    [new] = listing(clocked_streams, second)
    [old] = listing(clocked_streams, first)
    assert "ParentShardId" not in new
    assert new["ShardId"] != old["ShardId"]
    assert [images(record)[0] for record in drain(clocked_streams, going)[0]] == [key(1)]
    [record] = records(clocked_streams, second)
    assert record["dynamodb"]["Keys"] == key(2)
    assert (record["dynamodb"]["StreamViewType"], images(record)) == ("KEYS_ONLY", (None, None))
    # The truth knows both, and each by itself.
    assert [one["stream"] for one in clocked.records(name)] == [first, second]
    assert [one["stream"] for one in clocked.records(name, first)] == [first]


def test_a_stream_can_be_given_to_a_table_that_has_none(
    sim: StreamSim, dynamodb: Any, streams: Any, name: str
) -> None:
    table = sim.create_table(name, view=None)
    table.put(key(1) | {"a": n(1)})
    enable(dynamodb, name, "NEW_AND_OLD_IMAGES")
    table.put(key(1) | {"a": n(2)})
    [record] = records(streams, table.stream)
    assert (record["eventName"], images(record)) == ("MODIFY", (key(1) | {"a": n(2)}, key(1) | {"a": n(1)}))


def test_a_stream_is_switched_on_or_off_only_once(sim: StreamSim, dynamodb: Any, name: str) -> None:
    table = sim.create_table(name)
    for view in ("NEW_AND_OLD_IMAGES", "KEYS_ONLY"):
        with refused("ResourceInUseException"):
            enable(dynamodb, name, view)
    arn = table.stream
    enable(dynamodb, name, None)
    with refused("ValidationException"):
        enable(dynamodb, name, None)
    assert table.stream == arn
    sim.create_table(f"{name}-without", view=None)
    with refused("ValidationException"):
        enable(dynamodb, f"{name}-without", None)


def test_the_stream_of_a_deleted_table_is_switched_off(
    sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable
) -> None:
    """It stays readable for its 24 hours (API Reference, DeleteTable); a new table of the name has another one."""
    table.put(key(1))
    arn, [shard] = table.stream, table.shards
    dynamodb.delete_table(TableName=table.name)
    assert streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    found, rest = drain(streams, iterator(streams, arn, shard))
    # Deleting a table deletes no item of it.
    assert ([record["eventName"] for record in found], rest) == (["INSERT"], None)

    again = sim.create_table(table.name)
    again.put(key(2))
    assert again.stream != arn
    assert [record["dynamodb"]["Keys"] for record in records(streams, again.stream)] == [key(2)]
    assert len(records_of(streams, arn, shard)) == 1


# --- Deletes by the service ---


def expiring(sim: StreamSim, dynamodb: Any, name: str, view: str = "NEW_AND_OLD_IMAGES") -> SimulatedTable:
    table = sim.create_table(name, view=view)
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )
    return table


def test_what_the_service_deletes_says_so(sim: StreamSim, dynamodb: Any, streams: Any, name: str) -> None:
    table = expiring(sim, dynamodb, name)
    now = int(sim.advance(0))
    past, future = key("past") | {"ttl": n(now - 60)}, key("future") | {"ttl": n(now + 3600)}
    others = [key("none"), key("text") | {"ttl": s(str(now - 60))}, key("list") | {"ttl": {"L": [n(now - 60)]}}]
    table.put_all([past, future, *others])
    # It is late, and until then the item is as any other.
    assert past in table.items()
    sim.expire_items()
    table.delete({"pk": future["pk"]})

    assert sorted(item["pk"]["S"] for item in table.items()) == ["list", "none", "text"]
    by_service, by_user = [record for record in records(streams, table.stream) if record["eventName"] == "REMOVE"]
    assert images(by_service) == (None, past)
    assert by_service["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert by_user["dynamodb"]["Keys"] == {"pk": future["pk"]}
    assert not by_user.get("userIdentity")


def test_items_expire_when_their_time_has_come(
    clocked: StreamSim, clocked_dynamodb: Any, clocked_streams: Any, name: str
) -> None:
    table = expiring(clocked, clocked_dynamodb, name, view="KEYS_ONLY")
    now = int(clocked.advance(0))
    table.put(key(1) | {"ttl": n(now + 100)})
    table.put(key(2) | {"ttl": n(now + 200)})
    assert clocked.expire_items() == 0
    clocked.advance(150)
    assert clocked.expire_items() == 1
    assert [item["pk"] for item in table.items()] == [s("2")]
    # One that is written again in time lives on.
    table.update(key(2), ttl=n(now + 1000))
    clocked.advance(150)
    assert clocked.expire_items() == 0
    clocked_dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": False, "AttributeName": "ttl"}
    )
    clocked.advance(2000)
    assert clocked.expire_items() == 0
    assert len(records(clocked_streams, table.stream)) == 4


def test_values_are_written_alike_in_scans_and_in_images(sim: StreamSim, table: SimulatedTable) -> None:
    """Byte by byte: whoever compares a scan with the stream finds no difference that isn't one."""
    sim.load(table.name, 100, keys=5)
    scanned = post(sim, DYNAMODB, "Scan", {"TableName": table.name}).json["Items"]
    last = {json.dumps(record["dynamodb"]["Keys"]): record["dynamodb"].get("NewImage") for record in table.records()}
    assert sorted(json.dumps(item) for item in scanned) == sorted(json.dumps(image) for image in last.values() if image)
    assert sorted(json.dumps(item) for item in sim.items(table.name)) == sorted(json.dumps(item) for item in scanned)
    assert number(table.records()[-1]) > 0


def test_streams_go_on_after_one_that_is_gone(start: Callable[..., StreamSim]) -> None:
    sim = start(manual_clock=True)
    sim.settings(retention_ms=10_000)
    for place in range(3):
        sim.create_table(f"table-{place}")
    first, *others = [stream["StreamArn"] for stream in sim.streams.list_streams()["Streams"]]
    post(sim, DYNAMODB, "DeleteTable", {"TableName": "table-0"})
    sim.advance(11)
    told = sim.streams.list_streams(ExclusiveStartStreamArn=first)["Streams"]
    assert [stream["StreamArn"] for stream in told] == others
    with refused("ValidationException"):
        sim.streams.list_streams(ExclusiveStartStreamArn=f"{first}-never")


def test_a_stream_that_is_not_enabled_yet_has_no_iterators(sim: StreamSim, name: str) -> None:
    sim.settings(table_delay_ms=3_600_000)
    told = post(sim, DYNAMODB, "CreateTable", {
        "TableName": name, "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    }).json
    answer = post(sim, STREAMS, "GetShardIterator", {
        "StreamArn": told["TableDescription"]["LatestStreamArn"], "ShardId": sim.shards(name)[0]["shard"],
        "ShardIteratorType": "TRIM_HORIZON",
    })
    assert answer.json["__type"].endswith("#ResourceNotFoundException")
