"""`shakectl explain`: what is true of a shard, and what happens next, at each turn of a life."""

from __future__ import annotations

from following import Following
from rig import Rig
from shardedsource import Fault, ShardedSource


def explained(following: Following, shard: str) -> dict[str, object]:
    [explanation] = following.shakectl.json("explain", shard)
    return explanation


def next_of(following: Following, shard: str) -> str:
    return " ".join(explained(following, shard)["next"])


def commands_of(following: Following, shard: str) -> list[str]:
    return [suggestion["command"] for suggestion in explained(following, shard)["commands"]]


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
    assert f"shakectl explain orders/{child.id}" in commands_of(following, parent.id)

    # What is copied from it does what it says, and what it says of that is the journal's word.
    numbers = following.written()
    following.shakectl.text("pause", f"orders/{child.id}", "--reason", "to see")
    assert "paused by" in next_of(following, child.id) and "to see" in next_of(following, child.id)
    [resume] = [command for command in commands_of(following, child.id) if command.startswith("shakectl resume")]
    following.shakectl.text(*resume.split()[1:])
    following.shakectl.text("rewind", parent.id, numbers[1], "--reason", "bad rows")
    daemon.until(lambda: len(following.written()) == 7 + 5, "the rest was brought again")
    story = [turn["sentence"] for turn in explained(following, parent.id)["story"]]
    assert any(f"set back from {numbers[5]} to {numbers[1]}" in line and "bad rows" in line for line in story)
    assert any("its ancestor" in turn["sentence"] for turn in explained(following, child.id)["story"])
    assert any("epoch 1" in line for line in explained(following, parent.id)["stands"])

    assert daemon.terminate() == 0
    assert "No daemon is running" in next_of(following, child.id)
    assert "rule after_sequence_number" in next_of(following, child.id)

    text = following.shakectl.text("explain", child.id)
    for heading in ("Where it stands", "How it came there", "What happens next", "What you can do"):
        assert f"\n{heading}\n" in text
    assert all(len(line) <= 120 for line in text.splitlines())


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
    assert f"shakectl explain orders/{first.id}" in commands_of(following, third.id)


def test_an_unknown_shard_is_said(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    table.put(table.open_shard(), "a", 1)
    following = Following(rig, sharded, table)
    following.start()
    following.wait_for(1)
    refused = following.shakectl.call("explain", "nothing-like-it")
    assert refused.returncode == 64
    assert "nothing-like-it" in refused.stderr
