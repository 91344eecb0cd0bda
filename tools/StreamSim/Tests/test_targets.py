"""What a program that copies into these tables leans on, besides what the other files ask."""

from __future__ import annotations

from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim
from support import by_key, key, n, refused


def test_a_scan_of_keys_goes_on_from_a_key_that_is_gone(dynamodb: Any, table: SimulatedTable) -> None:
    table.put_all([key(number) | {"#": n(number)} for number in range(20)])
    asked = {
        "TableName": table.name, "ProjectionExpression": "#k", "ExpressionAttributeNames": {"#k": "pk"}, "Limit": 6,
    }
    found: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = dynamodb.scan(**asked, **more)
        found += page["Items"]
        # Each is deleted as it is found, the one to go on from as well.
        for item in page["Items"]:
            table.delete(item)
        if "LastEvaluatedKey" not in page:
            break
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert by_key(found) == by_key([key(number) for number in range(20)])
    assert len(found) == 20 and table.items() == []


@pytest.mark.parametrize(
    "second", [{"PutRequest": {"Item": key(1)}}, {"DeleteRequest": {"Key": key(1)}}], ids=["put", "delete"]
)
def test_two_writes_of_one_key_refuse_the_batch(dynamodb: Any, table: SimulatedTable, second: Any) -> None:
    with refused("ValidationException"):
        dynamodb.batch_write_item(RequestItems={
            table.name: [{"PutRequest": {"Item": key(1)}}, {"PutRequest": {"Item": key(2)}}, second]
        })
    assert table.items() == []


@pytest.mark.parametrize("action", [
    "CreateTable", "DescribeTable", "PutItem", "BatchWriteItem", "TransactWriteItems", "UpdateTimeToLive",
    "TagResource", "Scan", "DeleteTable",
])
def test_each_action_can_be_denied(sim: StreamSim, dynamodb: Any, table: SimulatedTable, action: str) -> None:
    name = table.name
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    calls = {
        "CreateTable": lambda: dynamodb.create_table(
            TableName=name + "-2", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
        ),
        "DescribeTable": lambda: dynamodb.describe_table(TableName=name),
        "PutItem": lambda: dynamodb.put_item(TableName=name, Item=key(1)),
        "BatchWriteItem": lambda: dynamodb.batch_write_item(
            RequestItems={name: [{"PutRequest": {"Item": key(2)}}]}
        ),
        "TransactWriteItems": lambda: dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": name, "Item": key(3)}}]
        ),
        "UpdateTimeToLive": lambda: dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        ),
        "TagResource": lambda: dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}]),
        "Scan": lambda: dynamodb.scan(TableName=name),
        "DeleteTable": lambda: dynamodb.delete_table(TableName=name),
    }
    sim.fault(action, "AccessDeniedException")
    for called, call in calls.items():
        if called == action:
            with refused("AccessDeniedException"):
                call()
        else:
            call()
