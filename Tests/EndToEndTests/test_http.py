"""Metrics, health, the API and the page over HTTP, asked of a running daemon; and the files for Prometheus and Grafana."""

from __future__ import annotations

import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from following import Following
from http_client import EventStream, HTTPClient
from rig import Follower, Rig, item
from shake import Daemon, json_lines
from shardedsource import Fault, ShardedSource
from streamsim import SimulatedTable, StreamSim

MONITORING = pathlib.Path(__file__).parents[2] / "docs" / "monitoring"
TOKEN = "a-token-of-this-test-0123456789"
ADDRESS = ("--http", "127.0.0.1:0")


def promtool(*arguments: str, text: str | None = None) -> None:
    program = shutil.which("promtool")
    assert program, "no promtool: tools/setup installs it"
    done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}"


class Served:
    """A daemon that follows one table of a simulated service, and serves."""

    def __init__(
        self, rig: Rig, simulator: StreamSim, *more: str, target: str = "sqlite", http: bool = True,
        prefix: list[str] | None = None,
    ) -> None:
        rig.source = simulator  # type: ignore[assignment]
        self.rig = rig
        self._version = 0
        self.simulator = simulator
        self.table: SimulatedTable = simulator.create_table("orders")
        self.follower = Follower(
            rig, target, self.table, mode="all",
            more=(*(ADDRESS if http else ()), "--poll-maximum", "50ms", "--discovery-interval", "500ms", *more),
        )
        self.shakectl = self.follower.shakectl
        self.daemon: Daemon = self.follower.start(prefix)

    def put(self, count: int) -> None:
        """Changes that are each a record: one that changes nothing makes none."""
        for number in range(count):
            self._version += 1
            self.table.put(item(number, self._version))

    def in_step(self, records: int) -> None:
        self.daemon.until(
            lambda: [t["records"] for t in self.statuses()] == [records] and self.statuses()[0]["health"] == "ok",
            f"{records} records are applied",
        )

    def statuses(self) -> list[dict[str, Any]]:
        done = self.shakectl.call("status", "--json")
        return json_lines(done.stdout) if done.returncode == 0 else []


@pytest.fixture
def served(rig: Rig, simulator: StreamSim) -> Iterator[Served]:
    yield Served(rig, simulator)


# --- Metrics ---


