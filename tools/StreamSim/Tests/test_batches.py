"""Batches: what they do, what they leave undone, and what refuses them whole."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from streamsim import ControlError, SimulatedTable, StreamSim
from support import DYNAMODB, Item, by_key, key, n, post, records, refused, s


def puts(*items: Item) -> list[Any]:
    return [{"PutRequest": {"Item": item}} for item in items]


def deletes(*keys: Item) -> list[Any]:
    return [{"DeleteRequest": {"Key": one}} for one in keys]


def write(dynamodb: Any, requests: dict[str, Any]) -> Any:
    return dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"]


@pytest.fixture
def other(sim: StreamSim, name: str) -> SimulatedTable:
    return sim.create_table(f"{name}-other", range_type="N")


def test_a_batch_writes_to_several_tables(
    dynamodb: Any, streams: Any, table: SimulatedTable, other: SimulatedTable
) -> None:
    table.put(key("old"))
    rows = [{"pk": s("a"), "sk": n(number)} for number in range(5)]
    left = write(dynamodb, {
        table.name: [*puts(key(1), key(2)), *deletes(key("old"), key("never there"))], other.name: puts(*rows),
    })
    assert left == {}
    assert by_key(table.items()) == by_key([key(1), key(2)])
    assert by_key(other.items(), "pk", "sk") == by_key(rows, "pk", "sk")
    # Each item makes a record of its own; what changed nothing makes none.
    made = [record["eventName"] for record in records(streams, table.stream)]
    assert sorted(made) == ["INSERT", "INSERT", "INSERT", "REMOVE"]
    assert len(records(streams, other.stream)) == 5


def test_a_batch_replaces_an_item_whole(dynamodb: Any, table: SimulatedTable) -> None:
    table.put(key(1) | {"a": n(1)})
    write(dynamodb, {table.name: puts(key(1) | {"b": n(2)})})
    assert table.items() == [key(1) | {"b": n(2)}]


def test_a_batch_has_25_requests_over_all_tables(
    dynamodb: Any, table: SimulatedTable, other: SimulatedTable
) -> None:
    rows = [{"pk": s("a"), "sk": n(number)} for number in range(13)]
    with refused("ValidationException"):
        write(dynamodb, {table.name: puts(*map(key, range(13))), other.name: puts(*rows)})
    assert (table.items(), other.items()) == ([], [])
    assert write(dynamodb, {table.name: puts(*map(key, range(12))), other.name: puts(*rows)}) == {}
    assert (len(table.items()), len(other.items())) == (12, 13)


@pytest.mark.parametrize(
    "requests",
    [
        puts(key(1), key(1)), [*puts(key(1)), *deletes(key(1))], deletes(key(1), key(1)),
        puts(key(1), {"pk": n(2)}), puts(key(1), {"other": s("x")}), deletes(key(1) | {"more": n(1)}),
        puts(key(1), key(2) | {"data": s("x" * 410_000)}), puts(key(1), key("x" * 2049)),
        puts(key(1), key(2) | {"n": n("nonsense")}), puts(key(1), key("")), [], [*puts(key(1)), {}],
        [{"PutRequest": {"Item": key(1)}, "DeleteRequest": {"Key": key(2)}}],
    ],
    ids=["put and put", "put and delete", "delete and delete", "key of another type", "no key", "more than a key",
         "item too large", "key too long", "no number", "empty key", "nothing for a table", "nothing in a request",
         "two in a request"],
)
def test_one_bad_request_refuses_the_batch(dynamodb: Any, table: SimulatedTable, requests: list[Any]) -> None:
    with refused("ValidationException"):
        write(dynamodb, {table.name: requests})
    assert table.items() == []


def test_one_number_is_one_key_in_a_batch(sim: StreamSim, dynamodb: Any, name: str) -> None:
    sim.create_table(name, hash_type="N")
    with refused("ValidationException"):
        write(dynamodb, {name: puts({"pk": n("1")}, {"pk": n("1.0")})})


def test_a_missing_table_refuses_the_batch(dynamodb: Any, table: SimulatedTable) -> None:
    with refused("ResourceNotFoundException"):
        write(dynamodb, {table.name: puts(key(1)), "nowhere": puts(key(1))})
    assert table.items() == []


def test_a_batch_of_nothing_is_refused(dynamodb: Any) -> None:
    with refused("ValidationException"):
        write(dynamodb, {})
    with refused("ValidationException"):
        dynamodb.batch_get_item(RequestItems={})


def test_what_is_left_unprocessed_can_be_sent_again(
    sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable, other: SimulatedTable
) -> None:
    sim.settings(unprocessed_items=50)
    items, rows = [key(number) for number in range(10)], [{"pk": s("a"), "sk": n(number)} for number in range(10)]
    left: Any = {table.name: puts(*items), other.name: puts(*rows)}
    partial = 0
    for _ in range(200):
        before = {one.name: len(one.items()) for one in (table, other)}
        asked = {one.name: len(left.get(one.name, [])) for one in (table, other)}
        try:
            left = write(dynamodb, left)
        except ClientError as error:
            # With none of it done the call fails.
            assert error.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
        partial += bool(left)
        for one in (table, other):
            # What is not given back was done, and what is given back was not.
            assert len(one.items()) - before[one.name] == asked[one.name] - len(left.get(one.name, []))
        assert all(left.values()), "a table of which nothing is left is not named"
        if not left:
            break
    assert left == {} and partial > 0
    assert by_key(table.items()) == by_key(items)
    assert by_key(other.items(), "pk", "sk") == by_key(rows, "pk", "sk")
    assert len(records(streams, table.stream)) == 10


def test_a_batch_of_which_all_is_throttled_is_an_error(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable, other: SimulatedTable
) -> None:
    sim.settings(throttled_tables=[table.name])
    for _ in range(5):
        with refused("ProvisionedThroughputExceededException", "ThrottlingException"):
            write(dynamodb, {table.name: puts(key(1))})
        with refused("ProvisionedThroughputExceededException", "ThrottlingException"):
            table_put(dynamodb, table)
    row = {"pk": s("a"), "sk": n(1)}
    left = write(dynamodb, {table.name: puts(key(1), key(2)), other.name: puts(row)})
    assert sorted(left) == [table.name]
    assert sorted(left[table.name], key=str) == puts(key(1), key(2))
    assert (sim.items(table.name), other.items()) == ([], [row])

    sim.settings(throttled_tables=[])
    assert write(dynamodb, left) == {}
    assert by_key(table.items()) == by_key([key(1), key(2)])


def table_put(dynamodb: Any, table: SimulatedTable) -> None:
    dynamodb.put_item(TableName=table.name, Item=key(1))


# --- Reading ---


def read(dynamodb: Any, requests: dict[str, Any]) -> Any:
    reply = dynamodb.batch_get_item(RequestItems=requests)
    return reply["Responses"], reply["UnprocessedKeys"]


def test_a_batch_reads_what_is_there(dynamodb: Any, table: SimulatedTable, other: SimulatedTable) -> None:
    items = [key(number) | {"a": n(number), "b": n(1)} for number in range(10)]
    table.put_all(items)
    row = {"pk": s("a"), "sk": n(1)}
    other.put(row)
    got, left = read(dynamodb, {
        table.name: {
            "Keys": [key(number) for number in range(5, 15)], "ConsistentRead": True,
            "ProjectionExpression": "pk, #a", "ExpressionAttributeNames": {"#a": "a"},
        },
        other.name: {"Keys": [row, {"pk": s("a"), "sk": n(2)}]},
    })
    assert left == {}
    assert by_key(got[table.name]) == by_key([{"pk": item["pk"], "a": item["a"]} for item in items[5:]])
    assert got[other.name] == [row]


def test_a_batch_reads_100_keys(dynamodb: Any, table: SimulatedTable) -> None:
    table.put_all([key(number) for number in range(101)])
    with refused("ValidationException"):
        read(dynamodb, {table.name: {"Keys": [key(number) for number in range(101)]}})
    got, left = read(dynamodb, {table.name: {"Keys": [key(number) for number in range(100)]}})
    assert (len(got[table.name]), left) == (100, {})


@pytest.mark.parametrize(
    "keys", [[key(1), key(1)], [key(1), {"pk": n(1)}], [key(1) | {"more": n(1)}], [{}], []],
    ids=["a key twice", "another type", "more than a key", "no key", "nothing"],
)
def test_one_bad_key_refuses_the_batch(dynamodb: Any, table: SimulatedTable, keys: list[Item]) -> None:
    with refused("ValidationException"):
        read(dynamodb, {table.name: {"Keys": keys}})


def test_a_missing_table_refuses_the_read(dynamodb: Any, table: SimulatedTable) -> None:
    with refused("ResourceNotFoundException"):
        read(dynamodb, {table.name: {"Keys": [key(1)]}, "nowhere": {"Keys": [key(1)]}})


def test_keys_that_are_left_unprocessed_can_be_asked_again(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable
) -> None:
    items = [key(number) | {"a": n(number)} for number in range(40)]
    table.put_all(items)
    sim.settings(unprocessed_items=50)
    left: Any = {table.name: {
        "Keys": [key(number) for number in range(40)], "ProjectionExpression": "pk, #a",
        "ExpressionAttributeNames": {"#a": "a"},
    }}
    got: list[Item] = []
    partial = 0
    for _ in range(200):
        asked = left[table.name]["Keys"]
        try:
            page, left = read(dynamodb, left)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
            continue
        got += page.get(table.name, [])
        if not left:
            break
        partial += 1
        # It is asked again as it was: with the projection.
        assert left[table.name]["ProjectionExpression"] == "pk, #a"
        assert len(page.get(table.name, [])) + len(left[table.name]["Keys"]) == len(asked)
    assert left == {} and partial > 0
    assert len(got) == 40
    assert by_key(got) == by_key(items)


def test_a_batch_of_which_nothing_is_done_is_an_error_whatever_the_reason(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable
) -> None:
    sim.settings(unprocessed_items=100)
    with refused("ProvisionedThroughputExceededException"):
        write(dynamodb, {table.name: puts(key(1), key(2))})
    with refused("ProvisionedThroughputExceededException"):
        read(dynamodb, {table.name: {"Keys": [key(1)]}})
    assert table.records() == []


def test_a_table_that_is_being_created_takes_no_batch_and_no_load(sim: StreamSim, name: str) -> None:
    sim.settings(table_delay_ms=3_600_000)
    assert post(sim, DYNAMODB, "CreateTable", {
        "TableName": name, "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }).status == 200
    for operation, body in (
        ("PutItem", {"TableName": name, "Item": key(1)}),
        ("BatchWriteItem", {"RequestItems": {name: puts(key(1))}}),
        ("BatchGetItem", {"RequestItems": {name: {"Keys": [key(1)]}}}),
    ):
        assert post(sim, DYNAMODB, operation, body).json["__type"].endswith("#ResourceNotFoundException"), operation
    for how in ({"changes": 1}, {"per_second": 1}):
        with pytest.raises(ControlError):
            sim.control("POST", "load", {"table": name} | how)
    assert sim.items(name) == []


def test_a_table_that_is_named_twice_loses_no_key(dynamodb: Any, table: SimulatedTable) -> None:
    table.put_all([key(1), key(2)])
    arn = dynamodb.describe_table(TableName=table.name)["Table"]["TableArn"]
    page, left = read(dynamodb, {table.name: {"Keys": [key(1)]}, arn: {"Keys": [key(2)]}})
    assert left == {} and by_key(page[table.name]) == by_key([key(1), key(2)])
    with refused("ValidationException"):
        read(dynamodb, {table.name: {"Keys": [key(1)]}, arn: {"Keys": [key(1)]}})
