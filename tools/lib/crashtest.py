"""SIGKILL of the real daemon against StreamSim, again and again: what tools/crashtest runs.

    crashtest.py SHAKECTL STREAMSIM [--kills N | --short] [--target T]… [--faults PERCENT]

A siege is one table with a steady load, and for each target a daemon with a journal of its own. Its rounds: daemons
are killed and started again while the stream splits, lies and fails; then all is calm, the daemons catch up, and
journal and target are compared with every record that was made.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from follower import KINDS, DoesNotHold, Follower
from judge import Accounts
from localsource import clean_environment
from shake import Shakectl, json_lines
from streamsim import SimulatedTable, StreamSim
from truth import Truth
from weather import CALM, HOSTILE, Weather
from workfolder import work_folder

ANY_MOMENT = "any moment"
AFTER_REWIND = "after a rewind"
IN_REWIND = "in_rewind"
DURING_COMPACTION = "during_compaction"
# Where a daemon or a command can be told to die. A program that knows others, or not all of them, is refused.
POINTS = frozenset({
    "before_target_write", "after_target_write", "before_append", "after_append", "in_discovery", "before_children",
    IN_REWIND, DURING_COMPACTION,
})
# What is older than 48 hours is folded together, so many events of the journal at a time.
AHEAD = 50 * 3600
EVENTS_OF_A_STEP = 1024

# A daemon that has not yet been in touch with a source gives up where what answers isn't DynamoDB.
FIRST_REPLY = re.compile(r"shakectl: Describe(Table|Stream) .*the reply can't be used")

# Of the kills, how many are followed by a look at journal and target as they were left; a round's last one always is.
JUDGED_SHARE = 0.2

# How often a daemon passes a point before it dies there, at most. The others come up seldom.
PASSES = {"before_target_write": 30, "after_target_write": 30, "before_append": 60, "after_append": 60, "in_discovery": 5}
# For how long a rewind is tried that is refused, as it may be for as long as nothing is read.
REWIND_PATIENCE = 60.0
# For how long a point is waited for. A daemon that has not come there by then is killed all the same.
POINT_PATIENCE = 20.0

RECORDS_OF_A_PAGE = 50
KEYS = [("S", None), ("N", "S"), ("B", "N"), ("S", "B")]
# So much a daemon may hold in all: its budget for pages is 32 MiB.
MEMORY = 256 << 20


@dataclass
class Tally:
    """What one target went through."""

    kills: Counter[str] = field(default_factory=Counter)
    in_scan: int = 0
    starts: int = 0
    out_of_reach: int = 0  # starts that ended since the source's first replies were no use
    rewinds: int = 0
    cascades: int = 0
    folded: int = 0
    refused: int = 0
    records: int = 0
    recovered: int = 0
    judged: int = 0
    peak: int = 0
    longest_verify: float = 0.0
    longest_catch_up: float = 0.0


def points_of(binary: str) -> list[str]:
    """The crash points that the program knows, by its own message for one that it doesn't: they must be `POINTS`."""
    environment = clean_environment(SHAKE_CRASH_AT="?")
    nowhere = os.path.join(tempfile.gettempdir(), "shake-crashtest.none")
    result = Shakectl(binary, nowhere, environment).call("verify")
    _, found, points = result.stderr.partition("the points are ")
    if not found:
        raise SystemExit(f"crashtest: {binary} does not name its crash points: {result.stderr.strip()}")
    known = points.strip().split(", ")
    missing = POINTS - set(known)
    if missing:
        raise SystemExit(f"crashtest: {binary} does not know the crash points {', '.join(sorted(missing))}")
    if more := set(known) - POINTS:
        raise SystemExit(f"crashtest: {binary} has crash points that are not tested here: {', '.join(sorted(more))}")
    return known


