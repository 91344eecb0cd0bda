"""The demonstration behind tools/demo: a table followed into SQLite through a crash and a rewind, checked at the end.

    demo.py SHAKECTL
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ledger import advances, unaccounted
from localsource import REGION, LocalSource, SourceTable
from replica import SQLiteReplica, differences
from shake import Daemon, Shakectl, until

TABLE = "Orders"
ITEMS = 500

_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
_steps = 0


def step(text: str) -> None:
    global _steps
    _steps += 1
    number = f"{_steps:2}."
    print(f"\n\033[1;36m{number}\033[0m \033[1m{text}\033[0m" if _colour else f"\n{number} {text}", flush=True)


def note(text: str) -> None:
    print(f"    {text}", flush=True)


def hold(condition: bool, what: str) -> None:
    """A claim of the demonstration: said when it holds, the end of it when it doesn't."""
    if not condition:
        raise AssertionError(what)
    note(f"\033[32m✓\033[0m {what}" if _colour else f"✓ {what}")


def command(line: str) -> None:
    note(f"\033[2m$ {line}\033[0m" if _colour else f"$ {line}")


def show(shakectl: Shakectl, *arguments: str) -> None:
    """Runs a command as the user would type it, and prints what it prints."""
    command("shakectl " + " ".join(f"'{a}'" if " " in a else a for a in arguments))
    for row in shakectl.text(*arguments).splitlines():
        print(f"      {row}", flush=True)


class Shop(threading.Thread):
    """Writes to the source until told to stop: orders come in, change, and are cancelled."""

    def __init__(self, table: SourceTable) -> None:
        super().__init__(daemon=True)
        self.written = 0
        self._table = table
        self._orders = list(range(ITEMS))
        self._next = ITEMS
        self._random = random.Random(1)
        self._enough = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._enough.is_set():
                self._write()
                self.written += 1
        except BaseException as error:  # told to whoever asks for the end
            self._error = error

    def _write(self) -> None:
        chance = self._random.random()
        if chance < 0.4:
            self._table.put(order(self._next))
            self._orders.append(self._next)
            self._next += 1
        elif chance < 0.8:
            number = self._random.choice(self._orders)
            self._table.update(key(number), state={"S": "sent"}, parcels={"N": str(self._random.randrange(1, 9))})
        else:
            number = self._orders.pop(self._random.randrange(len(self._orders)))
            self._table.delete(key(number))

    def stop(self) -> None:
        self._enough.set()
        self.join()
        if self._error:
            raise self._error


def key(number: int) -> dict[str, Any]:
    return {"pk": {"S": f"order-{number:05}"}}


def order(number: int) -> dict[str, Any]:
    return key(number) | {
        "state": {"S": "new"},
        "cents": {"N": f"{number}00000000000000000000000000000001"},  # more digits than a double could hold
        "tags": {"SS": ["demo", f"batch-{number % 7}"]},
        "lines": {"L": [{"M": {"article": {"S": f"a-{number % 50}"}, "count": {"N": "2"}}}]},
    }


