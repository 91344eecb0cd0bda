"""Asks a daemon over HTTP as its clients do, through no proxy of the user's shell."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from shake import Daemon, until


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class HTTPClient:
    def __init__(self, port: int, token: str | None = None) -> None:
        self.port = port
        self._token = token

    @staticmethod
    def of(daemon: Daemon, token: str | None = None) -> HTTPClient:
        """Waits until the daemon says where it serves."""

        def port() -> int | None:
            found = re.findall(r"serving over HTTP address=\S+:(\d+)", daemon.log)
            return int(found[-1]) if found else None

        return HTTPClient(daemon.until(port, "it serves over HTTP") or 0, token)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            if self._token is not None:
                sent.setdefault("Authorization", f"Bearer {self._token}")
            connection.request(method, path, headers=sent)
            reply = connection.getresponse()
            return Answer(reply.status, {n.lower(): v for n, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer.text

    def metrics(self) -> dict[str, float]:
        """Each sample under its name and labels, as they stand there."""
        lines = [line for line in self.text("/metrics").split("\n") if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def events(self, path: str = "/api/v1/events", **headers: str) -> EventStream:
        return EventStream(self.port, path, headers)


@dataclass(frozen=True)
class Message:
    event: str
    id: str | None
    data: str


class EventStream:
    """What a browser's EventSource does, a message at a time."""

    def __init__(self, port: int, path: str, headers: dict[str, str], receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Accept: text/event-stream"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._reply = http.client.HTTPResponse(self.socket)

    def begin(self) -> int:
        """Reads the head, and gives its status."""
        self._reply.begin()
        return self._reply.status

    def header(self, name: str) -> str | None:
        return self._reply.getheader(name)

    def messages(self) -> Iterator[Message]:
        fields: dict[str, str] = {}
        while line := self._reply.readline().decode():
            if line != "\n":
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value
            elif fields:
                yield Message(fields.get("event", "message"), fields.get("id"), fields["data"])
                fields = {}

    def close(self) -> None:
        self._reply.close()
        self.socket.close()


__all__ = ["Answer", "EventStream", "HTTPClient", "Message", "until"]
