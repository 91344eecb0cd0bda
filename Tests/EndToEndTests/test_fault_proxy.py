"""The proxy with faults, judged by sockets, and by a client of a server behind it."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from faultproxy import ProxyProcess
from pymongo import MongoClient
from throwaway import MongoStandin


class Echo(socketserver.ThreadingTCPServer):
    """Answers with what it got, and remembers it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.got = b""
        self.arrived = threading.Condition()
        super().__init__(("127.0.0.1", 0), Answer)

    def wait_for(self, data: bytes) -> bool:
        with self.arrived:
            return self.arrived.wait_for(lambda: self.got == data, timeout=10)


class Answer(socketserver.BaseRequestHandler):
    server: Echo

    def handle(self) -> None:
        try:
            while data := self.request.recv(65536):
                with self.server.arrived:
                    self.server.got += data
                    self.server.arrived.notify_all()
                self.request.sendall(data)
        except ConnectionError:
            pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[ProxyProcess]:
    proxy = ProxyProcess("127.0.0.1", echo.server_address[1])
    yield proxy
    assert proxy.close() == 0


def connect(proxy: ProxyProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def received(connection: socket.socket) -> bytes:
    """All that comes until the connection ends."""
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionError:
        pass
    return found


def exchange(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    found = b""
    while len(found) < len(data):
        found += connection.recv(65536) or pytest.fail("the connection ended")
    return found


def test_without_a_fault_all_is_passed_on(proxy: ProxyProcess) -> None:
    data = bytes(range(256)) * 2000
    with connect(proxy) as connection:
        threading.Thread(target=connection.sendall, args=(data,)).start()
        found = b""
        while len(found) < len(data):
            found += connection.recv(65536)
        assert found == data
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b""
    assert proxy.say("count").split()[1] == "1"


def test_a_cut_lets_exactly_so_many_bytes_through(proxy: ProxyProcess, echo: Echo) -> None:
    with connect(proxy) as connection:
        assert exchange(connection, b"first") == b"first"
        proxy.say("cut client 3")
        connection.sendall(b"second")
        received(connection)
    assert echo.wait_for(b"firstsec")
    proxy.say("cut server 4")
    with connect(proxy) as connection:
        connection.sendall(b"answer")
        assert received(connection) == b"answ"
    with connect(proxy) as connection:
        assert exchange(connection, b"healed") == b"healed"


def test_a_swallowed_answer_leaves_the_effect(proxy: ProxyProcess, echo: Echo) -> None:
    with connect(proxy) as other, connect(proxy) as connection:
        proxy.say("swallow commit")
        assert exchange(other, b"begin") == b"begin"
        connection.sendall(b"commit")
        assert received(connection) == b""
        assert echo.wait_for(b"begincommit")
        assert exchange(other, b"more") == b"more"


def test_what_is_frozen_arrives_when_it_thaws(proxy: ProxyProcess) -> None:
    with connect(proxy) as connection:
        exchange(connection, b"x")
        proxy.say("freeze")
        connection.sendall(b"late")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        connection.settimeout(10)
        proxy.say("thaw")
        assert connection.recv(10) == b"late"


def test_refused_and_reset_until_it_heals(proxy: ProxyProcess) -> None:
    with connect(proxy) as connection:
        exchange(connection, b"x")
        proxy.say("refuse")
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        exchange(connection, b"still open")
        proxy.say("reset")
        assert received(connection) == b""
    proxy.say("heal")
    with connect(proxy) as connection:
        assert exchange(connection, b"again") == b"again"
    with pytest.raises(RuntimeError):
        proxy.say("cut both 1")


def test_a_write_whose_answer_is_lost_on_the_way_is_done_once() -> None:
    server = MongoStandin("--topology", "replica-set")
    address, _, options = server.url.removeprefix("mongodb://127.0.0.1:").partition("/")
    proxy = ProxyProcess("127.0.0.1", int(address))
    # Directly, since the server's own greeting leads around the proxy.
    client: MongoClient[Any] = MongoClient(f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true")
    items = client["shop"]["items"]
    items.insert_one({"_id": 1, "n": 0})
    proxy.say("swallow $inc")
    assert items.update_one({"_id": 1}, {"$inc": {"n": 1}}).modified_count == 1
    assert items.find_one() == {"_id": 1, "n": 1}
    assert options
    client.close()
    proxy.close()
    server.close()
