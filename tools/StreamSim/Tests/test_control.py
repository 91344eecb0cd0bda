"""The control interface, the workload generator, the program itself, and that a seed says everything."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from localsource import clean_environment
from streamsim import ControlError, SimulatedTable, StreamSim, default_binary
from support import DYNAMODB, STREAMS, Answer, by_key, key, n, post, records, refused, request, s

DEFAULTS: dict[str, Any] = {
    "faults": 0, "shards": 1, "shards_of_a_page": 100, "records_of_a_page": 1000, "items_of_a_page": 1000,
    "empty_pages": 0, "short_pages": 0, "listing_lag_ms": 0, "contradictory_listings": 0,
    "iterator_lifetime_ms": 900_000, "retention_ms": 86_400_000, "spells_end_as_null": False, "unprocessed_items": 0,
    "throttled_tables": [], "table_delay_ms": 0,
}


def refuses(sim: StreamSim, method: str, path: str, body: Any = None, status: int = 400) -> None:
    with pytest.raises(ControlError) as caught:
        sim.control(method, path, body)
    assert caught.value.status == status
    if status == 400:
        assert json.loads(caught.value.text)["error"]


# --- Settings ---


def test_settings_begin_as_the_documents_say(sim: StreamSim) -> None:
    settings = sim.settings()
    assert {name: settings.get(name) for name in DEFAULTS} == DEFAULTS
    assert settings["seed"] == sim.seed


def test_some_settings_are_changed_and_all_are_told(sim: StreamSim) -> None:
    before = sim.settings()
    changes = {
        "faults": 1, "shards": 3, "shards_of_a_page": 7, "records_of_a_page": 8, "items_of_a_page": 9,
        "empty_pages": 10, "short_pages": 11, "listing_lag_ms": 12, "contradictory_listings": 13,
        "iterator_lifetime_ms": 14, "retention_ms": 15, "spells_end_as_null": True, "unprocessed_items": 16,
        "throttled_tables": ["a", "b"], "table_delay_ms": 17, "longest_delay_ms": 18,
    }
    for name, value in changes.items():
        assert sim.settings(**{name: value}) == before | {
            name: changes[name] for name in list(changes)[: list(changes).index(name) + 1]
        }
    assert sim.settings() == before | changes


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonsense": 1}, {"faults": 101}, {"faults": -1}, {"faults": "1"}, {"faults": None}, {"seed": 7},
        {"shards": 0}, {"shards_of_a_page": 0}, {"records_of_a_page": 0}, {"items_of_a_page": 0},
        {"spells_end_as_null": 1}, {"throttled_tables": "a"}, {"retention_ms": -1}, {"empty_pages": 101}, [], 7,
        {"faults": 5, "nonsense": 1},
    ],
    ids=str,
)
def test_a_setting_that_is_none_is_refused_and_changes_nothing(sim: StreamSim, wrong: Any) -> None:
    before = sim.settings()
    refuses(sim, "POST", "settings", wrong)
    assert sim.settings() == before


def test_what_is_no_request_is_refused(sim: StreamSim) -> None:
    for path in ("settings", "faults", "quirks", "split", "advance", "load", "trim"):
        answer = request(sim, "POST", f"/control/{path}", b"{nonsense", {})
        assert answer.status == 400 and answer.json["error"]
    for method, path in (("GET", "nonsense"), ("POST", "nonsense"), ("GET", "settings/more"), ("GET", "")):
        refuses(sim, method, path, status=404)
    for path in ("records", "items", "shards"):
        refuses(sim, "GET", f"{path}?table=nowhere")
        refuses(sim, "GET", path)
    refuses(sim, "POST", "expire-iterators", {"nonsense": 1})


def test_coverage_counts(sim: StreamSim, dynamodb: Any) -> None:
    sim.fault("ListTables", "InternalServerError", count=1)
    with refused("InternalServerError"):
        dynamodb.list_tables()
    coverage = sim.coverage()
    assert coverage
    assert all(isinstance(name, str) and isinstance(count, int) for name, count in coverage.items())


# --- The clock ---


def test_a_real_clock_is_moved_by_an_offset(start: Callable[..., StreamSim]) -> None:
    sim = start()
    assert abs(sim.advance(0) - time.time()) < 5
    assert abs(sim.advance(3600) - time.time() - 3600) < 5
    table = sim.create_table("Table")
    table.put(key(1))
    [record] = records(sim.streams, table.stream)
    assert abs(record["dynamodb"]["ApproximateCreationDateTime"].timestamp() - time.time() - 3600) < 10


def test_a_manual_clock_stands_still(start: Callable[..., StreamSim]) -> None:
    sim = start(manual_clock=True)
    assert sim.advance(0) == 1_750_000_000  # 2025-06-15T15:06:40Z
    sim.create_table("Table")
    assert sim.advance(0) == 1_750_000_000
    assert sim.advance(1.5) == 1_750_000_001.5
    assert sim.advance(0.5) == 1_750_000_002


@pytest.mark.parametrize("wrong", [{"seconds": -1}, {"seconds": "1"}, {}, {"seconds": 1, "more": 1}, []], ids=str)
def test_time_can_only_go_on(clocked: StreamSim, wrong: Any) -> None:
    before = clocked.advance(0)
    refuses(clocked, "POST", "advance", wrong)
    assert clocked.advance(0) == before


# --- The workload ---


def types_in(value: Any) -> set[str]:
    [(type, inner)] = value.items()
    within = inner if type == "L" else inner.values() if type == "M" else []
    return {type}.union(*(types_in(one) for one in within))


def names_in(item: dict[str, Any]) -> set[str]:
    return set(item).union(*(names_in(value["M"]) for value in item.values() if "M" in value))


def test_a_load_has_every_type_hostile_names_and_all_kinds_of_changes(
    sim: StreamSim, streams: Any, table: SimulatedTable
) -> None:
    assert sim.load(table.name, 1000) == 1000
    made = table.records()
    # Some of it changes nothing, as in any application, and makes no record.
    assert 500 < len(made) <= 1000
    assert {record["eventName"] for record in made} == {"INSERT", "MODIFY", "REMOVE"}
    images = [record["dynamodb"]["NewImage"] for record in made if "NewImage" in record["dynamodb"]]
    types = set().union(*(types_in(value) for image in images for value in image.values()))
    assert types == {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
    names = set().union(*(names_in(image) for image in images))
    for what, pattern in {
        "a dot": r"\.", "a quote": r"""["']""", "a space or a control character": r"[\s\0]",
        "a mark of an expression": "[#:]", "no ASCII": r"[^\x00-\x7f]",
    }.items():
        assert any(re.search(pattern, name) for name in names), f"no name with {what} among {sorted(names)}"
    # What it wrote is what a client finds.
    assert by_key(table.items()) == by_key(sim.items(table.name))
    found = records(streams, table.stream)
    assert [record["dynamodb"]["SequenceNumber"] for record in found] == [
        record["dynamodb"]["SequenceNumber"] for record in made
    ]