def demonstrate(binary: str, folder: str, source: LocalSource) -> None:
    began = time.monotonic()
    shakectl = Shakectl(binary, os.path.join(folder, "shake.journal"))
    # So that the commands below need no --journal when they are shown.
    shakectl.environment["SHAKE_JOURNAL"] = shakectl.journal
    target = SQLiteReplica(os.path.join(folder, "orders.db"))

    step(f"A source: table {TABLE} with a stream and {ITEMS} items, on a local endpoint ({source.endpoint})")
    table = source.create_table(TABLE)
    table.put_all([order(number) for number in range(ITEMS)])
    before = len(table.sequence_numbers())
    shop = Shop(table)

    step("The daemon: scan the table into SQLite once, then follow its stream")

    def start() -> Daemon:
        arguments = ("--table", TABLE, "--target", f"sqlite:{target.path}", "--mode", "all")
        command(f"shakectl run --source-endpoint {source.endpoint} --region {REGION} {' '.join(arguments)}")
        return shakectl.run(source, *arguments)

    with running(start()) as daemon:
        daemon.until(lambda: target.count(TABLE) == ITEMS, "every item of the scan is in the target")
        note(f"{ITEMS} items are in {os.path.basename(target.path)}")

        step("Orders come in, change and are cancelled at the source, and do so in the target")
        shop.start()
        daemon.until(lambda: len(applied(target)) > 0 and shop.written > 100, "changes arrive in the target")
        note(f"{shop.written} changes written so far")

        step("The daemon is killed with SIGKILL, in the middle of it; the shop goes on")
        daemon.kill()
        at_the_crash = shop.written
        until(lambda: shop.written > at_the_crash + 50, "the shop goes on writing")
        note(f"{shop.written - at_the_crash} changes were written while nobody followed")

    step("The daemon is started again, with the same command and nothing else")
    with running(start()) as daemon:
        restarted = shop.written
        daemon.until(lambda: shop.written > restarted + 50, "the shop goes on writing")
        shop.stop()
        numbers = table.sequence_numbers()
        daemon.until(lambda: applied(target) == [numbers[-1]], "the target has the last change")
        note(f"the shop is closed: {len(numbers) - before} changes in all, and the target is in step again")
        [shard] = table.shards
        until(lambda: reached(shakectl.json("history", shard), numbers[-1]), "the journal has the last change")
        wrong = unaccounted(shakectl.json("history", shard), numbers, after=numbers[before - 1])
        for line in wrong:
            note(line)
        hold(not wrong, f"the journal accounts for {len(numbers) - before} records: none missing, none twice")

        step("What the operator sees")
        show(shakectl, "status")
        show(shakectl, "shards")
        show(shakectl, "history", shard, "--limit", "6", "--reverse")

        step("A rewind beside the running daemon: the last 25 records are to be delivered again")
        again = numbers[-25:]
        position = shakectl.json("history", shard, "--limit", "1", "--reverse")[0]["position"]
        show(shakectl, "rewind", shard, numbers[-26], "--reason", "shown in the demo")
        replayed = daemon.until(
            lambda: reached(since(shakectl, shard, position), numbers[-1]), "the records are delivered again"
        )
        hold(
            sum(advance["records"] for advance in replayed) == len(again),
            f"{len(again)} records were replayed, from {again[0]} to {again[-1]}",
        )
        show(shakectl, "history", shard, "--limit", "5", "--reverse")

        step("SIGTERM: the daemon finishes what is in flight and ends")
        hold(daemon.terminate() == 0, "exit code 0")

    step("The proof: source and target item by item, and the whole journal")
    wrong = differences(table.items(), target.items(TABLE), table.key_names)
    for line in wrong[:10]:
        note(line)
    hold(not wrong, f"{len(table.items())} items, equal on both sides")
    show(shakectl, "verify")
    hold(shakectl.one("verify")["ok"] is True, "the journal's chain and its fold hold")
    print(f"\nEverything held. {time.monotonic() - began:.0f} s.")


def applied(target: SQLiteReplica) -> list[str]:
    """The sequence numbers that the target says it holds, one a shard."""
    return [number for (number,) in target.query("SELECT sequence_number FROM _shake_positions")]


def since(shakectl: Shakectl, shard: str, position: int) -> list[dict[str, Any]]:
    return [event for event in shakectl.json("history", shard) if event["position"] > position]


def reached(history: list[dict[str, Any]], last: str) -> list[dict[str, Any]]:
    """The advances in `history` once they have come to `last`; nothing before."""
    found = advances(history)
    return found if found and found[-1]["sequence_number"] == last else []


@contextmanager
def running(daemon: Daemon) -> Iterator[Daemon]:
    try:
        yield daemon
    finally:
        daemon.kill()


def main() -> int:
    [binary] = sys.argv[1:]
    # So that `finally` is reached whichever way we are told to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    folder = tempfile.mkdtemp(prefix="shake-demo.")
    try:
        source = LocalSource()
        try:
            demonstrate(binary, folder, source)
        finally:
            source.stop()
    except AssertionError as failure:
        print(f"\nThis did not hold: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
