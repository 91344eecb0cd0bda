"""The demonstration behind tools/demo: a table followed into SQLite while its stream splits, through a crash and a rewind.

    demo.py SHAKECTL STREAMSIM
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

from follower import KINDS, DoesNotHold, Follower
from judge import Accounts
from ledger import advances
from localsource import REGION
from shake import Daemon, Shakectl, until
from streamsim import SimulatedTable, StreamSim
from truth import Truth

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

    def __init__(self, table: SimulatedTable) -> None:
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

    def goes_on(self, changes: int) -> None:
        written = self.written
        until(lambda: self.written > written + changes or self._error, "the shop goes on writing")

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


def demonstrate(binary: str, folder: str, source: StreamSim) -> None:
    began = time.monotonic()

    step(f"A source: table {TABLE} with a stream and {ITEMS} items, on a local endpoint ({source.endpoint})")
    table = source.create_table(TABLE)
    table.put_all([order(number) for number in range(ITEMS)])
    [root] = table.shards
    before = len(table.sequence_numbers())
    shop = Shop(table)

    step("The daemon: scan the table into SQLite once, then follow its stream")
    follower = Follower(binary, folder, KINDS["sqlite"], table, mode="all", pace=())
    shakectl, target = follower.shakectl, follower.replica
    # So that the commands below need no --journal when they are shown.
    shakectl.environment["SHAKE_JOURNAL"] = shakectl.journal

    def start() -> Daemon:
        command(f"shakectl run --source-endpoint {source.endpoint} --region {REGION} {' '.join(follower.arguments)}")
        return follower.start()

    with running(start()) as daemon:
        daemon.until(lambda: target.count(TABLE) == ITEMS, "every item of the scan is in the target")
        note(f"{ITEMS} items are in {os.path.basename(target.path)}")

        step("Orders come in, change and are cancelled at the source, and do so in the target")
        shop.start()
        daemon.until(lambda: applied(follower, [root]) and shop.written > 100, "changes arrive in the target")
        note(f"{shop.written} changes written so far")

        step("The stream's shard splits: it ends, and two children continue it, each with its part of the orders")
        _, children = table.split()
        shop.goes_on(100)
        daemon.until(lambda: applied(follower, children), "both children are followed")
        note(f"{shorten(root)} is done, {' and '.join(shorten(child) for child in children)} are followed")

        step("The daemon is killed with SIGKILL, in the middle of it; the shop goes on, and so does the stream")
        daemon.kill()
        at_the_crash = shop.written
        shop.goes_on(50)
        _, [grandchild] = table.roll_over(children[0])
        shop.goes_on(50)
        note(f"{shop.written - at_the_crash} changes were written and a shard rolled over while nobody followed")

    step("The daemon is started again, with the same command and nothing else")
    with running(start()) as daemon:
        shop.goes_on(50)
        shop.stop()
        truth = Truth.of(source, TABLE)
        follower.catch_up(truth)
        changes = truth.count - before
        note(f"the shop is closed: {changes} changes in all, and the target is in step again")
        accounted(
            follower, truth,
            f"the journal accounts for {changes} records in 4 shards: none missing, none twice, parents before children",
        )

        step("What the operator sees")
        show(shakectl, "status")
        show(shakectl, "shards")
        show(shakectl, "history", grandchild, "--limit", "6", "--reverse")

        step("A rewind beside the running daemon: the last 25 records of the shard that split are to be delivered again")
        numbers = truth.shards[root].numbers
        again = 25 + truth.count - len(numbers)
        position = shakectl.one("verify")["last_position"]
        show(shakectl, "rewind", root, numbers[-26], "--reason", "shown in the demo")
        note("Its descendants go with it: what is replayed must not overwrite what they brought later.")
        follower.catch_up(truth)
        daemon.until(lambda: replayed(follower, position) >= again, "the records are delivered again")
        hold(
            replayed(follower, position) == again,
            f"{again} records were replayed: 25, and the {again - 25} of its descendants after them",
        )
        accounted(follower, truth, "and the journal accounts for these, too")
        show(shakectl, "history", root, "--limit", "4", "--reverse")

        step("SIGTERM: the daemon finishes what is in flight and ends")
        hold(daemon.terminate() == 0, "exit code 0")

    step("The proof: source and target item by item, and the whole journal")
    try:
        follower.judge(truth, records_of_a_page=1000, is_final=True)
    except DoesNotHold as failure:
        note(str(failure))
        hold(False, "source and target are equal")
    hold(True, f"{len(table.items())} items, equal on both sides, each as its last change left it")
    show(shakectl, "verify")
    hold(shakectl.one("verify")["ok"] is True, "the journal's chain and its fold hold")
    print(f"\nEverything held. {time.monotonic() - began:.0f} s.")


def shorten(shard: str) -> str:
    return "…" + shard[-8:]


def applied(follower: Follower, shards: list[str]) -> bool:
    """Whether the target holds something of each."""
    held = {shard for (shard,) in follower.replica.query("SELECT shard FROM _shake_positions")}
    return held.issuperset(shards)


def accounted(follower: Follower, truth: Truth, what: str) -> None:
    """The journal has read each record, in an order that is allowed."""
    wrong = Accounts(truth, follower.events(), is_final=True, mode=follower.mode).wrong()
    for line in wrong[:10]:
        note(line)
    hold(not wrong, what)


def replayed(follower: Follower, position: int) -> int:
    return sum(event["records"] for event in advances(follower.events()) if event["position"] > position)


@contextmanager
def running(daemon: Daemon) -> Iterator[Daemon]:
    try:
        yield daemon
    finally:
        daemon.kill()


def main() -> int:
    binary, simulator = sys.argv[1:]
    # So that `finally` is reached whichever way we are told to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    folder = tempfile.mkdtemp(prefix="shake-demo.")
    try:
        source = StreamSim(simulator, seed=1)
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
