"""`status --watch`, as a person at a terminal sees it, and as a pipe gets it."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rig import Follower, Rig, item
from shake import PATIENCE, Impatience, Shakectl, until

_CONTROL = re.compile(r"\x1b\[(?P<parameters>[0-9;?]*)(?P<final>[A-Za-z])")


class Screen:
    """As much of a terminal as is asked of it: home, the ends of lines and of the screen, and the other screen."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.other = False
        self.cursor_shown = True
        self.wraps = True
        self.colours = 0
        self.taken = 0
        # What was written while the terminal was not taken.
        self.outside = ""
        # Until the first frame that was drawn for this size.
        self.settling = False
        self._overflowed = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._lines: list[str] = [""] * height
        self._row = self._column = 0
        self._pending = ""

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._lines).rstrip()

    def feed(self, data: bytes) -> None:
        self._pending += self._decoder.decode(data)
        while self._pending:
            if self._pending[0] == "\x1b":
                control = _CONTROL.match(self._pending)
                if not control:
                    assert len(self._pending) < 16, f"an unknown sequence: {self._pending[:16]!r}"
                    return  # the rest is on its way
                self._obey(control["parameters"], control["final"])
                self._pending = self._pending[control.end():]
                continue
            self._put(self._pending[0])
            self._pending = self._pending[1:]

    def _put(self, sign: str) -> None:
        if sign == "\r":
            self._column = 0
        elif sign == "\n":
            self._row += 1
            if self._row >= self.height:
                self._row, self._overflowed = self.height - 1, True
        else:
            assert sign >= " ", f"a control character: {sign!r}"
            if not self.other:
                self.outside += sign
            if self._column >= self.width:
                self._column, self._overflowed = self.width - 1, True
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[:self._column] + sign + line[self._column + 1:]
            self._column += 1

    def _obey(self, parameters: str, final: str) -> None:
        match final, parameters:
            case "H", "":
                self._row = self._column = 0
            case "K", "":
                self._lines[self._row] = self._lines[self._row][:self._column]
            case "J", "":
                self._lines[self._row + 1:] = [""] * (self.height - self._row - 1)
                assert self.settling or not self._overflowed, f"a frame is larger than the screen:\n{self.text}"
                self.settling = self.settling and self._overflowed
                self._overflowed = False
            case "m", _:
                self.colours += 1
            case "h" | "l", "?1049":
                self.other = final == "h"
                self.taken += self.other
                self._row = self._column = 0
                self._lines = [""] * self.height
            case "h" | "l", "?25":
                self.cursor_shown = final == "h"
            case "h" | "l", "?7":
                self.wraps = final == "h"
            case _:
                raise AssertionError(f"an unknown sequence: {parameters}{final}")


class Watched:
    """`shakectl status --watch` on a terminal of its own."""

    def __init__(
        self, shakectl: Shakectl, *more: str, prefix: tuple[str, ...] = (), width: int = 100, height: int = 24,
        **environment: str,
    ) -> None:
        self.screen = Screen(width, height)
        self._ours, theirs = pty.openpty()
        self._resize(width, height)
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.process = subprocess.Popen(
            [*prefix, shakectl.binary, "status", "--watch", "0.2", "--journal", shakectl.journal, *more],
            env=shakectl.environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment, stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def _resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width: int, height: int) -> None:
        self.screen = Screen(width, height)
        self.screen.other = self.screen.settling = True
        self.screen.cursor_shown = self.screen.wraps = False
        self._resize(width, height)  # the kernel sends SIGWINCH to who is in the foreground

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, shown: str) -> None:
        """Reads what is drawn until the screen shows it."""
        end = time.monotonic() + PATIENCE
        while not re.search(shown, self.screen.text, re.MULTILINE):
            if time.monotonic() > end:
                raise Impatience(f"the screen does not show {shown!r}:\n{self.screen.text}")
            self.read(0.1)

    def read(self, seconds: float) -> None:
        if select.select([self._ours], [], [], seconds)[0]:
            try:
                self.screen.feed(os.read(self._ours, 65536))
            except OSError:
                pass  # EIO: nobody has the other side any more

    def ended(self) -> int:
        """Its exit code, once it has left the terminal as it was."""
        code = until(lambda: self.read(0.02) or self.process.poll() is not None, "it ends") and self.process.returncode
        while select.select([self._ours], [], [], 0)[0]:
            self.read(0)
        assert not self.screen.other and self.screen.cursor_shown and self.screen.wraps
        assert termios.tcgetattr(self._theirs) == self.before
        assert isinstance(code, int)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._theirs)
        os.close(self._ours)


@pytest.fixture
def follower(rig: Rig, table: Any) -> Iterator[Follower]:
    follower = Follower(rig, "sqlite", table)
    table.put(item(1))
    follower.start()
    follower.catch_up()
    yield follower


@pytest.fixture
def watched(follower: Follower) -> Iterator[Watched]:
    watched = Watched(follower.shakectl)
    yield watched
    watched.close()


def test_it_shows_what_happens_and_leaves_with_q(follower: Follower, watched: Watched) -> None:
    name = follower.table.name
    watched.until(rf"^1 table: 1 ok, watched for")
    watched.until(rf"^{name} +ok +incr_sync .* 1 in_processing")
    assert watched.screen.other and not watched.screen.cursor_shown
    assert watched.screen.colours > 0
    for number in range(2, 30):
        follower.table.put(item(number))
    watched.until(rf"^{name} .* 29 +\d")
    watched.until(r"[▂-█]")
    follower.stop()
    watched.until(r"^1 table: 1 stopped")
    watched.until(r"^daemon: not running")
    watched.press("q")
    assert watched.ended() == 0


