"""A daemon that follows one table of the simulator into one target, is killed and started again, and is judged."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from judge import Accounts
from replica import JSONLReplica, SQLiteReplica, differences
from shake import Daemon, Shakectl, json_lines
from streamsim import SimulatedTable
from truth import Truth

# A guard against hanging: a machine that does much else may take long to catch up.
CATCHING_UP = 120.0
# The pages that one write may carry of a shard: `ShardMachine.window`.
PAGES_OF_A_BATCH = 6

R = TypeVar("R", JSONLReplica, SQLiteReplica)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """A kind of target: how it is named to the daemon, read from outside, and judged."""

    name: str
    file: str
    open: Callable[[str], R]
    items: Callable[[R, SimulatedTable], list[dict[str, Any]]]
    wrong: Callable[[Accounts, R, SimulatedTable, int], list[str]]

    def url(self, path: str) -> str:
        return f"{self.name}:{path}"


# A further target is one more entry.
KINDS: dict[str, Kind[Any]] = {
    "sqlite": Kind(
        "sqlite", "replica.db", SQLiteReplica,
        items=lambda replica, table: replica.items(table.name),
        wrong=lambda accounts, replica, table, batch: accounts.wrong_rows(replica, table.name, batch),
    ),
    "jsonl": Kind(
        "jsonl", "changes.jsonl", JSONLReplica,
        items=lambda replica, table: replica.items(table.name, table.key_names),
        wrong=lambda accounts, replica, table, batch: accounts.wrong_lines(replica, table.name, batch),
    ),
}


class DoesNotHold(AssertionError):
    """What was promised, and isn't so."""

    def __init__(self, whom: str, wrong: list[str]) -> None:
        shown = "\n".join(f"    {line}" for line in wrong[:20])
        more = f"\n    … and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        super().__init__(f"{whom}: {len(wrong)} things do not hold:\n{shown}{more}")