def is_refusal(result: subprocess.CompletedProcess[str]) -> bool:
    """Whether a rewind was not possible just then, and nothing is changed: the shard has not come so far yet, a descendant
    was taken up in that moment, or the source could not be asked."""
    return result.returncode in (64, 69) or (result.returncode == 65 and "damaged" not in result.stderr)


def clock_ahead(folder: str) -> str:
    """Makes the library by which a program finds the wall clock ahead."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("crashtest: no C compiler on the PATH (cc, clang) to put the clock ahead for a compaction")
    library = os.path.join(folder, "clockahead.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clockahead.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


class Besieger(threading.Thread):
    """Kills one follower's daemon as its list of blows says."""

    def __init__(
        self, follower: Follower, blows: list[str], chance: random.Random, tally: Tally, clock_ahead: str
    ) -> None:
        super().__init__(daemon=True)
        self._clock_ahead = clock_ahead
        self.follower = follower
        self.error: BaseException | None = None
        self._blows = blows
        self._chance = chance
        self._tally = tally
        self._is_scanning = follower.mode == "all" and follower.phase() != "incr_sync"

    def run(self) -> None:
        try:
            for blow in self._blows:
                match blow:
                    case "any moment":
                        self._at_any_moment()
                    case "in_rewind" | "after a rewind":
                        end = time.monotonic() + REWIND_PATIENCE
                        while not self._rewinding(blow) and time.monotonic() < end:
                            pass
                    case "during_compaction":
                        self._compacting()
                    case point:
                        self._at(point)
        except BaseException as error:  # told by whoever waits for the end
            self.error = error
        finally:
            self.follower.kill()

    # --- Blows ---

    def _at_any_moment(self) -> None:
        if not self.follower.is_running:
            self._start()
        # Sometimes before it has opened anything, mostly in the middle of the work. A scan is over soon.
        longest = 0.05 if self._chance.random() < 0.2 else 0.3 if self._is_scanning else 0.8
        self._let_it_run(self._chance.uniform(0, longest))
        self._kill(ANY_MOMENT)

    def _at(self, point: str) -> None:
        if self.follower.is_running:
            self._kill(ANY_MOMENT)
        crash_at = f"{point}:{self._chance.randint(1, PASSES.get(point, 1))}"
        end = time.monotonic() + POINT_PATIENCE
        while time.monotonic() < end:
            daemon = self.follower.daemon if self.follower.is_running else self._start(crash_at)
            while daemon.is_running and time.monotonic() < end:
                self.follower.measure()
                time.sleep(0.01)
            if daemon.process.returncode == -signal.SIGKILL:
                return self._count(point)
            if not daemon.is_running:
                self._ended()
        self._kill(ANY_MOMENT)

    def _rewinding(self, blow: str) -> bool:
        """Beside a running daemon or without one; the rewind is killed before it is journaled, or its daemon after it.

        Gives whether it came so far.
        """
        follower = self.follower
        beside = blow == AFTER_REWIND or self._chance.random() < 0.5
        if beside and not follower.is_running:
            self._start()
        if beside:
            self._let_it_run(self._chance.uniform(0.1, 0.5))
        # Mostly one whose children have begun, so that they are set back with it.
        begun = follower.begun()
        wants_parent = self._chance.random() < 0.8
        end = time.monotonic() + POINT_PATIENCE
        while follower.is_running and time.monotonic() < end:
            if follower.phase() == "incr_sync" and (begun := follower.begun()):
                if not wants_parent or any(set(shard["children"]) & begun.keys() for shard in begun.values()):
                    break
            self._let_it_run(0.1)
        if not begun or follower.phase() != "incr_sync":
            self._at_any_moment()
            return False
        parents = [shard for shard in begun.values() if set(shard["children"]) & begun.keys()]
        shard = self._chance.choice(parents if parents and wants_parent else list(begun.values()))["shard"]
        arguments = ["rewind", shard, *self._place(shard), "--reason", "crashtest", "--json"]
        if self._chance.random() < 0.5:
            arguments.append("--offline")
        environment = (
            follower.shakectl.environment | {"SHAKE_CRASH_AT": IN_REWIND} if blow == IN_REWIND else None
        )
        result = follower.shakectl.call(*arguments, environment=environment, deadline=120)
        is_refused = is_refusal(result)
        if result.returncode == -signal.SIGKILL and blow == IN_REWIND:
            self._count(IN_REWIND)
        elif is_refused:
            self._tally.refused += 1
        elif result.returncode == 0 and blow == AFTER_REWIND:
            self._tally.rewinds += 1
            self._tally.cascades += '"cascaded":[]' not in result.stdout
        else:
            raise DoesNotHold(follower.name, [f"{' '.join(arguments)} ends with {result.returncode}: {result.stderr}"])
        if follower.is_running:
            self._let_it_run(self._chance.uniform(0, 0.1))
            self._kill(blow if blow == AFTER_REWIND and not is_refused else ANY_MOMENT)
        return not is_refused

    def _place(self, shard: str) -> list[str]:
        """Where an operator might want it back: the start, or where a batch ended, with that record or without."""
        result = self.follower.shakectl.call("history", shard, "--event", "sequence_advanced", "--json")
        numbers = [event["sequence_number"] for event in json_lines(result.stdout)] if result.returncode == 0 else []
        if not numbers or self._chance.random() < 0.3:
            return ["--to-start"]
        return [self._chance.choice(numbers), *(["--inclusive"] if self._chance.random() < 0.5 else [])]

    def _compacting(self) -> None:
        """Of a journal that is two days old by a clock that is ahead; beside a running daemon or without one."""
        follower = self.follower
        beside = self._chance.random() < 0.5
        if follower.is_running and not beside:
            self._kill(ANY_MOMENT)
        if not follower.begun():
            return self._at_any_moment()
        steps = len(follower.events()) // EVENTS_OF_A_STEP + 1  # and what is folded can be compared with what it was
        if beside and not follower.is_running:
            self._start()
        environment = follower.shakectl.environment | {
            "LD_PRELOAD": self._clock_ahead, "SECONDS_AHEAD": str(AHEAD),
        }
        crash = {"SHAKE_CRASH_AT": f"{DURING_COMPACTION}:{self._chance.randint(1, steps)}"}
        for more in (crash, {}):
            result = follower.shakectl.call("compact", "--json", environment=environment | more, deadline=120)
            if result.returncode == -signal.SIGKILL and more:
                self._count(DURING_COMPACTION)
            elif result.returncode == 0:
                follower.verify()
            else:
                raise DoesNotHold(follower.name, [f"compact ends with {result.returncode}: {result.stderr}"])
        if follower.is_running:
            self._let_it_run(self._chance.uniform(0, 0.1))
            self._kill(ANY_MOMENT)

    # --- Their parts ---

    def _start(self, crash_at: str | None = None) -> Any:
        self._tally.starts += 1
        return self.follower.start(crash_at)

    def _let_it_run(self, seconds: float) -> None:
        """So long, and running at its end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 or not self.follower.is_running:
            if not self.follower.is_running:
                self._ended()
                self._start()
            self.follower.measure()
            time.sleep(max(0.0, min(left, 0.05)))  # not to wait for anything: this is the random moment

    def _kill(self, why: str) -> None:
        self._let_it_run(0)
        self.follower.kill()
        self._count(why)

    def _count(self, why: str) -> None:
        """What must hold after each kill."""
        self._tally.kills[why] += 1
        self.follower.verify()
        if self.follower.has_journal and self._chance.random() < JUDGED_SHARE:
            self._judge()
        if self._is_scanning:
            self._is_scanning = self.follower.phase() != "incr_sync"
            self._tally.in_scan += self._is_scanning and self.follower.has_journal

    def _judge(self) -> None:
        """As the kill left it: the journal claims no more than the target holds, and that is at most a batch more."""
        if self.follower.is_running:
            return  # what was killed is a rewind beside it
        truth = Truth.of(self.follower.table.simulator, self.follower.table.name)
        self.follower.judge(truth, RECORDS_OF_A_PAGE, is_final=False)
        self._tally.judged += 1

    def _ended(self) -> None:
        """By itself: only first replies that were no use are a reason, and only whoever starts it again mends that."""
        daemon = self.follower.daemon
        assert daemon is not None
        run = daemon.log.rpartition(" started ")[2].strip()
        last = run.rpartition("\n")[2]
        if daemon.process.returncode != 69 or not FIRST_REPLY.match(last):
            raise DoesNotHold(
                self.follower.name, [f"the daemon ended by itself with {daemon.process.returncode}: {run[-3000:]}"]
            )
        self._tally.out_of_reach += 1
        self.follower.verify()


class Siege:
    """One table, and for each target a daemon."""

    def __init__(self, test: CrashTest, number: int, mode: str, kills: int) -> None:
        self.test = test
        self.number = number
        self.mode = mode
        self.kills = kills
        self.chance = random.Random(f"{test.seed} siege {number}")
        self.accounts: dict[str, Accounts] = {}  # as they were judged last
        hash_type, range_type = KEYS[(number - 1) % len(KEYS)]
        self.table: SimulatedTable = test.simulator.create_table(
            f"siege-{number}", hash_type=hash_type, range_type=range_type
        )
        keys = hash_type + (f"+{range_type}" if range_type else "")
        self.title = f"siege {number} of {test.sieges} (mode {mode}, key {keys})"
        self.followers = {
            target: Follower(
                test.binary, os.path.join(test.folder, f"{self.table.name}-{target}"), KINDS[target], self.table,
                mode=mode, more=("--scan-segments", "3"),
            )
            for target in test.targets
        }

    def run(self) -> None:
        simulator, test = self.test.simulator, self.test
        simulator.settings(records_of_a_page=RECORDS_OF_A_PAGE, items_of_a_page=10)
        if self.mode == "all":
            simulator.load(self.table.name, 4000, keys=4000)
        rounds = max(1, round(self.kills / 25))
        for place in range(rounds):
            began = time.monotonic()
            blows = {
                target: self._blows(self.kills * (place + 1) // rounds - self.kills * place // rounds, place == 0)
                for target in self.followers
            }
            struck = self._storm(blows)
            self._judge_at_rest()
            waited = self._calm()
            truth = self._judge()
            print(
                f"{self.title}, round {place + 1} of {rounds}: {struck}; {truth.count} records in "
                f"{len(truth.shards)} shards of {truth.generations()} generations; in step after {waited:.1f} s; "
                f"all holds ({time.monotonic() - began:.0f} s)", flush=True,
            )
        for target, follower in self.followers.items():
            tally = test.tallies[target]
            tally.records += truth.count
            tally.recovered += len(self.accounts[target].recovered)
            tally.folded += follower.folded
            tally.peak = max(tally.peak, follower.peak)
            tally.longest_verify = max(tally.longest_verify, follower.longest_verify)

    def _blows(self, count: int, is_first: bool) -> list[str]:
        """Half of them at the named points in turn, half at any moment; a scan is disturbed before anything else."""
        named = [*self.test.points, AFTER_REWIND]
        self.chance.shuffle(named)
        half = max(count // 2, min(len(named), count))
        blows = [named[place % len(named)] for place in range(half)] + [ANY_MOMENT] * (count - half)
        self.chance.shuffle(blows)
        if is_first and self.mode == "all":
            writes = ("before_target_write", "after_target_write")
            blows.sort(key=lambda blow: 0 if blow in writes else 1 if blow == ANY_MOMENT else 2)
        return blows

    def _storm(self, blows: dict[str, list[str]]) -> str:
        simulator, test = self.test.simulator, self.test
        simulator.settings(**HOSTILE, spells_end_as_null=self.chance.random() < 0.5)
        simulator.settings(faults=test.faults)
        simulator.steady_load(self.table.name, test.per_second, keys=200, hot=20)
        weather = Weather(
            simulator, self.table.name, random.Random(self.chance.random()), open_shards=6, pause=(0.2, 0.8)
        )
        weather.start()
        before = {target: sum(test.tallies[target].kills.values()) for target in self.followers}
        besiegers = [
            Besieger(follower, blows[target], random.Random(self.chance.random()), test.tallies[target], test.clock_ahead)
            for target, follower in self.followers.items()
        ]
        for besieger in besiegers:
            besieger.start()
        for besieger in besiegers:
            besieger.join()
        weather.stop()
        for besieger in besiegers:
            if besieger.error:
                raise besieger.error
        return ", ".join(
            f"{sum(test.tallies[target].kills.values()) - before[target]} kills into {target}"
            for target in self.followers
        )

    def _judge_at_rest(self) -> None:
        """As the last kill left it."""
        truth = Truth.of(self.test.simulator, self.table.name)
        for target, follower in self.followers.items():
            follower.judge(truth, RECORDS_OF_A_PAGE, is_final=False)
            self.test.tallies[target].judged += 1

    def _calm(self) -> float:
        simulator = self.test.simulator
        simulator.settings(**CALM, faults=0)
        simulator.steady_load(self.table.name, 0)
        simulator.load(self.table.name, 50, keys=200)
        truth = Truth.of(simulator, self.table.name)
        longest = 0.0
        for follower in self.followers.values():
            follower.start()
        for target, follower in self.followers.items():
            waited = follower.catch_up(truth)
            longest = max(longest, waited)
            tally = self.test.tallies[target]
            tally.starts += 1
            tally.longest_catch_up = max(tally.longest_catch_up, waited)
        for follower in self.followers.values():
            follower.stop()
            follower.verify()
        return longest

    def _judge(self) -> Truth:
        truth = Truth.of(self.test.simulator, self.table.name)
        for target, follower in self.followers.items():
            accounts = follower.judge(truth, RECORDS_OF_A_PAGE, is_final=True)
            tally = self.test.tallies[target]
            tally.judged += 1
            self.accounts[target] = accounts
            if follower.peak > MEMORY:
                raise DoesNotHold(follower.name, [f"the daemon held {follower.peak >> 20} MiB"])
        return truth


class CrashTest:
    def __init__(
        self, binary: str, simulator: StreamSim, folder: str, seed: int, *, targets: list[str], kills: int,
        per_siege: int, faults: int, per_second: float, followers: list[Follower],
    ) -> None:
        self.binary = binary
        self.simulator = simulator
        self.folder = folder
        self.seed = seed
        self.targets = targets
        self.kills = kills
        self.faults = faults
        self.per_second = per_second
        self.points = points_of(binary)
        self.clock_ahead = clock_ahead(folder)
        self.sieges = max(2, round(kills / per_siege))  # one of each mode at least
        self.tallies = {target: Tally() for target in targets}
        self.followers = followers

    def run(self) -> None:
        for number in range(1, self.sieges + 1):
            share = self.kills * number // self.sieges - self.kills * (number - 1) // self.sieges
            siege = Siege(self, number, "incr" if number % 2 else "all", share)
            self.followers[:] = siege.followers.values()
            siege.run()
            # What held is not looked at again.
            for follower in self.followers:
                shutil.rmtree(os.path.dirname(follower.path))
        for target, tally in self.tallies.items():
            never = [point for point in self.points if not tally.kills[point]]
            # A compaction is killed only where it has something to fold, which a few kills may never meet.
            if sum(tally.kills.values()) < 100:
                never = [point for point in never if point != DURING_COMPACTION]
            if never or not tally.in_scan or not tally.rewinds or tally.out_of_reach * 5 > tally.starts:
                raise DoesNotHold(
                    f"the test itself, into {target}",
                    [f"never killed at {point}" for point in never]
                    + ([] if tally.in_scan else ["never killed in a scan"])
                    + ([] if tally.rewinds else ["never rewound"])
                    + ([f"{tally.out_of_reach} of {tally.starts} starts ended at once"] if tally.out_of_reach else []),
                )

    def table(self) -> str:
        """Kills by point and target, and what else there is to count."""
        names = [ANY_MOMENT, AFTER_REWIND, *self.points]
        rows: list[tuple[str, Callable[[Tally], str]]] = [
            (f"killed at {name}" if "_" in name else f"killed {name}", lambda tally, name=name: str(tally.kills[name]))
            for name in names
        ]
        rows += [
            ("kills in all", lambda tally: str(sum(tally.kills.values()))),
            ("  of these in a scan", lambda tally: str(tally.in_scan)),
            ("starts (source out of reach)", lambda tally: f"{tally.starts} ({tally.out_of_reach})"),
            ("rewinds (with cascade, refused)", lambda tally: f"{tally.rewinds} ({tally.cascades}, {tally.refused})"),
            ("advances folded together", lambda tally: f"{tally.folded:,}"),
            ("records", lambda tally: f"{tally.records:,}"),
            ("shards advanced by recovery", lambda tally: str(tally.recovered)),
            ("journal and target judged", lambda tally: f"{tally.judged} times"),
            ("longest verify", lambda tally: f"{tally.longest_verify:.2f} s"),
            ("longest catching up", lambda tally: f"{tally.longest_catch_up:.1f} s"),
            ("most memory of a daemon", lambda tally: f"{tally.peak / (1 << 20):.0f} MiB"),
        ]
        width = max(len(name) for name, _ in rows)
        lines = [" " * width + "".join(f"{target:>16}" for target in self.targets)]
        lines += [
            f"{name:<{width}}" + "".join(f"{cell(self.tallies[target]):>16}" for target in self.targets)
            for name, cell in rows
        ]
        return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/crashtest")
    parser.add_argument("shakectl", help=argparse.SUPPRESS)
    parser.add_argument("streamsim", help=argparse.SUPPRESS)
    parser.add_argument("--kills", type=int, default=300, help="for each target (default: 300)")
    parser.add_argument("--short", action="store_true", help="40 kills in all, as CI does it")
    parser.add_argument("--target", action="append", choices=sorted(KINDS), help="one target only; may be repeated")
    parser.add_argument("--faults", type=int, default=20, help="percent of all calls that fail (default: 20)")
    parser.add_argument("--load", type=float, default=150, help="changes a second (default: 150)")
    options = parser.parse_args()
    targets = options.target or list(KINDS)
    kills = max(1, 40 // len(targets)) if options.short else options.kills

    seed = int(os.environ.get("SHAKE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"SHAKE_SEED={seed} makes the same choices again (moments of the machine are its own)", flush=True)
    # So that `finally` is reached whichever way we are told to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    followers: list[Follower] = []  # of the siege that is on
    simulator = StreamSim(options.streamsim, seed=seed)

    def where() -> list[str]:
        return [f"  {follower.name}: {follower.where}" for follower in followers] + [f"  SHAKE_SEED={seed}"]

    try:
        with work_folder("shake-crashtest.", where) as folder:
            test = CrashTest(
                os.path.abspath(options.shakectl), simulator, folder, seed, targets=targets, kills=kills,
                per_siege=kills // 2 if options.short else 50, faults=options.faults, per_second=options.load,
                followers=followers,
            )
            try:
                test.run()
            finally:
                for follower in followers:
                    follower.kill()
                print(f"\n{test.table()}")
        print(f"\nEverything held. {time.monotonic() - began:.0f} s, SHAKE_SEED={seed}.")
        return 0
    finally:
        simulator.stop()


if __name__ == "__main__":
    sys.exit(main())
