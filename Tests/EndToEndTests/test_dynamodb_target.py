"""A table is copied to another DynamoDB and followed: nothing lost, nothing undone, whatever is killed; and never to itself."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from localsource import REGION, clean_environment
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
        for option in [f"endpoint={self.source.endpoint}", f"region={REGION}", "settle=300ms", *more]:
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
