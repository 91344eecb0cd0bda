"""Reads a closed shard as a plain boto3 program does, and counts what that costs.

    boto3_loop.py ENDPOINT ITERATOR [PAGES]

Prints {"pages":…,"records":…,"seconds":…,"cpu":…}; the import of boto3 is not part of it.
"""

import json
import sys
import time

import boto3

endpoint, iterator = sys.argv[1:3]
limit = int(sys.argv[3]) if len(sys.argv) > 3 else None
client = boto3.client(
    "dynamodbstreams",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="benchmark",
    aws_secret_access_key="benchmark",
)

pages = records = 0
start, cpu = time.perf_counter(), time.process_time()
while iterator and pages != limit:
    page = client.get_records(ShardIterator=iterator, Limit=1000)
    records += len(page["Records"])
    pages += 1
    iterator = page.get("NextShardIterator")
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
print(json.dumps({"pages": pages, "records": records, "seconds": seconds, "cpu": cpu}))