def test_a_load_keeps_to_its_keys(sim: StreamSim, table: SimulatedTable) -> None:
    sim.load(table.name, 300, keys=5)
    assert 1 < len({json.dumps(record["dynamodb"]["Keys"]) for record in table.records()}) <= 5


def test_a_load_has_hot_keys(sim: StreamSim, table: SimulatedTable) -> None:
    sim.load(table.name, 600, keys=200, hot=2)
    counts: dict[str, int] = {}
    for record in table.records():
        where = json.dumps(record["dynamodb"]["Keys"])
        counts[where] = counts.get(where, 0) + 1
    hottest = sorted(counts.values(), reverse=True)
    assert sum(hottest[:2]) > sum(hottest) / 4
    assert len(hottest) > 2


@pytest.mark.parametrize("keys", [("S", None), ("N", "S"), ("B", "B"), ("S", "N")], ids=str)
def test_a_load_fits_every_kind_of_key(sim: StreamSim, name: str, keys: tuple[str, str | None]) -> None:
    table = sim.create_table(name, hash_type=keys[0], range_type=keys[1])
    assert sim.load(name, 100) == 100
    assert 50 < len(table.records()) <= 100
    assert by_key(table.items(), *table.key_names) == by_key(sim.items(name), *table.key_names)


def test_a_steady_load_goes_on_until_it_is_stopped(sim: StreamSim, table: SimulatedTable) -> None:
    sim.steady_load(table.name, 500)
    deadline = time.monotonic() + 20
    while len(sim.records(table.name)) < 50:
        assert time.monotonic() < deadline, "nothing is written"
    sim.steady_load(table.name, 0)
    stopped = len(sim.records(table.name))
    time.sleep(0.1)  # nothing may come, which no condition could tell
    assert len(sim.records(table.name)) == stopped


