"""Serves the daemon's page, and answers what it asks, as `shakectl run --http` does: for work on the page, and for answers that
no daemon would give.

    python Tests/EndToEndTests/pageserver.py JOURNAL [--shakectl PROGRAM] [--port N]

serves a journal to a browser, with the page as it lies in the checkout.
"""

from __future__ import annotations

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = pathlib.Path(__file__).parents[2] / "Sources" / "StatusServer" / "Page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
STATUS_EVERY = 2.0  # seconds


class Answers(Protocol):
    """Where lines of JSON come from."""

    def lines(self, kind: str, subject: str, query: dict[str, list[str]]) -> tuple[int, bytes]:
        """The HTTP status, and the body."""

    def journal(self, ended: threading.Event) -> Iterator[str]:
        """The lines of `tail` as they come, until `ended` is set."""


class CommandAnswers:
    """What the commands say of a journal."""

    def __init__(self, binary: str, journal: str | os.PathLike[str]) -> None:
        self._binary = binary
        self._journal = os.fspath(journal)

    def _command(self, *arguments: str) -> list[str]:
        return [self._binary, *arguments, "--json", "--journal", self._journal]

    def lines(self, kind: str, subject: str, query: dict[str, list[str]]) -> tuple[int, bytes]:
        match kind:
            case "status":
                arguments = ["status"]
            case "shards":
                arguments = ["shards", *query.get("table", [])]
            case "state":
                arguments = ["state", subject]
            case "history":
                arguments = ["history", subject]
                for name in ("limit", "since", "event"):
                    arguments += [word for value in query.get(name, []) for word in (f"--{name}", value)]
                arguments += ["--reverse"] if query.get("reverse") == ["1"] else []
            case _:
                return 404, b"no such answer\n"
        done = subprocess.run(self._command(*arguments), capture_output=True, stdin=subprocess.DEVNULL)
        return (200, done.stdout) if done.returncode == 0 else (404 if done.returncode == 64 else 503, done.stderr)

    def journal(self, ended: threading.Event) -> Iterator[str]:
        tail = subprocess.Popen(
            self._command("tail", "--follow", "--limit", "0"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, text=True,
        )
        threading.Thread(target=lambda: (ended.wait(), tail.kill()), daemon=True).start()
        assert tail.stdout is not None
        for line in tail.stdout:
            yield line.rstrip("\n")
        tail.wait()


class CannedAnswers:
    """Lines that a test has made up. `say` adds to the journal while it is followed."""

    def __init__(
        self, status: list[dict[str, Any]], shards: list[dict[str, Any]] | None = None,
        histories: dict[str, list[dict[str, Any]]] | None = None,
        states: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.status = status
        self.shards = shards or []
        self.histories = histories or {}  # each oldest first
        self.states = states or {}
        self._followers: list[queue.Queue[str | None]] = []

    def lines(self, kind: str, subject: str, query: dict[str, list[str]]) -> tuple[int, bytes]:
        match kind:
            case "status":
                objects = self.status
            case "shards":
                objects = [line for line in self.shards if line["table"] in query.get("table", [line["table"]])]
            case "state" if subject in self.states:
                objects = [self.states[subject]]
            case "history" if subject in self.histories or any(line["shard"] == subject for line in self.shards):
                objects = self.histories.get(subject, [])
                if kinds := query.get("event"):
                    objects = [line for line in objects if line["event"] in kinds]
                objects = objects[::-1] if query.get("reverse") == ["1"] else objects
                objects = objects[: int(query.get("limit", ["1000000"])[0])]
            case _:
                return 404, b"no such answer\n"
        return 200, "".join(json.dumps(line) + "\n" for line in objects).encode()

    def is_followed(self) -> bool:
        """What is said before that, nobody hears."""
        return bool(self._followers)

    def say(self, event: dict[str, Any]) -> None:
        for follower in self._followers:
            follower.put(json.dumps(event))

    def journal(self, ended: threading.Event) -> Iterator[str]:
        follower: queue.Queue[str | None] = queue.Queue()
        self._followers.append(follower)
        threading.Thread(target=lambda: (ended.wait(), follower.put(None)), daemon=True).start()
        while (line := follower.get()) is not None:
            yield line
        self._followers.remove(follower)


class PageServer:
    def __init__(self, answers: Answers, port: int = 0) -> None:
        self.answers = answers
        self._port = port
        self.start()

    def start(self) -> None:
        """Again on the same port, if it was stopped."""
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self.answers, self._ended))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self.url = f"http://127.0.0.1:{self._port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    close = stop


def _handler(answers: Answers, ended: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path in FILES:
                name, kind = FILES[asked.path]
                return self._answer(200, kind, (PAGE / name).read_bytes())
            words = asked.path.split("/")
            if words[:3] != ["", "api", "v1"] or len(words) not in (4, 5):
                return self._answer(404, "text/plain", b"nothing here\n")
            if words[3] == "events":
                return self._events()
            subject = unquote(words[4]) if len(words) == 5 else ""
            status, body = answers.lines(words[3], subject, parse_qs(asked.query))
            self._answer(status, "application/x-ndjson" if status == 200 else "text/plain; charset=utf-8", body)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self._headers(kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the page was left

        def _headers(self, kind: str) -> None:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")

        def _events(self) -> None:
            self.close_connection = True
            self.send_response(200)
            self._headers("text/event-stream")
            self.end_headers()
            gone = threading.Event()
            lock = threading.Lock()

            def send(text: str) -> None:
                try:
                    with lock:
                        self.wfile.write(text.encode())
                        self.wfile.flush()
                except OSError:
                    gone.set()

            def statuses() -> None:
                while not (gone.is_set() or ended.is_set()):
                    status, body = answers.lines("status", "", {})
                    if status == 200:
                        lines = [json.loads(line) for line in body.decode().split("\n") if line]
                        send(f"event: status\ndata: {json.dumps(lines)}\n\n")
                    gone.wait(STATUS_EVERY)

            threading.Thread(target=statuses, daemon=True).start()
            threading.Thread(target=lambda: (ended.wait(), gone.set()), daemon=True).start()
            for line in answers.journal(gone):
                send(f"event: journal\nid: {json.loads(line)['position']}\ndata: {line}\n\n")
                if gone.is_set():
                    break
            gone.wait()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("journal")
    parser.add_argument("--shakectl", default="shakectl")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = PageServer(CommandAnswers(options.shakectl, options.journal), options.port)
    print(server.url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
