"""Watches a daemon over HTTP for as long as it serves: one follows its events, one scrapes its metrics.

    watcher.py PORT SECONDS

Scrapes /metrics every SECONDS on one connection. Prints {"scrapes":…,"scrape_bytes":…,"event_bytes":…} when the daemon is gone.
"""

import http.client
import json
import socket
import sys
import threading
import time

port, interval = int(sys.argv[1]), float(sys.argv[2])
counts = {"scrapes": 0, "scrape_bytes": 0, "event_bytes": 0}


def follow_events() -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", "/api/v1/events")
        reply = connection.getresponse()
        while part := reply.read1():
            counts["event_bytes"] += len(part)
    except (OSError, http.client.HTTPException):
        pass  # the daemon ended, as it should


def wait_until_it_serves() -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)


wait_until_it_serves()
follower = threading.Thread(target=follow_events)
follower.start()
connection = http.client.HTTPConnection("127.0.0.1", port)
try:
    while True:
        connection.request("GET", "/metrics")
        body = connection.getresponse().read()
        counts["scrapes"] += 1
        counts["scrape_bytes"] += len(body)
        time.sleep(interval)
except (OSError, http.client.HTTPException):
    follower.join()
print(json.dumps(counts))
