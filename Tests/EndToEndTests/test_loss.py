"""Records that are lost, and records that the target can't hold: both are events, shown until somebody has dealt with them."""

from __future__ import annotations

import json
import os
from typing import Any

from following import Following
from rig import Rig
from shake import until
from shardedsource import ShardedSource, ShardedTable, SourceShard


def lose_five(rig: Rig, source: ShardedSource, *more: str) -> tuple[ShardedTable, SourceShard, Following, list[str]]:
    """A shard whose first ten records were followed, and whose next five left the stream while nobody read it."""
    table = source.create_table("orders")
    shard = table.open_shard()
    numbers = [table.put(shard, f"key-{number}", number) for number in range(10)]
    following = Following(rig, source, table, more=more)
    daemon = following.start()
    following.wait_for(10)
    assert daemon.terminate() == 0
    numbers += [table.put(shard, f"key-{number}", 100) for number in range(10)]
    shard.trimmed = 15
    return table, shard, following, numbers


def test_a_table_that_lost_records_stops_and_says_from_where_to_where(rig: Rig, sharded: ShardedSource) -> None:
    table, shard, following, numbers = lose_five(rig, sharded)
    code = following.start().wait()
    assert code == 69, "by its exit code too"

    [lost] = [e for e in following.shakectl.json("history", shard.id) if e["event"] == "range_lost"]
    assert (lost["cause"], lost["policy"]) == ("trimmed", "stop")
    assert (lost["from_sequence_number"], lost["to_sequence_number"]) == (numbers[9], numbers[15])
    status = following.shakectl.one("status")
    assert [loss["shard"] for loss in status["losses"]] == [shard.id]
    assert following.start().wait() == 69, "a restart is no answer"
    assert len([e for e in following.shakectl.json("history", shard.id) if e["event"] == "range_lost"]) == 1
    text = following.shakectl.text("status")
    assert numbers[9] in text and "shakectl ack orders" in text


def test_an_operator_lets_a_stopped_table_go_on_without_what_is_lost(rig: Rig, sharded: ShardedSource) -> None:
    table, shard, following, numbers = lose_five(rig, sharded)
    assert following.start().wait() == 69
    said = following.shakectl.text("ack", "orders", "--skip", "--reason", "known")
    assert "goes on" in said
    daemon = following.start()
    daemon.until(lambda: following.written() == numbers[:10] + numbers[15:], "it goes on with what is left")
    assert following.shakectl.one("status")["losses"] == []
    [word] = [e for e in following.shakectl.json("history", shard.id) if e["event"] == "loss_acknowledged"]
    assert (word["remedy"], word["reason"]) == ("skip", "known")


def test_what_is_skipped_by_policy_waits_to_be_acknowledged(rig: Rig, sharded: ShardedSource) -> None:
    _, _, following, numbers = lose_five(rig, sharded, "--on-loss", "skip")
    daemon = following.start()
    daemon.until(lambda: following.written() == numbers[:10] + numbers[15:], "it goes on with what is left")
    until(lambda: following.shakectl.one("status")["health"] == "degraded", "status shows it")
    assert "ack orders" in following.shakectl.one("status")["reason"]
    assert following.shakectl.call("ack", "orders", "--skip").returncode == 64, "nothing is stopped"
    following.shakectl.text("ack", "orders")
    until(lambda: following.shakectl.one("status")["health"] == "ok", "it was acknowledged")
    assert "Nothing" in following.shakectl.text("ack", "orders")
    assert daemon.is_running


