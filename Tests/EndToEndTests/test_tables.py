"""Tables by pattern: one is made and one is dropped while twenty others run, and none of these hears of it."""

from __future__ import annotations

import os
import pathlib

import boto3
import pytest
from localsource import clean_environment
from replica import SQLiteReplica
from shake import REGION, Shakectl, json_lines
from streamsim import StreamSim


def test_tables_come_and_go_beside_twenty_others(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    names = [f"shop-{number}" for number in range(20)]
    for name in [*names, "shop-old", "shop-tmp"]:
        simulator.create_table(name, hash_type="S")
        simulator.load(name, 20, keys=20)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    replica = SQLiteReplica(tmp_path / "replica.db")
    daemon = shakectl.run(
        simulator, "--include", "shop-*", "--exclude", "*-tmp", "--target", f"sqlite:{replica.path}",
        "--tables-interval", "1s", "--discovery-interval", "1s",
    )
    try:
        def phases() -> dict[str, str]:
            return {status["table"]: status["phase"] for status in shakectl.json("status")} if daemon.is_running else {}

        daemon.until(
            lambda: "is followed" in daemon.log
            and phases() == {name: "incr_sync" for name in [*names, "shop-old"]},
            "all that match are followed, and no other",
        )
        daemon.until(lambda: all(status["health"] == "ok" for status in shakectl.json("status")), "all is well")
        before = {event["shard"]: event["position"] for event in shakectl.json("tail") if event["event"] == "queried"}

        def checkpoints() -> dict[str, tuple[str, str | None]]:
            return {
                shard["shard"]: (shard["status"], shard["sequence_number"])
                for shard in shakectl.json("shards") if shard["table"] in names
            }

        stood = checkpoints()
        simulator.load("shop-old", 20, keys=20)
        last = simulator.records("shop-old")[-1]["record"]["dynamodb"]["SequenceNumber"]
        simulator.create_table("shop-new", hash_type="S")
        simulator.load("shop-new", 20, keys=20)
        client = boto3.client(
            "dynamodb", endpoint_url=simulator.endpoint, region_name=REGION, aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        client.delete_table(TableName="shop-old")
        daemon.until(lambda: phases().get("shop-new") == "incr_sync", "the new one is scanned and followed")
        daemon.until(
            lambda: replica.query("SELECT 1 FROM _shake_positions WHERE sequence_number = ?", last),
            "the last change before the drop is in the target",
        )
        daemon.until(
            lambda: any(
                event["event"] == "table_removed" and event["table"] == "shop-old" for event in shakectl.json("tail")
            ),
            "the dropped one is said to be gone",
        )

        after = [event for event in shakectl.json("tail") if event["event"] == "queried"]
        assert [event for event in after if event["table"] in names and before.get(event["shard"]) != event["position"]] == []
        assert "shop-tmp" not in phases()
        assert checkpoints() == stood, "nobody else's checkpoint has moved"
    finally:
        daemon.kill()


def test_one_that_was_dropped_while_no_daemon_ran_is_said_to_be_gone(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    for name in ["shop-new", "shop-old"]:
        simulator.create_table(name, hash_type="S")
        simulator.load(name, 5, keys=5)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    options = ["--include", "shop-*", "--target", f"sqlite:{tmp_path / 'replica.db'}", "--tables-interval", "1s"]

    def told() -> dict[str, tuple[str, str]]:
        return {status["table"]: (status["health"], status["reason"]) for status in shakectl.json("status")}

    def healths() -> list[str]:
        return [health for health, _ in told().values()]

    daemon = shakectl.run(simulator, *options)
    try:
        daemon.until(lambda: "is followed" in daemon.log and healths() == ["ok", "ok"], "all is well")
        assert daemon.terminate() == 0
        boto3.client(
            "dynamodb", endpoint_url=simulator.endpoint, region_name=REGION, aws_access_key_id="a",
            aws_secret_access_key="b",
        ).delete_table(TableName="shop-old")
        daemon = shakectl.run(simulator, *options)
        daemon.until(lambda: "the source has it no more" in told()["shop-old"][1], "that it is gone is seen")
        daemon.until(lambda: healths() == ["ok", "ok"], "and is no trouble")
        assert shakectl.call("status", "--check").returncode == 0
        assert daemon.terminate() == 0
        daemon = shakectl.run(simulator, "--include", "shop-n*", *options[2:])
        daemon.until(lambda: healths() == ["ok", "ok"], "it is nobody's who is left out")
    finally:
        daemon.kill()


def test_where_no_known_table_is_listed_none_is_said_to_be_gone(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    # As in another region: the list is whole, and has nothing that the journal knows.
    source = boto3.client(
        "dynamodb", endpoint_url=simulator.endpoint, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    simulator.create_table("shop-here", hash_type="S")
    simulator.load("shop-here", 5, keys=5)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    options = ["--include", "shop-*", "--target", f"sqlite:{tmp_path / 'replica.db'}", "--tables-interval", "1s"]

    def healths() -> dict[str, str]:
        return {status["table"]: status["health"] for status in shakectl.json("status")}

    daemon = shakectl.run(simulator, *options)
    try:
        daemon.until(lambda: "is followed" in daemon.log and healths() == {"shop-here": "ok"}, "all is well")
        assert daemon.terminate() == 0
        source.delete_table(TableName="shop-here")
        simulator.create_table("shop-there", hash_type="S")
        daemon = shakectl.run(simulator, *options)
        daemon.until(lambda: healths() == {"shop-here": "stopped", "shop-there": "ok"}, "the known one is stopped")
        assert shakectl.call("status", "--check").returncode == 69
        assert "table_removed" not in {event["event"] for event in shakectl.json("tail")}
    finally:
        daemon.kill()


def test_a_plan_says_what_run_would_do_and_leaves_no_trace(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    simulator.create_table("orders", hash_type="S")
    simulator.load("orders", 20, keys=20)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    source = ("--source-endpoint", simulator.endpoint, "--region", REGION)
    target = ("--target", f"sqlite:{tmp_path / 'replica.db'}")
    result = shakectl.call("plan", *source, *target, "--include", "*", "--json")
    assert result.returncode == 0, result.stderr
    [plan] = json_lines(result.stdout)
    assert (plan["table"], plan["first"], plan["segments"], plan["target_contents"]) == ("orders", "scan", 8, "missing")
    assert plan["obstacles"] == []
    assert os.listdir(tmp_path) == []

    missing = shakectl.call("plan", *source, *target, "--table", "orders", "--table", "unknown")
    assert missing.returncode == 69
    assert "ResourceNotFoundException" in missing.stdout


@pytest.mark.parametrize("end", [("--mode", "full"), ("--until-idle", "1")])
def test_a_source_out_of_reach_ends_a_daemon_of_patterns(binary: str, tmp_path: pathlib.Path, end: tuple[str, ...]) -> None:
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    result = shakectl.call(
        "run", "--include", "*", *end, "--target", "null:", "--source-endpoint", "http://127.0.0.1:9", "--region", REGION
    )
    assert result.returncode == 69, result.stderr
    assert "ListTables" in result.stderr


def test_a_filter_is_said_for_one_of_the_tables_that_a_pattern_brings(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    for name in ["shop-orders", "shop-users"]:
        simulator.create_table(name, hash_type="S")
        simulator.load(name, 20, keys=20)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    replica = SQLiteReplica(tmp_path / "replica.db")
    options = ["--source-endpoint", simulator.endpoint, "--region", REGION, "--target", f"sqlite:{replica.path}"]
    more = ["--include", "shop-*", "--filter-expression", "shop-orders: attribute_exists(nothing)", "--until-idle", "0.3"]
    result = shakectl.call("run", *options, *more)
    assert result.returncode == 0, result.stderr
    assert replica.count("shop-orders") == 0 and replica.count("shop-users") > 0

    wrong = shakectl.call("run", *options, "--include", "shop-*", "--filter-expression", "orders: attribute_exists(id)")
    assert wrong.returncode == 64 and "no --include matches it" in wrong.stderr, wrong.stderr