@pytest.mark.parametrize(
    "wrong",
    [{"table": "nowhere", "changes": 1}, {"changes": 1}, {"table": "?", "changes": -1}, {"table": "?", "changes": "1"},
     {"table": "?"}, {"table": "?", "changes": 1, "keys": 0}, {"table": "?", "per_second": -1},
     {"table": "?", "changes": 1, "more": 1}],
    ids=str,
)
def test_a_load_that_is_none_is_refused(sim: StreamSim, table: SimulatedTable, wrong: dict[str, Any]) -> None:
    refuses(sim, "POST", "load", {
        name: table.name if value == "?" else value for name, value in wrong.items()
    })
    assert sim.records(table.name) == []


# --- A seed says everything ---


def play(sim: StreamSim) -> list[Answer | str]:
    """A session with everything that has to do with chance. Gives every answer, byte by byte."""
    answers: list[Answer | str] = []

    def call(service: str, operation: str, body: Any) -> Any:
        try:
            answers.append(post(sim, service, operation, body))
        except Exception as error:
            answers.append(type(error).__name__)
            return {}
        try:
            return answers[-1].json
        except ValueError:
            return {}

    table = sim.create_table("Table")
    sim.settings(empty_pages=20, short_pages=20, unprocessed_items=30, contradictory_listings=30)
    arn = table.stream
    for round in range(4):
        sim.load("Table", 50, keys=20)
        table.split()
        call(DYNAMODB, "BatchWriteItem", {"RequestItems": {"Table": [
            {"PutRequest": {"Item": key(f"{round} {place}")}} for place in range(10)
        ]}})
        sim.advance(10)
    sim.settings(faults=20, longest_delay_ms=0)
    for _ in range(15):
        shards = call(STREAMS, "DescribeStream", {"StreamArn": arn}).get("StreamDescription", {}).get("Shards", [])
        for shard in shards[:3]:
            told = call(STREAMS, "GetShardIterator", {
                "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"
            })
            if "ShardIterator" in told:
                call(STREAMS, "GetRecords", {"ShardIterator": told["ShardIterator"]})
        call(DYNAMODB, "Scan", {"TableName": "Table", "Limit": 5})
    sim.settings(faults=0)
    answers.append(json.dumps([sim.records("Table"), sim.items("Table"), sim.shards("Table"), sim.coverage()]))
    return answers


def without_date(answers: list[Answer | str]) -> list[Any]:
    return [
        answer if isinstance(answer, str) else (
            answer.status, {name: value for name, value in answer.headers.items() if name != "date"}, answer.body
        )
        for answer in answers
    ]


def test_the_same_seed_and_requests_give_the_same_bytes(start: Callable[..., StreamSim]) -> None:
    first, second, other = (without_date(play(start(seed=seed, manual_clock=True))) for seed in (7, 7, 8))
    for place, (one, two) in enumerate(zip(first, second, strict=True)):
        assert one == two, f"answer {place}"
    assert first != other
    assert first[-1] != other[-1], "another seed has another load"


