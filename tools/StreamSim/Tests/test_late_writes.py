"""Writes whose caller hears nothing, and that are done later: perhaps after a newer one of the same item."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import HTTPClientError
from streamsim import ControlError, SimulatedTable, StreamSim
from support import by_key, key, n, refused


def unanswered(call: Any, **arguments: Any) -> None:
    """The call must end without an answer."""
    with pytest.raises(HTTPClientError):
        call(**arguments)


def test_a_late_write_overwrites_a_newer_one(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    old, new = key(1) | {"n": n(1)}, key(1) | {"n": n(2)}
    sim.late_effect("PutItem")
    unanswered(dynamodb.put_item, TableName=table.name, Item=old)
    assert (table.items(), sim.late_writes()) == ([], ["PutItem"])
    dynamodb.put_item(TableName=table.name, Item=new)
    assert table.items() == [new]
    assert sim.release_late_writes() == 1
    assert (table.items(), sim.late_writes()) == ([old], [])
    assert [record["eventName"] for record in table.records()] == ["INSERT", "MODIFY"]


def test_every_write_can_be_late(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    table.put(key("gone"))
    sim.late_effect(count=None)
    name = table.name
    unanswered(dynamodb.put_item, TableName=name, Item=key("put"))
    unanswered(dynamodb.delete_item, TableName=name, Key=key("gone"))
    unanswered(
        dynamodb.update_item, TableName=name, Key=key("updated"), UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": n(1)},
    )
    unanswered(dynamodb.batch_write_item, RequestItems={name: [{"PutRequest": {"Item": key("batch")}}]})
    # What reads is answered.
    assert dynamodb.scan(TableName=name)["Items"] == [key("gone")]
    assert sim.late_writes() == ["PutItem", "DeleteItem", "UpdateItem", "BatchWriteItem"]
    assert sim.release_late_writes(count=2) == 2
    assert table.items() == [key("put")]
    assert sim.release_late_writes() == 2
    assert sorted(item["pk"]["S"] for item in table.items()) == ["batch", "put", "updated"]


def test_a_late_write_waits_for_newer_ones(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    sim.faults([
        {"action": "PutItem", "fault": "late_effect", "count": 1, "after_writes": 2},
        {"action": "PutItem", "fault": "ThrottlingException", "count": 1},
    ])
    unanswered(dynamodb.put_item, TableName=table.name, Item=key(1) | {"n": n(0)})
    with refused("ThrottlingException"):
        dynamodb.put_item(TableName=table.name, Item=key(1) | {"n": n(1)})
    with refused("ConditionalCheckFailedException"):
        dynamodb.put_item(TableName=table.name, Item=key(1), ConditionExpression="attribute_exists(pk)")
    # Neither one that failed nor one that reads counts.
    dynamodb.get_item(TableName=table.name, Key=key(1))
    dynamodb.put_item(TableName=table.name, Item=key(1) | {"n": n(2)})
    assert table.items() == [key(1) | {"n": n(2)}]
    dynamodb.put_item(TableName=table.name, Item=key(2))
    assert by_key(table.items()) == by_key([key(1) | {"n": n(0)}, key(2)])


def test_a_late_write_comes_at_its_time(
    clocked: StreamSim, clocked_dynamodb: Any, clocked_table: SimulatedTable
) -> None:
    clocked.faults([
        {"action": "PutItem", "fault": "late_effect", "count": 1, "after_ms": 5000},
        {"action": "PutItem", "fault": "late_effect", "count": 1, "after_ms": 3000},
    ])
    name = clocked_table.name
    unanswered(clocked_dynamodb.put_item, TableName=name, Item=key(1) | {"n": n(5)})
    unanswered(clocked_dynamodb.put_item, TableName=name, Item=key(1) | {"n": n(3)})
    clocked.advance(2.9)
    assert clocked_table.items() == []
    clocked.advance(0.1)
    assert clocked_table.items() == [key(1) | {"n": n(3)}]
    clocked.advance(60)
    assert clocked_table.items() == [key(1) | {"n": n(5)}]
    times = [record["dynamodb"]["ApproximateCreationDateTime"] for record in clocked_table.records()]
    # They were made when they were due, not when somebody looked.
    assert times[1] - times[0] == 2


def test_a_late_write_is_judged_when_it_comes(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    before = sim.coverage().get("late write: refused", 0)
    sim.late_effect("PutItem")
    unanswered(
        dynamodb.put_item, TableName=table.name, Item=key(1) | {"n": n(1)},
        ConditionExpression="attribute_not_exists(pk)",
    )
    newer = key(1) | {"n": n(2)}
    dynamodb.put_item(TableName=table.name, Item=newer)
    assert sim.release_late_writes() == 1
    assert table.items() == [newer]
    assert sim.coverage()["late write: refused"] == before + 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "Scan", "fault": "late_effect"}, {"fault": "late_effect", "after_ms": 1, "after_writes": 1},
        {"fault": "late_effect", "after_ms": -1}, {"fault": "late_effect", "after_writes": 0},
        {"fault": "late_effect", "after_ms": "1"}, {"fault": "delay", "after_ms": 1},
    ],
    ids=str,
)
def test_a_late_effect_that_is_none_is_refused(sim: StreamSim, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        sim.faults([wrong])
    assert sim.faults() == []


def test_a_late_effect_is_shown_as_it_was_set(sim: StreamSim) -> None:
    rules = [
        {"action": "*", "fault": "late_effect", "percent": 100},
        {"action": "PutItem", "fault": "late_effect", "percent": 5, "count": 3, "after_ms": 20},
        {"action": "TransactWriteItems", "fault": "late_effect", "percent": 5, "after_writes": 2},
    ]
    assert sim.faults(rules) == rules


def test_a_late_effect_is_no_fault_of_the_moment(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    sim.settings(faults=100, longest_delay_ms=1)
    for _ in range(100):
        try:
            dynamodb.put_item(TableName=table.name, Item=key(1))
        except Exception:  # any of the others
            pass
    assert sim.late_writes() == []