class Follower:
    """One journal, one target, one table. What it needs lies in `folder`."""

    def __init__(
        self, binary: str, folder: str, kind: Kind[Any], table: SimulatedTable, *, mode: str = "incr",
        pace: tuple[str, ...] = ("--poll-maximum", "100ms", "--discovery-interval", "200ms"),
        more: tuple[str, ...] = (),
    ) -> None:
        os.makedirs(folder, exist_ok=True)
        self.kind = kind
        self.table = table
        self.mode = mode
        self.shakectl = Shakectl(binary, os.path.join(folder, "journal"))
        self.path = os.path.join(folder, kind.file)
        self.replica = kind.open(self.path)
        self.arguments = (
            "--table", table.name, "--target", kind.url(self.path), "--mode", mode, *pace, *more,
        )
        self.daemon: Daemon | None = None
        self.has_journal = False
        self.peak = 0  # bytes that a daemon of this follower held at most
        self.longest_verify = 0.0
        self.folded = 0  # advances that the journal holds folded together
        self._seen: dict[int, dict[str, Any]] = {}  # advances, by their position

    @property
    def name(self) -> str:
        return f"{self.table.name} into {self.kind.name}"

    @property
    def where(self) -> str:
        return f"journal {self.shakectl.journal}, target {self.path}, log {self.shakectl.journal}.log"

    @property
    def is_running(self) -> bool:
        return self.daemon is not None and self.daemon.is_running

    def start(self, crash_at: str | None = None) -> Daemon:
        assert not self.is_running
        prefix = ["env", f"SHAKE_CRASH_AT={crash_at}"] if crash_at else None
        self.daemon = self.shakectl.run(self.table.simulator, *self.arguments, prefix=prefix)
        return self.daemon

    def kill(self) -> None:
        if self.daemon is not None:
            self.measure()
            self.daemon.kill()

    def measure(self) -> None:
        """Takes note of how much memory the daemon has held at most: asked while it runs, since no one knows later."""
        if self.daemon is None:
            return
        try:
            with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as file:
                found = re.search(r"VmHWM:\s+(\d+) kB", file.read())
        except OSError:
            return
        if found:
            self.peak = max(self.peak, int(found[1]) * 1024)

    # --- What it says ---

    def verify(self, deadline: float = 60) -> None:
        """The journal must be whole; it may be missing only as long as no daemon has come to make it."""
        began = time.monotonic()
        result = self.shakectl.call("verify", "--json", deadline=deadline)
        self.longest_verify = max(self.longest_verify, time.monotonic() - began)
        if result.returncode == 0 and json.loads(result.stdout)["ok"] is True:
            self.has_journal = True
        elif self.has_journal or result.returncode != 74:
            raise DoesNotHold(
                self.name, [f"verify ends with {result.returncode}: {result.stdout.strip()} {result.stderr.strip()}"]
            )

    def shards(self) -> dict[str, dict[str, Any]]:
        """As the journal knows them; none while there is no journal."""
        result = self.shakectl.call("shards", "--json")
        if result.returncode != 0:
            return {}
        return {shard["shard"]: shard for shard in json_lines(result.stdout)}

    def begun(self) -> dict[str, dict[str, Any]]:
        """The shards of which the journal has a record."""
        return {name: shard for name, shard in self.shards().items() if shard["sequence_number"] is not None}

    def phase(self) -> str | None:
        result = self.shakectl.call("status", "--json")
        lines = json_lines(result.stdout) if result.returncode == 0 else []
        return next((line["phase"] for line in lines if line["table"] == self.table.name), None)

    def events(self) -> list[dict[str, Any]]:
        """The table's and those of the runs, oldest first. Advances that were folded since they were seen here are as they were then."""
        if not self.has_journal:
            return []
        result = self.shakectl.call("tail", "--json", deadline=120)
        assert result.returncode == 0, result.stderr
        told = [
            event for event in json_lines(result.stdout)
            if event["table"] == self.table.name or event["event"] in ("run_started", "run_stopped")
        ]
        for event in told:
            if event["event"] == "sequence_advanced":
                self._seen[event["position"]] = event
        self.folded = sum(event["count"] for event in told if event["event"] == "advances_folded")
        return sorted((event for entry in told for event in self._unfolded(entry)), key=lambda event: event["position"])

    def _unfolded(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        if event["event"] != "advances_folded":
            return [event]
        seen = [
            self._seen[position] for position in range(event["first_position"], event["position"] + 1)
            if position in self._seen and self._seen[position]["shard"] == event["shard"]
        ]
        if len(seen) < event["count"]:
            return [event]  # some of them were folded before anybody looked
        sums = [sum(advance[name] for advance in seen) for name in ("records", "bytes")]
        if (
            len(seen) > event["count"] or sums != [event["records"], event["bytes"]]
            or seen[-1]["sequence_number"] != event["sequence_number"]
        ):
            raise DoesNotHold(
                self.name, [f"{event['shard']}: position {event['position']}: folded to {event}, and they were {seen}"]
            )
        return seen

    # --- Being in step ---

    def catch_up(self, truth: Truth, deadline: float = CATCHING_UP) -> float:
        """Waits until the journal has come to the end of `truth`, and says for how long."""
        daemon = self.daemon or self.start()
        began = time.monotonic()
        while behind := self._behind(truth):
            self.measure()
            if not daemon.is_running:
                raise DoesNotHold(
                    self.name, [f"the daemon ended with {daemon.process.returncode}: {daemon.log[-3000:]}"]
                )
            if time.monotonic() > began + deadline:
                raise DoesNotHold(self.name, [f"after {deadline:.0f} s not in step", *behind])
            time.sleep(0.1)
        self.has_journal = True
        return time.monotonic() - began

    def _behind(self, truth: Truth) -> list[str]:
        known = self.shards()
        lines = []
        for shard in truth.shards.values():
            seen = known.get(shard.id)
            if seen is None:
                lines.append(f"{shard.id}: not in the journal")
            elif shard.is_closed and seen["status"] not in ("done", "not_needed"):
                lines.append(f"{shard.id}: closed, and {seen['status']} at {seen['sequence_number']}")
            elif shard.is_closed or not shard.numbers or seen["sequence_number"] == shard.numbers[-1]:
                continue
            elif seen["sequence_number"] is None and self.mode == "all" and seen["lag_seconds"] == 0:
                continue  # anchored behind its last record, and its newest page was empty
            else:
                lines.append(f"{shard.id}: {seen['status']} at {seen['sequence_number']}, not {shard.numbers[-1]}")
        return lines

    def stop(self) -> None:
        assert self.daemon is not None
        self.measure()
        code = self.daemon.terminate()
        if code != 0:
            raise DoesNotHold(self.name, [f"after SIGTERM the daemon ended with {code}: {self.daemon.log[-3000:]}"])

    # --- Being judged ---

    def judge(self, truth: Truth, records_of_a_page: int, *, is_final: bool) -> Accounts:
        """Of a daemon that does not run: journal and target against the truth.

        `is_final`: it has caught up, so that source and target are also compared item by item.
        """
        assert not self.is_running
        accounts = Accounts(truth, self.events(), is_final=is_final, mode=self.mode)
        wrong = accounts.wrong()
        wrong += self.kind.wrong(accounts, self.replica, self.table, PAGES_OF_A_BATCH * records_of_a_page)
        if is_final:
            wrong += differences(self.table.items(), self.kind.items(self.replica, self.table), self.table.key_names)
        if wrong:
            raise DoesNotHold(self.name, wrong)
        return accounts
