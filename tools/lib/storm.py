"""A stream of 250 shards over three listing pages, 6 generations, 1,000 keys, 30 % faults: equal and in order.

    storm.py SHAKECTL STREAMSIM [--shards N] [--generations N] [--keys N] [--faults PERCENT] [--changes N]

What tools/crashtest --storm runs: two daemons follow it from its first record, one into SQLite and one into JSON
Lines, and are not killed. Faults stay on until both are in step.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time

from follower import KINDS, Follower
from streamsim import StreamSim
from truth import Truth
from weather import HOSTILE
from workfolder import work_folder

TABLE = "storm"
SHARDS_OF_A_PAGE = 100
RECORDS_OF_A_PAGE = 200
# An end for what should be over in a minute or two.
PATIENCE = 420.0


def storm(binary: str, simulator: StreamSim, folder: str, seed: int, options: argparse.Namespace) -> None:
    began = time.monotonic()
    chance = random.Random(seed)
    simulator.settings(
        shards=options.shards, shards_of_a_page=SHARDS_OF_A_PAGE, records_of_a_page=RECORDS_OF_A_PAGE, **HOSTILE
    )
    table = simulator.create_table(TABLE, hash_type="S", range_type="N")
    simulator.settings(faults=options.faults)
    followers = [
        # Each listing is of many pages here, and three of ten fail.
        Follower(binary, os.path.join(folder, name), kind, table, more=("--discovery-interval", "2s"))
        for name, kind in KINDS.items()
    ]
    try:
        for follower in followers:
            follower.start()
        for generation in range(1, options.generations + 1):
            simulator.load(TABLE, options.changes // options.generations, keys=options.keys, hot=options.keys)
            if generation == options.generations:
                break
            open_shards = [shard["shard"] for shard in simulator.shards(TABLE) if not shard["ending_sequence_number"]]
            for shard in open_shards:
                if chance.random() < 0.05:
                    simulator.split(TABLE, shard)
                else:
                    simulator.roll_over(TABLE, shard)
            simulator.expire_iterators()
            time.sleep(options.pause)  # not to wait for anything: so that it is read while it grows
            print(
                f"generation {generation}: {len(open_shards)} shards ended, {time.monotonic() - began:.0f} s", flush=True
            )
        truth = Truth.of(simulator, TABLE)
        pages = -(-len(truth.shards) // SHARDS_OF_A_PAGE)
        print(
            f"{truth.count:,} records of {len(truth.order):,} keys in {len(truth.shards):,} shards of "
            f"{truth.generations()} generations, {pages} pages of a listing; "
            f"written in {time.monotonic() - began:.0f} s", flush=True,
        )
        for follower in followers:
            waited = follower.catch_up(truth, PATIENCE)
            print(f"{follower.name}: in step {waited:.1f} s later", flush=True)
        simulator.settings(faults=0)
        for follower in followers:
            follower.stop()
            follower.verify()
            accounts = follower.judge(truth, RECORDS_OF_A_PAGE, is_final=True)
            faulted = sum(event["event"] == "faulted" for event in accounts.events)
            print(
                f"{follower.name}: {len(table.items()):,} items equal, {truth.count:,} records accounted for and in order; "
                f"{len(accounts.events):,} events ({faulted} of them faults), verify {follower.longest_verify:.2f} s, "
                f"{follower.peak / (1 << 20):.0f} MiB at most", flush=True,
            )
    except BaseException:
        for follower in followers:
            print(f"  {follower.name}: {follower.where}", file=sys.stderr)
        raise
    finally:
        for follower in followers:
            follower.kill()
    coverage = {name: count for name, count in simulator.coverage().items() if count}
    print(f"the simulator's count: {coverage}")
    print(f"\nEverything held. {time.monotonic() - began:.0f} s, SHAKE_SEED={seed}.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/crashtest --storm")
    parser.add_argument("shakectl", help=argparse.SUPPRESS)
    parser.add_argument("streamsim", help=argparse.SUPPRESS)
    parser.add_argument("--shards", type=int, default=250, help="that the stream begins with (default: 250)")
    parser.add_argument("--generations", type=int, default=6, help="(default: 6)")
    parser.add_argument("--keys", type=int, default=1000, help="(default: 1000)")
    parser.add_argument("--faults", type=int, default=30, help="percent of all calls that fail (default: 30)")
    parser.add_argument("--changes", type=int, default=60_000, help="(default: 60000)")
    parser.add_argument("--pause", type=float, default=3, help="seconds between generations (default: 3)")
    options = parser.parse_args()
    seed = int(os.environ.get("SHAKE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"SHAKE_SEED={seed} makes the same stream again", flush=True)
    # So that `finally` is reached whichever way we are told to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    simulator = StreamSim(options.streamsim, seed=seed)
    try:
        with work_folder("shake-storm.", lambda: [f"  SHAKE_SEED={seed}"]) as folder:
            storm(os.path.abspath(options.shakectl), simulator, folder, seed, options)
    finally:
        simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
