"""Faults, each as a client sees it: what the error is, and whether the call was done."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import HTTPClientError, ReadTimeoutError
from streamsim import ControlError, SimulatedTable, StreamSim
from support import DYNAMODB, STREAMS, Answer, iterator, key, n, post, refused

# What is answered with an error, its status, and whether it says so in JSON.
ERRORS = {
    "ThrottlingException": 400, "ProvisionedThroughputExceededException": 400, "LimitExceededException": 400,
    "RequestLimitExceeded": 400, "InternalServerError": 500, "ExpiredTokenException": 400,
}
NOT_DONE = [*ERRORS, "ServiceUnavailable", "reset_before"]
DONE = ["reset_after", "truncated", "malformed", "wrong_crc", "delay"]
ALL = [*NOT_DONE, *DONE, "not_json"]

RESETS = (ConnectionError, http.client.RemoteDisconnected, http.client.IncompleteRead)


def put(sim: StreamSim, table: SimulatedTable, name: str = "1") -> Answer:
    return post(sim, DYNAMODB, "PutItem", {"TableName": table.name, "Item": key(name)})


@pytest.mark.parametrize(("fault", "status"), ERRORS.items())
def test_an_error_has_its_code_and_its_status(
    sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable, fault: str, status: int
) -> None:
    arn, [shard] = table.stream, table.shards
    here = iterator(streams, arn, shard)
    calls: dict[str, Callable[[], Any]] = {
        "PutItem": lambda: dynamodb.put_item(TableName=table.name, Item=key(1)),
        "Scan": lambda: dynamodb.scan(TableName=table.name),
        "DescribeTable": lambda: dynamodb.describe_table(TableName=table.name),
        "ListStreams": lambda: streams.list_streams(TableName=table.name),
        "DescribeStream": lambda: streams.describe_stream(StreamArn=arn),
        "GetShardIterator": lambda: iterator(streams, arn, shard),
        "GetRecords": lambda: streams.get_records(ShardIterator=here),
    }
    for action, call in calls.items():
        sim.fault(action, fault)
        with refused(fault) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        sim.faults([])
        call()
    for service, action in ((DYNAMODB, "ListTables"), (STREAMS, "ListStreams")):
        sim.fault(action, fault)
        answer = post(sim, service, action, {})
        assert answer.json["__type"].endswith("#" + fault)
        assert answer.checksum_holds and answer.headers["x-amzn-requestid"]


def test_a_service_that_is_unavailable_answers_in_html(
    sim: StreamSim, streams: Any, table: SimulatedTable
) -> None:
    sim.fault("ListStreams", "ServiceUnavailable")
    answer = post(sim, STREAMS, "ListStreams", {})
    assert answer.status == 503
    assert answer.body.lstrip().lower().startswith((b"<html", b"<!doctype"))
    with pytest.raises(Exception) as caught:
        streams.list_streams()
    assert "503" in str(caught.value)


@pytest.mark.parametrize("fault", NOT_DONE)
def test_a_call_that_fails_before_its_effect_did_nothing(
    sim: StreamSim, table: SimulatedTable, fault: str
) -> None:
    sim.fault("PutItem", fault)
    try:
        assert put(sim, table).status >= 400
    except RESETS:
        assert fault == "reset_before"
    sim.faults([])
    assert (sim.items(table.name), sim.records(table.name)) == ([], [])


@pytest.mark.parametrize("fault", DONE)
def test_a_call_that_fails_after_its_effect_did_it(sim: StreamSim, table: SimulatedTable, fault: str) -> None:
    """Whoever sees it fail doesn't know: it may have been done."""
    sim.settings(longest_delay_ms=10)
    sim.fault("PutItem", fault)
    try:
        put(sim, table)
    except RESETS:
        assert fault in ("reset_after", "truncated")
    sim.faults([])
    assert sim.items(table.name) == [key(1)]
    assert len(sim.records(table.name)) == 1


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_a_reset_is_a_broken_connection(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable, fault: str
) -> None:
    sim.fault("*", fault)
    with pytest.raises(RESETS):
        put(sim, table)
    with pytest.raises(HTTPClientError):
        dynamodb.scan(TableName=table.name)


def test_a_truncated_body_ends_before_its_length(sim: StreamSim, dynamodb: Any, table: SimulatedTable) -> None:
    sim.fault("DescribeTable", "truncated")
    try:
        body = post(sim, DYNAMODB, "DescribeTable", {"TableName": table.name}).body
    except http.client.IncompleteRead as cut:
        body = cut.partial
    with pytest.raises(ValueError):
        json.loads(body)
    with pytest.raises(Exception):
        dynamodb.describe_table(TableName=table.name)


