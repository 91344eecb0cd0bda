"""Measures Shake against floors in plain C, in the same rounds, and prints one table. Run it by tools/bench."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from figures import Row, at_least, at_most, ratio_of, table
from processes import Failed, Finished, MongoSink, PageServer, Watcher, run
from throwaway import ThrowawayPostgres

MIB = float(1 << 20)
HERE = os.path.dirname(os.path.abspath(__file__))
BOTO3_SCAN = os.path.join(HERE, "boto3_scan.py")
BOTO3_WRITE = os.path.join(HERE, "boto3_write.py")
BOTO3_LOOP = os.path.join(HERE, "boto3_loop.py")
WATCHER = os.path.join(HERE, "watcher.py")


@dataclass(frozen=True)
class Bench:
    """Where the programs are, where data may go, and how much is to be measured."""

    binaries: str
    shakectl: str
    folder: str
    runs: int
    is_quick: bool

    def tool(self, name: str) -> str:
        return os.path.join(self.binaries, name)

    def fresh(self, name: str) -> str:
        """A path at which there is nothing."""
        path = os.path.join(self.folder, name)
        remove(path)
        return path

    def rounds(self, what: str) -> range:
        say(f"{what}: {self.runs} rounds")
        return range(self.runs)


def say(text: str) -> None:
    print(f"tools/bench: {text}", file=sys.stderr, flush=True)


def remove(path: str) -> None:
    """Removes a folder, or a file and what SQLite keeps beside it."""
    shutil.rmtree(path, ignore_errors=True)
    for file in (path, path + "-wal", path + "-shm"):
        if os.path.lexists(file):
            os.remove(file)


# ── The journal ─────────────────────────────────────────────────────────────────────────────────────────────────────


def appends(bench: Bench) -> list[Row]:
    """Durable events a second: the journal with N concurrent appenders beside plain LMDB in batches of N."""
    milliseconds = "500" if bench.is_quick else "1000"
    journal, floor = bench.fresh("journal"), bench.fresh("floor")
    rows = []
    for appenders, required in ((1, 0.8), (8, 0.7), (64, 0.7), (512, 0.5)):
        values, floors, stateful = [], [], []
        size = state = None
        for _ in bench.rounds(f"appends, {appenders} appenders"):
            remove(journal)
            ours = run([bench.tool("journal-bench"), "append", journal, str(appenders), milliseconds]).json
            values.append(ours["events"] / ours["seconds"])
            if size is None:  # what an event takes in the log is what the floor shall put
                log = run([bench.tool("lmdb-floor"), "walk", journal, "--database", "log"]).json
                size = round(log["bytes"] / log["entries"])
                kept = run([bench.tool("lmdb-floor"), "walk", journal, "--database", "checkpoints"]).json
                state = round(kept["bytes"] / kept["entries"])
            for results, more in ((floors, []), (stateful, ["--state", str(state)])):
                remove(floor)
                os.mkdir(floor)
                plain = run([
                    bench.tool("lmdb-floor"), "append", floor, "--size", str(size), "--batch", str(appenders),
                    "--milliseconds", milliseconds, *more,
                ]).json
                results.append(plain["entries"] / plain["seconds"])
        name = f"append, {appenders} appender{'s' if appenders > 1 else ''}"
        rows.append(Row(name, "events/s", values, f"LMDB in C, {size} B", floors, ratio_of(required)))
        rows.append(Row("  beside C that keeps states", "events/s", values, f"LMDB in C, {size} + {state} B", stateful))
    remove(journal)
    remove(floor)
    return rows


def logs(bench: Bench) -> list[Row]:
    """Start-up and verification, by the length of the log."""
    rows = []
    for events in (1_000_000,) if bench.is_quick else (1_000_000, 10_000_000):
        journal = bench.fresh("journal")
        say(f"filling a journal: {events:,} events of 10,000 shards")
        run([bench.tool("journal-bench"), "fill", journal, "10000", str(events)])
        opened, status, verified, walked = [], [], [], []
        for _ in bench.rounds(f"start-up and verify, {events:,} events"):
            started = run([bench.tool("journal-bench"), "open", journal]).json
            opened.append(started["open"] + started["checkpoints"])
            status.append(run([bench.shakectl, "status", "--json", "--journal", journal]).seconds)
            fold = run([bench.tool("journal-bench"), "verify", journal]).json
            verified.append(fold["events"] / fold["seconds"])
            walk = run([bench.tool("lmdb-floor"), "walk", journal, "--database", "log"]).json
            walked.append(walk["entries"] / walk["seconds"])
        size = f"{events // 1_000_000}M events"
        rows += [
            Row(f"start-up, 10k shards, {size}: open and fold", "s", opened, required=at_most(0.5)),
            Row("  the same by `shakectl status`, process", "s", status, required=at_most(0.5)),
            Row(f"verify, {size}", "events/s", verified, "cursor walk in C", walked, at_least(1_000_000)),
        ]
        remove(journal)
    return rows


# ── Following ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Followed:
    """One run of the daemon over one closed shard."""

    process: Finished
    records: int
    seconds: float
    """From `queried` to `done` in the journal: without the process's start and its wait for idleness."""
    batches: list[int]
    """Records of each batch."""

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    @property
    def cpu_each(self) -> float:
        """µs of CPU a record, of the whole process."""
        return self.process.cpu / self.records * 1e6


