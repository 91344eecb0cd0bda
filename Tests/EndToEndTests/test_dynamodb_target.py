"""A table is copied to another DynamoDB and followed: nothing lost, nothing undone, whatever is killed; and never to itself."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from localsource import REGION, LocalSource, clean_environment
from shake import Shakectl, json_lines
from streamsim import StreamSim, default_binary

TABLE = "orders"
COPY = ["create=true", "prefix=copy_"]


class Copied:
    """A table of a simulator, and its copy there under another name."""

    def __init__(self, binary: str, folder: pathlib.Path) -> None:
        self.source = StreamSim(default_binary())
        self.shakectl = Shakectl(binary, folder / "journal", clean_environment())
        self.source.create_table(TABLE, hash_type="S")
        self.settle = "300ms"

    def stop(self) -> None:
        self.source.stop()

    def put(self, *numbers: int, version: int = 0) -> None:
        for number in numbers:
            self.source.dynamodb.put_item(
                TableName=TABLE,
                Item={
                    "pk": {"S": f"item-{number:04}"}, "version": {"N": str(version)}, "odd\0name": {"S": "a\0b\x1a"},
                    "price": {"N": "12345678901234567890123456789012345678"}, "tags": {"SS": ["b", "a"]},
                },
            )

    def target(self, *more: str) -> list[str]:
        """What is said of the target: options are given as `name=value`."""
        words = ["--table", TABLE, "--target", "dynamodb:"]
        for option in [f"endpoint={self.source.endpoint}", f"region={REGION}", f"settle={self.settle}", *more]:
            words += ["--target-option", option]
        return words

    def run(
        self, *more: str, options: list[str] = COPY, code: int = 0, prefix: list[str] | None = None
    ) -> str:
        result = self.shakectl.call(
            "run", "--until-idle", "0.3", "--source-endpoint", self.source.endpoint, "--region", REGION,
            *self.target(*options), *more, prefix=prefix,
        )
        assert result.returncode == code, result.stderr
        return result.stderr

    def items(self, table: str = f"copy_{TABLE}") -> dict[str, Any]:
        pages = self.source.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}

    def differences(self, *more: str) -> list[dict[str, Any]]:
        result = self.shakectl.call(
            "diff", "--json", "--settle", "300ms", "--source-endpoint", self.source.endpoint, "--region", REGION,
            *self.target(*COPY), *more,
        )
        assert result.returncode in (0, 1), result.stderr
        return json_lines(result.stdout)[:-1]


@pytest.fixture
def copied(binary: str, tmp_path: pathlib.Path) -> Iterator[Copied]:
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    copied = Copied(binary, tmp_path)
    yield copied
    copied.stop()


def test_a_table_is_copied_and_followed_and_is_equal(copied: Copied) -> None:
    copied.put(*range(60))
    copied.run()
    assert len(copied.items()) == 60
    copied.put(*range(10), version=2)
    copied.source.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "item-0049"}})
    copied.run()
    assert len(copied.items()) == 59
    assert copied.items()["item-0003"]["version"] == {"N": "2"}
    assert copied.differences() == []
    copied.source.dynamodb.delete_item(TableName=f"copy_{TABLE}", Key={"pk": {"S": "item-0007"}})
    assert [one["difference"] for one in copied.differences()] == ["missing"]
    copied.differences("--repair")
    assert copied.differences() == []


@pytest.mark.parametrize("point", ["before_target_write", "after_target_write", "before_append", "after_append"])
def test_a_daemon_that_is_killed_goes_on_and_nothing_is_lost(copied: Copied, point: str) -> None:
    copied.put(*range(40))
    copied.run()
    copied.put(*range(20, 60), version=1)
    copied.run("--memory-budget", "4MiB", code=-9, prefix=["env", f"SHAKE_CRASH_AT={point}:1"])
    copied.put(5, version=9)
    copied.run()
    assert len(copied.items()) == 60
    assert copied.differences() == []
    assert copied.shakectl.call("verify").returncode == 0


def test_a_target_that_fails_leaves_items_undone_and_loses_answers_is_filled_all_the_same(copied: Copied) -> None:
    copied.put(*range(80))
    copied.source.settings(unprocessed_items=40)
    copied.source.faults([
        {"action": "BatchWriteItem", "fault": fault, "percent": 15}
        for fault in ["reset_after", "InternalServerError", "ThrottlingException", "malformed"]
    ])
    copied.run()
    for version in range(1, 4):
        copied.put(*range(40), version=version)
        copied.run()
    copied.source.faults([])
    assert copied.differences() == []


def test_a_daemon_that_is_killed_again_and_again_while_it_follows(copied: Copied) -> None:
    copied.put(*range(30))
    copied.run()
    for version in range(1, 5):
        daemon = copied.shakectl.run(copied.source, *copied.target(*COPY))
        copied.put(*range(30), version=version)
        wanted = {"N": str(version)}
        daemon.until(
            lambda: any(item["version"] == wanted for item in copied.items().values()),  # noqa: B023
            f"something of version {version} is there",
        )
        daemon.kill()
    copied.run()
    assert all(item["version"] == {"N": "4"} for item in copied.items().values())
    assert copied.differences() == []


@pytest.mark.parametrize("guard", ["wait", "transaction"])
def test_a_late_effect_undoes_nothing(copied: Copied, guard: str) -> None:
    copied.put(*range(20))
    copied.run()
    copied.settle = "6s"
    action = {"wait": "BatchWriteItem", "transaction": "TransactWriteItems"}[guard]
    daemon = copied.shakectl.run(copied.source, *copied.target(*COPY, f"guard={guard}"))
    try:
        for version in range(1, 3):
            copied.source.late_effect(action, after_ms=4000)
            copied.put(*range(20), version=version)
            daemon.until(
                lambda: all(item["version"] == {"N": str(version)} for item in copied.items().values()),  # noqa: B023
                f"version {version} is there",
            )
        daemon.until(lambda: not copied.source.late_writes(), "everything late is done")
        assert copied.source.control("GET", "coverage")["fault: late_effect"] == 2
    finally:
        assert daemon.terminate() == 0
    assert all(item["version"] == {"N": "2"} for item in copied.items().values())
    assert copied.differences() == []


def test_a_table_is_never_copied_to_itself(copied: Copied) -> None:
    copied.put(*range(5))
    for existing in ["refuse", "append", "replace"]:
        text = copied.run("--existing", existing, options=["create=true"], code=78)
        assert "would come back as a change" in text
    assert len(copied.items(TABLE)) == 5
    copied.run()
    assert len(copied.items()) == 5


def test_what_is_wrong_is_said_with_what_to_do(copied: Copied) -> None:
    copied.put(1)
    assert "create=true" in copied.run(options=["prefix=copy_"], code=78)
    copied.source.fault("CreateTable", "AccessDeniedException")
    assert "allow dynamodb:CreateTable" in copied.run(code=78)
    copied.source.faults([])
    assert "can't give a table another name" in copied.run("--existing", "rename", code=78)


ROLE = "arn:aws:iam::111111111111:role/copier"


@pytest.mark.parametrize("guard", ["wait", "transaction"])
def test_moto_is_given_a_table_like_the_source_in_another_region_and_account_by_a_role(
    binary: str, source: LocalSource, tmp_path: pathlib.Path, guard: str
) -> None:
    """moto's server, which none of us wrote, judges the calls that make a table, and STS's."""
    name = f"shaped-{guard}"
    source.dynamodb.create_table(
        TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 7},
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": one, "AttributeType": type} for one, type in [("pk", "S"), ("sk", "N"), ("by", "S"), ("at", "N")]
        ],
        LocalSecondaryIndexes=[{
            "IndexName": "local", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        }],
        GlobalSecondaryIndexes=[{
            "IndexName": "global", "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y"]},
            "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
        }],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        Tags=[{"Key": "team", "Value": "a & b"}, {"Key": "cost", "Value": "7"}],
    )
    source.dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    for number in range(70):
        source.dynamodb.put_item(
            TableName=name, Item={"pk": {"S": f"p{number % 7}"}, "sk": {"N": str(number)}, "by": {"S": "ann"}, "at": {"N": "1"}}
        )
    environment = clean_environment(AWS_ENDPOINT_URL_STS=source.endpoint)
    shakectl = Shakectl(binary, tmp_path / "journal", environment)
    options = [
        "--source-endpoint", source.endpoint, "--region", REGION, "--table", name, "--target", "dynamodb:",
        *(
            word for option in [
                f"endpoint={source.endpoint}", "region=eu-west-1", f"role={ROLE}", "create=true", "settle=100ms",
                f"guard={guard}",
            ] for word in ["--target-option", option]
        ),
    ]
    result = shakectl.call("run", "--until-idle", "0.3", *options)
    assert result.returncode == 0, result.stderr

    assumed = source.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="judge")["Credentials"]
    client = boto3.client(
        "dynamodb", endpoint_url=source.endpoint, region_name="eu-west-1", aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"], aws_session_token=assumed["SessionToken"],
    )
    made = client.describe_table(TableName=name)["Table"]
    like = source.dynamodb.describe_table(TableName=name)["Table"]
    assert made["TableArn"] == like["TableArn"].replace(REGION, "eu-west-1").replace("123456789012", "111111111111")
    assert made["KeySchema"] == like["KeySchema"]
    for part in ["ReadCapacityUnits", "WriteCapacityUnits"]:
        assert made["ProvisionedThroughput"][part] == like["ProvisionedThroughput"][part]
    for kind in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"]:
        for part in ["IndexName", "KeySchema", "Projection"]:
            assert [one[part] for one in made[kind]] == [one[part] for one in like[kind]]
    assert made["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["AttributeName"] == "until"
    tags = client.list_tags_of_resource(ResourceArn=made["TableArn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a & b", "cost": "7"}
    assert client.scan(TableName=name, Select="COUNT")["Count"] == 70
    result = shakectl.call("diff", "--json", "--settle", "300ms", *options)
    assert result.returncode == 0, result.stdout + result.stderr
