"""TransactWriteItems: all of it or nothing, once for each token, and why not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from streamsim import SimulatedTable, StreamSim
from support import DYNAMODB, Item, by_key, key, n, post, refused, s


@pytest.fixture
def other(sim: StreamSim, name: str) -> SimulatedTable:
    return sim.create_table(name + "-other", range_type="N")


def put(table: SimulatedTable, item: Item, **more: Any) -> Any:
    return {"Put": {"TableName": table.name, "Item": item} | more}


def delete(table: SimulatedTable, item: Item, **more: Any) -> Any:
    return {"Delete": {"TableName": table.name, "Key": item} | more}


def check(table: SimulatedTable, item: Item, condition: str, **more: Any) -> Any:
    return {"ConditionCheck": {"TableName": table.name, "Key": item, "ConditionExpression": condition} | more}


def add(table: SimulatedTable, item: Item, **more: Any) -> Any:
    update = {"UpdateExpression": "ADD #n :n", "ExpressionAttributeNames": {"#n": "n"}}
    return {"Update": {
        "TableName": table.name, "Key": item, "ExpressionAttributeValues": {":n": n(1)},
    } | update | more}


def transact(dynamodb: Any, *actions: Any, token: str | None = None, **more: Any) -> Any:
    more |= {} if token is None else {"ClientRequestToken": token}
    return dynamodb.transact_write_items(TransactItems=list(actions), **more)


def cancelled(dynamodb: Any, *actions: Any) -> list[Any]:
    """The transaction must be cancelled; gives its reasons."""
    with refused("TransactionCanceledException") as caught:
        transact(dynamodb, *actions)
    reply = caught.value.response
    codes = ", ".join(reason["Code"] for reason in reply["CancellationReasons"])
    assert reply["Error"]["Message"].endswith(f"[{codes}]")
    return reply["CancellationReasons"]


def test_all_four_actions_are_done(
    dynamodb: Any, table: SimulatedTable, other: SimulatedTable
) -> None:
    table.put_all([key("gone"), key("checked"), key("counted") | {"n": n(4)}])
    row = {"pk": s("a"), "sk": n(1)}
    reply = transact(
        dynamodb, put(table, key("new")), delete(table, key("gone")), add(table, key("counted")),
        check(table, key("checked"), "attribute_exists(pk)"), put(other, row), ReturnConsumedCapacity="TOTAL",
    )
    assert by_key(table.items()) == by_key([key("checked"), key("counted") | {"n": n(5)}, key("new")])
    assert other.items() == [row]
    assert {one["TableName"]: one["CapacityUnits"] for one in reply["ConsumedCapacity"]} == {
        table.name: 8, other.name: 2,
    }
    assert [record["eventName"] for record in table.records()][3:] == ["INSERT", "REMOVE", "MODIFY"]


def test_reasons_stand_in_the_order_of_the_actions(dynamodb: Any, table: SimulatedTable) -> None:
    there = key(1) | {"n": n(1)}
    table.put(there)
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert cancelled(
        dynamodb, put(table, key(2)), put(table, key(1), **new, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        delete(table, key(3)), check(table, key(4), "attribute_exists(pk)"),
    ) == [{"Code": "None"}, failed | {"Item": there}, {"Code": "None"}, failed]
    assert table.items() == [there]
    assert len(table.records()) == 1


def test_the_wire_is_the_services(sim: StreamSim, table: SimulatedTable) -> None:
    answer = post(sim, DYNAMODB, "TransactWriteItems", {
        "TransactItems": [check(table, key(1), "attribute_exists(pk)"), put(table, key(2))]
    })
    assert answer.status == 400
    assert answer.json == {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": [
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}, {"Code": "None"},
        ],
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[ConditionalCheckFailed, None]",
    }
    good = post(sim, DYNAMODB, "TransactWriteItems", {"TransactItems": [put(table, key(2))]})
    assert (good.status, good.json) == (200, {})


@pytest.mark.parametrize("what", ["another type", "no key", "an operand", "too large"])
def test_what_does_not_fit_an_item_cancels(dynamodb: Any, table: SimulatedTable, what: str) -> None:
    table.put(key(1) | {"n": s("text")})
    action = {
        "another type": put(table, {"pk": n(1)}), "no key": put(table, {"a": n(1)}),
        "an operand": add(table, key(1)), "too large": put(table, key(2) | {"a": s("x" * 410_000)}),
    }[what]
    reasons = cancelled(dynamodb, put(table, key(3)), action)
    assert [reason["Code"] for reason in reasons] == ["None", "ValidationError"]
    assert len(table.items()) == 1


def test_a_call_of_a_wrong_form_is_refused_whole(dynamodb: Any, table: SimulatedTable) -> None:
    ok = put(table, key(1))
    for wrong in (
        [], [put(table, key(number)) for number in range(101)], [ok, delete(table, key(1))],
        [ok, check(table, key(1), "attribute_exists(pk)")], [ok | delete(table, key(2))], [ok, {}],
        [put(table, key(1), ConditionExpression="nonsense(")],
        [put(table, key(1), ExpressionAttributeValues={":unused": n(1)})],
        [ok, {"ConditionCheck": {"TableName": table.name, "Key": key(2)}}],
        [ok, {"Update": {"TableName": table.name, "Key": key(2)}}],
        [put(table, key(number) | {"a": s("x" * 400_000)}) for number in range(11)],
    ):
        with refused("ValidationException"):
            transact(dynamodb, *wrong)
    with refused("ValidationException"):
        transact(dynamodb, ok, token="x" * 37)
    missing = {"Put": {"TableName": "nowhere", "Item": key(1)}}
    with refused("ResourceNotFoundException"):
        transact(dynamodb, ok, missing)
    assert table.items() == []
    transact(dynamodb, *[put(table, key(number)) for number in range(100)])
    assert len(table.items()) == 100


# --- Tokens ---


def test_a_token_is_done_once_in_ten_minutes(
    clocked: StreamSim, clocked_dynamodb: Any, clocked_table: SimulatedTable
) -> None:
    def counted() -> list[Item]:
        transact(clocked_dynamodb, add(clocked_table, key(1)), token="t")
        return clocked_table.items()

    assert counted() == [key(1) | {"n": n(1)}]
    clocked.advance(599)
    assert counted() == [key(1) | {"n": n(1)}]
    # They begin with what was done, and not with what was asked again.
    clocked.advance(1)
    assert counted() == [key(1) | {"n": n(2)}]


def test_a_token_is_of_one_content(dynamodb: Any, table: SimulatedTable) -> None:
    transact(dynamodb, put(table, key(1)), token="one content")
    with refused("IdempotentParameterMismatchException"):
        transact(dynamodb, put(table, key(2)), token="one content")
    with refused("IdempotentParameterMismatchException"):
        transact(dynamodb, put(table, key(1)), token="one content", ReturnConsumedCapacity="TOTAL")
    assert table.items() == [key(1)]
    # An item that was changed meanwhile stays as it is.
    table.put(key(1) | {"n": n(1)})
    transact(dynamodb, put(table, key(1)), token="one content")
    assert table.items() == [key(1) | {"n": n(1)}]


def test_members_have_no_order_in_a_tokens_content(sim: StreamSim, table: SimulatedTable) -> None:
    for item in ({"pk": s("1"), "n": n(1)}, {"n": n(1), "pk": s("1")}):
        body = {"TransactItems": [put(table, item)], "ClientRequestToken": "members"}
        assert post(sim, DYNAMODB, "TransactWriteItems", body).status == 200


def test_a_cancelled_transaction_leaves_its_token_free(dynamodb: Any, table: SimulatedTable) -> None:
    action = put(table, key(1), ConditionExpression="attribute_not_exists(pk)")
    table.put(key(1))
    with refused("TransactionCanceledException"):
        transact(dynamodb, action, token="free")
    table.delete(key(1))
    transact(dynamodb, action, token="free")
    assert table.items() == [key(1)]


def test_a_late_transaction_of_a_token_that_is_done_does_nothing(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable
) -> None:
    sim.late_effect("TransactWriteItems")
    with pytest.raises(HTTPClientError):
        transact(dynamodb, put(table, key(1)), token="late")
    assert table.items() == []
    transact(dynamodb, put(table, key(1)), token="late")
    newer = key(1) | {"n": n(2)}
    table.put(newer)
    assert sim.release_late_writes() == 1
    assert table.items() == [newer]


def test_a_late_transaction_without_a_token_is_done(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    # boto3 gives one of its own, so by hand.
    body = {"TransactItems": [put(table, key(1))]}
    sim.late_effect("TransactWriteItems")
    with pytest.raises(ConnectionError):
        post(sim, DYNAMODB, "TransactWriteItems", body)
    assert post(sim, DYNAMODB, "TransactWriteItems", body).status == 200
    table.put(key(1) | {"n": n(2)})
    sim.release_late_writes()
    assert table.items() == [key(1)]


@pytest.mark.parametrize(("fault", "done"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_transaction_is_settled_by_its_token(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable, fault: str, done: int
) -> None:
    sim.fault("TransactWriteItems", fault, count=1)
    with pytest.raises(HTTPClientError):
        transact(dynamodb, add(table, key(1)), token=fault)
    assert len(table.items()) == done
    transact(dynamodb, add(table, key(1)), token=fault)
    assert table.items() == [key(1) | {"n": n(1)}]


# --- Faults ---


def test_a_conflict_is_a_reason_or_an_error(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    sim.fault("*", "TransactionConflictException", count=2)
    reasons = cancelled(dynamodb, put(table, key(1)), put(table, key(2)))
    assert [reason["Code"] for reason in reasons] == ["TransactionConflict", "None"]
    assert dynamodb.scan(TableName=table.name)["Items"] == []
    with refused("TransactionConflictException"):
        dynamodb.put_item(TableName=table.name, Item=key(1))
    transact(dynamodb, put(table, key(1)))
    assert table.items() == [key(1)]


def test_a_transaction_may_be_in_progress(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    sim.fault("TransactWriteItems", "TransactionInProgressException", count=1)
    with refused("TransactionInProgressException"):
        transact(dynamodb, put(table, key(1)), token="in progress")
    assert table.items() == []
    transact(dynamodb, put(table, key(1)), token="in progress")
    assert table.items() == [key(1)]


def test_a_throttled_table_cancels(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable, other: SimulatedTable
) -> None:
    sim.settings(throttled_tables=[table.name])
    reasons = cancelled(dynamodb, put(other, {"pk": s("a"), "sk": n(1)}), put(table, key(1)))
    assert [reason["Code"] for reason in reasons] == ["None", "ProvisionedThroughputExceeded"]
    assert other.items() == []


def test_any_write_may_be_denied(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    sim.fault("TransactWriteItems", "AccessDeniedException")
    with refused("AccessDeniedException"):
        transact(dynamodb, put(table, key(1)))
    try:
        dynamodb.put_item(TableName=table.name, Item=key(2))
    except ClientError as error:
        pytest.fail(f"another action was denied: {error}")
    assert table.items() == [key(2)]