def daemon(bench: Bench, server: PageServer, target: str, *options: str, idle: int) -> Finished:
    return run([
        bench.shakectl, "run", "--journal", os.path.join(bench.folder, "journal"), "--table", "bench",
        "--target", target, "--mode", "incr", "--source-endpoint", server.url, "--region", "us-east-1",
        "--until-idle", str(idle), *options,
    ])


def follow(bench: Bench, server: PageServer, target: str, *options: str) -> Followed:
    """Follows the server's closed shard into `target` with a new journal, and reads from that journal how it went."""
    journal = bench.fresh("journal")
    process = daemon(bench, server, target, *options, idle=1)
    output = run([bench.shakectl, "history", server.shard, "--json", "--journal", journal]).output
    history: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    advances = [event["records"] for event in history if event["event"] == "sequence_advanced"]
    began = next(event["time"] for event in history if event["event"] == "queried")
    done = next(event["time"] for event in history if event["event"] == "status_changed" and event["to"] == "done")
    assert sum(advances) == server.records, f"{sum(advances)} records of {server.records} were followed"
    return Followed(process, server.records, seconds(done) - seconds(began), advances)


def seconds(time_of_event: str) -> float:
    return datetime.fromisoformat(time_of_event).timestamp()


def following(bench: Bench) -> list[Row]:
    """One closed shard into the null target and into JSONL, beside libcurl and boto3 over the same pages."""
    null: list[Followed] = []
    jsonl: list[Followed] = []
    curl, curl_cpu, boto3, written = [], [], [], []
    lines, floor = bench.fresh("lines.jsonl"), bench.fresh("floor.jsonl")
    with PageServer(bench.tool("page-server"), "--pages", "600") as server:
        for _ in bench.rounds(f"following {server.records:,} records into null and jsonl, beside their floors"):
            plain = run([bench.tool("curl-floor"), server.url, "--iterator", server.iterator]).json
            assert plain["pages"] == server.pages
            curl.append(server.records / plain["seconds"])
            curl_cpu.append(plain["cpu"] / server.records * 1e6)
            null.append(follow(bench, server, "null:"))
            remove(lines)
            jsonl.append(follow(bench, server, f"jsonl:{lines}"))
            line_bytes = os.path.getsize(lines) / server.records
            steps = ",".join(str(round(batch * line_bytes)) for batch in jsonl[-1].batches)
            remove(floor)
            plain = run([bench.tool("file-floor"), floor, "--steps", steps]).json
            written.append(server.records / plain["seconds"])
            loop = run([sys.executable, BOTO3_LOOP, server.url, server.iterator, "10"]).json
            boto3.append(loop["records"] / loop["cpu"])
    remove(lines)
    remove(floor)
    null_rate, jsonl_rate = [one.rate for one in null], [one.rate for one in jsonl]
    return [
        Row("follow into null:", "records/s", null_rate, "libcurl in C", curl, ratio_of(0.5)),
        Row("  CPU", "µs a record", [one.cpu_each for one in null], "libcurl in C", curl_cpu, at_most(4)),
        Row("  records a CPU second", "records", [1e6 / one.cpu_each for one in null], "boto3", boto3, ratio_of(30)),
        peak("  peak memory", null),
        Row("follow into jsonl:", "records/s", jsonl_rate, "into null:", null_rate, ratio_of(0.5)),
        Row("  the same beside libcurl", "records/s", jsonl_rate, "libcurl in C", curl, ratio_of(0.25)),
        Row("  the same beside the disk", "records/s", jsonl_rate, "write and fdatasync in C", written),
        Row("  CPU", "µs a record", [one.cpu_each for one in jsonl]),
        peak("  peak memory", jsonl),
    ]


