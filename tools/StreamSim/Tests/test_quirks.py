"""What emulators do otherwise than DynamoDB: off unless it is switched on, and then it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from streamsim import ControlError, SimulatedTable, StreamSim
from support import STREAMS, drain, iterator, key, listing, n, post, records, refused, s

QUIRKS = [
    "ignores_shard_filter", "includes_exclusive_start", "omits_next_iterator", "one_shard", "drops_batch_items",
    "no_change_makes_record", "fractional_time", "trimmed_on_new_shard", "scientific_time",
]


def test_every_quirk_can_be_switched_on_and_off(sim: StreamSim) -> None:
    assert sim.quirks() == []
    for quirk in QUIRKS:
        assert sim.quirks([quirk]) == [quirk]
    assert sorted(sim.quirks(QUIRKS)) == sorted(QUIRKS)
    assert sorted(sim.quirks()) == sorted(QUIRKS)
    assert sim.quirks([]) == []


@pytest.mark.parametrize(
    "wrong", [["nonsense"], ["one_shard", "nonsense"], "one_shard", {"one_shard": True}, [1]], ids=str
)
def test_an_unknown_quirk_is_refused(sim: StreamSim, wrong: Any) -> None:
    sim.quirks(["fractional_time"])
    with pytest.raises(ControlError) as caught:
        sim.control("POST", "quirks", wrong)
    assert caught.value.status == 400
    assert sim.quirks() == ["fractional_time"]


def test_quirks_can_be_there_from_the_start(start: Callable[..., StreamSim]) -> None:
    sim = start(quirks=("one_shard", "scientific_time"))
    assert sorted(sim.quirks()) == ["one_shard", "scientific_time"]


def ids(shards: list[Any]) -> list[str]:
    return [shard["ShardId"] for shard in shards]


def test_ignores_shard_filter(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    [first] = table.shards
    _, children = table.split()
    wanted = {"Type": "CHILD_SHARDS", "ShardId": first}
    assert set(ids(listing(streams, table.stream, ShardFilter=wanted))) == set(children)
    sim.quirks(["ignores_shard_filter"])
    assert set(ids(listing(streams, table.stream, ShardFilter=wanted))) == {first, *children}


def test_includes_exclusive_start(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    table.split()
    shards = ids(listing(streams, table.stream))

    def second_page() -> list[str]:
        page = streams.describe_stream(StreamArn=table.stream, ExclusiveStartShardId=shards[0])
        return ids(page["StreamDescription"]["Shards"])

    assert second_page() == shards[1:]
    sim.quirks(["includes_exclusive_start"])
    assert second_page() == shards


def test_omits_next_iterator(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    table.put(key(1))
    here = iterator(streams, table.stream, table.shards[0])
    assert "NextShardIterator" in streams.get_records(ShardIterator=here)
    sim.quirks(["omits_next_iterator"])
    # It is left out now and then.
    found, rest = drain(streams, here, empty=300)
    assert (len(found), rest) == (1, None)
    [shard] = listing(streams, table.stream)
    assert "EndingSequenceNumber" not in shard["SequenceNumberRange"], "the shard is open"


def test_one_shard(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    table.put(key(1))
    sim.quirks(["one_shard"])
    for how in (table.split, table.roll_over):
        with suppress(ControlError):
            how()
    [shard] = listing(streams, table.stream)
    assert "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    table.put(key(2))
    assert len(records(streams, table.stream)) == 2
    sim.quirks([])
    table.split()
    assert len(listing(streams, table.stream)) == 3


def test_drops_batch_items(sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable, name: str) -> None:
    other = sim.create_table(f"{name}-other", view="KEYS_ONLY")
    sim.quirks(["drops_batch_items"])
    dynamodb.batch_write_item(RequestItems={
        one.name: [{"PutRequest": {"Item": key(place)}} for place in range(5)] for one in (table, other)
    })
    for one in (table, other):
        assert len(one.items()) == 5
        [record] = records(streams, one.stream)
        assert record["dynamodb"]["Keys"] == key(0)
    # What is no batch makes its records.
    table.put(key(6))
    table.put(key(7))
    assert len(records(streams, table.stream)) == 3


def test_no_change_makes_record(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    item = key(1) | {"a": s("x")}
    table.put(item)
    table.put(item)
    assert len(records(streams, table.stream)) == 1
    sim.quirks(["no_change_makes_record"])
    table.put(item)
    table.update(key(1), a=s("x"))
    found = records(streams, table.stream)
    assert [record["eventName"] for record in found] == ["INSERT", "MODIFY", "MODIFY"]
    assert found[2]["dynamodb"]["OldImage"] == found[2]["dynamodb"]["NewImage"] == item


def times(sim: StreamSim, streams: Any, table: SimulatedTable) -> list[str]:
    body = post(sim, STREAMS, "GetRecords", {"ShardIterator": iterator(streams, table.stream, table.shards[0])}).body
    return re.findall(r'"ApproximateCreationDateTime":\s*([^,}\s]+)', body.decode())


@pytest.mark.parametrize(
    ("quirk", "form"), [("fractional_time", r"\d{10}\.\d+"), ("scientific_time", r"\d\.\d+E\+?9")]
)
def test_the_form_of_the_time(sim: StreamSim, streams: Any, table: SimulatedTable, quirk: str, form: str) -> None:
    table.put(key(1) | {"n": n(1)})
    [plain] = times(sim, streams, table)
    assert re.fullmatch(r"\d{10}", plain)
    sim.quirks([quirk])
    table.put(key(1) | {"n": n(2)})
    last = times(sim, streams, table)[-1]
    assert re.fullmatch(form, last)
    # A client reads the same time from it.
    found = records(streams, table.stream)[-1]["dynamodb"]["ApproximateCreationDateTime"]
    assert abs(found.timestamp() - float(plain)) < 30


def test_trimmed_on_new_shard(sim: StreamSim, streams: Any, table: SimulatedTable) -> None:
    sim.quirks(["trimmed_on_new_shard"])
    _, [child] = table.roll_over()
    with refused("TrimmedDataAccessException"):
        streams.get_records(ShardIterator=iterator(streams, table.stream, child))
    sim.quirks([])
    table.put(key(1))
    assert len(drain(streams, iterator(streams, table.stream, child))[0]) == 1