@pytest.mark.parametrize("fault", ["malformed", "not_json"])
def test_a_body_may_be_whole_and_no_json(
    sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable, fault: str
) -> None:
    sim.fault("*", fault)
    for service, operation, body in (
        (DYNAMODB, "DescribeTable", {"TableName": table.name}), (STREAMS, "ListStreams", {})
    ):
        answer = post(sim, service, operation, body)
        assert answer.status == 200
        with pytest.raises(ValueError):
            json.loads(answer.body)


def test_a_wrong_checksum_comes_with_a_good_body(sim: StreamSim, table: SimulatedTable) -> None:
    sim.fault("*", "wrong_crc")
    for service, operation, body in (
        (DYNAMODB, "DescribeTable", {"TableName": table.name}), (STREAMS, "ListStreams", {})
    ):
        answer = post(sim, service, operation, body)
        assert answer.status == 200
        assert isinstance(answer.json, dict)
        assert not answer.checksum_holds


def test_boto3_tries_again_after_a_wrong_checksum(sim: StreamSim, table: SimulatedTable) -> None:
    sim.fault("DescribeTable", "wrong_crc", count=1)
    client = sim.client("dynamodb")
    described = client.describe_table(TableName=table.name)
    assert described["Table"]["TableName"] == table.name
    assert described["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_delay_outlasts_a_clients_patience(sim: StreamSim, table: SimulatedTable) -> None:
    sim.settings(longest_delay_ms=10_000)
    sim.fault("DescribeTable", "delay")
    client = sim.client("dynamodb", read_timeout=0.1, retries={"total_max_attempts": 1})
    with pytest.raises(ReadTimeoutError):
        for _ in range(10):  # how long it takes is left to chance
            client.describe_table(TableName=table.name)
    # Others need not wait for it.
    assert post(sim, DYNAMODB, "ListTables", {}, timeout=1).checksum_holds
    sim.settings(longest_delay_ms=50)
    assert post(sim, DYNAMODB, "DescribeTable", {"TableName": table.name}, timeout=5).checksum_holds


# --- Which calls they meet ---


def test_a_fault_meets_its_action_alone(sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable) -> None:
    sim.fault("GetRecords", "ThrottlingException")
    here = iterator(streams, table.stream, table.shards[0])
    table.put(key(1))
    dynamodb.scan(TableName=table.name)
    with refused("ThrottlingException"):
        streams.get_records(ShardIterator=here)


def test_a_fault_may_meet_every_action_but_never_the_control_interface(
    sim: StreamSim, dynamodb: Any, streams: Any, table: SimulatedTable
) -> None:
    sim.fault("*", "InternalServerError")
    for call in (dynamodb.list_tables, streams.list_streams, lambda: dynamodb.scan(TableName=table.name)):
        with refused("InternalServerError"):
            call()
    assert sim.faults() == [{"action": "*", "fault": "InternalServerError", "percent": 100}]
    assert len(sim.shards(table.name)) == 1


def test_a_fault_comes_so_many_times(sim: StreamSim, dynamodb: Any) -> None:
    sim.faults([
        {"action": "ListTables", "fault": "ThrottlingException", "percent": 100, "count": 2},
        {"action": "ListTables", "fault": "InternalServerError", "percent": 100, "count": 1},
    ])
    codes = []
    for _ in range(5):
        try:
            dynamodb.list_tables()
            codes.append("")
        except Exception as error:
            codes.append(error.response["Error"]["Code"])  # type: ignore[attr-defined]
    assert sorted(codes[:3]) == ["InternalServerError", "ThrottlingException", "ThrottlingException"]
    assert codes[3:] == ["", ""]


def share_of_failures(sim: StreamSim, calls: int) -> float:
    failed = 0
    for _ in range(calls):
        try:
            answer = post(sim, STREAMS, "ListStreams", {"TableName": "nowhere-at-all"})
            answer.json
            failed += answer.status != 200 and not answer.json["__type"].endswith("ResourceNotFoundException")
            failed += not answer.checksum_holds
        except (*RESETS, ValueError):
            failed += 1
    return failed / calls


def test_a_fault_comes_as_often_as_it_says(sim: StreamSim) -> None:
    for percent, least, most in ((0, 0, 0), (30, 0.15, 0.45), (100, 1, 1)):
        sim.fault("ListStreams", "ThrottlingException", percent=percent)
        assert least <= share_of_failures(sim, 200) <= most


def test_faults_of_every_kind_come_of_themselves(sim: StreamSim) -> None:
    sim.settings(faults=30, longest_delay_ms=1)
    assert 0.12 <= share_of_failures(sim, 300) <= 0.45
    sim.settings(faults=0)
    assert share_of_failures(sim, 50) == 0


def test_faults_are_counted(sim: StreamSim, dynamodb: Any) -> None:
    def counted() -> int:
        return sum(count for what, count in sim.coverage().items() if "ThrottlingException" in what)

    before = counted()
    sim.fault("ListTables", "ThrottlingException", count=3)
    for _ in range(3):
        with refused("ThrottlingException"):
            dynamodb.list_tables()
    assert counted() == before + 3


def test_every_fault_is_known_by_its_name(sim: StreamSim) -> None:
    wanted = [{"action": "GetRecords", "fault": fault, "percent": 1, "count": 7} for fault in ALL]
    assert sim.faults(wanted) == wanted
    assert sim.faults() == wanted
    assert sim.faults([]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        [{"action": "GetRecords", "fault": "Nonsense", "percent": 1}],
        [{"action": "GetRecords", "fault": "ThrottlingException", "percent": 101}],
        [{"action": "GetRecords", "fault": "ThrottlingException", "percent": -1}],
        [{"action": "GetRecords", "fault": "ThrottlingException", "percent": "1"}],
        [{"action": "GetRecords", "fault": "ThrottlingException", "percent": 1, "count": -1}],
        [{"action": "GetRecords", "fault": "ThrottlingException", "percent": 1, "more": 1}],
        [{"action": "GetRecords", "percent": 1}],
        {"action": "GetRecords", "fault": "ThrottlingException", "percent": 1}, ["ThrottlingException"],
    ],
    ids=str,
)
def test_a_fault_that_is_none_is_refused(sim: StreamSim, wrong: Any) -> None:
    sim.fault("GetRecords", "ThrottlingException", percent=1)
    before = sim.faults()
    with pytest.raises(ControlError) as caught:
        sim.control("POST", "faults", wrong)
    assert caught.value.status == 400
    assert sim.faults() == before


