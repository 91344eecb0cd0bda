"""A table that is dropped, and one that is made again under its name, beside a running daemon and between two."""

from __future__ import annotations

import os
import pathlib

import boto3
import pytest
from localsource import REGION, clean_environment
from replica import SQLiteReplica, differences
from rig import item
from shake import Daemon, Shakectl
from streamsim import SimulatedTable, StreamSim

TABLE, OTHER = "orders", "users"


def drop(simulator: StreamSim, name: str) -> None:
    client = boto3.client(
        "dynamodb", endpoint_url=simulator.endpoint, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.delete_table(TableName=name)


@pytest.mark.parametrize("is_running", [True, False], ids=["beside", "between"])
def test_a_table_that_is_made_again_is_copied_in_full_and_no_loss(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path, is_running: bool
) -> None:
    first, other = simulator.create_table(TABLE), simulator.create_table(OTHER)
    first.put_all([item(number) for number in range(30)])
    other.put_all([item(number) for number in range(10)])
    replica = SQLiteReplica(tmp_path / "replica.db")
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())

    def start() -> Daemon:
        return shakectl.run(
            simulator, "--table", TABLE, "--table", OTHER, "--target", f"sqlite:{replica.path}", "--discovery-interval", "1s"
        )

    def is_equal(table: SimulatedTable) -> bool:
        return not differences(table.items(), replica.items(table.name), table.key_names)

    def events(kind: str) -> list[dict[str, object]]:
        return [event for event in shakectl.json("tail") if event["event"] == kind and event["table"] == TABLE]

    daemon = start()
    try:
        daemon.until(lambda: os.path.exists(replica.path) and is_equal(first) and is_equal(other), "both are copied")
        if not is_running:
            daemon.kill()
        drop(simulator, TABLE)
        if is_running:
            daemon.until(lambda: len(events("table_removed")) == 1, "that it is gone is said")
        assert len(replica.items(TABLE)) == 30, "what the target has of it stays"
        second = simulator.create_table(TABLE)
        second.put_all([item(number) for number in range(20, 40)])
        if not is_running:
            daemon = start()
        daemon.until(lambda: is_equal(second), "the second is there, and what only the first had is gone")
        second.put_all([item(number) for number in range(50, 55)])
        other.put_all([item(number) for number in range(20, 25)])
        daemon.until(lambda: is_equal(second) and is_equal(other), "both are followed")
        ids = [event["table_id"] for event in events("phase_changed") if event["table_id"] is not None]
        assert len(set(ids)) == 2
        assert events("range_lost") == []
        assert all(status["health"] == "ok" for status in shakectl.json("status"))
    finally:
        daemon.kill()
    assert shakectl.call("verify").returncode == 0
