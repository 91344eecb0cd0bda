"""5,000 open shards in one process, 50 of them busy: what an idle one costs, and whether the busy ones keep up.

    manyshards.py SHAKECTL STREAMSIM [--shards N] [--busy N] [--per-second N] [--seconds N] [-- OPTIONS OF RUN]

What tools/crashtest --many-shards runs: a daemon into SQLite follows as many shards as are busy, and another one all of
them, under the same load. What they hold in memory is measured when it has come to rest: a daemon gives back twice a minute
what it needed to take the shards up. An idle shard costs the difference of the two, divided by how many more the second
one has. The calls are those that the simulator counted. Exits with 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import sys
import time
from dataclasses import dataclass

from follower import KINDS, Follower
from shake import until
from streamsim import StreamSim
from truth import Truth
from workfolder import work_folder

IDLE_BYTES = 16 << 10  # that an idle shard may cost
LAG = 5.0  # seconds that a busy shard may be behind
RECORDS_OF_A_PAGE = 1000
TRIM = 30  # seconds between two times at which a daemon gives freed memory back (RunCommand.reportsBetweenTrims)
RESTING = 0.02  # of the memory: what it may still move by from one such stretch to the next
RESTED_BY = 240.0  # seconds, else it is measured as it is


@dataclass(frozen=True)
class Measured:
    resident: int  # the median of what was seen each second
    peak: int
    calls: dict[str, float]  # of each action, a second
    most: dict[str, int]  # of each action, in a second at most
    lag: float  # of the busy shards, the largest that was seen
    oldest_page: float  # how long ago the shard that waits longest was read, at most
    cpu: float  # of a core
    health: set[str]


def memory(pid: int, field: str) -> int:
    """Bytes that a process holds: VmRSS now, VmHWM at most."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = re.search(rf"{field}:\s+(\d+) kB", file.read())
    assert found, f"no {field}"
    return int(found[1]) * 1024


