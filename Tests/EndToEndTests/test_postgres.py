"""A table is copied to PostgreSQL and followed: nothing twice, nothing lost, whatever is killed; and what can't be is said."""

from __future__ import annotations

import os
import pathlib
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from localsource import REGION, clean_environment
from shake import Shakectl, json_lines
from streamsim import StreamSim, default_binary

TABLE = "orders"


class Copied:
    """A table of a simulator, and its copy in a schema of its own."""

    def __init__(self, binary: str, folder: pathlib.Path, url: str) -> None:
        self.simulator = StreamSim(default_binary())
        self.shakectl = Shakectl(binary, folder / "journal", clean_environment())
        self.url = url
        self.schema = f"e2e_{secrets.token_hex(8)}"
        self.client = boto3.client(
            "dynamodb", endpoint_url=self.simulator.endpoint, region_name=REGION, aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        self.simulator.create_table(TABLE, hash_type="S")
        self.ask(f"CREATE SCHEMA {self.schema}")

    def put(self, *numbers: int, version: int = 0) -> None:
        for number in numbers:
            self.client.put_item(
                TableName=TABLE,
                Item={
                    "pk": {"S": f"item-{number:04}"}, "version": {"N": str(version)}, "odd\0name": {"S": "a\0b\x1a"},
                    "price": {"N": "12345678901234567890123456789012345678"}, "tags": {"SS": ["b", "a"]},
                },
            )

    def options(self, *more: str) -> list[str]:
        return [
            "--source-endpoint", self.simulator.endpoint, "--region", REGION, "--table", TABLE, "--target", self.url,
            "--target-option", f"schema={self.schema}", *more,
        ]

    def run(self, *more: str, code: int = 0, prefix: list[str] | None = None) -> str:
        result = self.shakectl.call("run", "--until-idle", "0.3", *self.options(*more), prefix=prefix)
        assert result.returncode == code, result.stderr
        return result.stderr

    def ask(self, sql: str) -> str:
        result = subprocess.run(
            ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", self.url, "-c", sql], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def differences(self) -> list[dict[str, Any]]:
        result = self.shakectl.call("diff", "--json", "--settle", "300ms", *self.options())
        assert result.returncode in (0, 1), result.stderr
        return json_lines(result.stdout)[:-1]


@pytest.fixture
def copied(binary: str, tmp_path: pathlib.Path, postgres_url: str) -> Iterator[Copied]:
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    copied = Copied(binary, tmp_path, postgres_url)
    yield copied
    copied.simulator.stop()


def test_a_table_is_copied_and_followed_and_is_equal(copied: Copied) -> None:
    copied.put(*range(50))
    copied.run()
    assert copied.ask(f"SELECT count(*) FROM {copied.schema}.{TABLE}") == "50"
    copied.put(*range(10), version=2)
    copied.client.delete_item(TableName=TABLE, Key={"pk": {"S": "item-0049"}})
    copied.run()
    assert copied.ask(f"SELECT count(*) FROM {copied.schema}.{TABLE}") == "49"
    assert copied.ask(f"SELECT item->'version'->>'N' FROM {copied.schema}.{TABLE} WHERE hash_key = 'item-0003'") == "2"
    assert copied.differences() == []
    copied.ask(f"DELETE FROM {copied.schema}.{TABLE} WHERE hash_key = 'item-0007'")
    assert [one["difference"] for one in copied.differences()] == ["missing"]
    result = copied.shakectl.call("diff", "--repair", "--settle", "300ms", *copied.options())
    assert result.returncode == 0, result.stderr
    assert copied.differences() == []


@pytest.mark.parametrize("point", ["before_target_write:3", "after_target_write:2", "before_append:9", "after_append:6"])
def test_a_daemon_that_is_killed_goes_on_and_nothing_is_lost(copied: Copied, point: str) -> None:
    copied.put(*range(40))
    copied.run()
    copied.put(*range(20, 60), version=1)
    copied.run("--memory-budget", "4MiB", code=-9, prefix=["env", f"SHAKE_CRASH_AT={point.split(':')[0]}:1"])
    copied.put(5, version=9)
    copied.run()
    assert copied.ask(f"SELECT count(*) FROM {copied.schema}.{TABLE}") == "60"
    assert copied.differences() == []
    assert copied.shakectl.call("verify").returncode == 0


def test_a_wrong_place_is_said_with_what_to_do_and_without_the_password(copied: Copied) -> None:
    head, _, place = copied.url.partition("@")
    user = head.rpartition(":")[0]
    for url, code, words in [
        (f"{user}:wr0ng-s3cret@{place}", 78, "the password is wrong"),
        (f"{head}@{place.rpartition('/')[0]}/nowhere", 78, "there is no such database"),
    ]:
        result = copied.shakectl.call(
            "run", "--until-idle", "0.3", "--source-endpoint", copied.simulator.endpoint, "--region", REGION, "--table",
            TABLE, "--target", url,
        )
        assert result.returncode == code and words in result.stderr, result.stderr
        assert "s3cret" not in result.stderr and head.rpartition(":")[2] not in result.stderr
    copied.run("--target-option", "schema2=x", code=78)


def test_a_server_that_goes_away_is_waited_for(copied: Copied) -> None:
    copied.put(*range(5))
    copied.run()
    daemon = copied.shakectl.run(
        copied.simulator, "--table", TABLE, "--target", copied.url, "--target-option", f"schema={copied.schema}"
    )
    try:
        for version in range(1, 4):
            copied.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name = 'shake' AND query LIKE '%{copied.schema}%'"
            )
            copied.put(*range(5), version=version)
            sql = f"SELECT count(*) FROM {copied.schema}.{TABLE} WHERE item->'version'->>'N' = '{version}'"
            daemon.until(lambda: copied.ask(sql) == "5", f"version {version} is there")
    finally:
        assert daemon.terminate() == 0
    assert copied.differences() == []
