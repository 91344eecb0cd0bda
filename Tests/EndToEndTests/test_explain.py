"""`shakectl explain`: what is true of a shard, and what happens next, at each turn of a life."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

from following import Following, one_shard
from rig import Rig
from shardedsource import Fault, ShardedSource


def explained(following: Following, shard: str) -> dict[str, object]:
    [explanation] = following.shakectl.json("explain", shard)
    return explanation


def next_of(following: Following, shard: str) -> str:
    return " ".join(explained(following, shard)["next"])


def commands_of(following: Following, shard: str) -> list[str]:
    return [suggestion["command"] for suggestion in explained(following, shard)["commands"]]


def paste(following: Following, command: str) -> subprocess.CompletedProcess[str]:
    """As somebody does who stands in another folder."""
    binary = pathlib.Path(following.shakectl.binary).resolve()
    path = f"{binary.parent}{os.pathsep}{following.shakectl.environment.get('PATH', os.defpath)}"
    return subprocess.run(
        ["sh", "-c", command], cwd="/", env=following.shakectl.environment | {"PATH": path}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60,
    )


def paste_all(following: Following, shard: str) -> list[str]:
    commands = commands_of(following, shard)
    for command in commands:
        result = paste(following, command)
        assert result.returncode == 0, f"{command}: {result.returncode}: {result.stderr}"
    return commands


def test_a_life(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    parent = table.open_shard()
    for version in range(6):
        table.put(parent, "a", version)
    [child] = table.split(parent, 1)
    table.put(child, "a", 7)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(7)
    daemon.until(lambda: "in step" in next_of(following, child.id), "the child is read as far as it goes")

    told = explained(following, parent.id)
    assert told["status"] == "done"
    assert "read to its end" in told["stands"][0] and "6 records" in told["stands"][0]
    assert child.id in " ".join(told["next"]), "where it goes on"
    assert [turn["sentence"].split()[0] for turn in told["story"]] == ["it", "reading", "it"]
    assert "rule trim_horizon" in told["story"][1]["sentence"]
    place = f"--journal {following.shakectl.journal}"
    assert f"shakectl explain orders/{child.id} {place}" in paste_all(following, parent.id)
    assert len(paste_all(following, child.id)) == 2, "its history, and what a rewind would mean"

    # What is copied from it does what it says, and what it says of that is the journal's word.
    numbers = following.written()
    following.shakectl.text("pause", f"orders/{child.id}", "--reason", "to see")
    assert "paused by" in next_of(following, child.id) and "to see" in next_of(following, child.id)
    assert f"shakectl resume orders/{child.id} {place}" in paste_all(following, child.id)
    assert "paused by" not in next_of(following, child.id)
    following.shakectl.text("rewind", parent.id, numbers[1], "--reason", "bad rows")
    daemon.until(lambda: len(following.written()) == 7 + 5, "the rest was brought again")
    story = [turn["sentence"] for turn in explained(following, parent.id)["story"]]
    assert any(f"set back from {numbers[5]} to {numbers[1]}" in line and "bad rows" in line for line in story)
    assert any("its ancestor" in turn["sentence"] for turn in explained(following, child.id)["story"])
    assert any("epoch 1" in line for line in explained(following, parent.id)["stands"])

    assert daemon.terminate() == 0
    assert "No daemon is running" in next_of(following, child.id)
    assert "rule after_sequence_number" in next_of(following, child.id)
    assert "the options that the last one had" in next_of(following, child.id), "nobody here knows which"
    assert not [command for command in paste_all(following, child.id) if command.startswith("shakectl run")]

    text = following.shakectl.text("explain", child.id)
    for heading in ("Where it stands", "How it came there", "What happens next", "What you can do"):
        assert f"\n{heading}\n" in text
    assert all(len(line) <= 120 for line in text.splitlines() if not line.startswith("  shakectl "))


def test_a_shard_that_waits_names_what_all_wait_for(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    first = table.open_shard()
    table.put(first, "a", 1)
    [second] = table.split(first, 1)
    table.put(second, "a", 2)
    [third] = table.split(second, 1)
    table.put(third, "a", 3)
    broken = Fault(500, "InternalServerError")
    sharded.fault = lambda operation, request: broken if operation.endswith("GetRecords") else None
    following = Following(rig, sharded, table)
    daemon = following.start()
    daemon.until(lambda: following.statuses_or_none().get(first.id) == "in_processing", "the first is to be read")
    assert f"{first.id} (in_processing) is what all wait for" in next_of(following, third.id)
    assert f"shakectl explain orders/{first.id} --journal {following.shakectl.journal}" in paste_all(following, third.id)


def test_what_is_offered_is_about_the_same_journal_and_configuration(
    rig: Rig, sharded: ShardedSource, tmp_path: pathlib.Path
) -> None:
    following, _, shard = one_shard(rig, sharded)
    assert following.daemon is not None and following.daemon.terminate() == 0
    elsewhere = tmp_path / "it's another"
    shutil.copytree(following.shakectl.journal, elsewhere)
    configuration = tmp_path / "my shake.yaml"
    configuration.write_text(f"journal: {following.shakectl.journal}\n")
    following.shakectl.journal = str(elsewhere)
    following.shakectl.text("pause", shard.id)
    [explanation] = following.shakectl.json("explain", shard.id, "--config", str(configuration))
    commands = [suggestion["command"] for suggestion in explanation["commands"]]
    [resume] = [command for command in commands if command.startswith("shakectl resume")]
    assert paste(following, resume).returncode == 0
    assert "paused by" not in next_of(following, shard.id)
    assert any(command.startswith("shakectl run --journal ") and "--config" in command for command in commands)


def test_a_loss_that_stops_is_answered_as_pasted(rig: Rig, sharded: ShardedSource) -> None:
    following, table, shard = one_shard(rig, sharded, records=6)
    assert following.daemon is not None and following.daemon.terminate() == 0
    for version in range(6, 12):
        table.put(shard, "a", version)
    shard.trimmed = 9
    assert following.start().wait() == 69
    assert "waits for an operator" in next_of(following, shard.id)
    commands = commands_of(following, shard.id)
    assert not any("--resync" in command for command in commands), "this daemon never scans"
    [skip] = [command for command in commands if "--skip" in command]
    result = paste(following, skip)
    assert result.returncode == 0, result.stderr
    assert "waits for an operator" not in next_of(following, shard.id)


def test_an_unknown_shard_is_said(rig: Rig, sharded: ShardedSource) -> None:
    following, _, _ = one_shard(rig, sharded)
    refused = following.shakectl.call("explain", "nothing-like-it")
    assert refused.returncode == 64
    assert "nothing-like-it" in refused.stderr
