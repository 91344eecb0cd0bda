"""Runs what is measured as processes of its own, and asks the kernel what each of them took."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

# Credentials that sign requests to the local endpoint, and nothing of the user's own configuration or proxies.
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "*",
}

# Kills the child, should this process die before it could.
LEASH = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


class Failed(Exception):
    """A program that was to be measured could not do its work."""


@dataclass(frozen=True)
class Finished:
    """A process that ended well: its output, and what `wait4` says that it took, start-up included."""

    output: str
    seconds: float
    cpu: float
    """User and system seconds of all its threads."""
    peak_bytes: int
    """Peak resident memory; mapped files count."""

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.output)


def run(command: list[str], deadline: float = 600) -> Finished:
    """Runs `command` to its end.

    Raises Failed with what it said on standard error where it exits with anything but 0.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen(
            [*LEASH, *command], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        previous = signal.signal(signal.SIGALRM, lambda *_: process.kill())
        signal.setitimer(signal.ITIMER_REAL, deadline)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            if process.returncode is None:
                process.kill()
                process.wait()
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise Failed(f"{' '.join(command)}\nexit {process.returncode}: {err.read()[-4000:]}")
        return Finished(out.read(), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


class Endpoint:
    """A local endpoint that says in its first line what it is, for as long as the `with` block lasts."""

    def __init__(self, binary: str, *options: str) -> None:
        self._command = [*LEASH, binary, *options]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            raise Failed(f"{' '.join(self._command)} did not start: exit {self._process.wait()}")
        self.started(line)
        return self

    def started(self, line: str) -> None:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()


class PageServer(Endpoint):
    """DynamoDB and its streams."""

    def started(self, line: str) -> None:
        facts = json.loads(line)
        self.url = f"http://127.0.0.1:{facts['port']}"
        self.pages: int = facts["pages"]
        self.records: int = facts["records"]
        self.shard: str = facts["shard"]
        self.iterator: str = facts["iterator"]
        self.item_pages: int = facts["item_pages"]
        self.items: int = facts["items"]


class MongoSink(Endpoint):
    """A MongoDB that keeps nothing."""

    def started(self, line: str) -> None:
        self.url = line


class Watcher:
    """Somebody who looks at a daemon at `address`, from when it serves there until it is gone; `facts` then says how often."""

    def __init__(self, script: str, interval: float) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.facts: dict[str, Any] = {}
        self._command = [*LEASH, sys.executable, script, str(port), str(interval)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:  # no daemon may ever have served there
            self._process.kill()
        output, _ = self._process.communicate()
        if not error:
            self.facts = json.loads(output)