def test_metrics_are_as_prometheus_wants_them_and_count_what_was_done(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    served.daemon.until(lambda: client.metrics().get('shake_table_phase{table="orders",phase="incr_sync"}') == 1, "it follows")
    served.put(20)
    served.in_step(20)
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    promtool("check", "metrics", text=answer.text)

    position = served.follower.events()[-1]["position"]

    def counted() -> dict[str, float] | None:
        found = client.metrics()
        # What is told of shards may be a moment old, and calls are made all the time.
        is_all = (
            found['shake_records_applied_total{table="orders"}'] == 20
            and found['shake_shards{table="orders",status="in_processing"}'] == 1
            and found["shake_journal_events_total"] >= position
            and found['shake_source_requests_total{operation="GetRecords",code="OK"}'] > 2
        )
        return found if is_all else None

    found = served.daemon.until(counted, "all is counted")
    assert found is not None
    assert found['shake_source_request_seconds_count{operation="GetRecords"}'] > 2
    assert found["shake_target_write_seconds_count"] >= 1
    assert found["shake_journal_commit_seconds_count"] >= 2
    assert 0 < found["shake_target_write_seconds_sum"] < 60
    assert found["shake_journal_size_bytes"] > 0 and found["process_resident_memory_bytes"] > 1 << 20
    assert found["process_cpu_seconds_total"] > 0 and found["process_open_fds"] > 5
    assert abs(found["process_start_time_seconds"] - time.time()) < 600
    assert found["shake_vital_signs_seconds"] < 20
    assert not [name for name in found if "shardId" in name], "no shard has a label"


def test_calls_that_fail_are_counted_by_what_they_failed_with(rig: Rig, simulator: StreamSim) -> None:
    simulator.fault("GetRecords", "ThrottlingException", percent=50)
    served = Served(rig, simulator)
    client = HTTPClient.of(served.daemon)

    def throttled() -> bool:
        return any(
            name.startswith('shake_source_requests_total{operation="GetRecords",code="') and "OK" not in name and value > 0
            for name, value in client.metrics().items()
        )

    served.daemon.until(throttled, "calls that failed are counted")
    served.daemon.until(lambda: client.metrics()["shake_source_retries_total"] > 0, "and that they were made again")


# --- Health ---


def test_health_turns_bad_when_the_source_fails_and_good_again(rig: Rig, sharded: ShardedSource) -> None:
    table = sharded.create_table("orders")
    table.put(table.open_shard(), "a", 1)
    following = Following(rig, sharded, table, more=ADDRESS)
    daemon = following.start()
    client = HTTPClient.of(daemon)
    daemon.until(lambda: "following" in client.get("/readyz").text, "it follows")
    assert json_lines(client.text("/readyz")) == [
        {"ready": True, "table": "orders", "health": "ok", "reason": "following 1 shard"}
    ]
    assert following.shakectl.call("status", "--check").returncode == 0
    gone = Fault(type="ResourceNotFoundException")
    sharded.fault = lambda operation, _: gone if operation.endswith(("GetRecords", "GetShardIterator")) else None

    bad = daemon.until(
        lambda: (answer := client.get("/readyz")).status == 503 and answer, "it is noticed that the source fails")
    [line] = json_lines(bad.text)
    assert not line["ready"] and line["health"] in ("degraded", "failed") and line["reason"]
    alive = client.get("/livez")
    assert alive.status == 200, "no restart would help"
    assert json_lines(alive.text)[0]["live"] is True
    daemon.until(lambda: client.metrics()['shake_table_health{table="orders",health="ok"}'] == 0, "a metric says so")

    sharded.fault = lambda *_: None
    daemon.until(lambda: client.get("/readyz").status == 200, "all is well again")


def test_a_table_that_the_daemon_was_not_started_with_is_stopped_and_has_no_lag(
    rig: Rig, sharded: ShardedSource
) -> None:
    tables = [sharded.create_table(name) for name in ("orders", "users")]
    for table in tables:
        table.put(table.open_shard(), "a", 1)
    both = Following(rig, sharded, *tables)
    daemon = both.start()
    both.wait_for(2)
    assert daemon.terminate() == 0
    following = Following(rig, sharded, tables[0], more=ADDRESS)
    daemon = following.start()
    client = HTTPClient.of(daemon)
    daemon.until(lambda: client.metrics().get('shake_table_health{table="users",health="stopped"}') == 1, "a metric says so")
    metrics = client.metrics()
    assert metrics['shake_table_health{table="users",health="ok"}'] == 0
    assert 'shake_lag_seconds{table="orders"}' in metrics and 'shake_lag_seconds{table="users"}' not in metrics
    told = {table["table"]: table for table in following.shakectl.json("status")}
    assert (told["users"]["health"], told["users"]["lag_seconds"]) == ("stopped", None)
    assert "does not follow it" in told["users"]["reason"]
    assert told["orders"]["health"] == "ok"
    assert client.get("/readyz").status == 200, "what this daemon works on is well"
    assert following.shakectl.call("status", "--check").returncode == 69


# --- The API ---


def without_times(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is of the moment of asking differs between two askings."""
    moving = {"lag_seconds", "read_seconds", "listed_seconds", "acknowledged_seconds"}
    return [{name: value for name, value in line.items() if name not in moving} for line in lines]


def test_the_api_says_what_the_commands_say(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    served.daemon.until(lambda: "following" in client.get("/readyz").text, "it follows")
    served.put(10)
    served.in_step(10)
    parent, children = served.table.split()
    served.daemon.until(
        lambda: len(client.text("/api/v1/shards").splitlines()) == 3, "the split is known")
    served.daemon.until(
        lambda: [line["status"] for line in served.shakectl.json("shards")] == ["done", "in_processing", "in_processing"],
        "it is followed")
    served.daemon.until(
        lambda: served.shakectl.json("shards")[0]["ending_sequence_number"], "the listing says where the parent ends")

    answer = client.get("/api/v1/status")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert without_times(json_lines(answer.text)) == without_times(served.shakectl.json("status"))
    assert [*json_lines(answer.text)[0]] == [*served.statuses()[0]], "the fields, and their order"
    shards = json_lines(client.text("/api/v1/shards?table=orders"))
    assert without_times(shards) == without_times(served.shakectl.json("shards", "orders"))

    # What no longer changes is the same to the byte.
    for path, command in [
        (f"history/{parent}", ["history", parent]),
        (f"history/{parent}?limit=3&reverse=1", ["history", parent, "--limit", "3", "--reverse"]),
        (f"history/orders%2F{parent}?event=status_changed&event=faulted",
         ["history", f"orders/{parent}", "--event", "status_changed", "--event", "faulted"]),
        (f"history/{parent}?since=1h", ["history", parent, "--since", "1h"]),
        (f"state/{parent}", ["state", parent]),
        (f"state/orders/{parent}", ["state", parent]),
    ]:
        assert client.text(f"/api/v1/{path}") == served.shakectl.text(*command, "--json"), path
    position = served.shakectl.json("history", parent)[2]["position"]
    assert client.text(f"/api/v1/state/{parent}?at={position}") == served.shakectl.text(
        "state", parent, "--at", str(position), "--json")


def test_what_can_not_be_answered_says_why(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    served.daemon.until(lambda: "following" in client.get("/readyz").text, "it follows")
    shard = served.shakectl.json("shards")[0]["shard"]
    for path, status, word in [
        ("/nothing", 404, "/api/v1/status"), ("/api/v1/state/nosuchshard", 404, "nosuchshard"),
        ("/api/v1/shards?table=orderz", 404, "did you mean 'orders'"), ("/api/v1/status?tabel=x", 400, "tabel"),
        (f"/api/v1/history/{shard}?limit=0", 400, "limit"), (f"/api/v1/history/{shard}?since=yesterday", 400, "since"),
        (f"/api/v1/history/{shard}?event=rewind", 400, "did you mean 'rewound'"),
        (f"/api/v1/state/{shard}?at=soon", 400, "at expects"), (f"/api/v1/state/{shard}?at=99999", 404, "99999"),
        ("/api/v1/events?after=x", 400, "position"),
    ]:
        answer = client.get(path)
        assert (answer.status, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8"), (path, answer)
        assert word in answer.text, (path, answer.text)
    posted = client.get("/api/v1/status", method="POST")
    assert posted.status == 405 and posted.headers["allow"] == "GET, HEAD"
    head = client.get("/metrics", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) > 1000


# --- The page, and who may ask ---


def test_the_page_comes_with_a_policy_that_lets_nothing_else_in(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    for path, kind, file in [
        ("/", "text/html; charset=utf-8", "page.html"), ("/page.css", "text/css; charset=utf-8", "page.css"),
        ("/page.js", "text/javascript; charset=utf-8", "page.js"),
    ]:
        answer = client.get(path)
        assert answer.status == 200 and answer.headers["content-type"] == kind
        assert answer.body == (MONITORING.parents[1] / "Sources/StatusServer/Page" / file).read_bytes()
    for path in ("/", "/metrics", "/livez", "/nothing", "/api/v1/status"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_name_of_elsewhere_that_leads_here_is_refused(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    for path in ("/", "/livez", "/metrics", "/api/v1/status", "/api/v1/events"):
        refused = client.get(path, Host=f"evil.example:{client.port}")
        assert refused.status == 403 and "Host" in refused.text
    for host in (f"localhost:{client.port}", f"127.0.0.1:{client.port}", f"[::1]:{client.port}", "localhost:8080"):
        assert client.get("/livez", Host=host).status == 200


def test_a_token_is_needed_for_all_but_livez(rig: Rig, simulator: StreamSim) -> None:
    file = rig.folder / "token"
    file.write_text(TOKEN + "\n")
    served = Served(rig, simulator, "--http", "0.0.0.0:0", "--http-token-file", str(file), http=False)
    stranger = HTTPClient.of(served.daemon)
    assert stranger.get("/livez").status == 200
    for path in ("/", "/page.js", "/readyz", "/metrics", "/api/v1/status", "/api/v1/events"):
        refused = stranger.get(path)
        assert refused.status == 401 and refused.headers["www-authenticate"] == "Bearer"
        assert HTTPClient(stranger.port, TOKEN[:-1]).get(path).status == 401
    friend = HTTPClient(stranger.port, TOKEN)
    assert friend.get("/metrics", Host="shake.example").status == 200
    assert friend.get("/").status == 200
    assert TOKEN not in served.daemon.log


def test_others_are_served_only_with_a_token(rig: Rig, simulator: StreamSim) -> None:
    follower = Follower(rig, "sqlite", simulator.create_table("orders"))
    rig.source = simulator  # type: ignore[assignment]
    (rig.folder / "short").write_text("short\n")
    for arguments, word in [
        (("--http", "0.0.0.0:0"), "--http-token-file"), (("--http", "[::]:0"), "needs a token"),
        (("--http", "0.0.0.0:0", "--http-token-file", str(rig.folder / "none")), "no such file"),
        (("--http", "0.0.0.0:0", "--http-token-file", str(rig.folder / "short")), "16 or more"),
        (("--http-token-file", str(rig.folder / "short")), "--http"),
    ]:
        refused = follower.attempt(*arguments)
        assert refused.returncode == 78 and word in refused.stderr, (arguments, refused)
        assert not pathlib.Path(follower.shakectl.journal).exists(), "nothing is made"


def test_the_configuration_says_it_too(rig: Rig, simulator: StreamSim) -> None:
    simulator.create_table("orders")
    file = rig.folder / "shake.yaml"
    (rig.folder / "token").write_text(TOKEN)
    for http, token in [("127.0.0.1:0", None), (f"{{address: '127.0.0.1:0', token_file: {rig.folder}/token}}", TOKEN)]:
        file.write_text(
            f"tables: [orders]\ntarget: sqlite:{rig.folder}/replica.db\nhttp: {http}\n"
            f"source: {{endpoint: '{simulator.endpoint}', region: us-east-1}}\n"
        )
        shakectl = rig.shakectl()
        daemon = Daemon(
            [shakectl.binary, "run", "--config", str(file), "--journal", shakectl.journal], shakectl.environment,
            str(rig.folder / f"log-{token}"))
        rig.watch(daemon)
        assert HTTPClient.of(daemon, token).get("/metrics").status == 200
        assert daemon.terminate() == 0


# --- Events ---


def test_events_come_as_they_happen_and_go_on_where_the_client_left_off(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    served.daemon.until(lambda: "following" in client.get("/readyz").text, "it follows")
    stream = client.events()
    assert stream.begin() == 200
    assert stream.header("Content-Type") == "text/event-stream"
    messages = stream.messages()
    first = next(message for message in messages if message.event == "status")
    assert first.id is None
    assert [table["table"] for table in json.loads(first.data)] == ["orders"], "how the tables are comes at once"
    served.put(3)
    event = next(message for message in messages if message.event == "journal")
    assert json.loads(event.data)["position"] == int(event.id or 0)
    stream.close()

    served.put(3)
    served.daemon.until(
        lambda: served.follower.events()[-1]["position"] > int(event.id or 0), "more has happened")
    whole = served.shakectl.text("tail", "--json").splitlines()
    missed = [line for line in whole if json.loads(line)["position"] > int(event.id or 0)]
    assert missed
    stream = client.events("/api/v1/events?after=1", Last_Event_ID=event.id or "")
    stream.begin()
    journal = (message for message in stream.messages() if message.event == "journal")
    assert [next(journal).data for _ in missed] == missed, "the very lines of tail, each once"
    stream.close()

    everything = client.events("/api/v1/events?after=0")
    everything.begin()
    journal = (message for message in everything.messages() if message.event == "journal")
    assert [next(journal).data for _ in whole] == whole
    everything.close()


def test_a_position_that_is_still_to_come_misses_nothing(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    served.daemon.until(lambda: "following" in client.get("/readyz").text, "it follows")
    stream = client.events(Last_Event_ID="999999999")
    stream.begin()
    messages = stream.messages()
    next(messages)
    served.put(1)
    assert next(message for message in messages if message.event == "journal")
    stream.close()


def test_so_many_follow_the_events_and_one_more_is_refused(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    streams = [client.events() for _ in range(16)]
    assert [stream.begin() for stream in streams] == [200] * 16
    refused = client.get("/api/v1/events")
    assert refused.status == 503 and refused.headers["retry-after"]
    assert client.get("/metrics").status == 200, "others are served"
    streams.pop().close()
    served.daemon.until(lambda: reopened(client), "the place is free again")
    for stream in streams:
        stream.close()


def reopened(client: HTTPClient) -> bool:
    stream = client.events()
    try:
        return stream.begin() == 200
    finally:
        stream.close()


def test_a_client_that_takes_nothing_is_dropped_and_holds_nobody_up(rig: Rig, simulator: StreamSim) -> None:
    simulator.settings(shards=1000)
    served = Served(rig, simulator)
    client = HTTPClient.of(served.daemon)
    served.daemon.until(
        lambda: client.metrics().get('shake_shards{table="orders",status="in_processing"}') == 1000, "all are read",
        deadline=90)
    slow = EventStream(client.port, "/api/v1/events?after=0", {}, receive_buffer=4096)
    port = slow.socket.getsockname()[1]
    served.daemon.until(lambda: is_held(client.port, port), "it is served")
    assert client.get("/livez").status == 200
    served.daemon.until(lambda: not is_held(client.port, port), "its connection is closed", deadline=60)
    slow.close()
    assert client.get("/readyz").status in (200, 503)
    served.put(5)
    served.in_step(5)


class Trickler:
    """Holds a connection as long as it can: says what was given to it, and then a byte now and then."""

    def __init__(self, port: int, head: str, drop: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(head.encode())
        self._drop = drop

    def trickle(self) -> bool:
        """Whether it is still let."""
        try:
            self.socket.sendall(self._drop)
            self.socket.setblocking(False)
            return self.socket.recv(65536) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.socket.setblocking(True)


BODY = "POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
CHUNKS = "GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
HEAD = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Much: "


@pytest.mark.parametrize(("head", "drop"), [(BODY, b"a"), (CHUNKS, b"1\r\na\r\n"), (HEAD, b"a"), ("", b"")])
def test_whoever_trickles_holds_no_place(rig: Rig, simulator: StreamSim, head: str, drop: bytes) -> None:
    token = write(rig.folder / "token", TOKEN)
    served = Served(rig, simulator, "--http", "127.0.0.1:0", "--http-token-file", token, http=False)
    client = HTTPClient.of(served.daemon)
    tricklers = [Trickler(client.port, head, drop) for _ in range(128)]
    for _ in range(3):
        [trickler.trickle() for trickler in tricklers]
        assert client.get("/livez").status == 200
    served.daemon.until(
        lambda: not [True for trickler in tricklers if trickler.trickle()], "none of them is let go on", deadline=60)
    assert HTTPClient(client.port, TOKEN).get("/metrics").status == 200
    for trickler in tricklers:
        trickler.socket.close()


def test_a_body_is_refused_at_once(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    for head in (BODY, CHUNKS):
        trickler = Trickler(client.port, head, b"")
        answer = b""
        while part := trickler.socket.recv(65536):
            answer += part
        assert answer.startswith(b"HTTP/1.1 413 ") and b"takes a body" in answer, answer
        trickler.socket.close()
    # Behind another request it is refused after that one's answer.
    both = Trickler(client.port, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n" + BODY, b"")
    answer = b""
    while part := both.socket.recv(65536):
        answer += part
    assert re.findall(rb"HTTP/1.1 (\d+)", answer)[1] == b"413", answer
    both.socket.close()


UPGRADE = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n"
NO_HTTP = "\x00\r\n\r\n"
QUESTIONS = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000


@pytest.mark.parametrize(
    "more", [BODY, CHUNKS, UPGRADE, NO_HTTP, QUESTIONS], ids=["body", "chunks", "upgrade", "no-http", "questions"])
def test_what_is_said_behind_events_is_left_with_the_client(served: Served, more: str) -> None:
    client = HTTPClient.of(served.daemon)
    stream = client.events()
    assert stream.begin() == 200
    messages = (message for message in stream.messages() if message.event == "status")
    held = is_held_back(stream.socket, more, lambda: next(messages))
    assert held, "the client would be read from for as long as the events last"
    port = stream.socket.getsockname()[1]
    assert is_held(client.port, port)
    stream.close()
    served.daemon.until(lambda: not is_held(client.port, port), "that the client has gone is noticed")


def is_held_back(connection: socket.socket, head: str, wait: Callable[[], object]) -> bool:
    """Whether one who says much more has to wait: nothing of it goes at three times one after the other."""
    connection.sendall(head.encode())
    drop = {CHUNKS: b"10000\r\n" + b"a" * 65536 + b"\r\n", QUESTIONS: QUESTIONS.encode()}.get(head, b"a" * 65536)
    sent, still, rest = 0, 0, b""
    while still < 3 and sent < 64 << 20:
        wait()
        before = sent
        connection.setblocking(False)
        try:
            # No more than that at a time: the events have to be taken as well.
            while sent < before + (16 << 20):
                rest = rest or drop
                count = connection.send(rest)
                sent, rest = sent + count, rest[count:]
        except BlockingIOError:
            pass
        finally:
            connection.settimeout(30)
        still = still + 1 if sent == before else 0
    return still == 3


@pytest.mark.parametrize(
    "head", [UPGRADE, UPGRADE.replace("GET /livez", "CONNECT localhost:1")], ids=["upgrade", "connect"])
def test_another_protocol_is_not_gone_over_to(served: Served, head: str) -> None:
    client = HTTPClient.of(served.daemon)
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
        connection.sendall(head.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 4")) and b"connection: close" in answer.lower(), answer


def test_what_comes_of_another_protocol_is_not_kept(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    sent = 0
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
        connection.sendall(UPGRADE.encode())
        try:
            while sent < 64 << 20:
                sent += connection.send(b"a" * 65536)
        except OSError:
            pass  # it is closed
    assert sent < 64 << 20


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_a_connection_over_ipv6_has_one_answer_after_the_other(rig: Rig, simulator: StreamSim) -> None:
    served = Served(rig, simulator, "--http", "[::1]:0", http=False)
    port = HTTPClient.of(served.daemon).port
    assert f"address=[::1]:{port}" in served.daemon.log
    served.in_step(0)  # before that the journal knows no table, and an answer may be empty
    connection = http.client.HTTPConnection("::1", port, timeout=30)
    connection.connect()
    first = connection.sock
    for path in ("/livez", "/metrics", "/api/v1/status"):
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.status == 200 and not reply.will_close, (path, reply.status)
        assert reply.read(), path
        assert connection.sock is first, "it is the same connection"
    connection.close()


def test_who_ends_its_own_side_first_has_the_whole_answer(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    whole = client.get("/page.js").body
    with socket.socket() as connection:
        # Little of it is on its way at a time.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", client.port))
        connection.sendall(b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert answer.count(whole) == 4


# --- Beginning and ending ---


def test_a_port_that_is_taken_is_an_error_that_says_so(rig: Rig, simulator: StreamSim) -> None:
    rig.source = simulator  # type: ignore[assignment]
    follower = Follower(rig, "sqlite", simulator.create_table("orders"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = follower.attempt("--http", f"127.0.0.1:{port}")
    assert refused.returncode == 73
    assert f"127.0.0.1:{port}" in refused.stderr and "another port" in refused.stderr
    daemon = follower.start()
    daemon.until(lambda: " started " in daemon.log, "what was left behind is gone on with")
    follower.stop()
    elsewhere = follower.attempt("--http", "203.0.113.7:0", "--http-token-file", write(rig.folder / "token", TOKEN))
    assert elsewhere.returncode == 73 and "no such address" in elsewhere.stderr


def write(path: pathlib.Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_who_still_reads_does_not_delay_the_end(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    streams = [client.events() for _ in range(4)]
    assert [stream.begin() for stream in streams] == [200] * 4
    half = socket.create_connection(("127.0.0.1", client.port))
    half.sendall(b"GET /metrics HT")
    served.follower.stop()
    assert served.follower.events()[-1]["event"] == "run_stopped"
    for stream in streams:
        stream.close()
    half.close()


def test_a_second_signal_ends_at_once_whoever_is_served(rig: Rig, simulator: StreamSim) -> None:
    served = Served(rig, simulator)
    client = HTTPClient.of(served.daemon)
    stream = client.events()
    assert stream.begin() == 200
    served.simulator.settings(longest_delay_ms=20_000)
    served.simulator.fault("GetRecords", "delay")
    served.daemon.process.send_signal(signal.SIGTERM)
    served.daemon.until(lambda: "a second signal ends at once" in served.daemon.log, "it is stopping")
    if served.daemon.is_running:
        served.daemon.process.send_signal(signal.SIGTERM)
    assert served.daemon.wait() in (0, 128 + signal.SIGTERM)
    stream.close()


def test_a_server_that_fails_is_said_and_begun_again_and_stops_nothing_else(rig: Rig, simulator: StreamSim) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("connections that can't be accepted are made with a C compiler, and there is no cc")
    library, fails = rig.folder / "failingaccept.so", rig.folder / "fails"
    source = pathlib.Path(__file__).with_name("failingaccept.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl"], check=True)
    served = Served(rig, simulator, prefix=["env", f"LD_PRELOAD={library}", f"SHAKE_ACCEPT_FAILS={fails}"])
    client = HTTPClient.of(served.daemon)
    served.daemon.until(lambda: "following" in client.get("/readyz").text, "it follows")
    served.put(3)
    served.in_step(3)

    # Somebody follows the events, and would for ever.
    watching = EventStream(client.port, "/api/v1/events?after=0", {})
    assert watching.begin() == 200
    fails.touch()
    held = socket.create_connection(("127.0.0.1", client.port))
    served.daemon.until(lambda: "the HTTP server has ended" in served.daemon.log, "it is said")
    assert "the tables are followed on" in served.daemon.log
    served.put(5)
    served.in_step(8)
    held.close()
    fails.unlink()

    def answers() -> bool:
        try:
            return client.get("/livez").status == 200
        except OSError:
            return False

    served.daemon.until(answers, "it answers again, at the same port")
    watching.socket.close()
    served.put(2)
    served.in_step(10)
    served.follower.stop()
    assert served.follower.events()[-1]["event"] == "run_stopped"


def test_without_the_option_nobody_is_served(rig: Rig, simulator: StreamSim) -> None:
    served = Served(rig, simulator, http=False)
    served.daemon.until(lambda: bool(served.statuses()), "it works")
    assert "serving over HTTP" not in served.daemon.log
    assert not [line for line in listening(served.daemon.pid)]


def is_held(server: int, client: int) -> bool:
    """Whether a process has the server's end of a connection open, and not only the kernel."""
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return any(
        line[1].endswith(f":{server:04X}") and line[2].endswith(f":{client:04X}") and line[9] != "0" for line in lines)


def listening(pid: int) -> list[str]:
    """Sockets of a process that listen, by /proc/net/tcp."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return [line for line in lines if line.split()[3] == "0A" and line.split()[9] in inodes]


# --- What Prometheus and Grafana are given ---


def expressions() -> dict[str, str]:
    """Of the alerts and of the dashboard, each under its name."""
    alerts = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    found = {rule["alert"]: rule["expr"] for group in alerts["groups"] for rule in group["rules"]}
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        found[annotation["name"]] = annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            selector = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
            assert selector
            found[f"${variable['name']}"] = f"count by ({selector[2]}) ({selector[1]})"
    return found


def plain(expression: str) -> str:
    """As Grafana asks Prometheus."""
    return re.sub(r"\$(job|instance|table)\b", ".*", expression).replace("$__rate_interval", "1m")


def test_the_alerts_are_what_their_tests_say() -> None:
    promtool("check", "rules", str(MONITORING / "alerts.yml"))
    promtool("test", "rules", str(MONITORING / "alerts_test.yml"))


def test_each_alert_has_a_test_that_sees_it() -> None:
    told = (MONITORING / "alerts_test.yml").read_text(encoding="utf-8")
    alerts = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    for rule in alerts["groups"][0]["rules"]:
        assert re.search(rf'(alertname: |alertname=")({rule["alert"]})\b', told), f"{rule['alert']} has no test"


def test_each_expression_of_the_dashboard_can_be_read(tmp_path: pathlib.Path) -> None:
    rules = [{"record": "a:b", "expr": plain(expression), "labels": {"of": name}} for name, expression in expressions().items()]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", str(path))


def test_each_metric_that_is_asked_for_is_one_that_a_daemon_has(served: Served) -> None:
    client = HTTPClient.of(served.daemon)
    answer = client.text("/metrics")
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", answer, re.MULTILINE))
    labels: dict[str, set[str]] = {}
    served.daemon.until(lambda: client.metrics().get('shake_records_applied_total{table="orders"}') is not None, "it works")
    for name in client.metrics():
        metric, _, rest = name.partition("{")
        labels.setdefault(metric, set()).update(re.findall(r'(\w+)="', rest))
    for where, expression in expressions().items():
        for metric in re.findall(r"\b(?:shake|process)_\w+", expression):
            base = re.sub(r"_(bucket|sum|count)$", "", metric)
            assert kinds.get(metric) or kinds.get(base) == "histogram", f"{where} asks for {metric}, which no daemon has"
            assert kinds.get(base) != "counter" or re.search(rf"(rate|changes|increase)\({metric}", expression), where
    documented = set(re.findall(r"`((?:shake|process)_\w+)[`{]", (MONITORING.parent / "OPERATING.md").read_text()))
    assert documented == set(kinds), "docs/OPERATING.md names each of them, and no other"


def test_prometheus_itself_collects_and_draws_each_panel(served: Served, tmp_path: pathlib.Path) -> None:
    program = shutil.which("prometheus")
    if not program:
        pytest.skip("there is promtool only")
    client = HTTPClient.of(served.daemon)
    served.simulator.steady_load("orders", 50)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    job = {
        "job_name": "shake", "scrape_interval": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{client.port}"]}],
    }
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"scrape_configs": [job], "rule_files": [str(MONITORING / "alerts.yml")]}))
    with open(tmp_path / "log", "wb") as log:
        prometheus = subprocess.Popen(
            [program, f"--config.file={file}", f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log)
    server = HTTPClient(port)
    try:
        def asked(expression: str) -> list[Any]:
            answer = json.loads(server.get(f"/api/v1/query?{urlencode({'query': expression})}").body)
            assert answer["status"] == "success", (expression, answer)
            return answer["data"]["result"]

        def is_up() -> bool:
            try:
                return bool(asked('up{job="shake"} == 1 and changes(shake_journal_events_total[1m]) > 2'))
            except (OSError, ValueError):
                return False  # it is starting

        served.daemon.until(is_up, "it is collected", deadline=60)
        # Nothing is wrong, no scan is under way, and no alert is on.
        quiet = {"Health A", "Starts", "Calls that failed A", "Share of the items scanned A", "Segments left A"}
        alerts = {name for name in expressions() if name.startswith("Shake")}
        for name, expression in expressions().items():
            found = asked(plain(expression))
            assert bool(found) != (name in quiet or name in alerts), (name, expression, found)
    finally:
        prometheus.terminate()
        prometheus.wait(30)
