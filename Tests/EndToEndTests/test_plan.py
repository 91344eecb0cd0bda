"""`plan` answers with the exit code, and for the reason, that `run` ends with."""

from __future__ import annotations

import os
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from localsource import clean_environment
from shake import REGION, Shakectl, json_lines
from streamsim import StreamSim, default_binary

TABLE = "orders"


class Planned:
    """One table of a simulator, and what `plan` and `run` make of it with the same options."""

    def __init__(self, binary: str, folder: pathlib.Path) -> None:
        self.simulator = StreamSim(default_binary())
        self.shakectl = Shakectl(binary, folder / "journal", clean_environment())
        self.database = folder / "replica.db"
        self.lines = folder / "changes.jsonl"

    def create(self, name: str = TABLE) -> None:
        self.simulator.create_table(name, hash_type="S")
        self.simulator.load(name, 20, keys=20)

    def drop(self) -> None:
        client = boto3.client(
            "dynamodb", endpoint_url=self.simulator.endpoint, region_name=REGION, aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        client.delete_table(TableName=TABLE)

    def options(self, *more: str, table: str = TABLE, target: str = "") -> list[str]:
        return [
            "--source-endpoint", self.simulator.endpoint, "--region", REGION, "--table", table,
            "--target", target or f"sqlite:{self.database}", *more,
        ]

    def plan(self, *more: str, code: int = 0, table: str = TABLE, target: str = "") -> dict[str, Any]:
        result = self.shakectl.call("plan", "--json", *self.options(*more, table=table, target=target))
        assert result.returncode == code, result.stdout + result.stderr
        [plan] = json_lines(result.stdout)
        return plan

    def run(
        self, *more: str, code: int = 0, table: str = TABLE, target: str = "", prefix: list[str] | None = None
    ) -> str:
        """Until it is idle. Gives what it has said."""
        result = self.shakectl.call(
            "run", "--until-idle", "0.3", *self.options(*more, table=table, target=target), prefix=prefix
        )
        assert result.returncode == code, result.stderr
        return result.stderr

    def both(self, *more: str, code: int, words: str, table: str = TABLE, target: str = "") -> None:
        plan = self.plan(*more, code=code, table=table, target=target)
        assert any(words in obstacle for obstacle in plan["obstacles"]), plan
        assert words in self.run(*more, code=code, table=table, target=target)


@pytest.fixture
def planned(binary: str, tmp_path: pathlib.Path) -> Iterator[Planned]:
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    planned = Planned(binary, tmp_path)
    yield planned
    planned.simulator.stop()


def test_a_full_sync_that_is_not_finished_keeps_back_who_only_follows(planned: Planned) -> None:
    planned.create()
    planned.run("--scan-segments", "1", code=-9, prefix=["env", "SHAKE_CRASH_AT=after_target_write:1"])
    planned.both("--mode", "incr", code=78, words="its full sync is not finished")
    assert planned.plan()["first"] in ["scan", "go_on_scanning"]


def test_an_sql_table_of_another_shape_keeps_it_back(planned: Planned) -> None:
    planned.create()
    with sqlite3.connect(planned.database) as connection:
        connection.execute(f"CREATE TABLE {TABLE} (mine TEXT)")
    planned.both(code=78, words="there is no column hash_key")
    with sqlite3.connect(planned.database) as connection:
        connection.execute(f"INSERT INTO {TABLE} VALUES ('x')")
    planned.both("--existing", "append", code=78, words="there is no column hash_key")
    assert planned.plan("--existing", "rename")["obstacles"] == []
    planned.run("--existing", "rename")


def test_a_name_that_the_target_refuses_keeps_it_back(planned: Planned) -> None:
    planned.create("_shake_orders")
    planned.both(code=78, words="names that begin with _shake_", table="_shake_orders")


def test_a_journal_that_was_filled_into_another_target_keeps_it_back(planned: Planned) -> None:
    planned.create()
    planned.run(target=f"jsonl:{planned.lines}")
    planned.both(code=78, words="says what is in jsonl:", target="null:")


def test_what_an_operator_and_the_source_have_done_meanwhile_is_said(planned: Planned) -> None:
    planned.create()
    planned.run()
    planned.shakectl.text("pause", TABLE, "--reason", "it is moved")
    [note] = planned.plan()["notes"]
    assert "it is moved" in note and "shakectl resume orders" in note
    planned.shakectl.text("resume", TABLE)
    assert planned.plan()["notes"] == []

    [note] = planned.plan("--filter-expression", "attribute_exists(id)")["notes"]
    assert "shakectl resync orders" in note

    planned.drop()
    planned.plan(code=69)
    planned.create()
    plan = planned.plan()
    assert plan["first"] == "scan" and "made again" in plan["notes"][0]
    assert "made again" in planned.run()
    plan = planned.plan()
    assert (plan["first"], plan["notes"]) == ("go_on_following", [])


def test_a_table_that_was_made_again_is_a_loss_for_who_only_follows(planned: Planned) -> None:
    planned.create()
    planned.run("--mode", "incr")
    planned.drop()
    planned.create()
    [obstacle] = planned.plan("--mode", "incr", code=69)["obstacles"]
    assert "stream_replaced" in obstacle
    skipped = planned.plan("--mode", "incr", "--on-loss", "skip")
    assert skipped["obstacles"] == [] and "skipped" in skipped["notes"][0]


def test_its_complaints_bear_its_own_name(planned: Planned) -> None:
    result = planned.shakectl.call("plan", "--target", "null:")
    assert result.returncode == 64 and "plan: no table to follow" in result.stderr
