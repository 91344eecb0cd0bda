"""Shards: which key lives where, splits and roll-overs, and what listings show of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamsim import ControlError, SimulatedTable, StreamSim
from support import Shard, key, listing, n, number, records_of, refused, s


def by_id(shards: list[Shard]) -> dict[str, Shard]:
    return {shard["ShardId"]: shard for shard in shards}


def starting(shard: Shard) -> int:
    return int(shard["SequenceNumberRange"]["StartingSequenceNumber"])


def ending(shard: Shard) -> int | None:
    end = shard["SequenceNumberRange"].get("EndingSequenceNumber")
    return None if end is None else int(end)


def homes(streams: Any, table: SimulatedTable) -> dict[str, list[str]]:
    """For each partition key the shards that have its records, in the order of their records."""
    found: list[tuple[int, str, str]] = []
    for shard in listing(streams, table.stream):
        for record in records_of(streams, table.stream, shard["ShardId"]):
            found.append((number(record), record["dynamodb"]["Keys"]["pk"]["S"], shard["ShardId"]))
    places: dict[str, list[str]] = {}
    for _, pk, shard_id in sorted(found):
        if places.setdefault(pk, [])[-1:] != [shard_id]:
            places[pk].append(shard_id)
    return places


@pytest.mark.parametrize("count", [1, 4])
def test_a_new_stream_has_as_many_open_shards_as_set(sim: StreamSim, streams: Any, name: str, count: int) -> None:
    sim.settings(shards=count)
    shards = listing(streams, sim.create_table(name).stream)
    assert len(by_id(shards)) == count
    for shard in shards:
        assert re.fullmatch(r"shardId-\d{20}-[0-9a-f]{8}", shard["ShardId"])
        assert re.fullmatch(r"\d{21,40}", shard["SequenceNumberRange"]["StartingSequenceNumber"])
        assert ending(shard) is None
        assert "ParentShardId" not in shard


def test_a_partition_key_lives_in_one_open_shard(sim: StreamSim, streams: Any, name: str) -> None:
    """The partition key alone decides: whatever the sort key is, the changes of one are in order."""
    sim.settings(shards=4)
    table = sim.create_table(name, range_type="N")
    for sort in range(4):
        table.put_all([{"pk": s(f"key-{pk}"), "sk": n(sort)} for pk in range(30)])
    places = homes(streams, table)
    assert len(places) == 30
    assert all(len(shards) == 1 for shards in places.values())
    assert len({shards[0] for shards in places.values()}) == 4, "some shard has no key"


def test_a_key_moves_only_from_a_shard_to_its_child(sim: StreamSim, streams: Any, name: str) -> None:
    sim.settings(shards=2)
    table = sim.create_table(name, range_type="N")
    for generation in range(5):
        table.put_all([{"pk": s(f"key-{pk}"), "sk": n(generation)} for pk in range(20)])
        if generation % 2:
            table.roll_over()
        else:
            table.split()
    parents = {shard["ShardId"]: shard.get("ParentShardId") for shard in listing(streams, table.stream)}
    moved = 0
    for shards in homes(streams, table).values():
        for before, after in zip(shards, shards[1:]):
            moved += 1
            ancestor: str | None = after
            while ancestor is not None and ancestor != before:
                ancestor = parents[ancestor]
            assert ancestor == before, f"{after} is no descendant of {before}"
    assert moved > 0


@pytest.mark.parametrize(("how", "children"), [("split", 2), ("roll_over", 1)])
def test_a_shard_is_closed_and_its_children_go_on(
    streams: Any, table: SimulatedTable, how: str, children: int
) -> None:
    table.put_all([key(number) for number in range(20)])
    [parent] = table.shards
    told = getattr(table, how)(parent)
    assert told[0] == parent
    assert len(told[1]) == children
    table.put_all([key(number) for number in range(100, 140)])

    shards = by_id(listing(streams, table.stream))
    assert set(shards) == {parent, *told[1]}
    closed = ending(shards[parent])
    assert closed is not None
    for record in records_of(streams, table.stream, parent):
        assert starting(shards[parent]) <= number(record) <= closed
    for child in told[1]:
        assert shards[child]["ParentShardId"] == parent
        assert ending(shards[child]) is None
        made = records_of(streams, table.stream, child)
        assert made, "a child has no key"
        assert closed < number(made[0])
        assert starting(shards[child]) <= number(made[0])


def test_the_shard_that_is_split_may_be_left_to_chance(sim: StreamSim, streams: Any, name: str) -> None:
    sim.settings(shards=3)
    table = sim.create_table(name)
    for _ in range(6):
        before = {id for id, shard in by_id(listing(streams, table.stream)).items() if ending(shard) is None}
        parent, _ = table.split()
        assert parent in before
    assert len(listing(streams, table.stream)) == 3 + 12


def test_only_an_open_shard_of_the_table_can_be_split(sim: StreamSim, table: SimulatedTable, name: str) -> None:
    parent, _ = table.roll_over()
    sim.create_table(f"{name}-without", view=None)
    for wrong in (
        {"table": table.name, "shard": parent}, {"table": table.name, "shard": "shardId-nonsense"},
        {"table": "nowhere"}, {"table": f"{name}-without"}, {},
    ):
        for how in ("split", "roll-over"):
            with pytest.raises(ControlError) as caught:
                sim.control("POST", how, wrong)
            assert caught.value.status == 400
    assert len(table.shards) == 2


def test_the_truth_about_shards(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    table.put_all([key(number) for number in range(10)])
    [parent] = table.shards
    _, children = table.split()
    table.put_all([key(number) for number in range(20, 30)])
    listed = by_id(listing(streams, table.stream))
    truth = {shard["shard"]: shard for shard in sim.shards(table.name)}
    assert set(truth) == {parent, *children}
    for id, shard in truth.items():
        assert shard["stream"] == table.stream
        assert shard["parent"] == listed[id].get("ParentShardId")
        assert int(shard["starting_sequence_number"]) == starting(listed[id])
        assert (shard["ending_sequence_number"] is None) == (ending(listed[id]) is None)
        assert shard["records"] == len(records_of(streams, table.stream, id))
        assert (shard["trimmed"], shard["gone"]) == (0, False)
    assert sum(shard["records"] for shard in truth.values()) == 20
    assert {(record["shard"], int(record["sequence_number"])) for record in sim.records(table.name)} == {
        (id, number(record)) for id in truth for record in records_of(streams, table.stream, id)
    }


# --- Listings ---


@pytest.mark.parametrize("of_a_page", [1, 3, 11, 100])
def test_shards_are_listed_in_pages(sim: StreamSim, streams: Any, table: SimulatedTable, of_a_page: int) -> None:
    for _ in range(5):
        table.split()
    everything = set(by_id(listing(streams, table.stream)))
    assert len(everything) == 11

    def paged(limit: dict[str, int]) -> None:
        found: list[str] = []
        start: dict[str, str] = {}
        while True:
            page = streams.describe_stream(StreamArn=table.stream, **limit, **start)["StreamDescription"]
            assert len(page["Shards"]) <= of_a_page
            found += [shard["ShardId"] for shard in page["Shards"]]
            if "LastEvaluatedShardId" not in page:
                break
            assert page["LastEvaluatedShardId"] == found[-1]
            start = {"ExclusiveStartShardId": found[-1]}
        assert len(found) == 11 and set(found) == everything

    paged({"Limit": of_a_page})
    sim.settings(shards_of_a_page=of_a_page)
    paged({})


def test_a_listing_of_many_shards_has_several_pages(sim: StreamSim, streams: Any, name: str) -> None:
    sim.settings(shards=250)
    arn = sim.create_table(name).stream
    page = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert len(page["Shards"]) == 100
    assert len(by_id(listing(streams, arn))) == 250


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_of_shards_has_1_to_100(streams: Any, table: SimulatedTable, limit: int) -> None:
    with refused("ValidationException"):
        streams.describe_stream(StreamArn=table.stream, Limit=limit)


def children_of(streams: Any, table: SimulatedTable, shard: str) -> set[str]:
    return set(by_id(listing(streams, table.stream, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": shard})))


def test_a_filter_gives_the_direct_children(streams: Any, table: SimulatedTable) -> None:
    [first] = table.shards
    assert children_of(streams, table, first) == set()
    _, children = table.split(first)
    _, grandchildren = table.split(children[0])
    assert children_of(streams, table, first) == set(children)
    assert children_of(streams, table, children[0]) == set(grandchildren)
    assert children_of(streams, table, children[1]) == set()


@pytest.mark.parametrize("filter", [{"Type": "NONSENSE", "ShardId": "?"}, {"Type": "CHILD_SHARDS"}], ids=str)
def test_a_filter_that_is_none_is_refused(streams: Any, table: SimulatedTable, filter: dict[str, str]) -> None:
    if "ShardId" in filter:
        filter = filter | {"ShardId": table.shards[0]}
    with refused("ValidationException"):
        streams.describe_stream(StreamArn=table.stream, ShardFilter=filter)


def test_children_are_listed_late(clocked: StreamSim, clocked_streams: Any, clocked_table: SimulatedTable) -> None:
    """Until they are, their parent is shown as open."""
    [first] = clocked_table.shards
    clocked.settings(listing_lag_ms=3000)
    _, children = clocked_table.split(first)
    clocked_table.put_all([key(number) for number in range(20)])

    clocked.advance(2)
    [shown] = listing(clocked_streams, clocked_table.stream)
    assert (shown["ShardId"], ending(shown)) == (first, None)
    assert children_of(clocked_streams, clocked_table, first) == set()
    # The truth has no lag.
    assert len(clocked.shards(clocked_table.name)) == 3

    clocked.advance(2)
    shown_by_id = by_id(listing(clocked_streams, clocked_table.stream))
    assert set(shown_by_id) == {first, *children}
    assert ending(shown_by_id[first]) is not None


def test_listings_contradict_themselves(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    """A parent is still open while its child is listed, or closed and its child isn't listed yet."""
    [first] = table.shards
    _, [child] = table.roll_over(first)

    def shown() -> tuple[bool, bool]:
        """Whether the parent is closed, and whether the child is listed."""
        shards = by_id(listing(streams, table.stream))
        assert first in shards
        return ending(shards[first]) is not None, child in shards

    assert {shown() for _ in range(20)} == {(True, True)}
    sim.settings(contradictory_listings=100)
    assert {shown() for _ in range(40)} == {(False, True), (True, False)}
    sim.settings(contradictory_listings=50)
    assert {shown() for _ in range(60)} == {(False, True), (True, False), (True, True)}
    sim.settings(contradictory_listings=0)
    assert {shown() for _ in range(20)} == {(True, True)}


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
def test_a_page_goes_on_where_the_last_one_ended_whatever_has_left_since(
    start: Callable[..., StreamSim], shuffled: bool
) -> None:
    sim = start(manual_clock=True)
    sim.settings(shards=6, retention_ms=10_000, shuffled_listings=shuffled)
    table = sim.create_table("Table")
    closed, _ = table.roll_over(listing(sim.streams, table.stream)[1]["ShardId"])
    order = [shard["ShardId"] for shard in listing(sim.streams, table.stream)]
    last = order.index(closed)
    sim.advance(11)
    page = sim.streams.describe_stream(StreamArn=table.stream, ExclusiveStartShardId=order[last])["StreamDescription"]
    assert [shard["ShardId"] for shard in page["Shards"]] == order[last + 1:]
    assert order[last] not in [shard["ShardId"] for shard in listing(sim.streams, table.stream)]


def test_a_page_after_a_shard_that_never_was_is_refused(streams: Any, table: SimulatedTable) -> None:
    with refused("ValidationException"):
        streams.describe_stream(
            StreamArn=table.stream, ExclusiveStartShardId="shardId-00000001541626099285-f35f62ef")
    with refused("SerializationException"):
        streams.describe_stream(StreamArn=table.stream, ExclusiveStartShardId=5)