def test_a_screen_of_another_size_is_drawn_at_once(follower: Follower, watched: Watched) -> None:
    watched.until("SHARDS$")
    watched.resize(44, 12)
    watched.until(rf"^{follower.table.name} +ok")
    assert "SHARDS" not in watched.screen.text
    watched.resize(120, 6)
    watched.until(r"in_processing")
    watched.press("q")
    assert watched.ended() == 0


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_it_clean(watched: Watched, signal_number: int) -> None:
    watched.until("1 ok")
    watched.process.send_signal(signal_number)
    assert watched.ended() == 0


def test_ctrl_c_leaves_it_clean(watched: Watched) -> None:
    watched.until("1 ok")
    watched.press("\x03")
    assert watched.ended() == 0


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(follower: Follower) -> None:
    """Under a shell with job control, without which nobody is suspended."""
    watched = Watched(follower.shakectl, prefix=("bash", "-mc", '"$0" "$@"; echo suspended; fg > /dev/null'))
    try:
        watched.until("1 ok")
        watched.press("\x1a")
        until(lambda: watched.read(0.02) or watched.screen.taken == 2, "it goes on")
        assert "suspended" in watched.screen.outside
        watched.until("1 ok")
        watched.press("q")
        assert watched.ended() == 0
    finally:
        watched.close()


def test_no_colour_where_none_is_wanted(follower: Follower) -> None:
    watched = Watched(follower.shakectl, NO_COLOR="1", LANG="C")
    try:
        watched.until("1 ok")
        watched.press("q")
        assert watched.ended() == 0
        assert watched.screen.colours == 0
        assert watched.screen.text.isascii()
    finally:
        watched.close()


def test_a_terminal_that_takes_only_lines_gets_lines(follower: Follower) -> None:
    watched = Watched(follower.shakectl, width=400, TERM="dumb")
    try:
        watched.until(rf"^\d{{4}}-\d\d-\d\d .*  {follower.table.name}  ok  incr_sync")
        assert not watched.screen.other
        watched.process.send_signal(signal.SIGINT)
        assert watched.ended() == 0
    finally:
        watched.close()


class Piped:
    """`status --watch` into a pipe."""

    def __init__(self, shakectl: Shakectl, *more: str) -> None:
        self.process = subprocess.Popen(
            [shakectl.binary, "status", "--watch", "0.2", "--journal", shakectl.journal, *more],
            env=shakectl.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], PATIENCE)[0], "no line comes"
        return self.process.stdout.readline()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


def test_a_pipe_gets_a_line_when_something_changes(follower: Follower) -> None:
    piped = Piped(follower.shakectl)
    name = follower.table.name
    first = piped.line()
    assert re.match(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+  {name}  ok  incr_sync  lag .*  1 record  -  1 in_processing", first)
    assert "\x1b" not in first
    follower.table.put(item(2))
    until(lambda: "  2 records  " in piped.line(), "the change is told")
    follower.stop()
    until(lambda: "  stopped  " in piped.line(), "the end is told")
    assert piped.end() == 0


def test_json_lines_are_those_of_status_with_time_and_rate(follower: Follower) -> None:
    piped = Piped(follower.shakectl, "--json")
    first = json.loads(piped.line())
    [status] = follower.shakectl.json("status")
    assert set(first) == set(status) | {"time", "records_per_second"}
    assert first["table"] == follower.table.name and first["records_per_second"] is None
    follower.table.put(item(2))

    def counted() -> bool:
        line = json.loads(piped.line())
        return line["records"] == 2 and line["records_per_second"] is not None

    until(counted, "the change is told")
    assert piped.end() == 0


def test_who_no_longer_reads_ends_it(follower: Follower) -> None:
    piped = Piped(follower.shakectl)
    piped.line()
    assert piped.process.stdout is not None
    piped.process.stdout.close()
    assert piped.process.wait(PATIENCE) == 0


def test_it_holds_no_snapshot_while_it_waits(follower: Follower) -> None:
    """LMDB's table of readers says who has one: a slot with the process's id, which is 0 again when the snapshot is over."""
    piped = Piped(follower.shakectl)
    piped.line()
    lock = pathlib.Path(follower.shakectl.journal, "lock.mdb")

    def reads() -> bool:
        header, slot = 128, 64  # lines of the processor's cache (mdb.c, MDB_txninfo, MDB_reader)
        table = lock.read_bytes()[header:]
        return any(
            struct.unpack_from("<i", table, at + 8) == (piped.process.pid,) for at in range(0, len(table) - slot, slot)
        )

    samples = []
    for number in range(2, 22):
        follower.table.put(item(number))
        samples.append(reads())
    assert samples.count(True) <= 10, "it reads for a moment each 0.2 s"
    assert piped.end() == 0


def test_an_error_is_told_on_the_screen_that_was_there(rig: Rig) -> None:
    watched = Watched(rig.shakectl("nowhere"), width=400)
    try:
        watched.until("there is none at")
        assert watched.ended() == 74
    finally:
        watched.close()


def test_a_journal_that_is_damaged_meanwhile_leaves_it_clean(follower: Follower) -> None:
    """LMDB reads outside the file then, which ends the process where it stands."""
    follower.stop()
    watched = Watched(follower.shakectl, width=400)
    try:
        watched.until("1 stopped")
        # Its two meta pages stay.
        os.truncate(pathlib.Path(follower.shakectl.journal, "data.mdb"), 2 * 4096)
        assert watched.ended() == 65
        assert f"the journal {follower.shakectl.journal} is damaged" in watched.screen.outside
    finally:
        watched.close()
