"""A table without a stream beside one that has one: with the option it gets one and misses nothing, without it waits and says so."""

from __future__ import annotations

import json
import pathlib

import pytest
from localsource import REGION, clean_environment
from replica import SQLiteReplica, differences
from rig import item
from shake import Daemon, Shakectl, json_lines, run_arguments
from streamsim import SimulatedTable, StreamSim

BARE, PLAIN = "bare", "plain"


class Pair:
    """Both tables, each with ten items, and one journal."""

    def __init__(self, simulator: StreamSim, binary: str, folder: pathlib.Path) -> None:
        self.simulator = simulator
        self.tables = [simulator.create_table(BARE, view=None), simulator.create_table(PLAIN)]
        for table in self.tables:
            table.put_all([item(number) for number in range(10)])
        self.replica = SQLiteReplica(folder / "replica.db")
        self.shakectl = Shakectl(binary, folder / "journal", clean_environment())
        self.arguments = ("--table", BARE, "--table", PLAIN, "--target", f"sqlite:{self.replica.path}")

    def start(self, *more: str) -> Daemon:
        return self.shakectl.run(self.simulator, *self.arguments, *more)

    def end(self, *more: str) -> tuple[int, str]:
        """Runs a daemon that ends by itself."""
        arguments = run_arguments(self.simulator, *self.arguments, "--until-idle", "2", *more)
        result = self.shakectl.call(*arguments)
        return result.returncode, result.stderr

    def differences(self, table: SimulatedTable) -> list[str]:
        return differences(table.items(), self.replica.items(table.name), table.key_names)

    def updates(self) -> int:
        return self.simulator.calls().get("UpdateTable", {}).get("calls", 0)

    def health(self) -> dict[str, tuple[str, str]]:
        result = self.shakectl.call("status", "--json")
        if result.returncode != 0:
            return {}
        return {status["table"]: (status["health"], status["reason"] or "") for status in json_lines(result.stdout)}


@pytest.fixture
def pair(simulator: StreamSim, binary: str, tmp_path: pathlib.Path) -> Pair:
    return Pair(simulator, binary, tmp_path)


def test_without_the_option_the_table_waits_and_says_how_it_could_go_on(pair: Pair) -> None:
    code, log = pair.end()
    assert code == 78
    assert "it has no stream" in log and "--enable-streams" in log
    assert pair.differences(pair.tables[1]) == []
    assert "LatestStreamArn" not in pair.simulator.dynamodb.describe_table(TableName=BARE)["Table"]


def test_with_the_option_it_gets_a_stream_and_misses_nothing(pair: Pair) -> None:
    bare, plain = pair.tables
    # Nothing that is written while the stream is ENABLING has a record.
    pair.simulator.settings(table_delay_ms=4000)
    daemon = pair.start("--enable-streams")
    try:
        daemon.until(lambda: "ENABLING" in pair.health().get(BARE, ("", ""))[1], "status says what it waits for")
        bare.put_all([item(number, 1) for number in range(5, 15)])
        daemon.until(lambda: pair.differences(plain) == [], "the other one is followed meanwhile")
        daemon.until(lambda: pair.differences(bare) == [], "what was written meanwhile is scanned")
        bare.put_all([item(number, 2) for number in range(12, 20)])
        bare.delete({"pk": item(0)["pk"]})
        daemon.until(lambda: pair.differences(bare) == [], "what is written afterwards comes by the stream")
        daemon.until(lambda: {health for health, _ in pair.health().values()} == {"ok"}, "all is well")
        daemon.kill()
        assert pair.end("--enable-streams")[0] == 0
    finally:
        if daemon.is_running:
            daemon.kill()
    assert pair.updates() == 1
    table = pair.simulator.dynamodb.describe_table(TableName=BARE)["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert len([event for event in pair.shakectl.json("tail") if event["event"] == "range_lost"]) == 0


def test_killed_while_it_waits_it_goes_on_with_the_same_stream(pair: Pair) -> None:
    pair.simulator.settings(table_delay_ms=4000)
    daemon = pair.start("--enable-streams")
    try:
        daemon.until(lambda: "ENABLING" in pair.health().get(BARE, ("", ""))[1], "it waits")
    finally:
        daemon.kill()
    stream = pair.tables[0].stream
    pair.tables[0].put_all([item(number, 1) for number in range(5, 15)])
    code, log = pair.end("--enable-streams")
    assert code == 0, log
    assert pair.tables[0].stream == stream
    assert pair.differences(pair.tables[0]) == []


def test_an_answer_that_is_lost_is_asked_for_again_and_no_error(pair: Pair) -> None:
    pair.simulator.fault("UpdateTable", "reset_after", count=1)
    code, log = pair.end("--enable-streams")
    assert code == 0, log
    assert pair.updates() == 2
    assert pair.differences(pair.tables[0]) == []


def test_without_the_permission_that_table_alone_waits_and_the_exit_code_is_77(pair: Pair) -> None:
    pair.simulator.fault("UpdateTable", "AccessDeniedException")
    code, log = pair.end("--enable-streams")
    assert code == 77, log
    assert "allow them dynamodb:UpdateTable" in log
    assert pair.differences(pair.tables[1]) == []


def test_a_plan_says_which_table_would_get_a_stream_and_gives_it_none(pair: Pair, tmp_path: pathlib.Path) -> None:
    source = ("--source-endpoint", pair.simulator.endpoint, "--region", REGION)
    result = pair.shakectl.call("plan", *source, *pair.arguments, "--enable-streams", "--json")
    assert result.returncode == 0, result.stderr
    assert {plan["table"]: plan["enables_stream"] for plan in json_lines(result.stdout)} == {BARE: True, PLAIN: False}
    spoken = pair.shakectl.call("plan", *source, *pair.arguments, "--enable-streams").stdout
    assert "dynamodb:UpdateTable" in spoken

    (tmp_path / "shake.yaml").write_text(json.dumps({"source": {"enable_streams": True}}))
    again = pair.shakectl.call(
        "plan", *source, *pair.arguments, "--config", str(tmp_path / "shake.yaml"), "--no-enable-streams", "--json"
    )
    assert again.returncode == 78, "the flag wins over the file"
    assert "LatestStreamArn" not in pair.simulator.dynamodb.describe_table(TableName=BARE)["Table"]
