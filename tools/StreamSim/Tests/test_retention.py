"""What a stream forgets: records after 24 hours, shards after them, and streams that were switched off."""

from __future__ import annotations

from typing import Any

import pytest
from streamsim import ControlError, SimulatedTable, StreamSim
from support import drain, iterator, key, listing, n, numbers, records, records_of, refused

HOUR = 3600


def put(table: SimulatedTable, *places: int) -> None:
    for place in places:
        table.put(key("hot") | {"n": n(place)})


@pytest.fixture
def table(clocked_table: SimulatedTable) -> SimulatedTable:
    return clocked_table


@pytest.fixture
def streams(clocked_streams: Any) -> Any:
    return clocked_streams


def test_a_record_is_kept_for_24_hours(clocked: StreamSim, streams: Any, table: SimulatedTable) -> None:
    [shard] = table.shards
    put(table, 1, 2)
    clocked.advance(12 * HOUR)
    put(table, 3)
    clocked.advance(11.9 * HOUR)
    assert len(records_of(streams, table.stream, shard)) == 3
    clocked.advance(0.2 * HOUR)
    made = numbers(table.records())
    assert len(made) == 3, "the truth forgets nothing"
    assert numbers(records_of(streams, table.stream, shard)) == made[2:]
    [truth] = clocked.shards(table.name)
    assert (truth["records"], truth["trimmed"], truth["gone"]) == (3, 2, False)

    # Whoever was to go on before the horizon is told what happened.
    for kind, at in (
        ("AT_SEQUENCE_NUMBER", made[0]), ("AT_SEQUENCE_NUMBER", made[1]), ("AFTER_SEQUENCE_NUMBER", made[0]),
    ):
        with refused("TrimmedDataAccessException"):
            iterator(streams, table.stream, shard, kind, at)
    assert numbers(drain(streams, iterator(streams, table.stream, shard, "AT_SEQUENCE_NUMBER", made[2]))[0]) == made[2:]
    assert drain(streams, iterator(streams, table.stream, shard, "AFTER_SEQUENCE_NUMBER", made[2]))[0] == []


def test_an_iterator_whose_records_are_trimmed_says_so(
    clocked: StreamSim, streams: Any, table: SimulatedTable
) -> None:
    [shard] = table.shards
    put(table, 1, 2, 3)
    clocked.advance(24 * HOUR - 300)
    put(table, 4)
    page = streams.get_records(ShardIterator=iterator(streams, table.stream, shard), Limit=1)
    assert len(page["Records"]) == 1
    clocked.advance(600)
    with refused("TrimmedDataAccessException"):
        streams.get_records(ShardIterator=page["NextShardIterator"])
    assert numbers(records_of(streams, table.stream, shard)) == numbers(table.records())[3:]


def test_an_open_shard_of_which_all_is_trimmed_goes_on(
    clocked: StreamSim, streams: Any, table: SimulatedTable
) -> None:
    [shard] = table.shards
    put(table, 1)
    clocked.advance(25 * HOUR)
    found, here = drain(streams, iterator(streams, table.stream, shard))
    assert found == [] and here is not None
    put(table, 2)
    assert numbers(drain(streams, here)[0]) == numbers(table.records())[1:]
    assert [one["ShardId"] for one in listing(streams, table.stream)] == [shard]


def test_a_closed_shard_is_gone_after_its_records(clocked: StreamSim, streams: Any, table: SimulatedTable) -> None:
    """Its child then names a parent that is not listed."""
    [parent] = table.shards
    put(table, 1)
    _, [child] = table.roll_over(parent)
    put(table, 2)
    clocked.advance(23 * HOUR)
    assert {shard["ShardId"] for shard in listing(streams, table.stream)} == {parent, child}
    waiting = iterator(streams, table.stream, parent)
    put(table, 3)
    clocked.advance(2 * HOUR)
    [left] = listing(streams, table.stream)
    assert (left["ShardId"], left["ParentShardId"]) == (child, parent)
    with refused("ResourceNotFoundException"):
        iterator(streams, table.stream, parent)
    with refused("ResourceNotFoundException", "TrimmedDataAccessException", "ExpiredIteratorException"):
        streams.get_records(ShardIterator=waiting)
    assert {shard["shard"]: shard["gone"] for shard in clocked.shards(table.name)} == {parent: True, child: False}
    assert numbers(records(streams, table.stream)) == numbers(table.records())[2:]


