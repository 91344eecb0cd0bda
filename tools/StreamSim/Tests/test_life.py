"""A stream's whole life, as a consumer sees it that knows nothing but the documents."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from botocore.parsers import ResponseParserError
from streamsim import SimulatedTable, StreamSim
from support import Clients, Item, Record, Shard, alike, key, n, number, numbers, wire

# What an unhappy call is simply made again for.
AGAIN = {
    "ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException", "RequestLimitExceeded",
    "InternalServerError", "ExpiredTokenException",
}


def insist(call: Callable[..., Any], wants: str, **arguments: Any) -> Any:
    """Makes a call until its answer has what it wants, or it is refused for good. What it reads can be read twice.

    boto3 takes a body that is no JSON for an empty answer, which would look like the end of a shard.
    """
    for _ in range(100):
        try:
            answer = call(**arguments)
            if wants in answer:
                return answer
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in AGAIN and not code.isdigit():  # a number: an error whose body is no JSON either
                raise
        except (HTTPClientError, ResponseParserError, ValueError):
            pass
    raise AssertionError("no answer was good")


@dataclass
class Reading:
    """Where a consumer is in one shard."""

    parent: str | None
    iterator: str | None = None
    last: str | None = None
    done: bool = False


class Consumer:
    """Reads a stream, parents before their children; of what it is told it believes only what the documents promise."""

    def __init__(self, streams: Any, arn: str) -> None:
        self.records: list[Record] = []
        self.shards: dict[str, Reading] = {}
        self.expired = 0
        self._streams = streams
        self._arn = arn

    def discover(self) -> None:
        for shard in self._listed():
            self.shards.setdefault(shard["ShardId"], Reading(shard.get("ParentShardId")))

    def _listed(self) -> list[Shard]:
        found: list[Shard] = []
        start: dict[str, str] = {}
        while True:
            told = insist(self._streams.describe_stream, "StreamDescription", StreamArn=self._arn, **start)
            told = told["StreamDescription"]
            found += told["Shards"]
            if "LastEvaluatedShardId" not in told:
                return found
            start = {"ExclusiveStartShardId": told["LastEvaluatedShardId"]}

    def read(self, pages: int) -> None:
        """Some pages of each shard whose parent is done, or gone before we came."""
        for id, shard in self.shards.items():
            parent = self.shards.get(shard.parent) if shard.parent else None
            if not shard.done and (parent is None or parent.done):
                for _ in range(pages):
                    if not shard.done:
                        self._read_page(id, shard)

    def _read_page(self, id: str, shard: Reading) -> None:
        try:
            if shard.iterator is None:
                where = {"ShardIteratorType": "TRIM_HORIZON"}
                if shard.last:
                    where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.last}
                ask = self._streams.get_shard_iterator
                told = insist(ask, "ShardIterator", StreamArn=self._arn, ShardId=id, **where)
                shard.iterator = told["ShardIterator"]
            page = insist(self._streams.get_records, "Records", ShardIterator=shard.iterator)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExpiredIteratorException":
                raise
            self.expired += 1
            shard.iterator = None
            return
        self.records += page["Records"]
        if page["Records"]:
            shard.last = page["Records"][-1]["dynamodb"]["SequenceNumber"]
        shard.iterator = page.get("NextShardIterator")
        shard.done = shard.iterator is None

    def catch_up(self, count: int) -> None:
        """Reads until it has so many records."""
        for _ in range(100):
            if len(self.records) >= count:
                return
            self.discover()
            self.read(5)
        raise AssertionError(f"{len(self.records)} of {count} records came, the shards are {self.shards}")


class Writer:
    """A program that changes a table's items, through a client of its own."""

    def __init__(self, dynamodb: Any, table: str, chance: random.Random) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._chance = chance
        self._version = 0

    def write(self, changes: int) -> None:
        for _ in range(changes):
            self._version += 1
            where = key(self._chance.randrange(30))
            match self._chance.randrange(5):
                case 0:
                    self._dynamodb.delete_item(TableName=self._table, Key=where)
                case 1 | 2:
                    item = where | {"v": n(self._version), "b": {"B": bytes([self._version % 256])}}
                    self._dynamodb.put_item(TableName=self._table, Item=item)
                case _:
                    self._dynamodb.update_item(
                        TableName=self._table, Key=where,
                        UpdateExpression="SET v = :v, #t = list_append(if_not_exists(#t, :no), :t)",
                        ExpressionAttributeNames={"#t": "trail.of"},
                        ExpressionAttributeValues={
                            ":v": n(self._version), ":no": {"L": []}, ":t": {"L": [n(self._version)]}
                        },
                    )


def replayed(records: list[Record]) -> dict[str, Item]:
    """The items that a target would have which applies the records."""
    items: dict[str, Item] = {}
    for record in records:
        where = record["dynamodb"]["Keys"]["pk"]["S"]
        if record["eventName"] == "REMOVE":
            items.pop(where)
        else:
            items[where] = alike(wire(record["dynamodb"]["NewImage"]))
    return items