def following_into_sqlite(bench: Bench) -> list[Row]:
    """One closed shard into SQLite, beside plain C that writes the same rows in the same batches and schema."""
    ours: list[Followed] = []
    floors = []
    rows, database, floor = bench.fresh("rows"), bench.fresh("shake.db"), bench.fresh("floor.db")
    pages = "40" if bench.is_quick else "120"
    with PageServer(bench.tool("page-server"), "--pages", pages, "--rows", rows) as server:
        for _ in bench.rounds(f"following {server.records:,} records into sqlite, beside SQLite in C"):
            remove(database)
            ours.append(follow(bench, server, f"sqlite:{database}"))
            remove(floor)
            plain = run([
                bench.tool("sqlite-floor"), floor, "--rows", rows, "--like", database,
                "--batches", ",".join(map(str, ours[-1].batches)),
            ]).json
            floors.append(plain["rows"] / plain["seconds"])
    for path in (rows, database, floor):
        remove(path)
    return [
        Row("follow into sqlite:", "records/s", [one.rate for one in ours], "SQLite in C", floors, ratio_of(0.7)),
        Row("  CPU", "µs a record", [one.cpu_each for one in ours]),
        peak("  peak memory", ours),
    ]


class Postgres(ThrowawayPostgres):
    """A cluster of its own on this disk, as durable as Debian's."""

    def execute(self, sql: str) -> None:
        run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url, *(part for one in sql.split(";") for part in ("-c", one))])


def following_into_postgres(bench: Bench) -> list[Row]:
    """One closed shard into PostgreSQL, beside libpq in C that writes the same rows in the same batches in two ways."""
    ours: list[Followed] = []
    unnest, copy = [], []
    rows = bench.fresh("rows")
    pages = "20" if bench.is_quick else "60"
    with PageServer(bench.tool("page-server"), "--pages", pages, "--rows", rows) as server, closing(Postgres()) as postgres:
        for round in bench.rounds(f"following {server.records:,} records into PostgreSQL, beside libpq in C"):
            schema = f"round_{round}"
            postgres.execute(f"CREATE SCHEMA {schema}")
            ours.append(follow(bench, server, postgres.url, "--target-option", f"schema={schema}"))
            # As many rows in an array as the daemon takes, and as many as there are for COPY.
            for results, by in ((unnest, "unnest"), (copy, "copy")):
                plain = run([
                    bench.tool("postgres-floor"), postgres.url, "--rows", rows, "--like", schema, "--by", by,
                    "--rows-at-once", "100",
                    "--batches", ",".join(map(str, ours[-1].batches)),
                ]).json
                results.append(plain["rows"] / plain["seconds"])
            postgres.execute(f"DROP SCHEMA {schema} CASCADE; DROP SCHEMA floor CASCADE; CHECKPOINT")
    remove(rows)
    rate = [one.rate for one in ours]
    return [
        Row("follow into postgres:", "records/s", rate, "libpq in C, by unnest", unnest, ratio_of(0.7)),
        Row("  the same beside COPY", "records/s", rate, "libpq in C, COPY and upsert", copy),
        Row("  CPU", "µs a record", [one.cpu_each for one in ours]),
        peak("  peak memory", ours),
    ]


