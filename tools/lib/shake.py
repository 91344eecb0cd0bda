"""Runs the real `shakectl` as a user would: commands that end, and the daemon as a process that can be killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from localsource import REGION, clean_environment

T = TypeVar("T")

# A guard against hanging, not a measure of anything: a busy machine may take long.
PATIENCE = 60.0


class Impatience(AssertionError):
    """Something that had to become true did not, within its deadline."""


def until(condition: Callable[[], T], what: str, *, deadline: float = PATIENCE, every: float = 0.02) -> T:
    """Asks `condition` again and again until it gives something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Impatience(f"after {deadline:.0f} s still not: {what}")
        time.sleep(every)


def json_lines(text: str) -> list[dict[str, Any]]:
    """The objects of JSON Lines. A line ends at a line feed only: a key may hold what Python takes for a line's end."""
    return [json.loads(line) for line in text.split("\n") if line]


class Source(Protocol):
    """Whatever answers as DynamoDB does."""

    endpoint: str


def run_arguments(source: Source, *more: str) -> tuple[str, ...]:
    return ("run", "--source-endpoint", source.endpoint, "--region", REGION, *more)


class Shakectl:
    """The program, one journal and one environment."""

    def __init__(self, binary: str, journal: str | os.PathLike[str], environment: dict[str, str] | None = None) -> None:
        self.binary = binary
        self.journal = os.fspath(journal)
        self.environment = environment or clean_environment()

    def call(
        self, *arguments: str, journal: bool = True, prefix: list[str] | None = None,
        environment: dict[str, str] | None = None, deadline: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself, whatever its exit code."""
        return subprocess.run(
            [*(prefix or []), self.binary, *arguments, *(["--journal", self.journal] if journal else [])],
            env=environment or self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=deadline,
        )

    def text(self, *arguments: str) -> str:
        """What a command that must succeed prints."""
        result = self.call(*arguments)
        assert result.returncode == 0, f"shakectl {' '.join(arguments)}: exit {result.returncode}: {result.stderr}"
        return result.stdout

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects that a command that must succeed prints with --json."""
        return json_lines(self.text(*arguments, "--json"))

    def one(self, *arguments: str) -> dict[str, Any]:
        """The only object that a command prints with --json."""
        objects = self.json(*arguments)
        assert len(objects) == 1, f"shakectl {' '.join(arguments)}: {len(objects)} objects instead of one"
        return objects[0]

    def run(
        self, source: Source, *arguments: str, stdout: Any = None, prefix: list[str] | None = None,
    ) -> Daemon:
        """Starts `shakectl run` against `source`; its log is beside the journal."""
        command = [*(prefix or []), self.binary, *run_arguments(source, *arguments), "--journal", self.journal]
        return Daemon(command, self.environment, self.journal + ".log", stdout)


class Daemon:
    """A running `shakectl run`. It can't outlive the process that started it; its log is appended to `log`."""

    def __init__(self, command: list[str], environment: dict[str, str], log: str, stdout: Any = None) -> None:
        # Killed by the kernel if this process dies before it could do so itself.
        leash = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        self.log_path = log
        with open(log, "ab") as stderr:
            self.process = subprocess.Popen(
                [*leash, *command], env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if stdout is None else stdout, stderr=stderr, start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL: the daemon can do nothing more."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, deadline: float = PATIENCE) -> int:
        try:
            return self.process.wait(timeout=deadline)
        except subprocess.TimeoutExpired:
            raise Impatience(f"after {deadline:.0f} s the daemon has not ended; its log:\n{self.log[-4000:]}") from None

    def until(self, condition: Callable[[], T], what: str, *, deadline: float = PATIENCE) -> T:
        """Waits for `condition` while the daemon runs; a daemon that ended meanwhile is an error with its log."""

        def checked() -> T:
            alive = self.is_running
            answer = condition()
            if not answer and not alive:
                raise Impatience(f"the daemon ended with {self.process.returncode} before: {what}\n{self.log[-4000:]}")
            return answer

        try:
            return until(checked, what, deadline=deadline)
        except Impatience as impatience:
            if "the daemon ended" in str(impatience):
                raise
            raise Impatience(f"{impatience}\n{self.log[-4000:]}") from None
