"""Compares journal and target with what the stream really was: nothing lost, nothing twice, nothing out of order."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import cache
from typing import Any

import ledger
from ledger import Ledger, Run
from replica import JSONLReplica, SQLiteReplica, canonical, decode_item, decode_json_item
from truth import Place, Truth

Event = dict[str, Any]

# Its status lets its children be read.
_FINISHED = {"done", "not_needed", "lost"}
_LATE = "a parent of it was listed late"


class Accounts:
    """A journal's events of one table, beside the truth."""

    def __init__(self, truth: Truth, events: Iterable[Event], *, is_final: bool) -> None:
        """`is_final`: all that the stream has must be there; else the journal may be behind, as after a kill."""
        self.truth = truth
        self.is_final = is_final
        self.overtaken = 0  # lines of an old epoch that came when a rewound ancestor was being read again
        self.events = [event for event in events if event["shard"] is not None]
        self.histories: dict[str, list[Event]] = {}
        for event in self.events:
            self.histories.setdefault(event["shard"], []).append(event)
        self._anchored = {shard for shard, history in self.histories.items() if _anchor(history) is not None}
        self.ledgers: dict[str, Ledger] = {
            shard: ledger.read(history, truth.shards[shard].numbers, anchored=shard in self._anchored)
            for shard, history in self.histories.items() if shard in truth.shards
        }
        self.statuses = {
            shard: next((e["to"] for e in reversed(history) if e["event"] == "status_changed"), "not_processed")
            for shard, history in self.histories.items()
        }
        # Read before the listing told of their parent, and read again after it.
        self._late = {
            event["shard"] for event in self.events if event["event"] == "rewound" and event["reason"] == _LATE
        }

    @property
    def recovered(self) -> list[int]:
        return [span for ledger in self.ledgers.values() for span in ledger.recovered]

    @property
    def rewinds(self) -> int:
        return sum(len(ledger.runs) - 1 for ledger in self.ledgers.values())

    def begins(self, shard: str) -> int:
        """The place after which the journal answers for the shard's records, by its first epoch."""
        known = self.ledgers.get(shard)
        last = len(self.truth.shards[shard].numbers) - 1
        if known is None:
            return -1
        if known.runs[0].start is None or (self._never_needed(shard) and not known.runs[0].moved):
            return last
        return known.runs[0].start

    def is_covered(self, place: Place) -> bool:
        shard, index = place
        return index > self.begins(shard)

    def came_late(self, shard: str) -> bool:
        return any(ancestor in self._late for ancestor in self.truth.ancestry(shard))

    def _never_needed(self, shard: str) -> bool:
        return any(
            event["event"] == "status_changed" and event["to"] == "not_needed" for event in self.histories[shard]
        )

    # --- What the journal itself must be ---

    def wrong(self) -> list[str]:
        lines = []
        for shard in self.histories:
            if shard not in self.truth.shards:
                lines.append(f"{shard}: in the journal, and the stream never had it")
        for shard, real in self.truth.shards.items():
            known = self.ledgers.get(shard)
            if known is None:
                if self.is_final:
                    lines.append(f"{shard}: the journal does not know it, with {len(real.numbers)} records")
                continue
            lines += [f"{shard}: {line}" for line in known.wrong]
            lines += [f"{shard}: {line}" for line in self._missed_by_anchor(shard)]
            if self.is_final:
                lines += [f"{shard}: {line}" for line in self._unfinished(shard)]
        return lines + self._children_before_parents() + self._impossible()

    def _unfinished(self, shard: str) -> list[str]:
        real, known = self.truth.shards[shard], self.ledgers[shard]
        status = self.statuses[shard]
        if real.is_closed and status not in _FINISHED:
            return [f"closed, with {len(real.numbers)} records, and {status}"]
        last = len(real.numbers) - 1
        behind = last - known.place
        if not behind or status == "not_needed" or (known.runs[-1].start is None and not known.runs[-1].end > -1):
            return []
        return [
            f"{status}, {behind} records before its end: from {real.numbers[known.place + 1]} to {real.numbers[last]}"
        ]

    def _missed_by_anchor(self, shard: str) -> list[str]:
        """A scan holds what was made before its anchor; what was made in a later second must be read."""
        moment = _anchor(self.histories[shard])
        if moment is None:
            return []
        begins = self.begins(shard)
        missed = [
            self.truth.shards[shard].numbers[index]
            for index, record in enumerate(self.truth.shards[shard].records[: begins + 1])
            if record["dynamodb"]["ApproximateCreationDateTime"] > moment + 1
        ]
        if not missed or (self.ledgers[shard].runs[0].start is None and not self.is_final):
            return []
        return [f"{len(missed)} records made after its anchor were not read, the first is {missed[0]}"]

    def _children_before_parents(self) -> list[str]:
        lines = []
        status: dict[str, str] = {}
        for event in self.events:
            shard = event["shard"]
            if event["event"] == "rewound":
                status[shard] = "rewound"
            elif event["event"] == "status_changed":
                status[shard] = event["to"]
                real = self.truth.shards.get(shard)
                parent = status.get(real.parent) if real and real.parent else None
                if event["to"] == "in_processing" and parent is not None and parent not in _FINISHED:
                    lines.append(
                        f"{shard}: position {event['position']}: read while its parent {real.parent} is {parent}"
                    )
            else:
                status.setdefault(shard, "not_processed")
        return lines

    def _impossible(self) -> list[str]:
        lines = []
        for shard, history in self.histories.items():
            revisions = [event["revision"] for event in history]
            if revisions != list(range(1, len(history) + 1)):
                # Folding old advances leaves gaps (DESIGN 3.4); a step back or a double is never right.
                if revisions != sorted(set(revisions)):
                    lines.append(f"{shard}: its revisions are not in order")
        positions = [event["position"] for event in self.events]
        if positions != sorted(set(positions)):
            lines.append("the journal's positions are not in order")
        return lines

    # --- Targets ---

    def wrong_lines(self, replica: JSONLReplica, batch: int) -> list[str]:
        """Each record once in each epoch that read it, and the records of a key in the order of making.

        `batch` is the most records that one write can carry: so far the file may be ahead of the journal, after a kill
        or where a rewind overtook a write. What was overtaken is read again in the new epoch, so its order is that of
        the old one: it is not held against the rest, but counted where it comes late.
        """
        lines: list[str] = []
        places: list[tuple[int, Place]] = []  # of each line that is a record, its number
        of_shard: dict[str, list[int]] = {}
        scanned: set[str] = set()
        for number, line in enumerate(replica.lines(), start=1):
            if line["event"] == "SNAPSHOT":
                key = canonical(decode_json_item(line["keys"]))
                if key in scanned:
                    lines.append(f"line {number}: scanned twice: {key}")
                scanned.add(key)
                continue
            shard, sequence = line["shard"], line["sequence_number"]
            real = self.truth.shards.get(shard)
            index = real.index(sequence) if real else None
            if real is None or index is None:
                lines.append(f"line {number}: {shard} never had a record {sequence}")
                continue
            if _images_of_line(line) != _images_of_record(real.records[index]):
                lines.append(f"line {number}: {shard} {sequence} is not as the stream had it")
            places.append((number, (shard, index)))
            of_shard.setdefault(shard, []).append(index)
        ahead: dict[str, set[int]] = {}  # of each shard, which of its lines the journal does not know
        for shard in of_shard.keys() | self.ledgers.keys():
            known = self.ledgers.get(shard)
            if known is not None and known.recovered:
                lines.append(f"{shard}: an advance of no records, which a file cut back to the journal never needs")
            runs = known.runs if known is not None else []
            fitting = self._fitting(of_shard.get(shard, []), runs, batch)
            if isinstance(fitting, str):
                lines.append(f"{shard}: {fitting.format(*self._spoken(shard, of_shard.get(shard, []), runs))}")
            else:
                ahead[shard] = fitting
        return lines + self._out_of_order(places, ahead)

    def _out_of_order(self, places: list[tuple[int, Place]], ahead: dict[str, set[int]]) -> list[str]:
        lines: list[str] = []
        last: dict[str, int] = {}  # of each shard, the index of its last line
        seen: dict[str, int] = {}  # of each shard, how many lines have come
        current: dict[str, int] = {}  # of each key, the rank of its last line
        for number, place in places:
            shard, index = place
            real = self.truth.shards[shard]
            key, sequence = real.keys[index], real.numbers[index]
            seen[shard] = seen.get(shard, 0) + 1
            wrong = []
            parent = real.parent if real.parent in self.truth.shards else None
            if parent and not self._is_read_out(parent, last) and not self.came_late(shard):
                wrong.append(f"line {number}: {shard} {sequence} comes before the end of its parent {parent}")
            if not self._follows(key, current.get(key), place):
                before = self.truth.order[key][current[key]] if key in current else None
                wrong.append(
                    f"line {number}: {shard} {sequence} of {key} comes after "
                    + (f"{before[0]} {self.truth.shards[before[0]].numbers[before[1]]}" if before else "nothing")
                )
            if seen[shard] - 1 in ahead.get(shard, ()):
                self.overtaken += bool(wrong)
                continue
            lines += wrong
            last[shard] = index
            current[key] = self.truth.rank[place]
        return lines

    def _is_read_out(self, shard: str, last: dict[str, int]) -> bool:
        end = len(self.truth.shards[shard].numbers) - 1
        return last[shard] == end if shard in last else self.begins(shard) >= end

    def _follows(self, key: str, before: int | None, place: Place) -> bool:
        """Whether the record at `place` may come after the key's record of rank `before`."""
        rank = self.truth.rank[place]
        if before is not None and rank == before + 1:
            return True
        order = self.truth.order[key]
        if self.came_late(place[0]):
            return self._begins_an_epoch(key, place)
        if before is None or rank > before:
            skipped = order[(before + 1 if before is not None else 0) : rank]
            return not any(self.is_covered(other) for other in skipped)
        return self._begins_an_epoch(key, place)

    def _begins_an_epoch(self, key: str, place: Place) -> bool:
        """Whether an epoch of the shard began between the key's record before `place` there and `place`."""
        shard, index = place
        earlier = [other for at, other in self.truth.order[key] if at == shard and other < index]
        previous = max(earlier, default=-1)
        return shard in self.ledgers and any(
            run.start is not None and previous <= run.start < index for run in self.ledgers[shard].runs
        )

    def _fitting(self, found: list[int], runs: list[Run], batch: int) -> set[int] | str:
        """Which of a shard's lines are ahead of the journal; or what is wrong, if they are not those of its epochs."""
        if runs and runs[0].start is None:
            # No record was journaled in it: what the file has of it is ahead, and begins anywhere.
            begins = runs[1].start if len(runs) > 1 else None
            place = found[0] - 1 if found and (begins is None or found[0] != begins + 1) else runs[0].end
            runs = [Run(runs[0].epoch, place, place), *runs[1:]]
        if not runs:
            return "the file has {0}, and the journal does not know it" if found and self.is_final else set()

        def extension(at: int, end: int) -> int:
            length = 0
            while at + length < len(found) and found[at + length] == end + 1 + length:
                length += 1
            return length

        @cache
        def fits(at: int, epoch: int) -> tuple[range, ...] | None:
            run = runs[epoch]
            assert run.start is not None
            length = run.end - run.start
            if found[at : at + length] != list(range(run.start + 1, run.end + 1)):
                return None
            at += length
            ahead = extension(at, run.end)
            if epoch == len(runs) - 1:
                is_all = at + ahead == len(found) and ahead <= (0 if self.is_final else batch)
                return (range(at, at + ahead),) if is_all else None
            rest = fits(at, epoch + 1)
            if rest is None and 0 < ahead <= batch:
                rest = fits(at + ahead, epoch + 1)
                return None if rest is None else (range(at, at + ahead), *rest)
            return rest

        fitting = fits(0, 0)
        if fitting is None:
            return "the file has {0}, the journal {1}"
        return {place for ahead in fitting for place in ahead}

    def _spoken(self, shard: str, found: list[int], runs: list[Run]) -> tuple[str, str]:
        numbers = self.truth.shards[shard].numbers
        known = [(run.start + 1, run.end) for run in runs if run.start is not None]
        return _spoken(_ranges(found), numbers), _spoken(known, numbers)

    def wrong_rows(self, replica: SQLiteReplica, table: str, batch: int) -> list[str]:
        """Each row is a record's image, at the end that of its key's last one; and no position is behind the journal's."""
        lines = []
        applied = self._applied()
        rows = replica.query(f'SELECT item, sequence_number, shard FROM "{table}"')
        for text, sequence, shard in rows:
            item = decode_item(text)
            if sequence is None:
                continue  # a row of the scan: it is compared with the source
            real = self.truth.shards.get(shard)
            index = real.index(sequence) if real else None
            if real is None or index is None:
                lines.append(f"a row says {shard} {sequence}, which the stream never had")
                continue
            key, new = real.keys[index], real.records[index]["dynamodb"].get("NewImage")
            if new is None or canonical(decode_json_item(new)) != canonical(item):
                lines.append(f"{shard} {sequence} of {key}: the row is not what the record says")
            order = self.truth.order[key]
            newest = len(order) - 1 if self.is_final else applied.get(key, -1)
            if self.truth.rank[shard, index] < newest:
                at, place = order[newest]
                lines.append(
                    f"{shard} {sequence} of {key}: older than {at} {self.truth.shards[at].numbers[place]}, "
                    "which the journal says is applied"
                )
        return lines + self._wrong_positions(replica, batch)

    def _applied(self) -> dict[str, int]:
        """Of each key, the rank of the newest record that the journal says is in the target; none where it went back."""
        ranks: dict[str, int] = {}
        if self.rewinds:
            return ranks
        for shard, known in self.ledgers.items():
            for index, key in enumerate(self.truth.shards[shard].keys[: known.place + 1]):
                ranks[key] = max(ranks.get(key, -1), self.truth.rank[shard, index])
        return ranks

    def _wrong_positions(self, replica: SQLiteReplica, batch: int) -> list[str]:
        lines = []
        held = {
            shard: (epoch, sequence)
            for shard, epoch, sequence in replica.query("SELECT shard, epoch, sequence_number FROM _shake_positions")
        }
        for shard, known in self.ledgers.items():
            real, run = self.truth.shards[shard], known.runs[-1]
            epoch, sequence = held.get(shard, (-1, None))
            index = real.index(sequence) if sequence is not None else None
            if epoch > run.epoch:
                lines.append(f"{shard}: the target is in epoch {epoch}, the journal in {run.epoch}")
            elif epoch == run.epoch and index is None:
                lines.append(f"{shard}: the target holds {sequence}, which the stream never had")
            elif epoch == run.epoch and index is not None and not 0 <= index - run.end <= batch:
                if run.start is None and not run.end > -1:
                    continue  # nothing of it is journaled yet
                lines.append(
                    f"{shard}: the target holds {sequence}, {index - run.end} records ahead of the journal"
                )
            elif epoch < run.epoch and run.moved and run.end > -1:
                lines.append(f"{shard}: the journal is at {real.numbers[run.end]}, and the target holds nothing of it")
        for span in self.recovered:
            if span > batch:
                lines.append(f"recovery advanced a shard by {span} records, more than a batch")
        return lines


