"""A filter of both halves: what the scan leaves out, and what enters and leaves it afterwards."""

from __future__ import annotations

import json
import os
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
from localsource import LocalSource, SourceServer
from replica import differences
from rig import Follower, Rig, item, key
from streamsim import StreamSim, default_binary

NAMES = {"#status": "status"}
VALUES = {":open": {"S": "open"}, ":length": {"N": "4.0"}, ":kept": {"S": "é"}}
# moto refuses `size` of an attribute that an item has not.
CONDITIONS = {
    "moto": "(#status = :open AND #number > :length) OR contains(tags, :kept)",
    "streamsim": "(#status = :open AND size(note) < :length) OR contains(tags, :kept)",
}
ITEMS = 60


@pytest.fixture(params=["moto", "streamsim"])
def judge(request: pytest.FixtureRequest, source: LocalSource) -> Iterator[tuple[SourceServer, str]]:
    """A source and the condition to ask it for. It evaluates that by itself, and shares nothing with the daemon."""
    if request.param == "moto":
        yield source, CONDITIONS["moto"]
        return
    if not os.access(default_binary(), os.X_OK):
        pytest.skip("no streamsim: swift build -c release --package-path tools/StreamSim --product streamsim")
    simulator = StreamSim(seed=1)
    yield simulator, CONDITIONS["streamsim"]
    simulator.stop()


def anything(chance: random.Random, number: int) -> dict[str, Any]:
    more: dict[str, Any] = {"status": {"S": chance.choice(["open", "closed"])}}
    if chance.random() < 0.7:
        more["note"] = {"S": chance.choice(["", "é", "éé", "abc", "abcdef"])}
    if chance.random() < 0.4:
        more["tags"] = chance.choice([{"SS": ["a", "é"]}, {"SS": ["b"]}, {"L": [{"S": "é"}]}, {"S": "cafés"}, {"N": "1"}])
    return item(number, **more)


@pytest.mark.parametrize("target", ["sqlite", "jsonl"])
def test_the_target_holds_what_matches(
    binary: str, judge: tuple[SourceServer, str], tmp_path: pathlib.Path, chance: random.Random, target: str
) -> None:
    server, condition = judge
    names = NAMES | ({"#number": "number"} if "#number" in condition else {})
    flags = (
        "--filter-expression", condition, "--expression-attribute-names", json.dumps(names),
        "--expression-attribute-values", json.dumps(VALUES), "--scan-segments", "3", "--poll-maximum", "50ms",
    )
    table = server.create_table(f"filtered-{target}")
    table.put_all([anything(chance, number) for number in range(ITEMS)])
    rig = Rig(binary, server, tmp_path)
    try:
        follower = Follower(rig, target, table, mode="all", more=flags)
        daemon = follower.start()

        def wanted() -> list[dict[str, Any]]:
            pages = server.client("dynamodb").get_paginator("scan").paginate(
                TableName=table.name, FilterExpression=condition, ExpressionAttributeNames=names,
                ExpressionAttributeValues=VALUES, ConsistentRead=True,
            )
            return [found for page in pages for found in page["Items"]]

        def change(times: int) -> None:
            for _ in range(times):
                number = chance.randrange(ITEMS + 20)
                if chance.random() < 0.2:
                    table.delete(key(number))
                else:
                    table.put(anything(chance, number))

        def agrees() -> bool:
            return not differences(wanted(), follower.items(), follower.key_names)

        change(100)  # beside the scan, or after it
        daemon.until(
            lambda: any(event["event"] == "scan_finished" for event in follower.events_or_none()), "the scan is finished"
        )
        change(100)
        daemon.until(agrees, "the target holds what matches")
        follower.stop()
        change(100)
        daemon = follower.start()
        daemon.until(agrees, "the target holds what matches after a restart")
        assert 0 < len(wanted()) < len(table.items())
    finally:
        rig.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--filter-expression", "status = :v"), "character 1: status is a reserved word"),
        (("--filter-expression", "a = :v"), "character 5: :v is not among the values"),
        (("--filter-expression", "a ="), "character 4: expected an attribute"),
        (("--expression-attribute-values", '{":v": 1}'), ":v must be an attribute value"),
    ],
)
def test_a_wrong_filter_is_refused_before_anything_is_made(
    rig: Rig, arguments: tuple[str, ...], said: str
) -> None:
    shakectl = rig.shakectl()
    result = shakectl.call("run", "--table", "orders", "--target", f"sqlite:{rig.folder}/replica.db", *arguments)
    assert result.returncode == 64
    assert said in result.stderr
    assert list(rig.folder.iterdir()) == []
