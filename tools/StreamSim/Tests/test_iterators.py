"""Iterators and pages: where they begin, how long they live, and how a shard ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim
from support import STREAMS, drain, iterator, key, n, numbers, post, records_of, refused, s


@pytest.fixture
def shard(table: SimulatedTable) -> str:
    [shard] = table.shards
    return shard


def fill(table: SimulatedTable, count: int, first: int = 0) -> None:
    for place in range(first, first + count):
        table.put(key("hot") | {"n": n(place)})


# --- Where they begin ---


def test_the_four_kinds_begin_where_they_say(streams: Any, table: SimulatedTable, shard: str) -> None:
    fill(table, 10)
    arn = table.stream
    all_of_them = numbers(records_of(streams, arn, shard))
    assert len(all_of_them) == 10
    latest = iterator(streams, arn, shard, "LATEST")
    for place, at in enumerate(all_of_them):
        here, _ = drain(streams, iterator(streams, arn, shard, "AT_SEQUENCE_NUMBER", at))
        behind, _ = drain(streams, iterator(streams, arn, shard, "AFTER_SEQUENCE_NUMBER", at))
        assert (numbers(here), numbers(behind)) == (all_of_them[place:], all_of_them[place + 1 :])
    fill(table, 3, first=100)
    everything = numbers(records_of(streams, arn, shard))
    assert everything[:10] == all_of_them and len(everything) == 13
    assert numbers(drain(streams, latest)[0]) == everything[10:]


def test_an_iterator_can_begin_at_the_start_of_a_shard(streams: Any, table: SimulatedTable, shard: str) -> None:
    """Where nothing was read yet, its starting sequence number is the place to remember."""
    [described] = streams.describe_stream(StreamArn=table.stream)["StreamDescription"]["Shards"]
    start = described["SequenceNumberRange"]["StartingSequenceNumber"]
    kinds = [iterator(streams, table.stream, shard, kind, start) for kind in (
        "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
    )]
    fill(table, 3)
    assert numbers(drain(streams, kinds[0])[0]) == numbers(table.records())
    # The shard may begin with its first record.
    assert numbers(drain(streams, kinds[1])[0]) in (numbers(table.records()), numbers(table.records())[1:])


def test_an_iterator_gives_the_same_each_time(streams: Any, table: SimulatedTable, shard: str) -> None:
    fill(table, 5)
    here = iterator(streams, table.stream, shard)
    first = streams.get_records(ShardIterator=here, Limit=2)
    again = streams.get_records(ShardIterator=here, Limit=2)
    assert first["Records"] == again["Records"] and len(first["Records"]) == 2
    assert 1 <= len(here) <= 2048
    for page in (first, again):
        assert numbers(drain(streams, page["NextShardIterator"])[0]) == numbers(table.records())[2:]


@pytest.mark.parametrize(
    "arguments",
    [
        {"ShardIteratorType": "AT_SEQUENCE_NUMBER"}, {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER"},
        {"ShardIteratorType": "AT_TIMESTAMP"}, {"ShardIteratorType": ""}, {},
        {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "nonsense"},
        {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": ""},
        {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "1" * 41},
    ],
    ids=str,
)
def test_a_place_that_is_none_is_refused(
    streams: Any, table: SimulatedTable, shard: str, arguments: dict[str, str]
) -> None:
    with refused("ValidationException"):
        streams.get_shard_iterator(StreamArn=table.stream, ShardId=shard, **arguments)


def test_a_shard_that_is_not_there_is_not_found(
    sim: StreamSim, streams: Any, table: SimulatedTable, shard: str, name: str
) -> None:
    other = sim.create_table(f"{name}-other")
    for arn, id in ((table.stream, shard[:-1] + ("0" if shard[-1] != "0" else "1")), (other.stream, shard)):
        with refused("ResourceNotFoundException"):
            iterator(streams, arn, id)


def test_what_is_no_iterator_is_refused(streams: Any, table: SimulatedTable, shard: str) -> None:
    good = iterator(streams, table.stream, shard)
    for none in ("", "nonsense", good[: len(good) // 2], good + "x", "😀", "|".join("0" * 9)):
        with refused("ValidationException"):
            streams.get_records(ShardIterator=none)


def test_an_iterator_of_another_server_does_no_harm(start: Callable[..., StreamSim]) -> None:
    """As a client holds it whose server was started again: the same shard, but not yet its records."""
    first, second = start(seed=7, manual_clock=True), start(seed=7, manual_clock=True)
    tables = [sim.create_table("Table") for sim in (first, second)]
    fill(tables[0], 50)
    [shard] = tables[0].shards
    assert tables[1].shards == [shard]
    here = iterator(first.streams, tables[0].stream, shard, "LATEST")
    answer = post(second, STREAMS, "GetRecords", {"ShardIterator": here})
    assert answer.status == 400 or answer.json["Records"] == []
    assert second.is_running


# --- How long they live ---


def test_an_iterator_lives_for_15_minutes(
    clocked: StreamSim, clocked_streams: Any, clocked_table: SimulatedTable
) -> None:
    fill(clocked_table, 2)
    [shard] = clocked_table.shards
    here = iterator(clocked_streams, clocked_table.stream, shard)
    clocked.advance(14 * 60 + 59)
    page = clocked_streams.get_records(ShardIterator=here, Limit=1)
    assert len(page["Records"]) == 1
    clocked.advance(2)
    with refused("ExpiredIteratorException"):
        clocked_streams.get_records(ShardIterator=here)
    # Each page gives a fresh one: who asks often enough goes on for ever.
    found = page["Records"]
    for _ in range(10):
        page = clocked_streams.get_records(ShardIterator=page["NextShardIterator"])
        found += page["Records"]
        clocked.advance(10 * 60)
    assert numbers(found) == numbers(clocked_table.records())


def test_how_long_an_iterator_lives_can_be_set(
    clocked: StreamSim, clocked_streams: Any, clocked_table: SimulatedTable
) -> None:
    clocked.settings(iterator_lifetime_ms=2000)
    [shard] = clocked_table.shards
    here = iterator(clocked_streams, clocked_table.stream, shard, "LATEST")
    clocked.advance(1)
    clocked_streams.get_records(ShardIterator=here)
    clocked.advance(1.5)
    with refused("ExpiredIteratorException"):
        clocked_streams.get_records(ShardIterator=here)


def test_iterators_can_be_expired_at_once(sim: StreamSim, streams: Any, table: SimulatedTable, shard: str) -> None:
    fill(table, 3)
    here = iterator(streams, table.stream, shard)
    page = streams.get_records(ShardIterator=here, Limit=1)
    sim.expire_iterators()
    for old in (here, page["NextShardIterator"]):
        with refused("ExpiredIteratorException"):
            streams.get_records(ShardIterator=old)
    [last] = numbers(page["Records"])
    again = iterator(streams, table.stream, shard, "AFTER_SEQUENCE_NUMBER", last)
    assert numbers(drain(streams, again)[0]) == numbers(table.records())[1:]


# --- The end of a shard ---


@pytest.mark.parametrize("as_null", [False, True])
def test_the_last_page_of_a_closed_shard_has_no_iterator(
    sim: StreamSim, streams: Any, table: SimulatedTable, shard: str, as_null: bool
) -> None:
    """With records, or without: the end may come before it is known to be one."""
    fill(table, 3)
    waiting = drain(streams, iterator(streams, table.stream, shard))[1]
    table.roll_over(shard)
    sim.settings(spells_end_as_null=as_null)
    for here, count in ((iterator(streams, table.stream, shard), 3), (waiting, 0)):
        answer = post(sim, STREAMS, "GetRecords", {"ShardIterator": here})
        assert len(answer.json["Records"]) == count
        if as_null:
            assert answer.json["NextShardIterator"] is None
        else:
            assert "NextShardIterator" not in answer.json
        assert "NextShardIterator" not in streams.get_records(ShardIterator=here)


def test_a_closed_shard_is_read_to_its_end_from_everywhere(streams: Any, table: SimulatedTable, shard: str) -> None:
    fill(table, 4)
    all_of_them = numbers(table.records())
    table.split(shard)
    fill(table, 4)
    last = all_of_them[-1]
    for here, rest in (
        (iterator(streams, table.stream, shard), all_of_them),
        (iterator(streams, table.stream, shard, "AT_SEQUENCE_NUMBER", last), [last]),
        (iterator(streams, table.stream, shard, "AFTER_SEQUENCE_NUMBER", last), []),
        (iterator(streams, table.stream, shard, "LATEST"), []),
    ):
        found, then = drain(streams, here, empty=2)
        assert (numbers(found), then) == (rest, None)


def test_a_shard_that_never_had_a_record_ends_as_well(streams: Any, table: SimulatedTable, shard: str) -> None:
    table.roll_over(shard)
    for kind in ("TRIM_HORIZON", "LATEST"):
        assert drain(streams, iterator(streams, table.stream, shard, kind), empty=2) == ([], None)


def test_an_open_shard_never_ends(streams: Any, table: SimulatedTable, shard: str) -> None:
    found, here = drain(streams, iterator(streams, table.stream, shard), empty=10)
    assert found == [] and here is not None
    fill(table, 1)
    found, here = drain(streams, here)
    assert len(found) == 1 and here is not None


# --- Pages ---


@pytest.mark.parametrize("of_a_page", [1, 3, 1000])
def test_a_page_has_as_many_records_as_asked_for(
    sim: StreamSim, streams: Any, table: SimulatedTable, shard: str, of_a_page: int
) -> None:
    fill(table, 10)
    table.roll_over(shard)

    def paged(limit: dict[str, int]) -> list[int]:
        sizes = []
        here: str | None = iterator(streams, table.stream, shard)
        while here is not None:
            page = streams.get_records(ShardIterator=here, **limit)
            sizes.append(len(page["Records"]))
            here = page.get("NextShardIterator")
        return sizes

    wanted = [of_a_page] * (10 // of_a_page) + [10 % of_a_page] * (10 % of_a_page > 0)
    assert [size for size in paged({"Limit": of_a_page}) if size] == wanted
    sim.settings(records_of_a_page=of_a_page)
    assert [size for size in paged({}) if size] == wanted
    # The smaller one counts.
    assert max(paged({"Limit": 2})) == min(2, of_a_page)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_of_records_has_1_to_1000(streams: Any, table: SimulatedTable, shard: str, limit: int) -> None:
    with refused(*(["ValidationException"] + ["LimitExceededException"] * (limit > 1000))):
        streams.get_records(ShardIterator=iterator(streams, table.stream, shard), Limit=limit)


def test_a_page_ends_at_a_megabyte(sim: StreamSim, streams: Any, table: SimulatedTable, shard: str) -> None:
    for place in range(12):
        table.put(key(1) | {"n": n(place), "data": s("x" * 100_000)})  # both images of it: twice as much
    here: str = iterator(streams, table.stream, shard)
    sizes: list[int] = []
    while not sizes or sizes[-1]:
        page = streams.get_records(ShardIterator=here)
        sizes.append(len(page["Records"]))
        here = page["NextShardIterator"]
    # All but the first record count 200 kB.
    assert sum(sizes) == 12
    assert max(sizes[1:]) == 5


def test_a_record_of_the_largest_items_comes_alone(streams: Any, table: SimulatedTable, shard: str) -> None:
    for place in range(3):
        table.put(key(1) | {"n": n(place), "data": s(str(place) * 400_000)})
    found, _ = drain(streams, iterator(streams, table.stream, shard))
    assert len(found) == 3


@pytest.mark.parametrize("closed", [False, True])
def test_empty_pages_are_no_end(
    sim: StreamSim, streams: Any, table: SimulatedTable, shard: str, closed: bool
) -> None:
    fill(table, 10)
    if closed:
        table.roll_over(shard)
    sim.settings(empty_pages=100)
    here: str = iterator(streams, table.stream, shard)
    for _ in range(5):
        page = streams.get_records(ShardIterator=here)
        assert page["Records"] == []
        here = page["NextShardIterator"]
    sim.settings(empty_pages=50, records_of_a_page=1)
    found, rest = drain(streams, here, empty=30)
    assert numbers(found) == numbers(table.records())
    assert (rest is None) == closed


def test_short_pages_lose_nothing(sim: StreamSim, streams: Any, table: SimulatedTable, shard: str) -> None:
    fill(table, 40)
    sim.settings(short_pages=100)
    here: str | None = iterator(streams, table.stream, shard)
    found, sizes = [], []
    while len(found) < 40 and len(sizes) < 100:
        page = streams.get_records(ShardIterator=here, Limit=20)
        sizes.append(len(page["Records"]))
        found += page["Records"]
        here = page["NextShardIterator"]
    assert numbers(found) == numbers(table.records())
    assert sizes[0] < 20 and len(sizes) > 2