def following_into_mongodb(bench: Bench) -> list[Row]:
    """One closed shard into a MongoDB that keeps nothing, beside libmongoc in C that sends it ready-made documents."""
    ours: list[Followed] = []
    floors, floors_cpu = [], []
    rows = bench.fresh("rows")
    pages = "40" if bench.is_quick else "200"
    with PageServer(bench.tool("page-server"), "--pages", pages, "--rows", rows) as server:
        for _ in bench.rounds(f"following {server.records:,} records into MongoDB's sink, beside libmongoc in C"):
            with MongoSink(bench.tool("mongo-sink")) as sink:
                ours.append(follow(bench, server, sink.url))
                plain = run([
                    bench.tool("mongo-floor"), sink.url, "--rows", rows,
                    "--batches", ",".join(map(str, ours[-1].batches)),
                ]).json
                floors.append(plain["rows"] / plain["seconds"])
                floors_cpu.append(plain["cpu"] / plain["rows"] * 1e6)
    remove(rows)
    return [
        Row("follow into mongodb:, a sink", "records/s", [one.rate for one in ours], "libmongoc in C", floors),
        Row("  CPU", "µs a record", [one.cpu_each for one in ours], "libmongoc in C", floors_cpu),
        Row("  peak memory", "MiB", [one.process.peak_bytes / MIB for one in ours]),
    ]


def following_into_dynamodb(bench: Bench) -> list[Row]:
    """One closed shard into a DynamoDB that keeps nothing, beside libcurl in C and boto3 that send it the same items."""
    ours: list[Followed] = []
    floors, floors_cpu, boto3, boto3_cpu = [], [], [], []
    rows = bench.fresh("rows")
    pages = "40" if bench.is_quick else "200"
    with PageServer(bench.tool("page-server"), "--pages", pages, "--rows", rows) as server:
        for _ in bench.rounds(f"following {server.records:,} records into DynamoDB's sink, beside libcurl in C and boto3"):
            options = [f"endpoint={server.url}", "region=us-east-1", "tables.bench=copy", "settle=0s"]
            ours.append(follow(bench, server, "dynamodb:", *(part for one in options for part in ("--target-option", one))))
            plain = run([bench.tool("write-floor"), server.url, "--rows", rows]).json
            floors.append(plain["rows"] / plain["seconds"])
            floors_cpu.append(plain["cpu"] / plain["rows"] * 1e6)
            loop = run([sys.executable, BOTO3_WRITE, server.url, "10000"]).json
            boto3.append(loop["rows"] / loop["seconds"])
            boto3_cpu.append(loop["cpu"] / loop["rows"] * 1e6)
    remove(rows)
    rate = [one.rate for one in ours]
    return [
        Row("follow into dynamodb:, a sink", "records/s", rate, "boto3's batch_writer", boto3),
        Row("  the same beside libcurl", "records/s", rate, "libcurl in C, 32 calls", floors),
        Row("  CPU", "µs a record", [one.cpu_each for one in ours], "boto3's batch_writer", boto3_cpu),
        Row("  the same beside libcurl", "µs a record", [one.cpu_each for one in ours], "libcurl in C", floors_cpu),
        peak("  peak memory", ours),
    ]


# ── Scanning ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Scanned:
    """One full sync of the server's table."""

    process: Finished
    items: int
    seconds: float
    """From the phase's beginning to its end in the journal."""

    @property
    def rate(self) -> float:
        return self.items / self.seconds

    @property
    def cpu_each(self) -> float:
        """µs of CPU an item, of the whole process."""
        return self.process.cpu / self.items * 1e6


