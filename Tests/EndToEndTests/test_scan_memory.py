"""Scans of large items in the least memory: what is read waits for room, and nobody waits for ever."""

from __future__ import annotations

import pathlib

from localsource import clean_environment
from replica import SQLiteReplica
from shake import Shakectl
from streamsim import StreamSim

# Three of them are more than a page holds; written out as JSON a page is more than the budget has for one.
PADDING = {"S": "x" * 350_000}
ITEMS = 16
MEMORY = ("--memory-budget", "4MiB", "--scan-readers", "8")


def fill(simulator: StreamSim, name: str, count: int) -> None:
    table = simulator.create_table(name)
    table.put_all([{"pk": {"S": f"item-{number:05}"}, "padding": PADDING} for number in range(count)])


def test_many_readers_of_one_table_share_the_smallest_budget(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    fill(simulator, "large", 5 * ITEMS)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    replica = SQLiteReplica(tmp_path / "replica.db")
    daemon = shakectl.run(
        simulator, "--table", "large", "--target", f"sqlite:{replica.path}", "--mode", "full", *MEMORY
    )
    try:
        assert daemon.wait(30) == 0, daemon.log[-4000:]
    finally:
        daemon.kill()
    assert len(replica.items("large")) == 5 * ITEMS


def test_many_tables_beside_each_other_share_it_and_a_restart_goes_on(
    simulator: StreamSim, binary: str, tmp_path: pathlib.Path
) -> None:
    names = [f"large-{number}" for number in range(6)]
    for name in names:
        fill(simulator, name, ITEMS)
    shakectl = Shakectl(binary, tmp_path / "journal", clean_environment())
    replica = SQLiteReplica(tmp_path / "replica.db")
    arguments = (
        *(word for name in names for word in ("--table", name)),
        "--target", f"sqlite:{replica.path}", "--mode", "full", *MEMORY,
    )
    first = shakectl.run(simulator, *arguments, prefix=["env", "SHAKE_CRASH_AT=after_target_write:5"])
    try:
        assert first.wait(30) != 0, "it was to be killed within its scans"
    finally:
        first.kill()
    second = shakectl.run(simulator, *arguments)
    try:
        assert second.wait(30) == 0, second.log[-4000:]
    finally:
        second.kill()
    assert [len(replica.items(name)) for name in names] == [ITEMS] * len(names)
