"""What the judge's tests share: errors by code, streams read to their end, and requests below boto3."""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from streamsim import StreamSim

Item = dict[str, Any]
Record = dict[str, Any]
Shard = dict[str, Any]

DYNAMODB = "DynamoDB_20120810"
STREAMS = "DynamoDBStreams_20120810"

# Any will do, but there must be one.
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=a/20250615/us-east-1/dynamodb/aws4_request, Signature=b"


class Clients:
    """boto3's clients without what they do to help: each call is one request, and nothing is checked beforehand."""

    def __init__(self, sim: StreamSim) -> None:
        options = {
            "retries": {"total_max_attempts": 1, "mode": "standard"}, "parameter_validation": False,
            "read_timeout": 10,
        }
        self.dynamodb = sim.client("dynamodb", **options)
        self.streams = sim.client("dynamodbstreams", **options)


@contextmanager
def refused(*codes: str) -> Iterator[pytest.ExceptionInfo[ClientError]]:
    """What is done inside must be refused with one of these codes."""
    with pytest.raises(ClientError) as caught:
        yield caught
    assert caught.value.response["Error"]["Code"] in codes, caught.value


# --- Below boto3 ---


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # their names in small letters
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def checksum_holds(self) -> bool:
        return int(self.headers["x-amz-crc32"]) == zlib.crc32(self.body)


def request(
    sim: StreamSim, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float = 20
) -> Answer:
    connection = http.client.HTTPConnection(*sim.address, timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def post(
    sim: StreamSim, service: str, operation: str, body: Any, *, signed: bool = True, timeout: float = 20
) -> Answer:
    """One call by hand. `body` is JSON, or bytes that stand as they are."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{service}.{operation}"}
    if signed:
        headers["Authorization"] = AUTHORIZATION
    return request(
        sim, "POST", "/", body if isinstance(body, bytes) else json.dumps(body).encode(), headers, timeout=timeout
    )


# --- Reading a stream ---


def number(record: Record) -> int:
    """A sequence number is compared as a number: its text has no fixed length."""
    return int(record["dynamodb"]["SequenceNumber"])


def numbers(records: list[Record]) -> list[int]:
    return [number(record) for record in records]


def pages(call: Callable[..., Any], given: str, gives: str, **arguments: Any) -> Iterator[Any]:
    """Every page of a call: what one gives under `gives` the next one is asked with as `given`."""
    while True:
        page = call(**arguments)
        yield page
        if gives not in page:
            return
        arguments[given] = page[gives]


def listing(streams: Any, arn: str, **arguments: Any) -> list[Shard]:
    """Every shard that the service lists."""
    found: list[Shard] = []
    while True:
        description = streams.describe_stream(StreamArn=arn, **arguments)["StreamDescription"]
        found += description["Shards"]
        if "LastEvaluatedShardId" not in description:
            return found
        arguments["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]


def iterator(streams: Any, arn: str, shard: str, kind: str = "TRIM_HORIZON", at: int | str | None = None) -> str:
    more = {} if at is None else {"SequenceNumber": str(at)}
    return streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]


def drain(streams: Any, iterator: str | None, *, empty: int = 1, **arguments: Any) -> tuple[list[Record], str | None]:
    """Follows an iterator to the shard's end, or until `empty` pages in a row brought nothing.

    Gives the records and the iterator to go on with, which a shard that ended has none of.
    """
    found: list[Record] = []
    nothing = 0
    while iterator is not None and nothing < empty:
        page = streams.get_records(ShardIterator=iterator, **arguments)
        found += page["Records"]
        nothing = 0 if page["Records"] else nothing + 1
        iterator = page.get("NextShardIterator")
    return found, iterator


def records_of(streams: Any, arn: str, shard: str) -> list[Record]:
    return drain(streams, iterator(streams, arn, shard))[0]


def records(streams: Any, arn: str) -> list[Record]:
    """What the stream still has, parents before their children."""
    waiting = listing(streams, arn)
    found: list[Record] = []
    while waiting:
        unread = {shard["ShardId"] for shard in waiting}
        ready = [shard for shard in waiting if shard.get("ParentShardId") not in unread]
        assert ready, "the lineage has a circle"
        for shard in ready:
            found += records_of(streams, arn, shard["ShardId"])
        waiting = [shard for shard in waiting if shard not in ready]
    return found


# --- The wire's form ---


def wire(value: Any) -> Any:
    """What boto3 made of a reply, as it came over the wire: dates are numbers, bytes are Base64."""
    match value:
        case dict():
            return {name: wire(inner) for name, inner in value.items() if name != "ResponseMetadata"}
        case list():
            return [wire(inner) for inner in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime.datetime():
            return value.timestamp()
        case _:
            return value


def alike(value: Any) -> Any:
    """A value in a form in which two are equal when DynamoDB would call them so: sets have no order."""
    match value:
        case {"SS": list(members)} | {"NS": list(members)} | {"BS": list(members)} if len(value) == 1:
            return {next(iter(value)): sorted(members)}
        case dict():
            return {name: alike(inner) for name, inner in value.items()}
        case list():
            return [alike(inner) for inner in value]
        case _:
            return value


def by_key(items: list[Item], *names: str) -> dict[str, Item]:
    """Items of the wire's form or of boto3's, by their keys."""
    return {json.dumps([wire(item[name]) for name in names or ("pk",)]): alike(wire(item)) for item in items}


def s(text: str) -> Item:
    return {"S": text}


def n(value: int | str) -> Item:
    return {"N": str(value)}


def key(value: int | str) -> Item:
    return {"pk": s(str(value))}