def scan(bench: Bench, server: PageServer, target: str) -> Scanned:
    """Scans the server's table into `target` with a new journal, and reads from that journal how it went."""
    journal = bench.fresh("journal")
    process = run([
        bench.shakectl, "run", "--journal", journal, "--table", "bench", "--target", target, "--mode", "full",
        "--source-endpoint", server.url, "--region", "us-east-1",
    ])
    output = run([bench.shakectl, "tail", "--json", "--journal", journal]).output
    events: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    began, ended = (event["time"] for event in events if event["event"] == "phase_changed")
    items = next(event["items"] for event in events if event["event"] == "scan_finished")
    assert items == server.items, f"{items} items of {server.items} were scanned"
    return Scanned(process, items, seconds(ended) - seconds(began))


def scanning(bench: Bench) -> list[Row]:
    """A table into the null target and into SQLite, beside libcurl and boto3 over the same pages."""
    null: list[Scanned] = []
    sqlite: list[Scanned] = []
    curl, boto3, boto3_cpu = [], [], []
    database = bench.fresh("shake.db")
    with PageServer(bench.tool("page-server"), "--items", "60" if bench.is_quick else "240") as server:
        for _ in bench.rounds(f"scanning {server.items:,} items into null and sqlite, beside their floors"):
            plain = run([bench.tool("curl-floor"), server.url, "--scan"]).json
            assert plain["pages"] == server.item_pages + 1
            curl.append(server.items / plain["seconds"])
            null.append(scan(bench, server, "null:"))
            remove(database)
            sqlite.append(scan(bench, server, f"sqlite:{database}"))
            loop = run([sys.executable, BOTO3_SCAN, server.url, "20"]).json
            boto3.append(loop["items"] / loop["seconds"])
            boto3_cpu.append(loop["cpu"] / loop["items"] * 1e6)
    remove(database)
    null_rate, sqlite_rate = [one.rate for one in null], [one.rate for one in sqlite]
    return [
        Row("scan into null:", "items/s", null_rate, "boto3, a Scan loop", boto3),
        Row("  the same beside libcurl", "items/s", null_rate, "libcurl in C", curl),
        Row("  CPU", "µs an item", [one.cpu_each for one in null], "boto3, a Scan loop", boto3_cpu),
        scan_peak("  peak memory", null),
        Row("scan into sqlite:", "items/s", sqlite_rate, "boto3, a Scan loop", boto3),
        Row("  the same beside libcurl", "items/s", sqlite_rate, "libcurl in C", curl),
        Row("  CPU", "µs an item", [one.cpu_each for one in sqlite]),
        scan_peak("  peak memory", sqlite),
    ]


def scan_peak(name: str, runs: list[Scanned]) -> Row:
    return Row(name, "MiB", [one.process.peak_bytes / MIB for one in runs])


def idle(bench: Bench) -> list[Row]:
    """A thousand open shards in which nothing happens."""
    rounds = []
    with PageServer(bench.tool("page-server"), "--shards", "1000") as server:
        for _ in bench.rounds("1,000 idle shards"):
            bench.fresh("journal")
            rounds.append(daemon(bench, server, "null:", idle=5))
    return [
        Row("1,000 idle shards: peak memory", "MiB", [one.peak_bytes / MIB for one in rounds], required=at_most(64)),
        Row("  CPU of a run", "s", [one.cpu for one in rounds]),
        Row("  length of a run", "s", [one.seconds for one in rounds]),
    ]


# ── Watched over HTTP ───────────────────────────────────────────────────────────────────────────────────────────────