def test_a_table_goes_on_after_all_of_them(sim: StreamSim, table: SimulatedTable) -> None:
    """A put that is sent again until it is answered well is there, once."""
    sim.settings(longest_delay_ms=1)
    sim.faults([{"action": "PutItem", "fault": fault, "percent": 8} for fault in ALL])
    for place in range(40):
        body = {"TableName": table.name, "Item": key(place) | {"n": n(place)}}
        for _ in range(500):
            try:
                answer = post(sim, DYNAMODB, "PutItem", body)
                if answer.status == 200 and answer.json == {} and answer.checksum_holds:
                    break
            except (*RESETS, ValueError):
                pass
        else:
            pytest.fail("no answer was good")
    sim.faults([])
    assert len(table.items()) == 40
    # The second time it changed nothing, and made no record.
    assert len(table.records()) == 40


def test_credentials_expire_only_where_it_is_asked_for(sim: StreamSim) -> None:
    """A client that has no others ends by it: it is no fault of the moment."""
    def counted() -> int:
        return sim.coverage().get("fault: ExpiredTokenException", 0)

    before = counted()
    sim.settings(faults=100, longest_delay_ms=0)
    share_of_failures(sim, 300)
    assert counted() == before
    sim.settings(faults=0)
    sim.fault("ListStreams", "ExpiredTokenException")
    assert share_of_failures(sim, 1) == 1
    assert counted() == before + 1


@pytest.mark.parametrize("more", [b"", b"POST / HT", b"\x00\xff\r\n\r\n"], ids=["whole", "half", "nonsense"])
@pytest.mark.parametrize("fault", ["truncated", "reset_before", "reset_after"])
def test_a_connection_that_was_broken_answers_nothing_more(sim: StreamSim, fault: str, more: bytes) -> None:
    """What was sent behind the call that failed is not looked at."""
    sim.fault("ListTables", fault, count=1)
    call = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {DYNAMODB}.ListTables\r\nAuthorization: a\r\n"
        "Content-Length: 2\r\n\r\n{}"
    ).encode()
    with socket.create_connection(sim.address, timeout=10) as connection:
        connection.sendall(call + (more or call))
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    assert received.count(b"HTTP/1.1") == (fault == "truncated")
    # And the server lives.
    assert post(sim, DYNAMODB, "ListTables", {}).status == 200


@pytest.mark.parametrize("action", [5, None, "GetRecord", "Query", ""], ids=str)
def test_a_fault_of_no_call_is_refused(sim: StreamSim, action: Any) -> None:
    with pytest.raises(ControlError) as caught:
        sim.control("POST", "faults", [{"action": action, "fault": "delay", "percent": 0}])
    assert caught.value.status == 400
    assert sim.faults() == []
