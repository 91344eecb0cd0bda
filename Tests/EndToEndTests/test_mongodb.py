"""A table is copied to MongoDB and followed: nothing twice, nothing lost, whatever is killed; and what can't be is said."""

from __future__ import annotations

import os
import pathlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from localsource import REGION, clean_environment
from pymongo import MongoClient
from pymongo.collection import Collection
from shake import Shakectl, json_lines
from streamsim import StreamSim, default_binary
from throwaway import MongoStandin

TABLE = "orders"


class Copied:
    """A table of a simulator, and its copy in a database of its own."""

    def __init__(self, binary: str, folder: pathlib.Path, url: str, *options: str) -> None:
        self.simulator = StreamSim(default_binary())
        self.shakectl = Shakectl(binary, folder / "journal", clean_environment())
        self.database = f"e2e_{secrets.token_hex(8)}"
        self.mongo: MongoClient[Any] = MongoClient(url)
        place, _, query = url.partition("?")
        self.url = f"{place.rstrip('/')}/{self.database}" + (f"?{query}" if query else "")
        self.more = options
        self.client = boto3.client(
            "dynamodb", endpoint_url=self.simulator.endpoint, region_name=REGION, aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        self.simulator.create_table(TABLE, hash_type="S")

    @property
    def collection(self) -> Collection[Any]:
        return self.mongo[self.database][TABLE]

    def put(self, *numbers: int, version: int = 0) -> None:
        for number in numbers:
            self.client.put_item(
                TableName=TABLE,
                Item={
                    "pk": {"S": f"item-{number:04}"}, "version": {"N": str(version)}, "odd\0$na.me": {"S": "a\0b\x1a"},
                    "_id": {"S": "mine"}, "price": {"N": "1234567890123456789012345678901234"}, "tags": {"SS": ["b", "a"]},
                },
            )

    def options(self, *more: str) -> list[str]:
        return [
            "--source-endpoint", self.simulator.endpoint, "--region", REGION, "--table", TABLE, "--target", self.url,
            *self.more, *more,
        ]

    def run(self, *more: str, code: int = 0, prefix: list[str] | None = None) -> str:
        result = self.shakectl.call("run", "--until-idle", "0.3", *self.options(*more), prefix=prefix)
        assert result.returncode == code, result.stderr
        return result.stderr

    def differences(self) -> list[dict[str, Any]]:
        result = self.shakectl.call("diff", "--json", "--settle", "300ms", *self.options())
        assert result.returncode in (0, 1), result.stderr
        return json_lines(result.stdout)[:-1]


@pytest.fixture
def serve() -> Iterator[Callable[..., MongoStandin]]:
    """Starts a server that is the test's own."""
    servers: list[MongoStandin] = []

    def serve(*arguments: str) -> MongoStandin:
        servers.append(server := MongoStandin("--topology", "replica-set", *arguments))
        return server

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def copy(binary: str, tmp_path: pathlib.Path, serve: Callable[..., MongoStandin]) -> Iterator[Callable[..., Copied]]:
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    made: list[Copied] = []

    def copy(url: str, *options: str) -> Copied:
        made.append(copied := Copied(binary, tmp_path, url, *options))
        return copied

    yield copy
    for copied in made:
        copied.mongo.drop_database(copied.database)
        copied.mongo.close()
        copied.simulator.stop()


@pytest.fixture(scope="module")
def standalone_url() -> Iterator[str]:
    server = MongoStandin()
    yield server.url
    server.close()


@pytest.fixture(params=["replica-set", "standalone"])
def copied(request: pytest.FixtureRequest, copy: Callable[..., Copied]) -> Copied:
    return copy(request.getfixturevalue("mongodb_url" if request.param == "replica-set" else "standalone_url"))


def test_a_table_is_copied_and_followed_and_is_equal(copied: Copied) -> None:
    copied.put(*range(50))
    copied.run()
    assert copied.collection.count_documents({}) == 50
    copied.put(*range(10), version=2)
    copied.client.delete_item(TableName=TABLE, Key={"pk": {"S": "item-0049"}})
    copied.run()
    assert copied.collection.count_documents({}) == 49
    found = copied.collection.find_one({"_id": "item-0003"})
    assert found and found["version"] == {"N": 2}
    assert copied.differences() == []
    copied.collection.delete_one({"_id": "item-0007"})
    assert [one["difference"] for one in copied.differences()] == ["missing"]
    result = copied.shakectl.call("diff", "--repair", "--settle", "300ms", *copied.options())
    assert result.returncode == 0, result.stderr
    assert copied.differences() == []


@pytest.mark.parametrize("format", ["plain", "raw", "change", "mchange"])
def test_each_format_is_copied_and_is_equal(copy: Callable[..., Copied], mongodb_url: str, format: str) -> None:
    copied = copy(mongodb_url, "--target-option", f"format={format}")
    copied.put(*range(20))
    copied.run()
    copied.put(*range(5), version=2)
    copied.client.delete_item(TableName=TABLE, Key={"pk": {"S": "item-0019"}})
    copied.run()
    assert copied.collection.count_documents({}) == 19
    assert copied.differences() == []


@pytest.mark.parametrize("point", ["before_target_write", "after_target_write", "before_append", "after_append"])
def test_a_daemon_that_is_killed_goes_on_and_nothing_is_lost(copied: Copied, point: str) -> None:
    copied.put(*range(40))
    copied.run()
    copied.put(*range(20, 60), version=1)
    copied.run("--memory-budget", "4MiB", code=-9, prefix=["env", f"SHAKE_CRASH_AT={point}:1"])
    copied.put(5, version=9)
    copied.run()
    assert copied.collection.count_documents({}) == 60
    assert copied.differences() == []
    assert copied.shakectl.call("verify").returncode == 0


def test_a_wrong_place_is_said_with_what_to_do_and_without_the_password(
    serve: Callable[..., MongoStandin], copy: Callable[..., Copied]
) -> None:
    server = serve("--user", "shake:r1ght-s3cret", "--reader", "guest:0ther-s3cret")
    copied = copy(server.url)
    for url, words in [
        (copied.url.replace("r1ght", "wr0ng"), "the user or the password is wrong"),
        (copied.url.replace("shake:r1ght", "guest:0ther"), "grant this user"),
        (copied.url.replace(copied.database, ""), "names no database"),
        (copied.url.replace(copied.database, "admin"), "MongoDB's own"),
        (copied.url + "&tsl=true", "doesn't know"),
    ]:
        result = copied.shakectl.call(
            "run", "--until-idle", "0.3", "--source-endpoint", copied.simulator.endpoint, "--region", REGION,
            "--table", TABLE, "--target", url,
        )
        assert result.returncode == 78 and words in result.stderr, result.stderr
        assert "s3cret" not in result.stderr
    copied.run("--target-option", "formt=plain", code=78)


def test_a_server_that_goes_away_is_waited_for(serve: Callable[..., MongoStandin], copy: Callable[..., Copied]) -> None:
    server = serve()
    copied = copy(server.url)
    copied.put(*range(5))
    copied.run()
    daemon = copied.shakectl.run(copied.simulator, "--table", TABLE, "--target", copied.url)
    try:
        for version, word in enumerate(["restart", "kill"], start=1):
            server.say(word)
            copied.put(*range(5), version=version)
            if word == "kill":
                server.say("start")
            daemon.until(
                lambda: copied.collection.count_documents({"version.N": version}) == 5, f"version {version} is there")
    finally:
        assert daemon.terminate() == 0
    assert copied.differences() == []


def test_what_lies_there_is_renamed_if_asked(copied: Copied) -> None:
    copied.collection.insert_one({"_id": "somebody's"})
    copied.put(1)
    assert "--existing append" in copied.run(code=78)
    copied.run("--existing", "rename")
    assert copied.collection.count_documents({}) == 1
    assert copied.mongo[copied.database][f"{TABLE}_before"].count_documents({}) == 1