def cpu(pid: int) -> float:
    """Seconds of processor."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def come_to_rest(pid: int) -> bool:
    """Waits until a daemon holds as much memory as half a minute before; `False` where it does not come to that."""
    began = time.monotonic()
    before = float("inf")
    while time.monotonic() - began < RESTED_BY:
        seen = []
        for _ in range(TRIM):
            time.sleep(1)
            seen.append(memory(pid, "VmRSS"))
        now = statistics.median(seen)
        if abs(now - before) <= RESTING * now:
            return True
        before = now
    return False


def all_read(follower: Follower, shards: int) -> bool:
    """Whether a page of every shard has come."""
    try:
        with open(os.path.join(follower.shakectl.journal, "vitals.json"), encoding="utf-8") as file:
            tables = json.load(file)["tables"]
    except (OSError, ValueError):
        return False
    known = tables[0]["shards"]
    return len(known) >= shards and all(shard.get("page") for shard in known)


def oldest_page(follower: Follower) -> float:
    with open(os.path.join(follower.shakectl.journal, "vitals.json"), encoding="utf-8") as file:
        signs = json.load(file)
    return (signs["written"] - min(shard["page"] for shard in signs["tables"][0]["shards"])) / 1e6


def measure(
    binary: str, simulator: StreamSim, folder: str, shards: int, options: argparse.Namespace
) -> Measured:
    name = f"shards-{shards}"
    simulator.settings(shards=shards, records_of_a_page=RECORDS_OF_A_PAGE)
    table = simulator.create_table(name, hash_type="S")
    began = time.monotonic()
    follower = Follower(
        binary, os.path.join(folder, name), KINDS["sqlite"], table, pace=(),
        more=("--start-at", "trim-horizon", *options.more),
    )
    daemon = follower.start()
    try:
        until(lambda: all_read(follower, shards), "a page of every shard has come", deadline=180, every=0.2)
        print(f"{name}: every shard was read once after {time.monotonic() - began:.1f} s", flush=True)
        simulator.steady_load(name, options.per_second, keys=options.busy, hot=options.busy)
        rested = come_to_rest(daemon.pid)
        print(
            f"{name}: its memory {'has come to rest' if rested else 'does not come to rest'} "
            f"{time.monotonic() - began:.0f} s after the start", flush=True,
        )
        first, lags, pages, health = simulator.calls(), [], [], set()
        resident: list[int] = []
        used, since = cpu(daemon.pid), time.monotonic()
        while time.monotonic() - since < options.seconds:
            time.sleep(1)
            resident.append(memory(daemon.pid, "VmRSS"))
            status = follower.shakectl.one("status")
            health.add(f"{status['health']}: {status['reason']}" if status["health"] != "ok" else "ok")
            pages.append(oldest_page(follower))
            busy = [shard for shard in follower.shards().values() if shard["sequence_number"] is not None]
            lags.append(max((shard["lag_seconds"] for shard in busy), default=0.0))
        took = time.monotonic() - since
        last = simulator.calls()
        measured = Measured(
            round(statistics.median(resident)), memory(daemon.pid, "VmHWM"),
            {
                action: (count["calls"] - first.get(action, {"calls": 0})["calls"]) / took
                for action, count in last.items() if action in ("GetRecords", "DescribeStream", "GetShardIterator")
            },
            {action: count["most_in_a_second"] for action, count in last.items()},
            max(lags), max(pages), (cpu(daemon.pid) - used) / took, health,
        )
        simulator.steady_load(name, 0)
        truth = Truth.of(simulator, name)
        waited = follower.catch_up(truth)
        follower.stop()
        follower.verify()
        follower.judge(truth, RECORDS_OF_A_PAGE, is_final=True)
        touched = sum(bool(shard.numbers) for shard in truth.shards.values())
        print(
            f"{name}: {measured.resident / (1 << 20):.1f} MiB resident, {measured.peak / (1 << 20):.1f} at most; "
            f"{measured.cpu:.2f} of a core\n"
            f"  calls a second: {', '.join(f'{k} {v:.0f}' for k, v in sorted(measured.calls.items()))}; in a second at "
            f"most: {', '.join(f'{k} {v}' for k, v in sorted(measured.most.items()) if k in measured.calls)}\n"
            f"  {truth.count:,} records in {touched} shards, lag {measured.lag:.1f} s at most, in step {waited:.1f} s "
            f"after the last one; all there, in order\n"
            f"  the shard that waited longest was asked {measured.oldest_page:.1f} s ago; health: {sorted(health)}",
            flush=True,
        )
        return measured
    except BaseException:
        print(f"  {name}: {follower.where}", file=sys.stderr)
        raise
    finally:
        follower.kill()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/crashtest --many-shards")
    parser.add_argument("shakectl", help=argparse.SUPPRESS)
    parser.add_argument("streamsim", help=argparse.SUPPRESS)
    parser.add_argument("--shards", type=int, default=5000, help="that are open (default: 5000)")
    parser.add_argument("--busy", type=int, default=50, help="keys that are written to, each of a shard (default: 50)")
    parser.add_argument("--per-second", type=float, default=500, help="changes (default: 500)")
    parser.add_argument("--seconds", type=float, default=30, help="of measuring (default: 30)")
    parser.add_argument("--get-records", type=int, default=1000, help="the limit of calls a second (default: 1000)")
    parser.add_argument("more", nargs="*", help="options of shakectl run, after --")
    options = parser.parse_args()
    seed = int(os.environ.get("SHAKE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"SHAKE_SEED={seed} makes the same stream again", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    binary = os.path.abspath(options.shakectl)
    wrong: list[str] = []
    with work_folder("shake-shards.", lambda: [f"  SHAKE_SEED={seed}"]) as folder:
        results: list[Measured] = []
        for shards in (options.busy, options.shards):
            # One of its own for each: its count of calls begins anew.
            simulator = StreamSim(options.streamsim, seed=seed)
            try:
                results.append(measure(binary, simulator, folder, shards, options))
            finally:
                simulator.stop()
        few, many = results
        more = options.shards - options.busy
        each, at_most = ((b - a) / more for a, b in ((few.resident, many.resident), (few.peak, many.peak)))
        print(f"an idle shard costs {each / 1024:.1f} KiB resident, {at_most / 1024:.1f} KiB of the peak")
        if each > IDLE_BYTES:
            wrong.append(f"an idle shard costs {each / 1024:.1f} KiB, and may cost {IDLE_BYTES >> 10}")
        for action, limit in (("GetRecords", options.get_records), ("DescribeStream", 10)):
            if many.most.get(action, 0) > limit:
                wrong.append(f"{many.most[action]} calls of {action} in a second, and {limit} may be made")
        if many.lag > LAG:
            wrong.append(f"a busy shard was {many.lag:.1f} s behind")
        if many.health != {"ok"}:
            wrong.append(f"health: {sorted(many.health)}")
    print("\n".join(["", *(f"This did not hold: {line}" for line in wrong)]) if wrong else "\nEverything held.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
