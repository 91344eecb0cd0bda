"""Shards end, split, come late, expire and are trimmed: every record once, parents before children."""

from __future__ import annotations

import itertools
import random
import signal
import time
from typing import Any

import pytest
from following import Following
from rig import Rig
from shake import until
from shardedsource import Fault, ShardedSource, ShardedTable, SourceShard


def grow(table: ShardedTable, chance: random.Random, generations: int, records: int = 12) -> list[SourceShard]:
    """A lineage of some generations, in which each key stays with its line of descent; gives the open shards.

    A key lives in one shard at a time: a child takes over the keys that hash to it, so order is a matter of lineage.
    """
    leaves: list[tuple[SourceShard, list[str]]] = [(table.open_shard(), [f"key-{n}" for n in range(16)])]
    for generation in range(generations):
        grown = []
        for shard, keys in leaves:
            for _ in range(records):
                key = chance.choice(keys)
                if key in table.items and chance.random() < 0.2:
                    table.delete(shard, key)
                else:
                    table.put(shard, key, next(_versions))
            if generation == generations - 1:
                grown.append((shard, keys))
            elif len(keys) > 1 and chance.random() < 0.6:
                left, right = table.split(shard)
                grown += [(left, keys[::2]), (right, keys[1::2])]
            else:
                [child] = table.split(shard, 1)
                grown.append((child, keys))
        leaves = grown
    return [shard for shard, _ in leaves]


_versions = itertools.count(1)


def assert_parents_before_children(table: ShardedTable, lines: list[dict[str, Any]]) -> None:
    places: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        places.setdefault(line["shard"], []).append(place)
    for shard in table.shards.values():
        if shard.parent in places and shard.id in places:
            assert max(places[shard.parent]) < min(places[shard.id]), f"{shard.id} was read before its parent's end"


def rolled_over(sharded: ShardedSource, name: str) -> tuple[ShardedTable, SourceShard, SourceShard]:
    """A table with a shard that is closed and its only child: six versions of one item, the last in the child."""
    table = sharded.create_table(name)
    parent = table.open_shard()
    for version in range(5):
        table.put(parent, "a", version)
    [child] = table.split(parent, 1)
    table.put(child, "a", 5)
    return table, parent, child


def left_behind(lines: list[dict[str, Any]]) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for line in lines:
        key = line["keys"]["pk"]["S"]
        if line["new_image"] is None:
            items.pop(key, None)
        else:
            items[key] = line["new_image"]
    return items


def test_six_generations_arrive_whole_and_in_order(rig: Rig, sharded: ShardedSource, chance: random.Random) -> None:
    table = sharded.create_table("lineage")
    grow(table, chance, 6)
    following = Following(rig, sharded, table)
    following.start()
    following.wait_for(len(table.numbers()))

    lines = following.jsonl.lines()
    assert sorted(following.written()) == sorted(table.numbers())
    assert_parents_before_children(table, lines)
    assert left_behind(lines) == table.items
    closed = {shard.id for shard in table.shards.values() if shard.ending}
    until(lambda: {s for s, status in following.statuses().items() if status == "done"} == closed, "they are done")
    shown = {shard["shard"]: shard for shard in following.shakectl.json("shards")}
    for shard in table.shards.values():
        assert shown[shard.id]["parent"] == shard.parent
        assert set(shown[shard.id]["children"]) == {s.id for s in table.shards.values() if s.parent == shard.id}