def test_the_same_seed_writes_the_same_load_in_real_time(start: Callable[..., StreamSim]) -> None:
    def load() -> list[Any]:
        sim = start(seed=11)
        sim.create_table("Table")
        sim.load("Table", 200)
        return [
            (record["record"]["dynamodb"].get("NewImage"), record["record"]["dynamodb"]["Keys"])
            for record in sim.records("Table")
        ]

    assert load() == load()


# --- The program ---


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One that ends by itself."""
    return subprocess.run(
        [default_binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10,
        env=clean_environment(),
    )


def test_the_program_says_where_it_listens_and_ends_with_its_input() -> None:
    with subprocess.Popen(
        [default_binary(), "--port", "0", "--seed", "42", "--faults", "30", "--ends-with-stdin"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(),
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            told = re.fullmatch(r"streamsim: seed 42, http://127\.0\.0\.1:(\d+)\n", line)
            assert told, line
            socket.create_connection(("127.0.0.1", int(told[1]))).close()
            process.stdin.close()
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_the_program_begins_with_the_faults_that_it_is_given(start: Callable[..., StreamSim]) -> None:
    assert start(faults=30).settings()["faults"] == 30


def test_a_seed_of_its_own_is_another_each_time(start: Callable[..., StreamSim]) -> None:
    assert start().seed != start().seed


@pytest.mark.parametrize(
    "arguments",
    [("--nonsense",), ("--port",), ("--port", "x"), ("--port", "70000"), ("--seed", "x"), ("--faults", "101"),
     ("--quirk", "nonsense"), ("--clock", "nonsense"), ("more",)],
    ids=" ".join,
)
def test_wrong_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, "--ends-with-stdin")
    assert result.returncode not in (0, None)
    assert result.stderr.strip()
    assert "Fatal error" not in result.stderr
    assert not result.stdout


def test_a_port_that_is_taken_is_refused(sim: StreamSim) -> None:
    result = run("--port", str(sim.address[1]))
    assert result.returncode != 0
    assert str(sim.address[1]) in result.stderr
    assert "Fatal error" not in result.stderr


def test_a_connection_serves_many_calls(sim: StreamSim, table: SimulatedTable) -> None:
    """Kept alive, and with more of them sent before the first is answered."""
    body = json.dumps({"TableName": table.name}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {DYNAMODB}.DescribeTable\r\nAuthorization: a\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(sim.address, timeout=10) as connection:
        connection.sendall((head + body) * 3)
        received = b""
        while received.count(b'"TableName"') < 3:
            part = connection.recv(65536)
            assert part, received
            received += part
    assert received.count(b"HTTP/1.1 200") == 3


def test_a_large_request_is_taken(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    items = [key(place) | {"n": n(place), "data": s("x" * 390_000)} for place in range(10)]
    dynamodb.batch_write_item(RequestItems={table.name: [{"PutRequest": {"Item": item}} for item in items]})
    assert by_key(table.items()) == by_key(items)


def test_time_ends_with_the_year_9999(start: Callable[..., StreamSim]) -> None:
    sim = start(manual_clock=True)
    for _ in range(30):
        sim.advance(8_000_000_000)
    now = sim.advance(1e10)
    for _ in range(1000):
        refuses(sim, "POST", "advance", {"seconds": 1e10})
    assert sim.advance(0) == now
    assert sim.create_table("Table").stream.startswith("arn:")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [("load", {"changes": 1, "keys": "many"}), ("load", {"changes": 1, "hot": "x"}),
     ("load", {"changes": 1, "keys": None}),
     ("load", {"changes": 1, "per_second": 5}), ("load", {"changes": 100_001}), ("split", {"shard": 5}),
     ("roll-over", {"shard": None}), ("trim", {"keep": "1"}), ("trim", {"keep": None}), ("split", {"table": 5})],
    ids=str,
)
def test_a_field_of_another_type_is_refused_and_changes_nothing(
    sim: StreamSim, table: SimulatedTable, path: str, wrong: dict[str, Any]
) -> None:
    table.put(key(1))
    before = sim.records(table.name), sim.shards(table.name)
    refuses(sim, "POST", path, {"table": table.name} | wrong)
    assert (sim.records(table.name), sim.shards(table.name)) == before


def test_an_empty_body_is_no_object_and_no_list(sim: StreamSim) -> None:
    for path in ("settings", "faults", "quirks", "split", "advance", "load", "trim", "expire-iterators", "expire-items"):
        answer = request(sim, "POST", f"/control/{path}", b"", {})
        assert answer.status == 400, path
        assert answer.json["error"].lower().count("no json") <= 1


def test_what_is_no_json_is_said_once(sim: StreamSim) -> None:
    assert request(sim, "POST", "/control/advance", b"{x", {}).json["error"].count("no JSON") == 1
    assert post(sim, DYNAMODB, "ListTables", b"{x").json["message"].count("no JSON") == 1


def test_records_come_in_pages(sim: StreamSim, table: SimulatedTable) -> None:
    sim.load(table.name, 300)
    whole, found = sim.records(table.name), []
    where = f"records?table={table.name}&limit=50"
    while page := sim.control("GET", where)["records"]:
        assert len(page) <= 50
        found += page
        where = f"records?table={table.name}&limit=50&after={page[-1]['sequence_number']}"
    assert found == whole
    for wrong in ("limit=0", "limit=x", "after=x", "after=", "nonsense=1"):
        refuses(sim, "GET", f"records?table={table.name}&{wrong}")


@pytest.mark.parametrize("type", ["S", "N", "B"])
@pytest.mark.parametrize("hash", ["version", "text", "_id", "S", "select"])
def test_a_load_never_writes_over_the_key(sim: StreamSim, name: str, hash: str, type: str) -> None:
    assert post(sim, DYNAMODB, "CreateTable", {
        "TableName": name, "KeySchema": [{"AttributeName": hash, "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": hash, "AttributeType": type}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }).status == 200
    sim.load(name, 300, keys=5, hot=5)
    made = {json.dumps(record["record"]["dynamodb"]["Keys"]) for record in sim.records(name)}
    assert 1 < len(made) <= 5, made
    assert len(sim.items(name)) <= 5


def test_binary_keys_are_as_many_as_others(sim: StreamSim, name: str) -> None:
    """Two bytes of their numbers would make 65536 at most."""
    sim.create_table(name, hash_type="B")
    for _ in range(2):
        sim.load(name, 100_000, keys=200_000, hot=200_000)
    count = post(sim, DYNAMODB, "DescribeTable", {"TableName": name}).json["Table"]["ItemCount"]
    assert count > 70_000


def test_a_head_has_no_body(sim: StreamSim) -> None:
    with socket.create_connection(sim.address, timeout=10) as connection:
        connection.sendall(
            b"HEAD /control/settings HTTP/1.1\r\nHost: x\r\n\r\n"
            b"GET /control/faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while part := connection.recv(65536):
            received += part
    head, second, body = received.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404") and second.startswith(b"HTTP/1.1 200")
    assert json.loads(body) == []


def test_more_than_anybody_reads_is_said_to_be_too_large(sim: StreamSim) -> None:
    answer = request(sim, "POST", "/", b"x" * (65 << 20), {"X-Amz-Target": f"{DYNAMODB}.ListTables"})
    assert answer.status == 413
    assert post(sim, DYNAMODB, "ListTables", {}).status == 200


def test_an_address_of_version_6_stands_in_brackets() -> None:
    with subprocess.Popen(
        [default_binary(), "--host", "::1", "--port", "0", "--ends-with-stdin"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        try:
            line = process.stdout.readline()
            if not line and "listen" in process.stderr.read():
                pytest.skip("this machine has no IPv6")
            assert re.fullmatch(r"streamsim: seed \d+, http://\[::1\]:\d+\n", line), line
        finally:
            process.kill()
