"""`diff` shows what differs between source and target, and nothing else; `--repair` puts it right, and says so in the journal."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from localsource import REGION, clean_environment
from shake import Shakectl, json_lines, until
from streamsim import StreamSim, default_binary

TABLE = "orders"
ITEMS = 500


class Compared:
    """A table of a simulator, its copy in SQLite, and a client for each."""

    def __init__(self, binary: str, folder: pathlib.Path) -> None:
        self.simulator = StreamSim(default_binary())
        self.shakectl = Shakectl(binary, folder / "journal", clean_environment())
        self.database = folder / "replica.db"
        self.client = boto3.client(
            "dynamodb", endpoint_url=self.simulator.endpoint, region_name=REGION, aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        self.simulator.create_table(TABLE, hash_type="S")
        for number in range(ITEMS):
            self.put(number, 0)
        self.run()

    def put(self, number: int, version: int) -> None:
        self.client.put_item(TableName=TABLE, Item=item(number, version))

    def options(self, *more: str) -> list[str]:
        return [
            "--source-endpoint", self.simulator.endpoint, "--region", REGION, "--table", TABLE, "--target",
            f"sqlite:{self.database}", *more,
        ]

    def run(self) -> None:
        result = self.shakectl.call("run", "--until-idle", "0.3", *self.options())
        assert result.returncode == 0, result.stderr

    def edit(self, sql: str) -> None:
        with sqlite3.connect(self.database) as database:
            database.execute(sql)
        database.close()

    def diff(self, *more: str, code: int) -> tuple[list[dict[str, Any]], dict[str, Any], subprocess.CompletedProcess[str]]:
        result = self.shakectl.call("diff", "--json", "--settle", "300ms", *self.options(*more))
        assert result.returncode == code, result.stdout + result.stderr
        *found, counts = json_lines(result.stdout)
        return found, counts, result


def item(number: int, version: int) -> dict[str, Any]:
    return {
        "pk": {"S": f"item-{number:05}"}, "version": {"N": str(version)}, "tags": {"SS": ["b", "a"]},
        "price": {"N": "12345678901234567890.5"}, "deep": {"M": {"empty": {"L": []}, "é": {"B": b"\0\1"}}},
    }


@pytest.fixture
def compared(binary: str, tmp_path: pathlib.Path) -> Iterator[Compared]:
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    compared = Compared(binary, tmp_path)
    yield compared
    compared.simulator.stop()


def spoil(compared: Compared) -> None:
    """Two rows are missing, one is too much, and one is other than the source's."""
    compared.edit(f"DELETE FROM {TABLE} WHERE hash_key IN ('item-00007', 'item-00123')")
    compared.edit(f"INSERT INTO {TABLE} (hash_key, item) VALUES ('stranger', '{{\"pk\":{{\"S\":\"stranger\"}}}}')")
    compared.edit(f"UPDATE {TABLE} SET item = replace(item, '\"version\":{{\"N\":\"0\"}}', '\"version\":{{\"N\":\"9\"}}') WHERE hash_key = 'item-00042'")


SPOILT = {
    ("missing", "item-00007"), ("missing", "item-00123"), ("extra", "stranger"), ("different", "item-00042"),
}


def kinds(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["difference"], json.loads(one["key"])["pk"]["S"]) for one in found}


def test_equal_copies_have_no_difference_however_they_are_spelled(compared: Compared) -> None:
    """Numbers are compared as decimals, sets without order, members in any order."""
    compared.edit(
        f"UPDATE {TABLE} SET item = '{{\"deep\":{{\"M\":{{\"\\u00e9\":{{\"B\":\"AAE=\"}},\"empty\":{{\"L\":[]}}}}}},"
        f"\"tags\":{{\"SS\":[\"a\",\"b\"]}},\"price\":{{\"N\":\"1.23456789012345678905E19\"}},\"version\":{{\"N\":\"0.0\"}},"
        f"\"pk\":{{\"S\":\"item-00001\"}}}}' WHERE hash_key = 'item-00001'"
    )
    found, counts, _ = compared.diff(code=0)
    assert found == []
    assert counts == {
        "table": TABLE, "compared": ITEMS, "looked_up": ITEMS, "missing": 0, "extra": 0, "different": 0, "moving": 0,
        "repaired": 0, "remaining": 0,
    }