def test_how_long_records_are_kept_can_be_set(clocked: StreamSim, streams: Any, table: SimulatedTable) -> None:
    clocked.settings(retention_ms=10_000)
    [shard] = table.shards
    put(table, 1)
    clocked.advance(9)
    assert len(records_of(streams, table.stream, shard)) == 1
    clocked.advance(2)
    assert records_of(streams, table.stream, shard) == []


def test_records_can_be_trimmed_at_once(clocked: StreamSim, streams: Any, table: SimulatedTable) -> None:
    [shard] = table.shards
    put(table, *range(10))
    made = numbers(table.records())
    clocked.trim(table.name, keep=4)
    assert numbers(records_of(streams, table.stream, shard)) == made[6:]
    with refused("TrimmedDataAccessException"):
        iterator(streams, table.stream, shard, "AFTER_SEQUENCE_NUMBER", made[3])
    # Nothing is missing behind the last one that is gone.
    put(table, 10)
    clocked.trim(table.name)
    assert records_of(streams, table.stream, shard) == []
    assert clocked.shards(table.name)[0]["trimmed"] == 11
    put(table, 11)
    assert numbers(records_of(streams, table.stream, shard)) == numbers(table.records())[11:]


def test_the_newest_of_the_whole_stream_are_kept(clocked: StreamSim, streams: Any, table: SimulatedTable) -> None:
    [parent] = table.shards
    put(table, 0, 1, 2)
    _, [child] = table.roll_over(parent)
    put(table, 3, 4)
    clocked.trim(table.name, keep=3)
    made = numbers(table.records())
    assert numbers(records_of(streams, table.stream, parent)) == made[2:3]
    assert numbers(records_of(streams, table.stream, child)) == made[3:]
    clocked.trim(table.name, keep=2)
    # The shard is still there, and read to its end at once.
    assert drain(streams, iterator(streams, table.stream, parent), empty=2) == ([], None)
    assert len(listing(streams, table.stream)) == 2


def test_what_is_no_trimming_is_refused_and_trims_nothing(
    clocked: StreamSim, streams: Any, table: SimulatedTable
) -> None:
    put(table, 1, 2, 3)
    for wrong in ({"table": "nowhere"}, {}, {"table": table.name, "keep": -1}, {"table": table.name, "keep": "x"}):
        with pytest.raises(ControlError) as caught:
            clocked.control("POST", "trim", wrong)
        assert caught.value.status == 400
    assert len(records_of(streams, table.stream, table.shards[0])) == 3


def test_a_stream_that_was_switched_off_is_gone_after_24_hours(
    clocked: StreamSim, clocked_dynamodb: Any, streams: Any, table: SimulatedTable
) -> None:
    put(table, 1)
    first, [shard] = table.stream, table.shards
    clocked_dynamodb.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
    clocked.advance(23 * HOUR)
    assert len(records_of(streams, first, shard)) == 1
    clocked.advance(2 * HOUR)
    for call in (lambda: streams.describe_stream(StreamArn=first), lambda: iterator(streams, first, shard)):
        with refused("ResourceNotFoundException"):
            call()
    assert streams.list_streams(TableName=table.name)["Streams"] == []
    assert len(clocked.records(table.name, first)) == 1, "the truth forgets nothing"

    clocked_dynamodb.update_table(
        TableName=table.name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )
    assert [one["StreamArn"] for one in streams.list_streams(TableName=table.name)["Streams"]] == [table.stream]
    assert table.stream != first


def test_the_stream_of_a_deleted_table_is_gone_after_24_hours(
    clocked: StreamSim, clocked_dynamodb: Any, streams: Any, table: SimulatedTable
) -> None:
    put(table, 1)
    arn = table.stream
    clocked_dynamodb.delete_table(TableName=table.name)
    clocked.advance(23 * HOUR)
    assert len(records(streams, arn)) == 1
    clocked.advance(2 * HOUR)
    with refused("ResourceNotFoundException"):
        streams.describe_stream(StreamArn=arn)
