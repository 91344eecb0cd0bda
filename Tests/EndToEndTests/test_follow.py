"""A stream is followed: every change arrives, as it was, and soon."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest
from localsource import LocalSource, SourceTable
from replica import JSONLReplica, canonical, decode_item
from rig import Follower, Item, Rig, images, item, key, line_images

# A name each for what a language's own strings, JSON's escapes or SQL could trip over. "é" is there composed and
# decomposed: equal for Swift's String, different attributes for DynamoDB.
ODD_NAMES = [
    "with space", 'quote"', "back\\slash", "new\nline", "nul\u0000byte", "\u2028", "😀", "\u00e9", "e\u0301",
    "a.b[0]", "#:$", "'; DROP TABLE x; --", "NaN",
]

EVERY_TYPE: dict[str, Any] = {
    "string": {"S": "text with \"quotes\", \\ and \n, \u0000, \u2028 and 😀"},
    "empty_string": {"S": ""},
    "digits_38": {"N": "12345678901234567890123456789012345678"},
    "small": {"N": "0.00000000000000000000000000000000000001"},
    "largest": {"N": "9.9999999999999999999999999999999999999E+125"},
    "smallest": {"N": "1E-130"},
    "beyond_double": {"N": "9007199254740993"},
    "negative": {"N": "-0.5"},
    "binary": {"B": bytes(range(256))},
    "empty_binary": {"B": b""},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "strings": {"SS": ["b", "a", "", "é"]},
    "numbers": {"NS": ["1", "-2.5", "12345678901234567890123456789012345678"]},
    "binaries": {"BS": [b"\x00", b"\xff\xfe", b""]},
    "list": {"L": [{"S": "x"}, {"L": []}, {"M": {"deep": {"L": [{"NS": ["3"]}, {"NULL": True}]}}}]},
    "empty_list": {"L": []},
    "map": {"M": {" ": {"S": "a name of one space"}, "B": {"S": "a name like a type"}, "m": {"M": {}}}},
    "empty_map": {"M": {}},
    **{name: {"S": name} for name in ODD_NAMES},
}

# Below the 400 KB that an item may have, but with two images of it a record is far larger.
LARGE: Item = key(2) | {"text": {"S": "ä" * 100_000}, "bytes": {"B": bytes(range(256)) * 450}}


@pytest.mark.parametrize("target", ["sqlite", "jsonl"])
def test_every_type_of_attribute_arrives_as_it_was(rig: Rig, table: SourceTable, target: str) -> None:
    follower = Follower(rig, target, table)
    follower.start()
    table.put(key(1) | EVERY_TYPE)
    table.put(LARGE)
    table.put(item(3))
    table.put(item(4))
    table.put(LARGE | {"more": {"S": "changed"}})
    table.update(key(3), digits={"N": "99999999999999999999999999999999999999"})
    table.put(key(1) | {name: value for name, value in EVERY_TYPE.items() if name not in ("string", "list")})
    table.delete(key(4))
    follower.catch_up()

    assert follower.differences() == []
    if isinstance(follower.replica, JSONLReplica):
        assert [line_images(line) for line in follower.jsonl.lines()] == [images(r) for r in table.records()]


@pytest.mark.parametrize(
    ("hash_type", "range_type", "items"),
    [
        ("N", None, [{"pk": {"N": n}} for n in ("1", "-7", "0.1", "12345678901234567890123456789012345678")]),
        ("S", "N", [{"pk": {"S": "same"}, "sk": {"N": n}} for n in ("1", "10", "2", "-1")]),
        ("S", "S", [{"pk": {"S": h}, "sk": {"S": r}} for h, r in (("a", "bc"), ("ab", "c"), ("é", "e\u0301"))]),
        ("B", None, [{"pk": {"B": b}} for b in (b"\x00", b"\xff", b"\x00\x00")]),
    ],
)
def test_items_are_kept_apart_by_keys_of_every_type(
    rig: Rig, request: pytest.FixtureRequest, hash_type: str, range_type: str | None, items: list[Item]
) -> None:
    table = rig.source.create_table(
        f"Keys.{hash_type}-{range_type}_{request.node.callspec.indices['items']}", hash_type=hash_type,
        range_type=range_type,
    )
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all(items)
    table.put_all([entry | {"again": {"BOOL": True}} for entry in items])
    table.delete(items[0])
    follower.catch_up()

    assert len(follower.items()) == len(items) - 1
    assert follower.differences() == []


def test_keys_and_places_are_columns_that_sql_can_use(rig: Rig) -> None:
    table = rig.source.create_table("Columns", range_type="N")
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put({"pk": {"S": "customer"}, "sk": {"N": "42"}, "name": {"S": "Ann"}})
    [number] = follower.catch_up()

    [row] = follower.sqlite.query(
        'SELECT hash_key, range_key, item, sequence_number, shard, approximate_time FROM "Columns"'
    )
    assert row[:2] == ("customer", "42")
    assert canonical(decode_item(row[2])) == canonical(table.items()[0])
    assert row[3:5] == (number, follower.shard)
    assert row[5] is not None


def test_a_write_is_in_an_idle_target_within_a_second_and_a_half(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    daemon = follower.start()
    table.put(item(0))
    follower.catch_up()

    taken = []
    for number in range(1, 4):
        time.sleep(2.5)  # not to wait for anything: this is the idleness that the promise is about
        began = time.monotonic()
        table.put(item(number))
        daemon.until(lambda: follower.sqlite.count(table.name) == number + 1, "the write arrived")
        taken.append(time.monotonic() - began)
    print("seconds from write to target:", ", ".join(f"{seconds:.2f}" for seconds in taken))
    assert max(taken) < 1.5


def test_until_idle_ends_by_itself_once_all_is_in_step(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(120)])
    follower = Follower(rig, "sqlite", table, more=("--until-idle", "0.5"))
    daemon = follower.start()

    assert daemon.wait() == 0
    assert follower.differences() == []
    assert follower.events()[-1]["event"] == "run_stopped"


def test_changes_can_be_piped_to_another_program(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(50)])
    daemon = rig.run(
        rig.shakectl(), "--table", table.name, "--target", "jsonl:-", "--mode", "incr", "--until-idle", "0.5",
        stdout=subprocess.PIPE,
    )
    assert daemon.process.stdout is not None
    lines = [json.loads(line) for line in daemon.process.stdout]  # until the daemon closes it

    assert daemon.wait() == 0
    assert [line_images(line) for line in lines] == [images(record) for record in table.records()]


def test_a_line_says_where_it_comes_from(rig: Rig, table: SourceTable) -> None:
    table.put(item(1))
    follower = Follower(rig, "jsonl", table)
    follower.start()
    [number] = follower.catch_up()

    [line] = follower.jsonl.lines()
    assert list(line) == [
        "table", "shard", "sequence_number", "event", "approximate_time", "keys", "new_image", "old_image",
    ]
    assert (line["table"], line["shard"], line["sequence_number"]) == (table.name, follower.shard, number)
    assert (line["event"], line["keys"], line["old_image"]) == ("INSERT", key(1), None)
    assert line["new_image"] == item(1)


def test_start_at_latest_leaves_out_what_was_before(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(10)])
    follower = Follower(rig, "jsonl", table, more=("--start-at", "latest"))
    daemon = follower.start()
    daemon.until(
        lambda: any(event["event"] == "iterator_resolved" for event in follower.history_or_none()),
        "the place in the stream is pinned down",
    )
    table.put(item(10))
    numbers = follower.catch_up()

    assert follower.replayed(0) == numbers[10:]


def test_several_tables_are_followed_at_once(rig: Rig, source: LocalSource) -> None:
    tables = [source.create_table(f"several-{n}", range_type="S" if n else None) for n in range(3)]
    follower = Follower(rig, "sqlite", *tables)
    daemon = follower.start()
    for n, table in enumerate(tables):
        table.put_all([item(number) | ({"sk": {"S": "x"}} if n else {}) for number in range(20 + n)])

    for n, table in enumerate(tables):
        daemon.until(lambda: follower.sqlite.count(table.name) == 20 + n, f"{table.name} is in the target")


def test_a_table_that_is_missing_does_not_hold_up_the_others(rig: Rig, table: SourceTable) -> None:
    follower = Follower(rig, "sqlite", table)
    follower.arguments += ["--table", "no-such-table"]
    daemon = follower.start()
    table.put(item(1))
    follower.catch_up()

    def health() -> dict[str, str]:
        return {status["table"]: status["health"] for status in follower.shakectl.json("status")}

    daemon.until(lambda: health().get("no-such-table") == "failed", "status says so of the missing table")
    assert health()[table.name] == "ok"
    assert daemon.is_running
    table.put(item(2))
    follower.catch_up()
    assert follower.differences() == []


def test_a_configuration_file_says_the_same_as_the_flags(rig: Rig, table: SourceTable) -> None:
    table.put_all([item(number) for number in range(30)])
    configuration = rig.folder / "shake.yaml"
    configuration.write_text(
        f"""\
        journal: {rig.folder}/from-the-file.journal
        source:
          region: us-east-1
          endpoint: {rig.source.endpoint}
        tables: [{table.name}]
        target: sqlite:{rig.folder}/wrong.db
        mode: incr
        until_idle: 500ms
        log:
          format: json
        """
    )
    shakectl = rig.shakectl()
    result = shakectl.call(
        "run", "--config", str(configuration), "--target", f"sqlite:{rig.folder}/right.db", journal=False
    )

    assert result.returncode == 0, result.stderr
    assert rig.sqlite("right.db").count(table.name) == 30  # the flag won
    assert not (rig.folder / "wrong.db").exists()
    assert (rig.folder / "from-the-file.journal").is_dir()
    for line in result.stderr.splitlines():
        json.loads(line)
