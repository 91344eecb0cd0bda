"""Whether a shard's journal accounts for every record of the stream: none missing, none twice."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any


def advances(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in history if event["event"] == "sequence_advanced"]


@dataclass
class Run:
    """What the journal says was read in one epoch: the records after `start`, up to and with `end`.

    Both are indices among the shard's records, -1 being the place before the first one.
    """

    epoch: int
    start: int | None  # None: from an anchor, and no record has shown yet where that was
    end: int

    @property
    def moved(self) -> bool:
        return self.start is None or self.end > self.start


@dataclass
class Ledger:
    """The epochs of one shard, oldest first, and each advance that does not fit the stream."""

    runs: list[Run]
    wrong: list[str] = field(default_factory=list)
    # The records that each advance of none spans, or spans at least: what recovery found in the target already.
    recovered: list[int] = field(default_factory=list)

    @property
    def place(self) -> int:
        return self.runs[-1].end


def read(
    history: list[dict[str, Any]], numbers: list[str], *, after: str | None = None, anchored: bool = False,
    at_most: int = -1, runs_of_daemons: Set[int] | None = None,
) -> Ledger:
    """Compares the advances in `history` with `numbers`, the sequence numbers of the stream's records in order.

    Each advance must count exactly the records between the place before it and its own; the places before it are
    those of the last advance or rewind. The one exception: an advance of no records is recovery's, which found that
    the target already held what was applied before a crash. It is that only where a daemon's run says it first of all
    about the shard, before where it reads on. Where advances were folded together, such ones are among them, and the
    sum may be less.

    `after` is where the journal begins, None for the shard's start. A shard that is `anchored` begins at a place that
    its first advance tells, by how many records it counts; the place is not behind `at_most`. `runs_of_daemons` are the
    positions of their `run_started`, None where that is not known.
    """
    index = {number: place for place, number in enumerate(numbers)}
    first = index[after] if after is not None else -1
    ledger = Ledger([Run(0, None if anchored else first, first)])
    taken_up: set[int | None] = set()  # the runs that have said where they read on
    for event in history:
        run = ledger.runs[-1]
        if event["event"] == "iterator_resolved":
            taken_up.add(event["run"])
        if event["event"] == "rewound":
            to = event["to_sequence_number"]
            if to is not None and to not in index:
                ledger.wrong.append(f"position {event['position']}: rewound to {to}, which the stream never had")
                continue
            place = index[to] - (1 if event["inclusive"] else 0) if to is not None else -1
            ledger.runs.append(Run(event["epoch"], place, place))
        elif event["event"] in ("sequence_advanced", "advances_folded"):
            number, records = event["sequence_number"], event["records"]
            is_first = event["run"] not in taken_up and (runs_of_daemons is None or event["run"] in runs_of_daemons)
            if event["event"] == "sequence_advanced":
                taken_up.add(event["run"])
            if number not in index:
                ledger.wrong.append(f"position {event['position']}: advanced to {number}, which the stream never had")
                continue
            here = index[number]
            if run.start is None and records > 0 and run.end == first:
                run.start = run.end = here - records
            if here <= run.end:
                ledger.wrong.append(
                    f"position {event['position']}: goes back from {numbers[run.end]} to {number} without a rewind"
                )
            elif event["event"] == "advances_folded" and records < here - run.end:
                pass
            elif records == 0 and is_first:
                ledger.recovered.append(here - run.end if run.start is not None else max(1, here - at_most))
            elif records != here - run.end:
                ledger.wrong.append(
                    f"position {event['position']}: {records} records up to {number}, "
                    f"but the stream has {here - run.end} there"
                )
            run.end = here
    return ledger


def unaccounted(history: list[dict[str, Any]], numbers: list[str], *, after: str | None = None) -> list[str]:
    """One line for each advance that is wrong, and one if the last advance isn't at the last number: see `read`."""
    ledger = read(history, numbers, after=after)
    missing = len(numbers) - 1 - ledger.place
    return ledger.wrong + ([f"the journal ends {missing} records before the stream"] if missing else [])
