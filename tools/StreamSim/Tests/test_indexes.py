"""Tables with indexes, throughput and tags: described as they were made, and what their keys refuse."""

from __future__ import annotations

from typing import Any

import pytest
from streamsim import StreamSim
from support import key, n, pages, refused, s

PK = [{"AttributeName": "pk", "KeyType": "HASH"}]
ROW = [*PK, {"AttributeName": "sk", "KeyType": "RANGE"}]
UNITS = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 3}


def types(**attributes: str) -> Any:
    return [{"AttributeName": name, "AttributeType": type} for name, type in attributes.items()]


def index(name: str, hash_key: str = "g", range_key: str | None = None, **more: Any) -> Any:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    keys += [{"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else []
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}} | more


def create(dynamodb: Any, name: str, **changes: Any) -> Any:
    table = {
        "TableName": name, "KeySchema": PK, "AttributeDefinitions": types(pk="S", g="N"),
        "BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexes": [index("by-g")],
    } | changes
    return dynamodb.create_table(**table)["TableDescription"]


def test_indexes_are_described_as_they_were_made(dynamodb: Any, name: str) -> None:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]}
    wanted = index("by-g", "g", "pk", Projection=projection, ProvisionedThroughput=UNITS)
    create(
        dynamodb, name, KeySchema=ROW, AttributeDefinitions=types(pk="S", sk="N", g="N", h="B"),
        BillingMode="PROVISIONED", ProvisionedThroughput=UNITS, GlobalSecondaryIndexes=[wanted],
        LocalSecondaryIndexes=[index("by-h", "pk", "h", Projection={"ProjectionType": "KEYS_ONLY"})],
    )
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert sorted(table["AttributeDefinitions"], key=str) == sorted(types(pk="S", sk="N", g="N", h="B"), key=str)
    assert "BillingModeSummary" not in table
    units = UNITS | {"NumberOfDecreasesToday": 0}
    assert table["ProvisionedThroughput"] == units
    assert table["GlobalSecondaryIndexes"] == [wanted | {
        "IndexStatus": "ACTIVE", "IndexArn": f"{table['TableArn']}/index/by-g", "IndexSizeBytes": 0, "ItemCount": 0,
        "ProvisionedThroughput": units,
    }]
    [local] = table["LocalSecondaryIndexes"]
    assert (local["IndexName"], local["Projection"]) == ("by-h", {"ProjectionType": "KEYS_ONLY"})
    assert "IndexStatus" not in local and "ProvisionedThroughput" not in local


def test_what_is_paid_by_the_request_has_no_units(dynamodb: Any, name: str) -> None:
    create(dynamodb, name)
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    nothing = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    assert table["ProvisionedThroughput"] == nothing
    assert table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] == nothing
    assert "LocalSecondaryIndexes" not in table