def watched(bench: Bench) -> list[Row]:
    """What it costs to be looked at: ten scrapes a second and one who follows the events, beside nobody and no server."""
    seen, unseen, scrapes = [], [], []
    with PageServer(bench.tool("page-server"), "--pages", "600") as server:
        for _ in bench.rounds(f"following {server.records:,} records into null, watched over HTTP and not"):
            unseen.append(follow(bench, server, "null:"))
            with Watcher(WATCHER, 0.1) as watcher:
                seen.append(follow(bench, server, "null:", "--http", watcher.address))
            scrapes.append(watcher.facts["scrapes"])
    idle_seen, idle_unseen = [], []
    with PageServer(bench.tool("page-server"), "--shards", "1000") as server:
        for _ in bench.rounds("1,000 idle shards, watched over HTTP and not"):
            bench.fresh("journal")
            idle_unseen.append(daemon(bench, server, "null:", idle=5))
            bench.fresh("journal")
            with Watcher(WATCHER, 0.1) as watcher:
                idle_seen.append(daemon(bench, server, "null:", "--http", watcher.address, idle=5))
    without = "without --http"
    return [
        Row("follow into null:, watched", "records/s", [one.rate for one in seen], without, [one.rate for one in unseen]),
        Row("  CPU", "µs a record", [one.cpu_each for one in seen], without, [one.cpu_each for one in unseen]),
        Row("  peak memory", "MiB", mebibytes(one.process for one in seen), without, mebibytes(one.process for one in unseen)),
        Row("  scrapes of a run", "", scrapes),
        Row("1,000 idle shards, watched: CPU of a run", "s", [one.cpu for one in idle_seen], without, [one.cpu for one in idle_unseen]),
        Row("  peak memory", "MiB", mebibytes(idle_seen), without, mebibytes(idle_unseen)),
    ]


def mebibytes(processes: Iterable[Finished]) -> list[float]:
    return [one.peak_bytes / MIB for one in processes]


def peak(name: str, runs: list[Followed]) -> Row:
    return Row(name, "MiB", [one.process.peak_bytes / MIB for one in runs], required=at_most(64))


# ── The command ─────────────────────────────────────────────────────────────────────────────────────────────────────

GROUPS: dict[str, Callable[[Bench], list[Row]]] = {
    "append": appends,
    "log": logs,
    "follow": following,
    "sqlite": following_into_sqlite,
    "postgres": following_into_postgres,
    "mongodb": following_into_mongodb,
    "dynamodb": following_into_dynamodb,
    "scan": scanning,
    "idle": idle,
    "watched": watched,
}


def file_system(folder: str) -> str:
    """The kind of file system that holds `folder`."""
    with open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split()[1:3] for line in file]
    inside = [(point, kind) for point, kind in mounts if os.path.commonpath([folder, point]) == point]
    return max(inside, key=lambda mount: len(mount[0]))[1]


def machine(folder: str) -> str:
    """What the figures were measured on, in one line."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown CPU")
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    disk = file_system(folder)
    return f"{now}, {os.cpu_count()} × {model}, Linux {platform.release()}, {disk}, load average {load} at the start"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=GROUPS, metavar="NAME",
                        help=f"measure only this; may be given again. One of {', '.join(GROUPS)}")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="rounds of each measurement (default 5)")
    parser.add_argument("--quick", action="store_true",
                        help="less data in each round, and no log of 10,000,000 events")
    for name in ("--binaries", "--shakectl", "--folder"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs wants 1 or more")
    if arguments.check:
        return 0
    if not arguments.binaries:
        parser.error("run it by tools/bench, which builds what is measured")

    # So that everything is put away whichever way we are told to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    heading = machine(os.path.realpath(arguments.folder))
    say(heading)
    if " tmpfs," in heading:
        parser.error(f"{arguments.folder} is in memory: durable writes can't be measured there")
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory(prefix="bench.", dir=arguments.folder) as folder:
            bench = Bench(arguments.binaries, arguments.shakectl, folder, arguments.runs, arguments.quick)
            for name in GROUPS:
                if not arguments.only or name in arguments.only:
                    rows += GROUPS[name](bench)
    except Failed as error:
        say(str(error))
        return 1
    print(f"\n{heading}\nmedians of {arguments.runs} interleaved rounds; a ratio is the median of the rounds' ratios\n")
    print(table(rows))
    missed = [row.name.strip() for row in rows if row.required and not row.required.holds(row)]
    print(f"\n{len(missed)} of {sum(1 for row in rows if row.required)} requirements missed; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
