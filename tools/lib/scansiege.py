"""SIGKILL of the real daemon within a full scan, again and again: what tools/crashtest --scan runs.

    scansiege.py SHAKECTL STREAMSIM [--kills N] [--items N] [--capacity UNITS]

One daemon scans into SQLite and one into JSON Lines, while items are written, deleted and made, and shards split. Each start
must go on from the journaled segment positions: of all pages that the source gave, no more were read twice than each kill found
in flight. In the end all is equal, and the stream was followed throughout.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time

from follower import KINDS, DoesNotHold, Follower
from streamsim import StreamSim
from truth import Truth
from weather import Weather
from workfolder import work_folder

ITEMS_OF_A_PAGE = 10
RECORDS_OF_A_PAGE = 200
SEGMENTS = 12
READERS = 4
# Of each reader, the page that is being written and the one that is fetched meanwhile.
IN_FLIGHT = 2 * READERS
PATIENCE = 240.0
# What the simulator counts for each page of a scan but a segment's last one.
PAGE = "scan: goes on on another page"


def besiege(binary: str, simulator: StreamSim, folder: str, kind: str, seed: int, options: argparse.Namespace) -> None:
    began = time.monotonic()
    chance = random.Random(f"{seed} {kind}")
    table = simulator.create_table(f"scanned-{kind}", hash_type="S", range_type="N")
    simulator.load(table.name, options.items, keys=options.items, hot=options.items)
    items = len(table.items())
    pages_before = simulator.coverage().get(PAGE, 0)
    follower = Follower(
        binary, os.path.join(folder, kind), KINDS[kind], table, mode="all",
        more=(
            "--scan-segments", str(SEGMENTS), "--scan-readers", str(READERS), "--scan-capacity", str(options.capacity),
            "--discovery-interval", "1s",
        ),
    )
    simulator.steady_load(table.name, 100, keys=options.items, hot=options.items)
    weather = Weather(simulator, table.name, chance, open_shards=4, pause=(0.5, 1.5))
    weather.start()
    kills = 0
    try:
        while kills < options.kills:
            follower.start()
            time.sleep(chance.uniform(0.05, 0.4))  # not to wait for anything: this is the random moment
            follower.kill()
            follower.verify()
            if follower.phase() == "incr_sync":
                raise DoesNotHold(follower.name, [f"the scan was over after {kills} kills: it is too short"])
            kills += 1
        follower.start()
        end = time.monotonic() + PATIENCE
        while follower.phase() != "incr_sync":
            if time.monotonic() > end or not follower.is_running:
                raise DoesNotHold(follower.name, ["the scan is not finished"])
            follower.measure()
            time.sleep(0.1)
        # The judge scans too.
        pages = simulator.coverage().get(PAGE, 0) - pages_before
        weather.stop()
        simulator.steady_load(table.name, 0)
        truth = Truth.of(simulator, table.name)
        follower.catch_up(truth, PATIENCE)
        follower.stop()
        follower.verify()
        follower.judge(truth, RECORDS_OF_A_PAGE, is_final=True)
    finally:
        weather.stop()
        simulator.steady_load(table.name, 0)
        follower.kill()
    events = follower.events()
    advances = [event for event in events if event["event"] == "scan_advanced"]
    durable = sum(event["last_evaluated_key"] is not None for event in advances)
    begun = sum(event["event"] == "phase_changed" and event["to"] == "full_sync" for event in events)
    twice = pages - durable
    if begun != 1:
        raise DoesNotHold(follower.name, [f"the scan was begun {begun} times"])
    if not 0 <= twice <= kills * IN_FLIGHT:
        raise DoesNotHold(follower.name, [f"{pages} pages were read for {durable} that are durable, with {kills} kills"])
    # What the journal says of a segment never goes back.
    seen: dict[int, int] = {}
    for event in advances:
        seen[event["segment"]] = seen.get(event["segment"], 0) + 1
    print(
        f"{kind}: {items:,} items in {len(seen)} segments, {kills} kills within the scan, {len(advances):,} pages durable, each once; "
        f"{twice} read again, {twice / max(1, kills):.1f} a kill (at most {IN_FLIGHT} can be in flight); "
        f"{truth.count:,} records beside it; all equal, {time.monotonic() - began:.0f} s", flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/crashtest --scan")
    parser.add_argument("shakectl", help=argparse.SUPPRESS)
    parser.add_argument("streamsim", help=argparse.SUPPRESS)
    parser.add_argument("--kills", type=int, default=100, help="within each scan (default: 100)")
    parser.add_argument("--items", type=int, default=60_000, help="(default: 60000)")
    parser.add_argument("--capacity", type=int, default=100, help="read capacity units a second (default: 100)")
    options = parser.parse_args()
    seed = int(os.environ.get("SHAKE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"SHAKE_SEED={seed} makes the same choices again", flush=True)
    # So that `finally` is reached whichever way we are told to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    simulator = StreamSim(options.streamsim, seed=seed)
    simulator.settings(items_of_a_page=ITEMS_OF_A_PAGE, records_of_a_page=RECORDS_OF_A_PAGE)
    try:
        with work_folder("shake-scansiege.", lambda: [f"  SHAKE_SEED={seed}"]) as folder:
            for kind in KINDS:
                besiege(os.path.abspath(options.shakectl), simulator, folder, kind, seed, options)
    finally:
        simulator.stop()
    print(f"\nEverything held, SHAKE_SEED={seed}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
