"""Scans a table as a plain boto3 program does, and counts what that costs.

    boto3_scan.py ENDPOINT [PAGES]

Prints {"pages":…,"items":…,"seconds":…,"cpu":…}; the import of boto3 is not part of it.
"""

import json
import sys
import time
from typing import Any

import boto3

limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
client = boto3.client(
    "dynamodb",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="benchmark",
    aws_secret_access_key="benchmark",
)

pages = items = 0
start: dict[str, Any] | None = {}
began, cpu = time.perf_counter(), time.process_time()
while start is not None and pages != limit:
    page = client.scan(TableName="bench", ConsistentRead=True, **({"ExclusiveStartKey": start} if start else {}))
    items += len(page["Items"])
    pages += 1
    start = page.get("LastEvaluatedKey")
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
print(json.dumps({"pages": pages, "items": items, "seconds": seconds, "cpu": cpu}))
