"""Writes items as a plain boto3 program does, by a table's batch_writer, and counts what that costs.

    boto3_write.py ENDPOINT ITEMS

Prints {"rows":…,"seconds":…,"cpu":…}; the import of boto3, and the items, are not part of it.
"""

import json
import sys
import time

import boto3

table = boto3.resource(
    "dynamodb",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="benchmark",
    aws_secret_access_key="benchmark",
).Table("copy")
items = [{"pk": f"{number:032}", "text": "x" * 900, "number": number} for number in range(int(sys.argv[2]))]

began, cpu = time.perf_counter(), time.process_time()
with table.batch_writer() as writer:
    for item in items:
        writer.put_item(Item=item)
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
print(json.dumps({"rows": len(items), "seconds": seconds, "cpu": cpu}))