def test_an_index_is_made_with_its_table(clocked: StreamSim, clocked_dynamodb: Any, name: str) -> None:
    clocked.settings(table_delay_ms=1000)
    made = create(clocked_dynamodb, name)
    assert (made["TableStatus"], made["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("CREATING", "CREATING")
    clocked.advance(1)
    table = clocked_dynamodb.describe_table(TableName=name)["Table"]
    assert (table["TableStatus"], table["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("ACTIVE", "ACTIVE")


@pytest.mark.parametrize(
    "wrong",
    [
        {"GlobalSecondaryIndexes": []}, {"GlobalSecondaryIndexes": [index("by-g"), index("by-g")]},
        {"GlobalSecondaryIndexes": [index("x")]}, {"GlobalSecondaryIndexes": [index("by-g", "undefined")]},
        {"GlobalSecondaryIndexes": [index("by-g", Projection={"ProjectionType": "SOME"})]},
        {"GlobalSecondaryIndexes": [index("by-g", Projection={"ProjectionType": "INCLUDE"})]},
        {"GlobalSecondaryIndexes": [index("by-g", Projection={"ProjectionType": "ALL", "NonKeyAttributes": ["a"]})]},
        {"GlobalSecondaryIndexes": [index("by-g", ProvisionedThroughput=UNITS)]},
        {"GlobalSecondaryIndexes": [index(f"by-g-{number}") for number in range(21)]},
        {"ProvisionedThroughput": UNITS}, {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS},
        {"BillingMode": "PROVISIONED"}, {"BillingMode": "FREE"},
        {"AttributeDefinitions": types(pk="S", g="N", more="S")}, {"AttributeDefinitions": types(pk="S")},
        {"LocalSecondaryIndexes": [index("local", "pk", "g")]},
        {"Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
        {"Tags": [{"Key": "aws:k", "Value": "1"}]}, {"Tags": [{"Key": "", "Value": "1"}]},
        {"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
    ],
    ids=lambda wrong: str(wrong)[:80],
)
def test_a_wrong_table_is_refused(dynamodb: Any, name: str, wrong: Any) -> None:
    with refused("ValidationException"):
        create(dynamodb, name, **wrong)
    assert name not in dynamodb.list_tables()["TableNames"]


def test_an_indexs_key_refuses_items_of_another_type(sim: StreamSim, dynamodb: Any, name: str) -> None:
    create(dynamodb, name, AttributeDefinitions=types(pk="S", g="S"))
    for wrong in (n(1), s(""), s("x" * 2049), {"NULL": True}):
        put = {"TableName": name, "Item": key(1) | {"g": wrong}}
        with refused("ValidationException"):
            dynamodb.put_item(**put)
        with refused("ValidationException"):
            dynamodb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": put["Item"]}}]})
        with refused("ValidationException"):
            dynamodb.update_item(
                TableName=name, Key=key(1), UpdateExpression="SET g = :g", ExpressionAttributeValues={":g": wrong}
            )
        with refused("TransactionCanceledException") as caught:
            dynamodb.transact_write_items(TransactItems=[{"Put": put}])
        assert caught.value.response["CancellationReasons"][0]["Code"] == "ValidationError"
    assert sim.items(name) == []
    # Without it an item is in the table, and not in the index.
    for good in ({}, {"g": s("a")}):
        dynamodb.put_item(TableName=name, Item=key(1) | good)
        assert sim.items(name) == [key(1) | good]


# --- Tags ---


def tags(dynamodb: Any, arn: str) -> dict[str, str]:
    return {
        tag["Key"]: tag["Value"]
        for page in pages(dynamodb.list_tags_of_resource, "NextToken", "NextToken", ResourceArn=arn)
        for tag in page["Tags"]
    }


def test_tags_are_listed_page_by_page(dynamodb: Any, name: str) -> None:
    wanted = {f"k{number}": str(number) for number in range(25)}
    arn = create(dynamodb, name, Tags=[{"Key": key, "Value": value} for key, value in wanted.items()])["TableArn"]
    first = dynamodb.list_tags_of_resource(ResourceArn=arn)
    assert first["NextToken"] and len(first["Tags"]) < 25
    assert tags(dynamodb, arn) == wanted


def test_tags_are_changed(dynamodb: Any, name: str) -> None:
    arn = create(dynamodb, name)["TableArn"]
    assert tags(dynamodb, arn) == {}
    assert "NextToken" not in dynamodb.list_tags_of_resource(ResourceArn=arn)
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    assert tags(dynamodb, arn) == {"a": "2", "b": ""}
    with refused("ValidationException"):
        dynamodb.tag_resource(
            ResourceArn=arn, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(49)]
        )
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["a", "unknown"])
    assert tags(dynamodb, arn) == {"b": ""}
    for wrong, code in ((arn + "x", "ResourceNotFoundException"), (name, "ValidationException")):
        with refused(code):
            dynamodb.list_tags_of_resource(ResourceArn=wrong)