def check(consumer: Consumer, sim: StreamSim, table: SimulatedTable, stream: str) -> None:
    """Nothing is missing, nothing is twice, and what happened to one key is in its order."""
    truth = [record["record"] for record in sim.records(table.name, stream)]
    assert sorted(numbers(consumer.records)) == sorted(numbers(truth))
    by_number = {number(record): alike(record) for record in truth}
    places: dict[str, int] = {}
    for record in consumer.records:
        assert alike(wire(record)) == by_number[number(record)]
        where = record["dynamodb"]["Keys"]["pk"]["S"]
        assert places.get(where, -1) < number(record), f"{where} went back"
        places[where] = number(record)


@pytest.mark.parametrize("faults", [0, 2])
def test_a_stream_is_followed_through_its_whole_life(start: Callable[..., StreamSim], faults: int) -> None:
    """
        first ─┬─ ○ ─┬─ ○ ─┬─ …     four generations of splits, then roll-overs while the oldest are forgotten,
               └─ ○ …└─ ○ …└─ …     then the stream is switched off, and another one begins
    """
    sim = start(seed=3, manual_clock=True)
    chance = random.Random(3)
    tables = [sim.create_table(name) for name in ("Orders", "Customers")]
    clients = [Clients(sim) for _ in tables]
    writers = [Writer(client.dynamodb, table.name, chance) for client, table in zip(clients, tables, strict=True)]
    streams, [table, other] = clients[0].streams, tables
    first = table.stream
    consumer = Consumer(streams, first)
    sim.settings(
        shards_of_a_page=3, records_of_a_page=7, empty_pages=20, short_pages=20, contradictory_listings=20,
        listing_lag_ms=700,
    )
    # What writes is not disturbed here: whether it was done would be the writer's question.
    reading = ["DescribeStream", "GetShardIterator", "GetRecords"]
    kinds = [
        "ThrottlingException", "InternalServerError", "ServiceUnavailable", "reset_before", "reset_after", "truncated",
        "malformed", "not_json",
    ]
    sim.faults([
        {"action": action, "fault": kind, "percent": faults} for action in reading for kind in kinds if faults
    ])

    # Four generations, read a little at a time, with iterators that expire in between.
    for generation in range(4):
        for writer in writers:
            writer.write(50)
        open_shards = [shard["shard"] for shard in sim.shards(table.name) if shard["ending_sequence_number"] is None]
        for shard in open_shards if generation < 2 else chance.sample(open_shards, 2):
            table.split(shard)
        other.roll_over()
        for writer in writers:
            writer.write(20)
        consumer.discover()
        consumer.read(2)
        sim.advance(20 * 60)
        consumer.read(1)
        if generation % 2:
            sim.expire_iterators()
    assert consumer.expired > 0
    consumer.catch_up(len(sim.records(table.name)))
    check(consumer, sim, table, first)
    assert max(depth(consumer, id) for id in consumer.shards) == 4

    # A day goes by, in which the consumer keeps up and the service forgets.
    for _ in range(5):
        sim.advance(6 * 3600)
        table.roll_over()
        writers[0].write(20)
        sim.advance(1)  # until the child is listed
        consumer.catch_up(len(sim.records(table.name)))
    check(consumer, sim, table, first)
    gone = [shard for shard in sim.shards(table.name) if shard["gone"]]
    assert len(gone) >= 5

    # Whoever comes now finds what is left, and nobody is told of more than that.
    late = Consumer(streams, first)
    left = sum(shard["records"] - shard["trimmed"] for shard in sim.shards(table.name) if not shard["gone"])
    late.catch_up(left)
    assert 0 < len(late.records) == left < len(consumer.records)
    assert set(numbers(late.records)) <= set(numbers(consumer.records))
    assert not set(late.shards) & {shard["shard"] for shard in gone}
    sim.trim(table.name)
    with pytest.raises(ClientError) as caught:
        shard = sim.records(table.name)[-1]
        insist(
            streams.get_shard_iterator, "ShardIterator", StreamArn=first, ShardId=shard["shard"],
            ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=shard["sequence_number"],
        )
    assert caught.value.response["Error"]["Code"] == "TrimmedDataAccessException"

    # The stream is switched off, and on again as another one: the first is read to its end, then the second.
    writers[0].write(10)
    dynamodb = clients[0].dynamodb
    dynamodb.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
    dynamodb.update_table(
        TableName=table.name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    )
    second = table.stream
    assert second != first
    writers[0].write(30)
    table.split()
    writers[0].write(10)
    sim.advance(1)
    consumer.catch_up(len(sim.records(table.name, first)))
    consumer.discover()
    consumer.read(100)
    assert all(shard.done for shard in consumer.shards.values()), "every shard of a stream that is off ends"
    check(consumer, sim, table, first)
    next_one = Consumer(streams, second)
    next_one.catch_up(len(sim.records(table.name, second)))
    check(next_one, sim, table, second)

    # All of it together is the table.
    found = replayed(consumer.records + next_one.records)
    assert found == {item["pk"]["S"]: alike(item) for item in sim.items(table.name)}
    # The other table's stream has its own records, and no others.
    beside = Consumer(clients[1].streams, other.stream)
    beside.catch_up(sum(shard["records"] - shard["trimmed"] for shard in sim.shards(other.name) if not shard["gone"]))
    truth = numbers([record["record"] for record in sim.records(other.name)])
    assert numbers(sorted(beside.records, key=number)) == truth[len(truth) - len(beside.records) :]


def depth(consumer: Consumer, shard: str) -> int:
    """How many generations lie above a shard."""
    parent = consumer.shards[shard].parent
    return 0 if parent is None else 1 + depth(consumer, parent)
