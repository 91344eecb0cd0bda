"""A source whose shards end, split, are trimmed and fail: what moto's server, with its one shard for ever, can't do.

It answers the calls that Shake makes as DynamoDB's API Reference says, and nothing else. Sequence numbers gain digits
as they grow, as the service's do, so that whoever compares them as texts is wrong.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Fault:
    """An answer that is an error. `raw` is a body that is no JSON, as a proxy would send it."""

    status: int = 400
    type: str = "InternalServerError"
    message: str = "on purpose"
    raw: bytes | None = None
    hang_up: bool = False
    wrong_checksum: bool = False


@dataclass
class SourceShard:
    id: str
    parent: str | None
    starting: int
    ending: int | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    trimmed: int = 0  # so many records are gone from its start
    listed: bool = True
    known: bool = True  # where it is asked for by name


class ShardedSource:
    def __init__(self) -> None:
        self.tables: dict[str, ShardedTable] = {}
        # Asked before each call is answered: (operation, request) → an error to give instead.
        self.fault: Callable[[str, dict[str, Any]], Fault | None] = lambda operation, request: None
        self.calls: Counter[str] = Counter()
        self.page_limit = 100  # records in one answer of GetRecords
        self.shards_limit = 100  # shards in one answer of DescribeStream
        self.empty_pages = 0  # answers without records that come before each one with
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._serials = itertools.count(1)
        self._iterators: dict[str, tuple[str, str, int, int]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create_table(self, name: str) -> ShardedTable:
        table = self.tables[name] = ShardedTable(self, name)
        return table

    def next_number(self) -> int:
        # Another digit every 40 records, from 21 on and up to 40.
        count = next(self._numbers)
        return 10 ** min(20 + count // 40, 39) + count * 1000

    def expire_iterators(self) -> None:
        """As if fifteen minutes had gone by."""
        with self.lock:
            self._iterators = {token: (*place[:3], -1) for token, place in self._iterators.items()}

    # --- The calls ---

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | Fault:
        with self.lock:
            self.calls[operation] += 1
            if fault := self.fault(operation, request):
                return fault
            match operation:
                case "DynamoDB_20120810.DescribeTable":
                    return self._describe_table(request)
                case "DynamoDB_20120810.Scan":
                    return self._scan(request)
                case "DynamoDBStreams_20120810.DescribeStream":
                    return self._describe_stream(request)
                case "DynamoDBStreams_20120810.GetShardIterator":
                    return self._shard_iterator(request)
                case "DynamoDBStreams_20120810.GetRecords":
                    return self._records(request)
                case _:
                    return Fault(type="UnknownOperationException")

    def _describe_table(self, request: dict[str, Any]) -> dict[str, Any] | Fault:
        table = self.tables.get(request["TableName"])
        if table is None:
            return Fault(type="ResourceNotFoundException", message=f"Table: {request['TableName']} not found")
        return {
            "Table": {
                "TableName": table.name, "TableStatus": "ACTIVE", "ItemCount": len(table.items), "TableSizeBytes": 0,
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                "LatestStreamArn": table.stream, "LatestStreamLabel": table.stream.rsplit("/", 1)[1],
            }
        }

    def _scan(self, request: dict[str, Any]) -> dict[str, Any]:
        table = self.tables[request["TableName"]]
        segment, total = request.get("Segment", 0), request.get("TotalSegments", 1)
        keys = [key for key in sorted(table.items) if zlib.crc32(key.encode()) % total == segment]
        if start := request.get("ExclusiveStartKey"):
            keys = [key for key in keys if key > start["pk"]["S"]]
        page = keys[: request.get("Limit", 10)]
        answer: dict[str, Any] = {"Items": [table.items[key] for key in page], "Count": len(page)}
        if len(page) < len(keys):
            answer["LastEvaluatedKey"] = {"pk": {"S": page[-1]}}
        return answer

    def _of_stream(self, arn: str) -> ShardedTable | None:
        return next((table for table in self.tables.values() if table.stream == arn), None)

    def _describe_stream(self, request: dict[str, Any]) -> dict[str, Any] | Fault:
        table = self._of_stream(request["StreamArn"])
        if table is None:
            return Fault(type="ResourceNotFoundException", message="Requested resource not found: Stream")
        shards = [shard for shard in table.shards.values() if shard.listed]  # ShardFilter is ignored, as emulators do
        if start := request.get("ExclusiveStartShardId"):
            shards = shards[[shard.id for shard in shards].index(start) + 1 :]
        page = shards[: min(self.shards_limit, request.get("Limit", 100))]
        description: dict[str, Any] = {
            "StreamArn": table.stream, "StreamStatus": "ENABLED", "StreamViewType": "NEW_AND_OLD_IMAGES",
            "TableName": table.name, "Shards": [self._shown(shard) for shard in page],
        }
        if len(page) < len(shards):
            description["LastEvaluatedShardId"] = page[-1].id
        return {"StreamDescription": description}

    @staticmethod
    def _shown(shard: SourceShard) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "ShardId": shard.id, "SequenceNumberRange": {"StartingSequenceNumber": str(shard.starting)},
        }
        if shard.ending is not None:
            shown["SequenceNumberRange"]["EndingSequenceNumber"] = str(shard.ending)
        if shard.parent is not None:
            shown["ParentShardId"] = shard.parent
        return shown

    def _shard_iterator(self, request: dict[str, Any]) -> dict[str, Any] | Fault:
        table = self._of_stream(request["StreamArn"])
        shard = table.shards.get(request["ShardId"]) if table else None
        if table is None or shard is None or not shard.known:
            return Fault(type="ResourceNotFoundException", message="Requested resource not found: Shard does not exist")
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in shard.records]
        match request["ShardIteratorType"]:
            case "TRIM_HORIZON":
                place = shard.trimmed
            case "LATEST":
                place = len(numbers)
            case type:
                number = int(request["SequenceNumber"])
                after = type == "AFTER_SEQUENCE_NUMBER"
                place = sum(other < number or (after and other == number) for other in numbers)
                if place < shard.trimmed:
                    return Fault(type="TrimmedDataAccessException", message="The data is beyond the trim horizon")
        return {"ShardIterator": self._issue(table, shard, place, self.empty_pages)}

    def _issue(self, table: ShardedTable, shard: SourceShard, place: int, empty: int) -> str:
        token = base64.b64encode(f"{table.stream}|{shard.id}|{next(self._serials)}".encode()).decode()
        self._iterators[token] = (table.name, shard.id, place, empty)
        return token

    def _records(self, request: dict[str, Any]) -> dict[str, Any] | Fault:
        if request["ShardIterator"] not in self._iterators:
            return Fault(type="ValidationException", message="Invalid ShardIterator")
        name, shard_id, place, empty = self._iterators[request["ShardIterator"]]
        table = self.tables[name]
        shard = table.shards[shard_id]
        if empty < 0:
            return Fault(type="ExpiredIteratorException", message="Iterator expired")
        if place < shard.trimmed:
            return Fault(type="TrimmedDataAccessException", message="The data is beyond the trim horizon")
        if empty > 0:
            return {"Records": [], "NextShardIterator": self._issue(table, shard, place, empty - 1)}
        page = shard.records[place : place + min(self.page_limit, request.get("Limit", 1000))]
        place += len(page)
        answer: dict[str, Any] = {"Records": page}
        # A closed shard's last answer carries records and no iterator.
        if shard.ending is None or place < len(shard.records):
            answer["NextShardIterator"] = self._issue(table, shard, place, self.empty_pages if page else 0)
        return answer


class ShardedTable:
    """A table with hash key `pk`; its items are in the form of the wire."""

    key_names = ["pk"]

    def __init__(self, source: ShardedSource, name: str) -> None:
        self.name = name
        self.items: dict[str, dict[str, Any]] = {}
        self._source = source
        self._generation = itertools.count(1)
        self.shards: dict[str, SourceShard] = {}
        self.new_stream()

    def new_stream(self) -> None:
        """As if the stream had been switched off and on again."""
        label = f"2026-01-{next(self._generation):02}"
        self.stream = f"arn:aws:dynamodb:us-east-1:123456789012:table/{self.name}/stream/{label}"
        self.shards = {}

    def open_shard(self, parent: str | None = None) -> SourceShard:
        with self._source.lock:
            number = self._source.next_number()
            # Not in the order of time, which nobody may rely on.
            name = f"shardId-{random.Random(number).randrange(10**20):020}-{number % 0xFFFFFFFF:08x}"
            shard = self.shards[name] = SourceShard(name, parent, number)
            return shard

    def split(self, shard: SourceShard, into: int = 2, listed: bool = True) -> list[SourceShard]:
        """Closes a shard; its children continue it."""
        with self._source.lock:
            shard.ending = self._source.next_number()
            children = [self.open_shard(shard.id) for _ in range(into)]
            for child in children:
                child.listed = listed
            return children

    def put(self, shard: SourceShard, key: str, version: int, **more: Any) -> str:
        """Gives the sequence number."""
        with self._source.lock:
            old = self.items.get(key)
            new = self.items[key] = {"pk": {"S": key}, "version": {"N": str(version)}, **more}
            return self._record(shard, "MODIFY" if old else "INSERT", key, new, old)

    def put_without_key(self, shard: SourceShard, key: str, version: int) -> str:
        """A change that no target which keeps items by their key can hold, as no service would send it."""
        number = self.put(shard, key, version)
        shard.records[-1]["dynamodb"]["Keys"] = {"other": {"S": key}}
        return number

    def mend(self, shard: SourceShard) -> None:
        """The key of every change is what it should be."""
        for record in shard.records:
            image = record["dynamodb"].get("NewImage") or record["dynamodb"]["OldImage"]
            record["dynamodb"]["Keys"] = {"pk": image["pk"]}

    def delete(self, shard: SourceShard, key: str) -> str:
        with self._source.lock:
            return self._record(shard, "REMOVE", key, None, self.items.pop(key))

    def _record(
        self, shard: SourceShard, event: str, key: str, new: dict[str, Any] | None, old: dict[str, Any] | None
    ) -> str:
        assert shard.ending is None, "the shard is closed"
        number = str(self._source.next_number())
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": float(int(time.time())), "Keys": {"pk": {"S": key}},
            "SequenceNumber": number, "SizeBytes": 100, "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if new is not None:
            change["NewImage"] = new
        if old is not None:
            change["OldImage"] = old
        shard.records.append({
            "eventID": number, "eventName": event, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1", "dynamodb": change,
        })
        return number

    def numbers(self) -> list[str]:
        return [record["dynamodb"]["SequenceNumber"] for shard in self.shards.values() for record in shard.records]


def _handler(source: ShardedSource) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                pass  # the daemon was killed

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "Authorization" not in self.headers:
                answer: dict[str, Any] | Fault = Fault(type="MissingAuthenticationTokenException")
            else:
                answer = source.answer(self.headers["X-Amz-Target"], json.loads(body))
            status, reply, checksum = 200, b"", 0
            if isinstance(answer, Fault):
                if answer.hang_up:
                    self.close_connection = True
                    return
                if answer.wrong_checksum:
                    reply, checksum = b"{}", 1
                else:
                    status = answer.status
                    reply = answer.raw if answer.raw is not None else json.dumps(
                        {"__type": f"com.amazonaws.dynamodb.v20120810#{answer.type}", "message": answer.message}
                    ).encode()
            else:
                reply = json.dumps(answer, separators=(",", ":")).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(reply)))
            self.send_header("x-amz-crc32", str(checksum or zlib.crc32(reply)))
            self.send_header("x-amzn-RequestId", "REQUEST")
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