@pytest.mark.parametrize("target", ["jsonl", "sqlite"])
@pytest.mark.parametrize(
    "point",
    ["before_target_write", "after_target_write", "before_append", "after_append", "in_discovery", "before_children"],
)
def test_killed_at_a_named_point_it_loses_nothing(
    rig: Rig, sharded: ShardedSource, chance: random.Random, point: str, target: str
) -> None:
    table = sharded.create_table("points")
    grow(table, chance, 3)
    following = Following(rig, sharded, table, target=target)
    # Each shard ends once, and a lineage that only rolls over has no more than two that do.
    for _ in range(2):
        killed = following.start(["env", f"SHAKE_CRASH_AT={point}"])
        assert killed.wait() == -signal.SIGKILL, killed.log[-4000:]
        assert following.shakectl.one("verify")["ok"]
    daemon = following.start()

    def is_done() -> bool:
        statuses = following.statuses()
        return len(statuses) == len(table.shards) and all(
            statuses[shard.id] == "done" for shard in table.shards.values() if shard.ending
        )

    daemon.until(is_done, "every closed shard is done")
    if target == "jsonl":
        following.wait_for(len(table.numbers()))
        assert sorted(following.written()) == sorted(table.numbers())
        assert_parents_before_children(table, following.jsonl.lines())
    else:
        daemon.until(
            lambda: {item["pk"]["S"]: item for item in following.sqlite.items("points")} == table.items,
            "the target holds what the source does",
        )


def test_a_rewind_killed_before_it_is_journaled_has_not_happened(
    rig: Rig, sharded: ShardedSource, chance: random.Random
) -> None:
    table = sharded.create_table("points")
    [shard] = grow(table, chance, 1)
    following = Following(rig, sharded, table)
    following.start()
    following.wait_for(len(table.numbers()))
    before = following.shakectl.one("verify")["last_position"]
    command = ("rewind", shard.id, "--to-start", "--offline")
    killed = following.shakectl.call(*command, prefix=["env", "SHAKE_CRASH_AT=in_rewind"])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert following.shakectl.one("verify")["last_position"] == before
    following.shakectl.text(*command)
    following.wait_for(2 * len(table.numbers()))