def test_a_table_is_scanned_again_where_the_policy_is_resync(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    following = Following(rig, sharded, table, target="sqlite", more=("--on-loss", "resync"))
    following.mode("all")
    daemon = following.start()

    def equal() -> bool:
        if "orders" not in following.sqlite.tables():
            return False
        return {item["pk"]["S"]: item for item in following.sqlite.items("orders")} == table.items

    daemon.until(lambda: following.statuses_or_none().get(shard.id) == "in_processing", "the table is followed")
    for number in range(10):
        table.put(shard, f"key-{number}", number)
    daemon.until(equal, "what comes is applied")
    assert daemon.terminate() == 0
    for number in range(10):
        table.put(shard, f"key-{number}", 100)
    shard.trimmed = 15
    daemon = following.start()
    daemon.until(equal, "the scan brings what was lost")
    table.put(shard, "new", 1)
    daemon.until(equal, "and the stream is followed from there")
    phases = [e["phase"] for e in following.shakectl.json("tail") if e["event"] == "phase_changed"]
    assert phases[-2:] == ["full_sync", "incr_sync"]


def test_ack_is_about_tables_that_the_journal_knows(rig: Rig, sharded: ShardedSource) -> None:
    _, _, following, _ = lose_five(rig, sharded)
    wrong = following.shakectl.call("ack", "order")
    assert wrong.returncode == 64
    assert "did you mean 'orders'" in wrong.stderr
    assert following.shakectl.call("ack", "orders", "--skip", "--resync").returncode == 64


def test_a_record_that_the_target_cannot_hold_is_put_aside_and_can_be_tried_again(
    rig: Rig, sharded: ShardedSource
) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    table.put(shard, "a", 1)
    poisoned = table.put_without_key(shard, "b", 1)
    table.put(shard, "c", 1)
    following = Following(rig, sharded, table, target="sqlite")
    daemon = following.start()
    daemon.until(lambda: following.statuses_or_none() != {}, "the journal is there")
    daemon.until(lambda: following.shakectl.json("dead-letters") != [], "it is put aside")
    [letter] = following.shakectl.json("dead-letters")
    assert (letter["sequence_number"], letter["shard"]) == (poisoned, shard.id)
    daemon.until(lambda: following.sqlite.count("orders") == 2, "its shard goes on")
    shown = json.loads(following.shakectl.text("dead-letters", "show", str(letter["letter"])))
    assert shown["new_image"]["pk"] == {"S": "b"}
    assert shown["keys"] == {"other": {"S": "b"}}
    assert oct(os.stat(f"{following.shakectl.journal}/dead-letters.jsonl").st_mode & 0o777) == "0o600"
    until(lambda: following.shakectl.one("status")["dead_letters"] == 1, "status counts it")

    table.put(shard, "b", 2)
    following.shakectl.text("dead-letters", "retry", str(letter["letter"]))
    daemon.until(lambda: following.shakectl.json("dead-letters") not in ([], [letter]), "it is refused again")
    table.mend(shard)
    following.shakectl.text("dead-letters", "retry", "--all")
    daemon.until(lambda: following.shakectl.json("dead-letters") == [], "it is delivered")
    daemon.until(
        lambda: {item["pk"]["S"]: item for item in following.sqlite.items("orders")} == table.items,
        "and what is newer stays the newest",
    )


def test_too_many_dead_letters_stop_the_table_and_settling_them_lets_it_go_on(
    rig: Rig, sharded: ShardedSource
) -> None:
    table = sharded.create_table("orders")
    shard = table.open_shard()
    for number in range(3):
        table.put_without_key(shard, f"bad-{number}", 1)
        table.put(shard, f"good-{number}", 1)
    following = Following(rig, sharded, table, target="sqlite", more=("--dead-letter-limit", "2"))
    daemon = following.start()
    assert daemon.wait() == 65
    assert "dead-letters" in daemon.log
    assert following.shakectl.call("dead-letters", "settle", "999999").returncode == 64
    assert following.sqlite.count("orders") == 2, "what comes before the one too many is there"
    assert len(following.shakectl.json("dead-letters")) == 2
    table.mend(shard)
    following.shakectl.text("dead-letters", "retry", "--all")
    daemon = following.start()
    daemon.until(lambda: following.sqlite.count("orders") == 6, "it goes on")
    assert following.shakectl.json("dead-letters") == []
    bad = table.put_without_key(shard, "late", 1)
    daemon.until(lambda: following.shakectl.json("dead-letters") != [], "it is put aside")
    [letter] = following.shakectl.json("dead-letters")
    assert letter["sequence_number"] == bad
    following.shakectl.text("dead-letters", "settle", str(letter["letter"]), "--reason", "by hand")
    assert following.shakectl.json("dead-letters") == []
    assert daemon.is_running


def refused(rig: Rig, sharded: ShardedSource, count: int) -> tuple[ShardedTable, SourceShard, Following]:
    """Records that SQLite can't hold, each with a good one after it."""
    table = sharded.create_table("orders")
    shard = table.open_shard()
    for number in range(count):
        table.put_without_key(shard, f"bad-{number}", 1)
        table.put(shard, f"good-{number}", 1)
    return table, shard, Following(rig, sharded, table, target="sqlite")


def letters(following: Following) -> list[dict[str, Any]]:
    """Of a journal that may not be there yet."""
    result = following.shakectl.call("dead-letters", "--json")
    return [json.loads(line) for line in result.stdout.splitlines()] if result.returncode == 0 else []


def test_a_retry_says_what_it_did(rig: Rig, sharded: ShardedSource) -> None:
    _, shard, following = refused(rig, sharded, 1)
    daemon = following.start()
    daemon.until(lambda: len(letters(following)) == 1, "it is put aside")
    assert daemon.terminate() == 0
    said = following.shakectl.text("dead-letters", "retry", "--all")
    assert f"rewound orders/{shard.id}" in said
    assert "dry run" not in said
    assert [e["inclusive"] for e in following.shakectl.json("history", shard.id) if e["event"] == "rewound"] == [True]


def test_an_ack_in_json_says_what_it_did(rig: Rig, sharded: ShardedSource) -> None:
    _, shard, following, _ = lose_five(rig, sharded)
    assert following.start().wait() == 69
    [loss] = following.shakectl.json("ack", "orders")
    assert (loss["shard"], loss["acknowledged"], loss["remedy"]) == (shard.id, True, None)
    [loss] = following.shakectl.json("ack", "orders", "--skip")
    assert (loss["shard"], loss["acknowledged"], loss["remedy"]) == (shard.id, True, "skip")


def test_the_order_to_acknowledge_is_no_last_error_once_it_was_followed(rig: Rig, sharded: ShardedSource) -> None:
    _, _, following, numbers = lose_five(rig, sharded)
    assert following.start().wait() == 69
    assert "ack orders" in following.shakectl.one("status")["last_error"]
    following.shakectl.text("ack", "orders", "--skip")
    assert following.shakectl.one("status")["last_error"] is None
    daemon = following.start()
    daemon.until(lambda: following.written() == numbers[:10] + numbers[15:], "it goes on with what is left")
    assert following.shakectl.one("status")["last_error"] is None


def test_a_table_that_nobody_would_scan_is_not_given_to_a_scan(rig: Rig, sharded: ShardedSource) -> None:
    """A daemon that only follows would take the word for a scan, and could then neither scan nor go on."""
    table, shard, following, _ = lose_five(rig, sharded)
    assert following.start().wait() == 69
    wrong = following.shakectl.call("ack", "orders", "--resync")
    assert wrong.returncode == 64, wrong.stderr
    assert "--mode all" in wrong.stderr and "--skip" in wrong.stderr
    assert following.shakectl.one("status")["losses"][0]["remedy"] is None, "it was not taken"

    following.mode("all")
    assert following.start().wait() == 69, "it is still stopped"
    assert "--mode all" not in following.shakectl.text("ack", "orders", "--resync")
    daemon = following.start()
    daemon.until(
        lambda: "SNAPSHOT" in {line["event"] for line in following.jsonl.lines()}, "the table is scanned again"
    )
    daemon.until(lambda: following.statuses().get(shard.id) == "in_processing", "and followed")
    table.put(shard, "new", 1)
    daemon.until(lambda: following.jsonl.lines()[-1]["event"] == "INSERT", "from where the scan began")


def test_a_running_daemon_that_never_scans_is_not_given_a_scan(rig: Rig, sharded: ShardedSource) -> None:
    table, _, following, numbers = lose_five(rig, sharded)
    other = sharded.create_table("users")
    other.open_shard()
    following.follow_too(other)
    daemon = following.start()
    daemon.until(lambda: following.shakectl.json("status")[0]["health"] == "failed", "the table is stopped")
    wrong = following.shakectl.call("ack", "orders", "--resync")
    assert wrong.returncode == 64, wrong.stderr
    assert "--mode all" in wrong.stderr
    following.shakectl.text("ack", "orders", "--skip")
    daemon.until(lambda: following.written() == numbers[:10] + numbers[15:], "it goes on with what is left")


def test_a_letter_of_a_file_that_was_moved_away_is_not_another(rig: Rig, sharded: ShardedSource) -> None:
    table, shard, following = refused(rig, sharded, 1)
    daemon = following.start()
    daemon.until(lambda: len(letters(following)) == 1, "it is put aside")
    path = f"{following.shakectl.journal}/dead-letters.jsonl"
    os.rename(path, f"{path}.old")
    table.put_without_key(shard, "bad-9", 1)
    daemon.until(lambda: len(letters(following)) == 2, "the other one, too")
    first, second = letters(following)
    assert (first["offset"], first["bytes"]) == (second["offset"], second["bytes"])
    wrong = following.shakectl.call("dead-letters", "show", str(first["letter"]))
    assert wrong.returncode == 64, wrong.stdout
    assert "moved, cut or edited" in wrong.stderr and first["sequence_number"] in wrong.stderr
    shown = following.shakectl.one("dead-letters", "show", str(second["letter"]))
    assert shown["sequence_number"] == second["sequence_number"]


def test_status_tells_of_letters_without_a_daemon_too(rig: Rig, sharded: ShardedSource) -> None:
    table, shard, following = refused(rig, sharded, 1)
    daemon = following.start()
    daemon.until(lambda: len(letters(following)) == 1, "it is put aside")
    daemon.until(
        lambda: following.shakectl.one("status")["reason"].startswith("1 record waits as a dead letter:"), "status counts"
    )
    assert daemon.terminate() == 0
    assert "1 record waits as a dead letter: `shakectl dead-letters`" in following.shakectl.text("status")
    daemon = following.start()
    table.put_without_key(shard, "late", 1)
    daemon.until(lambda: len(letters(following)) == 2, "another one")
    assert "2 records wait as dead letters" in following.shakectl.text("status")


def test_a_table_without_room_for_a_letter_says_what_helps(rig: Rig, sharded: ShardedSource) -> None:
    table, shard, following = refused(rig, sharded, 1)
    following.limit(0)
    daemon = following.start()
    assert daemon.wait() == 65
    said = following.shakectl.one("status")["last_error"]
    assert "--dead-letter-limit" in said and "start" in said
    assert "retry" not in said, "there is none to try again"
    table.mend(shard)
    daemon = following.start()
    daemon.until(lambda: following.sqlite.count("orders") == 2, "it goes on")
    assert following.shakectl.one("status")["last_error"] is None


def test_a_letter_ahead_of_a_replay_that_is_stopped_says_by_what(rig: Rig, sharded: ShardedSource) -> None:
    _, _, following = refused(rig, sharded, 3)
    daemon = following.start()
    daemon.until(lambda: len(letters(following)) == 3, "all are put aside")
    assert daemon.terminate() == 0
    following.shakectl.text("dead-letters", "retry", "--all")
    following.limit(3)
    assert following.start().wait() == 65, "the first one is refused again, and none more may wait"
    last = letters(following)[-1]["letter"]
    wrong = following.shakectl.call("dead-letters", "retry", str(last))
    assert wrong.returncode == 64
    assert "let the replay run" not in wrong.stderr
    assert "by itself" in wrong.stderr and "the table is stopped" in wrong.stderr
    assert "--dead-letter-limit" in wrong.stderr
