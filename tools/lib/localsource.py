"""A DynamoDB endpoint with Streams on this machine (moto's server), for the demo and the end-to-end tests.

Nothing here knows Shake: what is written and read goes through boto3, as any other program's would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

REGION = "us-east-1"

# Whatever account, profile, endpoint or proxy the user's shell is set to must not be reached from here.
_FOREIGN = ("AWS_", "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SHAKE_")

_NOWHERE = "/nonexistent/there-are-no-aws-settings-here"


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without the user's AWS settings and proxies, and with credentials that open nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    environment |= {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": _NOWHERE,
        "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    return environment | more


class SourceServer:
    """A server that answers as DynamoDB does, in a process of its own on the loopback interface.

    It says where it listens in the first line that it prints, and ends when its standard input does, so it can't
    outlive this process, however this one ends.
    """

    endpoint: str

    def __init__(self, command: list[str], **options: Any) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_environment(), start_new_session=True,
            text=True, **options,
        )
        assert self._process.stdout is not None
        self._first_line = self._process.stdout.readline().strip()

    def _connect(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.dynamodb = self.client("dynamodb")
        self.streams = self.client("dynamodbstreams")

    def client(self, service: str, **settings: Any) -> Any:
        """A client of boto3; `settings` are those of botocore's `Config`."""
        import boto3  # as late as possible: importing it takes longer than starting moto
        from botocore.config import Config

        session = boto3.session.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION,
        )
        return session.client(service, endpoint_url=self.endpoint, config=Config(proxies={}, **settings))

    def create_table(
        self, name: str, *, hash_key: str = "pk", hash_type: str = "S", range_type: str | None = None,
        view: str | None = "NEW_AND_OLD_IMAGES",
    ) -> SourceTable:
        """Makes a table; a range key `sk` and a stream only if a type and a view are given."""
        keys = [(hash_key, "HASH", hash_type)] + ([("sk", "RANGE", range_type)] if range_type else [])
        stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, role, _ in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": type} for key, _, type in keys],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream,
        )
        return self._table(name, [key for key, _, _ in keys])

    def _table(self, name: str, key_names: list[str]) -> SourceTable:
        return SourceTable(self, name, key_names)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class LocalSource(SourceServer):
    """moto's server, on a free port."""

    def __init__(self) -> None:
        super().__init__([sys.executable, os.path.abspath(__file__)], stderr=subprocess.DEVNULL)
        if not self._first_line:
            raise RuntimeError("moto's server did not start; run tools/lib/localsource.py to see why")
        self._connect(f"http://127.0.0.1:{self._first_line}")


class SourceTable:
    """A table of the local source, with what a test does to it. Items are in boto3's low-level form."""

    def __init__(self, source: SourceServer, name: str, key_names: list[str]) -> None:
        self.name = name
        self.key_names = key_names
        self._source = source
        # moto numbers a stream's records by counting them, which two writers at once would break.
        self._writing = threading.Lock()

    def put(self, item: dict[str, Any]) -> None:
        with self._writing:
            self._source.dynamodb.put_item(TableName=self.name, Item=item)

    def put_all(self, items: list[dict[str, Any]]) -> None:
        for start in range(0, len(items), 25):
            requests = {self.name: [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]}
            while requests:
                with self._writing:
                    requests = self._source.dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"]

    def update(self, key: dict[str, Any], **attributes: Any) -> None:
        """Sets `attributes` of an item that is there."""
        names = {f"#{n}": name for n, name in enumerate(attributes)}
        values = {f":{n}": value for n, value in enumerate(attributes.values())}
        with self._writing:
            self._source.dynamodb.update_item(
                TableName=self.name, Key=key,
                UpdateExpression="SET " + ", ".join(f"#{n} = :{n}" for n in range(len(attributes))),
                ExpressionAttributeNames=names, ExpressionAttributeValues=values,
            )

    def delete(self, key: dict[str, Any]) -> None:
        with self._writing:
            self._source.dynamodb.delete_item(TableName=self.name, Key=key)

    def items(self) -> list[dict[str, Any]]:
        """Every item, by a scan."""
        found: list[dict[str, Any]] = []
        arguments: dict[str, Any] = {"TableName": self.name, "ConsistentRead": True}
        while True:
            reply = self._source.dynamodb.scan(**arguments)
            found += reply["Items"]
            if "LastEvaluatedKey" not in reply:
                return found
            arguments["ExclusiveStartKey"] = reply["LastEvaluatedKey"]

    @property
    def stream(self) -> str:
        return self._source.dynamodb.describe_table(TableName=self.name)["Table"]["LatestStreamArn"]

    @property
    def shards(self) -> list[str]:
        found: list[str] = []
        arguments: dict[str, Any] = {"StreamArn": self.stream}
        while True:
            description = self._source.streams.describe_stream(**arguments)["StreamDescription"]
            found += [shard["ShardId"] for shard in description["Shards"]]
            if "LastEvaluatedShardId" not in description:
                return found
            arguments["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]

    def records(self) -> list[dict[str, Any]]:
        """Every record that the stream holds, oldest first, as GetRecords gives it (moto: one shard for ever)."""
        [shard] = self.shards
        streams = self._source.streams
        iterator = streams.get_shard_iterator(
            StreamArn=self.stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: list[dict[str, Any]] = []
        while True:
            reply = streams.get_records(ShardIterator=iterator)
            if not reply["Records"]:
                return found
            found += reply["Records"]
            iterator = reply["NextShardIterator"]

    def sequence_numbers(self) -> list[str]:
        return [record["dynamodb"]["SequenceNumber"] for record in self.records()]


def _serve() -> None:
    import logging

    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    os._exit(0)  # not stop(): connections that are kept alive would hold it up


if __name__ == "__main__":
    _serve()