def test_shards_that_split_while_they_are_read(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("live")
    shard = table.open_shard()
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    version = 0
    for _ in range(6):
        for number in range(10):
            version += 1
            table.put(shard, f"key-{number}", version)
        # The newest value is always in the youngest shard, and must win.
        daemon.until(
            lambda: following.sqlite.query('SELECT count(*) FROM live WHERE item LIKE ?', f'%"{version}"%') == [(1,)],
            f"version {version} is in the target",
        )
        [shard] = table.split(shard, 1)
    assert {item["pk"]["S"]: item for item in following.sqlite.items("live")} == table.items


def test_listings_of_several_pages(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("many")
    sharded.shards_limit = 10
    shard = table.open_shard()
    for number in range(34):
        table.put(shard, f"key-{number}", number)
        [shard] = table.split(shard, 1)
    table.put(shard, "last", 1)
    following = Following(rig, sharded, table)
    following.start()
    following.wait_for(35)
    assert following.written() == table.numbers()


def test_a_parent_that_the_listing_no_longer_holds_counts_as_done(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orphan")
    shard = table.open_shard(parent="shardId-00000000000000000000-trimmed0")
    table.put(shard, "a", 1)
    following = Following(rig, sharded, table)
    following.start()
    following.wait_for(1)


def test_children_that_are_listed_late(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("late")
    parent = table.open_shard()
    table.put(parent, "a", 1)
    children = table.split(parent, 2, listed=False)
    for number, child in enumerate(children):
        table.put(child, f"child-{number}", 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    daemon.until(lambda: following.statuses_or_none().get(parent.id) == "done", "the parent is done")
    for child in children:
        child.listed = True
    following.wait_for(3)
    assert_parents_before_children(table, following.jsonl.lines())


def test_a_parent_that_a_listing_lacks_and_the_stream_has_is_read_first(rig: Rig, sharded: ShardedSource) -> None:
    table, parent, child = rolled_over(sharded, "between-pages")
    parent.listed = False
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    daemon.until(lambda: sharded.calls["DynamoDBStreams_20120810.DescribeStream"] > 2, "it is listed again")
    assert following.statuses_or_none().get(child.id) is None
    parent.listed = True
    daemon.until(
        lambda: {item["pk"]["S"]: item for item in following.sqlite.items(table.name)} == table.items, "all is in step"
    )
    assert not [event for event in following.shakectl.json("history", child.id) if event["event"] == "rewound"]
    assert daemon.terminate() == 0


def test_a_parent_that_is_listed_after_its_child_has_begun(rig: Rig, sharded: ShardedSource) -> None:
    """The child begins as if the parent were trimmed, and begins again once what came before it is read."""
    table, parent, child = rolled_over(sharded, "contradiction")
    parent.listed = parent.known = False
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    daemon.until(lambda: following.statuses_or_none().get(child.id) == "in_processing", "the child has begun")
    parent.listed = parent.known = True
    daemon.until(lambda: following.statuses().get(parent.id) == "done", "the parent is done")
    table.put(child, "a", 6)
    daemon.until(
        lambda: {item["pk"]["S"]: item for item in following.sqlite.items(table.name)} == table.items, "all is in step"
    )
    [rewound] = [event for event in following.shakectl.json("history", child.id) if event["event"] == "rewound"]
    assert rewound["reason"] == "a parent of it was listed late"
    assert daemon.terminate() == 0


def test_empty_pages_are_not_the_end(rig: Rig, sharded: ShardedSource) -> None:
    sharded.empty_pages = 3
    sharded.page_limit = 5
    table = sharded.create_table("empties")
    shard = table.open_shard()
    for number in range(12):
        table.put(shard, f"key-{number}", number)
    table.split(shard, 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(12)
    daemon.until(lambda: following.statuses()[shard.id] == "done", "the shard is done")
    assert following.written() == table.numbers()


def test_a_closed_shard_is_not_idle_before_its_end(rig: Rig, sharded: ShardedSource) -> None:
    """However many empty pages come first: what it holds is known to be there."""
    sharded.empty_pages = 20
    table = sharded.create_table("quiet")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    [child] = table.split(shard, 1)
    table.put(child, "a", 2)
    [leaf] = table.split(child, 1)
    following = Following(rig, sharded, table)
    daemon = following.shakectl.run(
        sharded, "--table", table.name, "--target", f"jsonl:{following.jsonl.path}", "--mode", "incr",
        "--until-idle", "0.3",
    )
    rig.watch(daemon)
    assert daemon.wait() == 0
    assert following.written() == table.numbers()
    assert following.statuses()[leaf.id] == "in_processing"


def test_iterators_that_expire_are_replaced_from_the_journal(rig: Rig, sharded: ShardedSource) -> None:
    sharded.page_limit = 10
    table = sharded.create_table("expiring")
    shard = table.open_shard()
    following = Following(rig, sharded, table)
    daemon = following.start()
    for number in range(60):
        table.put(shard, f"key-{number}", number)
        if number % 12 == 11:
            sharded.expire_iterators()
    daemon.until(lambda: len(following.written()) >= 60, "every record is written")
    assert following.written() == table.numbers()


def test_a_source_that_often_fails_loses_nothing(rig: Rig, sharded: ShardedSource, chance: random.Random) -> None:
    """Every kind of failure that may be tried again, in a third of all calls."""
    faults = [
        Fault(500, "InternalServerError"),
        Fault(400, "ThrottlingException"),
        Fault(400, "ProvisionedThroughputExceededException"),
        Fault(400, "LimitExceededException"),
        Fault(503, raw=b"<html>Service Unavailable</html>"),
        Fault(502, raw=b""),
        Fault(hang_up=True),
        Fault(wrong_checksum=True),
    ]
    sharded.fault = lambda operation, request: chance.choice(faults) if chance.random() < 0.3 else None
    sharded.page_limit = 10
    table = sharded.create_table("failing")
    grow(table, chance, 4)
    following = Following(rig, sharded, table)
    daemon = following.start()
    daemon.until(lambda: len(following.written()) >= len(table.numbers()), "every record is written", deadline=60)

    sharded.fault = lambda operation, request: None
    assert sorted(following.written()) == sorted(table.numbers())
    assert_parents_before_children(table, following.jsonl.lines())
    assert left_behind(following.jsonl.lines()) == table.items


def test_kills_while_shards_split(rig: Rig, sharded: ShardedSource, chance: random.Random) -> None:
    sharded.page_limit = 4
    table = sharded.create_table("killed")
    grow(table, chance, 6)
    following = Following(rig, sharded, table)
    total = len(table.numbers())
    for share in sorted(chance.random() for _ in range(8)):
        daemon = following.start()
        following.wait_for(int(share * total))
        daemon.kill()
    following.start()
    following.wait_for(total)

    assert sorted(following.written()) == sorted(table.numbers())
    assert_parents_before_children(table, following.jsonl.lines())
    assert left_behind(following.jsonl.lines()) == table.items
    assert following.shakectl.one("verify")["ok"] is True


def test_kills_rewinds_and_splits_at_random_end_in_step(
    rig: Rig, sharded: ShardedSource, chance: random.Random
) -> None:
    """An operator who rewinds whatever there is, while shards split and the daemon is killed under it."""
    sharded.page_limit = 5
    table = sharded.create_table("chaos")
    leaves = [(leaf, [f"{leaf.id[-4:]}-{n}" for n in range(6)]) for leaf in (table.open_shard(), table.open_shard())]
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    daemon.until(following.statuses_or_none, "the journal is made, and knows a shard")
    for _ in range(60):
        for shard, keys in leaves:
            for _ in range(chance.randrange(4)):
                key = chance.choice(keys)
                if key in table.items and chance.random() < 0.2:
                    table.delete(shard, key)
                else:
                    table.put(shard, key, next(_versions))
        match chance.randrange(6):
            case 0:
                place = chance.randrange(len(leaves))
                shard, keys = leaves[place]
                leaves[place] = (table.split(shard, 1)[0], keys)
            case 1:
                daemon.kill()
                daemon = following.start()
            case 2:
                shard = chance.choice(list(table.shards.values()))
                records = shard.records[: chance.randrange(len(shard.records) + 1)]
                place = records[-1]["dynamodb"]["SequenceNumber"] if records else "--to-start"
                result = following.shakectl.call("rewind", shard.id, place)
                # Refused where the shard isn't known yet or hasn't come so far (64), and when the daemon took up
                # another descendant in that moment (65). Nothing is changed then.
                assert result.returncode in (0, 64, 65), result.stderr
            case _:
                time.sleep(chance.random() / 20)  # not to wait for anything: so that the daemon gets anywhere
    for shard, keys in leaves:
        table.put(shard, keys[0], next(_versions))

    def equal() -> bool:
        return {item["pk"]["S"]: item for item in following.sqlite.items("chaos")} == table.items

    daemon.until(equal, "source and target are equal")
    assert daemon.terminate() == 0
    assert equal()
    assert following.shakectl.one("verify")["ok"] is True


def test_a_rewind_sets_started_descendants_back_with_it(rig: Rig, sharded: ShardedSource) -> None:
    """
        root ── left ── grandchild
          └──── right
    """
    table = sharded.create_table("cascade")
    root = table.open_shard()
    numbers = [table.put(root, f"key-{n}", n) for n in range(10)]
    left, right = table.split(root)
    table.put(left, "key-0", 100)
    table.put(right, "key-1", 100)
    [grandchild] = table.split(left, 1)
    table.put(grandchild, "key-0", 200)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(13)
    daemon.until(lambda: following.statuses().get(grandchild.id) == "in_processing", "the grandchild is read")
    before = following.jsonl.lines()
    answer = following.shakectl.one("rewind", root.id, numbers[6])

    assert set(answer["cascaded"]) == {left.id, right.id, grandchild.id}
    following.wait_for(13 + 6)
    again = following.jsonl.lines()[13:]
    assert {line["sequence_number"] for line in again} == set(table.numbers()) - set(numbers[:7])
    assert len(again) == 6
    assert_parents_before_children(table, again)
    assert left_behind(before + again) == table.items
    for shard in (left, right, grandchild):
        [rewound] = following.shakectl.json("history", shard.id, "--event", "rewound")
        assert rewound["cascade_root"] == root.id
        assert rewound["to_sequence_number"] is None


def test_what_the_stream_has_trimmed_is_said_and_holds_up_nobody_else(rig: Rig, sharded: ShardedSource) -> None:
    lost, kept = sharded.create_table("lost"), sharded.create_table("kept")
    shards = [table.open_shard() for table in (lost, kept)]
    for number in range(10):
        lost.put(shards[0], f"key-{number}", number)
        kept.put(shards[1], f"key-{number}", number)
    following = Following(rig, sharded, lost, kept)
    daemon = following.start()
    following.wait_for(20)
    assert daemon.terminate() == 0
    for number in range(10):
        lost.put(shards[0], f"key-{number}", 100)
    shards[0].trimmed = 15
    daemon = following.start()
    daemon.until(
        lambda: {s["table"]: s["health"] for s in following.shakectl.json("status")}.get("lost") == "failed",
        "status says so",
    )
    kept.put(shards[1], "new", 1)
    daemon.until(lambda: len(following.written()) == 21, "the other table goes on")

    [status] = [s for s in following.shakectl.json("status") if s["table"] == "lost"]
    assert "shakectl ack lost" in status["reason"]
    assert daemon.is_running
    assert len([line for line in following.jsonl.lines() if line["table"] == "lost"]) == 10


def test_a_rewind_to_what_the_stream_has_trimmed_is_refused(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("rewound")
    shard = table.open_shard()
    numbers = [table.put(shard, f"key-{n}", n) for n in range(10)]
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(10)
    until(lambda: following.shakectl.one("state", shard.id)["sequence_number"] == numbers[-1], "the journal has it")
    shard.trimmed = 5
    refused = following.shakectl.call("rewind", shard.id, numbers[2])

    assert refused.returncode != 0
    assert "24" in refused.stderr, "why"
    assert following.shakectl.one("state", shard.id)["epoch"] == 0
    following.shakectl.text("rewind", shard.id, numbers[6])
    daemon.until(lambda: following.written()[10:] == numbers[7:], "what is still there is replayed")


def test_a_table_whose_stream_was_switched_off_and_on_says_so(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("renewed")
    table.put(table.open_shard(), "a", 1)
    following = Following(rig, sharded, table)
    daemon = following.start()
    following.wait_for(1)
    assert daemon.terminate() == 0
    table.new_stream()
    table.put(table.open_shard(), "b", 1)
    daemon = following.start()
    code = daemon.wait()

    assert code == 69
    assert "stream_replaced" in daemon.log
    assert len(following.written()) == 1
    following.shakectl.text("ack", "renewed", "--skip")
    daemon = following.start()
    following.wait_for(2)
    assert [line["keys"]["pk"]["S"] for line in following.jsonl.lines()] == ["a", "b"]


def test_items_of_the_scan_and_of_a_lineage_come_together(
    rig: Rig, sharded: ShardedSource, chance: random.Random
) -> None:
    table = sharded.create_table("whole")
    leaves = grow(table, chance, 3)
    following = Following(rig, sharded, table, target="sqlite")
    following.mode("all")
    daemon = following.start()
    daemon.until(lambda: following.sqlite.count("whole") == len(table.items), "the table is scanned")
    daemon.until(
        lambda: any(e["event"] == "scan_finished" for e in following.shakectl.json("tail")), "the scan is finished"
    )
    for leaf in leaves:
        [child] = table.split(leaf, 1)
        table.put(child, f"after-{leaf.id}", 1)

    def equal() -> bool:
        return {item["pk"]["S"]: item for item in following.sqlite.items("whole")} == table.items

    daemon.until(equal, "source and target are equal")