def test_differences_are_shown_and_end_with_1(compared: Compared) -> None:
    spoil(compared)
    found, counts, result = compared.diff(code=1)
    assert kinds(found) == SPOILT
    assert [one["attributes"] for one in found if one["difference"] == "different"] == [["version"]]
    assert (counts["missing"], counts["extra"], counts["different"]) == (2, 1, 1)
    assert "diff --repair" in result.stderr
    text = compared.shakectl.call("diff", "--settle", "300ms", *compared.options())
    assert text.returncode == 1
    assert 'different  orders  {"pk":{"S":"item-00042"}}  version' in text.stdout
    assert text.stdout.splitlines()[-2].split() == [
        "TABLE", "COMPARED", "LOOKED", "UP", "MISSING", "EXTRA", "DIFFERENT", "MOVING", "REPAIRED",
    ]


def test_a_repair_writes_what_differs_and_notes_it(compared: Compared) -> None:
    spoil(compared)
    found, counts, _ = compared.diff("--repair", "--dry-run", code=1)
    assert kinds(found) == SPOILT and {one["outcome"] for one in found} == {"would_be_repaired"}
    assert compared.diff(code=1)[1]["remaining"] == 4, "a dry run has written nothing"

    found, counts, _ = compared.diff("--repair", code=0)
    assert kinds(found) == SPOILT and {one["outcome"] for one in found} == {"repaired"}
    assert (counts["repaired"], counts["remaining"]) == (4, 0)
    assert compared.diff(code=0)[0] == []
    repairs = [event for event in compared.shakectl.json("tail") if event["event"] == "repaired"]
    assert (sum(event["written"] for event in repairs), sum(event["removed"] for event in repairs)) == (3, 1)
    assert compared.shakectl.call("verify").returncode == 0
    compared.put(7, 5)
    compared.run()
    assert compared.diff(code=0)[0] == [], "the daemon goes on from where it was"


def test_a_table_that_moves_beside_its_daemon_is_no_difference(compared: Compared) -> None:
    daemon = compared.shakectl.run(
        compared.simulator, "--table", TABLE, "--target", f"sqlite:{compared.database}", "--poll-maximum", "100ms"
    )
    stop = threading.Event()

    def write() -> None:
        version = 1
        while not stop.is_set():
            for number in range(0, ITEMS, 7):
                compared.put(number, version)
                if stop.wait(0.01):
                    return
            version += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2):
            # An item that changes faster than the daemon brings it is looked at for a minute, and then called moving.
            result = compared.shakectl.call("diff", "--json", "--settle", "2s", *compared.options(), deadline=150)
            assert result.returncode == 0, result.stdout + result.stderr
    finally:
        stop.set()
        writer.join()
        assert daemon.terminate() == 0


def test_a_diff_that_was_killed_goes_on(compared: Compared) -> None:
    spoil(compared)
    process = subprocess.Popen(
        [
            compared.shakectl.binary, "diff", "--json", "--settle", "1h", *compared.options(), "--journal",
            compared.shakectl.journal,
        ],
        env=compared.shakectl.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    notes = pathlib.Path(compared.shakectl.journal) / "diff" / f"{TABLE}.lines"
    until(lambda: notes.exists() and notes.read_text().count('"suspect"') >= 4, "the comparison has its suspects")
    process.kill()
    process.wait()
    found, counts, result = compared.diff(code=1)
    assert "goes on with a comparison that began" in result.stderr
    assert kinds(found) == SPOILT
    assert counts["compared"] == ITEMS
    assert not notes.exists()


def test_what_can_not_be_compared_says_why(compared: Compared, tmp_path: pathlib.Path) -> None:
    for target, code, words in [
        (f"jsonl:{tmp_path / 'changes.jsonl'}", 78, "nothing to compare"),
        (f"sqlite:{tmp_path / 'other.db'}", 78, "shakectl run"),
    ]:
        (tmp_path / "changes.jsonl").touch()
        result = compared.shakectl.call(
            "diff", "--source-endpoint", compared.simulator.endpoint, "--region", REGION, "--table", TABLE, "--target", target,
        )
        assert result.returncode == code and words in result.stderr, result.stderr
    for more, words in [
        (["--sample", "0"], "--sample expects"), (["--sample", "200%"], "--sample expects"),
        (["--settle", "x"], "--settle expects"), (["--dry-run"], "--dry-run is for --repair"),
    ]:
        result = compared.shakectl.call("diff", *compared.options(*more))
        assert result.returncode == 64 and words in result.stderr, result.stderr
