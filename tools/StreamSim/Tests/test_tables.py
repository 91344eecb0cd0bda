"""Tables: made, described, listed, changed, deleted, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim
from support import DYNAMODB, key, listing, pages, post, records, refused, request, s

BOTH = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
OFF = {"StreamEnabled": False}
PK = [{"AttributeName": "pk", "KeyType": "HASH"}]
PK_IS_S = [{"AttributeName": "pk", "AttributeType": "S"}]


def create(dynamodb: Any, name: str, **changes: Any) -> Any:
    table = {
        "TableName": name, "KeySchema": PK, "AttributeDefinitions": PK_IS_S, "BillingMode": "PAY_PER_REQUEST",
    } | changes
    return dynamodb.create_table(**table)["TableDescription"]


def test_a_table_is_described_as_it_was_made(dynamodb: Any, name: str) -> None:
    keys = [*PK, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types = [*PK_IS_S, {"AttributeName": "sk", "AttributeType": "N"}]
    made = create(dynamodb, name, KeySchema=keys, AttributeDefinitions=types, StreamSpecification=BOTH)
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["TableName"] == made["TableName"] == name
    assert table["TableStatus"] == "ACTIVE"
    assert table["KeySchema"] == made["KeySchema"] == keys
    assert sorted(table["AttributeDefinitions"], key=str) == sorted(types, key=str)
    assert table["StreamSpecification"] == BOTH
    assert table["LatestStreamArn"] == made["LatestStreamArn"]
    assert table["TableArn"].endswith(f":table/{name}")
    assert table["LatestStreamArn"] == f"{table['TableArn']}/stream/{table['LatestStreamLabel']}"
    assert table["ItemCount"] == 0
    assert table["CreationDateTime"].year >= 2025


def test_a_table_can_be_made_with_provisioned_throughput(dynamodb: Any, name: str) -> None:
    create(
        dynamodb, name, BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    assert dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"


@pytest.mark.parametrize("specification", [{}, {"StreamSpecification": OFF}])
def test_a_table_without_a_stream_names_none(dynamodb: Any, name: str, specification: Any) -> None:
    create(dynamodb, name, **specification)
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert "LatestStreamArn" not in table and "LatestStreamLabel" not in table
    assert not table.get("StreamSpecification", {}).get("StreamEnabled")


def test_the_second_table_of_a_name_is_refused(dynamodb: Any, table: SimulatedTable) -> None:
    with refused("ResourceInUseException"):
        create(dynamodb, table.name)


def test_what_is_not_there_is_not_found(dynamodb: Any, name: str) -> None:
    calls = {
        "describe_table": {}, "delete_table": {}, "scan": {}, "describe_time_to_live": {},
        "update_table": {"StreamSpecification": BOTH},
        "put_item": {"Item": key(1)}, "get_item": {"Key": key(1)}, "delete_item": {"Key": key(1)},
        "update_item": {"Key": key(1)},
        "update_time_to_live": {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "ttl"}},
    }
    for call, more in calls.items():
        with refused("ResourceNotFoundException"):
            getattr(dynamodb, call)(TableName=name, **more)


@pytest.mark.parametrize("name", ["", "ab", "a" * 256, "with space", "sla/sh", "hüte"])
def test_a_name_that_is_none_is_refused(dynamodb: Any, name: str) -> None:
    with refused("ValidationException"):
        create(dynamodb, name)


@pytest.mark.parametrize("name", ["a.b", "a" * 255, "A_b-9"])
def test_every_name_that_is_allowed_is_taken(dynamodb: Any, name: str) -> None:
    create(dynamodb, name)
    assert dynamodb.describe_table(TableName=name)["Table"]["TableName"] == name


def _key(name: str, role: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": role}


def _type(name: str, type: str) -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": type}


@pytest.mark.parametrize(
    ("keys", "types"),
    [
        ([], PK_IS_S),
        ([_key("pk", "RANGE")], PK_IS_S),
        ([_key("pk", "HASH"), _key("sk", "HASH")], [_type("pk", "S"), _type("sk", "S")]),
        ([_key("sk", "RANGE"), _key("pk", "HASH")], [_type("pk", "S"), _type("sk", "S")]),
        ([_key("pk", "HASH"), _key("pk", "RANGE")], PK_IS_S),
        ([_key("pk", "HASH"), _key("a", "RANGE"), _key("b", "RANGE")], [_type(k, "S") for k in ("pk", "a", "b")]),
        (PK, [_type("other", "S")]),
        (PK, [*PK_IS_S, _type("unused", "S")]),
        (PK, [_type("pk", "BOOL")]),
        (PK, []),
        ([_key("pk", "KEY")], PK_IS_S),
    ],
    ids=[
        "none", "no hash", "two hashes", "range first", "one attribute twice", "three", "undefined", "unused",
        "of no key type", "no definitions", "unknown role",
    ],
)
def test_a_key_schema_that_is_none_is_refused(dynamodb: Any, name: str, keys: Any, types: Any) -> None:
    with refused("ValidationException"):
        create(dynamodb, name, KeySchema=keys, AttributeDefinitions=types)
    with refused("ResourceNotFoundException"):
        dynamodb.describe_table(TableName=name)


@pytest.mark.parametrize(
    "specification",
    [{"StreamEnabled": True}, {"StreamEnabled": True, "StreamViewType": "EVERYTHING"},
     {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}],
    ids=["no view", "unknown view", "off with a view"],
)
def test_a_stream_specification_that_is_none_is_refused(
    dynamodb: Any, name: str, table: SimulatedTable, specification: Any
) -> None:
    with refused("ValidationException"):
        create(dynamodb, f"{name}-other", StreamSpecification=specification)
    with refused("ValidationException"):
        dynamodb.update_table(TableName=table.name, StreamSpecification=specification)


def test_an_update_that_changes_nothing_is_refused(dynamodb: Any, table: SimulatedTable) -> None:
    with refused("ValidationException"):
        dynamodb.update_table(TableName=table.name)


def test_tables_are_listed_in_pages(dynamodb: Any, name: str) -> None:
    made = {f"{name}-{number}" for number in range(7)}
    for one in made:
        create(dynamodb, one)
    found: list[str] = []
    for page in pages(dynamodb.list_tables, "ExclusiveStartTableName", "LastEvaluatedTableName", Limit=3):
        assert len(page["TableNames"]) <= 3
        found += page["TableNames"]
    assert made <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_of_tables_has_1_to_100(dynamodb: Any, limit: int) -> None:
    with refused("ValidationException"):
        dynamodb.list_tables(Limit=limit)


def test_a_deleted_table_is_gone_with_its_items(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    table.put(key(1))
    first = table.stream
    assert dynamodb.delete_table(TableName=table.name)["TableDescription"]["TableName"] == table.name
    with refused("ResourceNotFoundException"):
        dynamodb.describe_table(TableName=table.name)
    with refused("ResourceNotFoundException"):
        table_put(dynamodb, table.name)
    assert table.name not in dynamodb.list_tables()["TableNames"]

    again = sim.create_table(table.name)
    assert again.items() == []
    assert again.stream != first


def table_put(dynamodb: Any, name: str) -> None:
    dynamodb.put_item(TableName=name, Item=key(1))


def test_a_table_is_there_after_its_delay(
    clocked: StreamSim, clocked_dynamodb: Any, clocked_streams: Any, name: str
) -> None:
    clocked.settings(table_delay_ms=5000)
    made = create(clocked_dynamodb, name, StreamSpecification=BOTH)
    assert made["TableStatus"] == "CREATING"

    clocked.advance(4)
    assert clocked_dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "CREATING"
    with refused("ResourceNotFoundException"):
        table_put(clocked_dynamodb, name)
    with refused("ResourceInUseException"):
        clocked_dynamodb.update_table(TableName=name, StreamSpecification=OFF)
    with refused("ResourceInUseException"):
        create(clocked_dynamodb, name)
    # While it is being enabled, a stream has no shards.
    stream = clocked_streams.describe_stream(StreamArn=made["LatestStreamArn"])["StreamDescription"]
    assert (stream["StreamStatus"], stream["Shards"]) == ("ENABLING", [])

    clocked.advance(2)
    assert clocked_dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    stream = clocked_streams.describe_stream(StreamArn=made["LatestStreamArn"])["StreamDescription"]
    assert stream["StreamStatus"] == "ENABLED"
    assert len(listing(clocked_streams, made["LatestStreamArn"])) == 1
    table_put(clocked_dynamodb, name)


def test_a_stream_is_enabled_after_the_delay_while_its_table_is_updating(
    clocked: StreamSim, clocked_dynamodb: Any, clocked_streams: Any, name: str
) -> None:
    create(clocked_dynamodb, name)
    clocked.settings(table_delay_ms=5000)
    told = clocked_dynamodb.update_table(TableName=name, StreamSpecification=BOTH)["TableDescription"]
    assert (told["TableStatus"], told["StreamSpecification"]) == ("UPDATING", BOTH)
    stream = told["LatestStreamArn"]

    clocked.advance(4)
    assert clocked_dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "UPDATING"
    description = clocked_streams.describe_stream(StreamArn=stream)["StreamDescription"]
    assert (description["StreamStatus"], description["Shards"]) == ("ENABLING", [])
    for specification in (BOTH, OFF):
        with refused("ResourceInUseException"):
            clocked_dynamodb.update_table(TableName=name, StreamSpecification=specification)
    with refused("ResourceInUseException"):
        clocked_dynamodb.delete_table(TableName=name)
    # A table that is changed can be written, but nobody promises a record of it yet.
    clocked_dynamodb.put_item(TableName=name, Item=key(1))

    clocked.advance(2)
    assert clocked_dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    clocked_dynamodb.put_item(TableName=name, Item=key(2))
    found = records(clocked_streams, stream)
    assert [record["dynamodb"]["Keys"] for record in found] == [key(2)]
    with refused("ResourceInUseException", "ValidationException"):
        clocked_dynamodb.update_table(TableName=name, StreamSpecification=BOTH)


# --- Time to live ---


def ttl(enabled: bool, attribute: str = "ttl") -> dict[str, Any]:
    return {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}}


def described_ttl(dynamodb: Any, name: str) -> dict[str, Any]:
    return dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]


def test_time_to_live_is_off_until_it_is_switched_on_and_off_again(dynamodb: Any, table: SimulatedTable) -> None:
    assert described_ttl(dynamodb, table.name)["TimeToLiveStatus"] == "DISABLED"
    told = dynamodb.update_time_to_live(TableName=table.name, **ttl(True))
    assert told["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "ttl"}
    description = described_ttl(dynamodb, table.name)
    assert description["TimeToLiveStatus"] in ("ENABLING", "ENABLED")
    assert description["AttributeName"] == "ttl"
    dynamodb.update_time_to_live(TableName=table.name, **ttl(False))
    assert described_ttl(dynamodb, table.name)["TimeToLiveStatus"] in ("DISABLING", "DISABLED")


def test_time_to_live_can_only_become_what_it_is_not(dynamodb: Any, table: SimulatedTable) -> None:
    with refused("ValidationException"):
        dynamodb.update_time_to_live(TableName=table.name, **ttl(False))
    dynamodb.update_time_to_live(TableName=table.name, **ttl(True))
    for change in (ttl(True), ttl(True, "other"), ttl(False, "other")):
        with refused("ValidationException"):
            dynamodb.update_time_to_live(TableName=table.name, **change)


# --- The protocol ---


def test_every_reply_carries_its_checksum_and_a_request_id(sim: StreamSim, table: SimulatedTable) -> None:
    for body in ({"TableName": table.name}, {"TableName": "nowhere"}):
        answer = post(sim, DYNAMODB, "DescribeTable", body)
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert answer.headers["x-amzn-requestid"]
        assert answer.checksum_holds
    assert (answer.status, answer.json["__type"]) == (
        400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
    )
    assert answer.json["message"]


def _type_of(body: Any) -> str:
    return body["__type"].rsplit("#", 1)[-1]


def test_a_call_without_credentials_is_refused(sim: StreamSim) -> None:
    answer = post(sim, DYNAMODB, "ListTables", {}, signed=False)
    assert (answer.status, _type_of(answer.json)) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("operation", ["Nonsense", "", "listtables"])
def test_an_unknown_call_is_refused(sim: StreamSim, operation: str) -> None:
    answer = post(sim, DYNAMODB, operation, {})
    assert (answer.status, _type_of(answer.json)) == (400, "UnknownOperationException")


def test_a_call_without_a_target_is_refused(sim: StreamSim) -> None:
    answer = request(sim, "POST", "/", b"{}", {"Authorization": "any"})
    assert (answer.status, _type_of(answer.json)) == (400, "UnknownOperationException")


def test_a_call_of_one_service_is_unknown_to_the_other(sim: StreamSim) -> None:
    answer = post(sim, DYNAMODB, "GetRecords", {"ShardIterator": "x"})
    assert _type_of(answer.json) == "UnknownOperationException"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"nonsense", b'{"TableName":}', b'{"TableName":"\xff\xfe"}', b'{"TableName":7}'],
)
def test_a_body_that_is_no_request_is_refused(sim: StreamSim, body: bytes) -> None:
    answer = post(sim, DYNAMODB, "DescribeTable", body)
    assert (answer.status, _type_of(answer.json)) in (
        (400, "SerializationException"), (400, "ValidationException")
    ), answer


def test_a_member_of_a_name_inside_an_item_is_no_argument(sim: StreamSim, table: SimulatedTable) -> None:
    """The body is read as JSON, not searched for the first thing that looks like an argument."""
    item = {"TableName": s("nowhere"), **key(1), "Item": {"M": {"TableName": s('"TableName":"nowhere"')}}}
    body = b'{"Item":' + json.dumps(item).encode() + b',"TableName":"' + table.name.encode() + b'"}'
    assert post(sim, DYNAMODB, "PutItem", body).status == 200
    assert table.items() == [item]
