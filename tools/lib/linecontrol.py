"""How a test drives a server that runs beside it: a word and its arguments a line on the server's standard input.

Each line is answered with one line, `ok` with what there is to say, or `error` with the reason. So that no server outlives
its test, one that is told so ends when its standard input does, however the test ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping

Commands = Mapping[str, Callable[..., Awaitable[str | None]]]


class Refused(Exception):
    """A command can't be done; the text is the answer."""


async def obey(commands: Commands, *, ends_with_stdin: bool) -> None:
    """Does what the lines say until `quit`, SIGTERM, SIGINT, or the end of standard input if that is to end it."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lines.put_nowait, "quit")

    def read() -> None:
        # Not through sys.stdin: a thread that waits in it keeps the interpreter from ending.
        rest = b""
        try:
            while chunk := os.read(0, 65536):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace"))
            if ends_with_stdin:
                loop.call_soon_threadsafe(lines.put_nowait, "quit")
        except (OSError, RuntimeError):
            pass  # no standard input, or the loop has ended

    threading.Thread(target=read, daemon=True).start()
    while True:
        words = (await lines.get()).split()
        if words == ["quit"]:
            return
        if words:
            print(await _answer(commands, words), flush=True)


async def _answer(commands: Commands, words: list[str]) -> str:
    name, *arguments = words
    if name not in commands:
        return f"error '{name}' is no command; there are {', '.join([*commands, 'quit'])}"
    try:
        said = await commands[name](*arguments)
    except (Refused, OSError, TypeError, ValueError) as error:
        return f"error {' '.join(str(error).split())}"
    return f"ok {said}" if said else "ok"


class Controlled:
    """The other side: a server in a process of its own that obeys lines. It ends with this process at the latest."""

    def __init__(self, command: list[str], **options: str) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            env=os.environ | options,
        )
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        self.first_line = self._output.readline().strip()
        if not self.first_line:
            raise RuntimeError(f"{command[0]} did not start: it ended with {self._process.wait()}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, line: str) -> str:
        """The answer to a line, without its `ok`."""
        self._input.write(f"{line}\n")
        self._input.flush()
        answer = self._output.readline().strip()
        word, _, rest = answer.partition(" ")
        if word != "ok":
            raise RuntimeError(f"{line}: {rest or 'no answer'}")
        return rest

    def close(self) -> int:
        """Ends the server as the end of a test does."""
        self._input.close()
        try:
            code = self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._output.close()
        return code


def complain(program: str, text: str) -> None:
    print(f"{program}: {text}", file=sys.stderr, flush=True)