def _anchor(history: list[Event]) -> float | None:
    """When the shard was pinned to its newest record, in seconds since 1970; None if it begins at its start."""
    for event in history:
        if event["event"] == "iterator_resolved":
            return _seconds(event["time"]) if event["rule"] == "unanchored_latest" else None
    return None


def _seconds(time: str) -> float:
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def _images_of_line(line: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return line["event"], *(_canonical(line[name]) for name in ("new_image", "old_image"))


def _images_of_record(record: dict[str, Any]) -> tuple[str, str | None, str | None]:
    change = record["dynamodb"]
    return record["eventName"], *(_canonical(change.get(name)) for name in ("NewImage", "OldImage"))


def _canonical(item: dict[str, Any] | None) -> str | None:
    return None if item is None else canonical(decode_json_item(item))


def _ranges(indices: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for index in indices:
        if ranges and ranges[-1][1] + 1 == index:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    return ranges


def _spoken(ranges: list[tuple[int, int]], numbers: list[str]) -> str:
    """The first and the last record of each range, as the count and as the sequence number."""
    words = [
        f"{first + 1}–{last + 1} ({numbers[first]} to {numbers[last]})" for first, last in ranges if last >= first
    ]
    return ", ".join(words[:12]) + (" …" if len(words) > 12 else "") if words else "nothing"
