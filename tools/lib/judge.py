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

    def __init__(
        self, truth: Truth, events: Iterable[Event], *, is_final: bool, mode: str, start_at: str = "trim-horizon"
    ) -> None:
        """`events` are the table's and those of the runs, oldest first; `mode` and `start_at` are the daemon's.

        `is_final`: all that the stream has must be there; else the journal may be behind, as after a kill.
        """
        self.truth = truth
        self.is_final = is_final
        told = list(events)
        self.events = [event for event in told if event["shard"] is not None]
        self._begins_late = mode != "incr" or start_at == "latest"
        self.histories: dict[str, list[Event]] = {}
        for event in self.events:
            self.histories.setdefault(event["shard"], []).append(event)
        self._anchors: dict[str, float] = {}  # when each shard was pinned to its newest record, in seconds since 1970
        self._skipped: dict[str, float] = {}  # when it was said of a shard that it needs no reading
        self._not_excused = self._excuse(told)
        daemons = {event["position"] for event in told if event["event"] == "run_started" and event["role"] == "daemon"}
        self.ledgers: dict[str, Ledger] = {
            shard: ledger.read(
                history, truth.shards[shard].numbers, anchored=shard in self._anchors, at_most=self._before_anchor(shard),
                runs_of_daemons=daemons,
            )
            for shard, history in self.histories.items() if shard in truth.shards
        }
        self.statuses = {
            shard: next((e["to"] for e in reversed(history) if e["event"] == "status_changed"), "not_processed")
            for shard, history in self.histories.items()
        }
        # Read before the listing told of their parent, and read again after it: the epochs in which that begins.
        self._late = {
            event["shard"]: event["epoch"]
            for event in self.events if event["event"] == "rewound" and event["reason"] == _LATE
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
        if shard in self._skipped and not known.runs[0].moved:
            return last
        if known.runs[0].start is None:
            # What recovery found in the target is all that is known of the first ones.
            return known.runs[0].end if known.runs[0].end > -1 else last
        return known.runs[0].start

    def is_covered(self, place: Place) -> bool:
        shard, index = place
        return index > self.begins(shard)

    def came_early(self, shard: str, epoch: int) -> bool:
        """Whether an epoch of the shard is one that began before its parent was known."""
        if epoch < self._late.get(shard, 0):
            return True
        parent = self.truth.shards[shard].parent
        return not self.is_final and parent is not None and parent not in self.histories

    # --- What need not be read ---

    def _excuse(self, told: list[Event]) -> list[str]:
        """Takes down what a scan or `--start-at latest` makes up for, and gives one line for each that nothing does."""
        lines: list[str] = []
        is_scanning = False  # or over: what is made from then on is in no scan
        status: dict[str, str] = {}
        for event in told:
            shard = event["shard"]
            if shard is None:
                if event["event"] == "phase_changed":
                    is_scanning = event["to"] == "incr_sync" and event["from"] is not None
                is_scanning = is_scanning or event["event"] in ("scan_advanced", "scan_finished")
                continue
            status.setdefault(shard, "not_processed")
            if event["event"] == "status_changed":
                status[shard] = event["to"]
            is_anchor = event["event"] == "iterator_resolved" and event["rule"] == "unanchored_latest"
            is_skip = event["event"] == "status_changed" and event["to"] == "not_needed"
            if not is_anchor and not is_skip or shard not in self.truth.shards:
                continue
            followed = [
                ancestor for ancestor in self.truth.ancestry(shard)[1:] if status.get(ancestor, "not_needed") != "not_needed"
            ]
            what = f"{shard}: position {event['position']}: {'begins at its newest record' if is_anchor else 'is not read'}"
            if not self._begins_late:
                lines.append(f"{what}, and all that the stream holds was to be read")
            elif is_scanning:
                lines.append(f"{what}, after the scan had begun")
            elif followed:
                lines.append(f"{what}, though its ancestor {followed[0]} is followed")
            else:
                (self._anchors if is_anchor else self._skipped)[shard] = _seconds(event["time"])
        return lines

    def _before_anchor(self, shard: str) -> int:
        """The last record of the shard that can have been made before it was anchored; -1 if there is none."""
        moment = self._anchors.get(shard, float("-inf"))
        return max(
            (
                index for index, record in enumerate(self.truth.shards[shard].records)
                if record["dynamodb"]["ApproximateCreationDateTime"] <= moment + 1
            ),
            default=-1,
        )

    # --- What the journal itself must be ---

    def wrong(self) -> list[str]:
        lines = list(self._not_excused)
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
        return lines + self._children_before_parents() + self._set_back_for_nothing() + self._impossible()

    def _unfinished(self, shard: str) -> list[str]:
        real, known = self.truth.shards[shard], self.ledgers[shard]
        status = self.statuses[shard]
        if real.is_closed and status not in _FINISHED:
            return [f"closed, with {len(real.numbers)} records, and {status}"]
        last = len(real.numbers) - 1
        behind = last - known.place
        if not behind or (known.runs[-1].start is None and not known.runs[-1].end > -1):
            return []
        if status == "not_needed" and shard in self._skipped:
            return []
        return [
            f"{status}, {behind} records before its end: from {real.numbers[known.place + 1]} to {real.numbers[last]}"
        ]

    def _missed_by_anchor(self, shard: str) -> list[str]:
        """A scan holds what was made before its anchor; what was made in a later second must be read."""
        moment = self._anchors.get(shard, self._skipped.get(shard))
        first = self.ledgers[shard].runs[0]
        if moment is None or (first.start is None and first.end > -1):  # the second: see `ledger.read`, `at_most`
            return []
        begins = self.begins(shard)
        missed = [
            self.truth.shards[shard].numbers[index]
            for index, record in enumerate(self.truth.shards[shard].records[: begins + 1])
            if record["dynamodb"]["ApproximateCreationDateTime"] > moment + 1
        ]
        if not missed or (first.start is None and not self.is_final):
            return []
        return [f"{len(missed)} records made after its anchor were not read, the first is {missed[0]}"]

    def _children_before_parents(self) -> list[str]:
        lines = []
        status: dict[str, str] = {}
        early: dict[str, int] = {}  # of each shard that was read before anything was known of its parent, where
        for event in self.events:
            shard = event["shard"]
            if shard not in status:
                for child in [child for child in early if self.truth.shards[child].parent == shard]:
                    where = early.pop(child)
                    if shard not in self._skipped and not self._is_set_back(child, event["position"]):
                        lines.append(f"{child}: position {where}: read before its parent {shard} is known, and not again")
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
                if event["to"] == "in_processing" and real and real.parent and parent is None:
                    early.setdefault(shard, event["position"])
            else:
                status.setdefault(shard, "not_processed")
        return lines

    def _is_set_back(self, shard: str, position: int) -> bool:
        """Whether it is read again after `position`, since its parent was listed late."""
        return any(
            event["event"] == "rewound" and event["reason"] == _LATE and event["position"] > position
            for event in self.histories[shard]
        )

    def _set_back_for_nothing(self) -> list[str]:
        """Shards that were read again after parents of which all was known before they were taken up."""
        lines = []
        for shard, history in self.histories.items():
            begun = 0
            for event in history:
                if event["event"] == "status_changed" and event["to"] == "in_processing":
                    begun = event["position"]
                if event["event"] != "rewound" or event["reason"] != _LATE:
                    continue
                known = [
                    self.histories[ancestor][0]["position"]
                    for ancestor in self.truth.ancestry(shard)[1:] if ancestor in self.histories
                ]
                if not any(begun < position < event["position"] for position in known):
                    lines.append(
                        f"{shard}: position {event['position']}: set back since {_LATE}, and none was: each was known "
                        f"before it was taken up at position {begun}"
                    )
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

    def wrong_lines(self, replica: JSONLReplica, table: str, batch: int) -> list[str]:
        """Each record once in each epoch that read it, and the records of a key in the order of making.

        `batch` is the most records that one write can carry: so far the file may be ahead of the journal, after a kill
        or where a rewind overtook a write. What was overtaken is read again in the new epoch, and must be in the file
        before the replay begins.
        """
        lines: list[str] = []
        if self.is_final and not replica.is_whole:
            lines.append("the file ends in the middle of a line")
        places: list[tuple[int, Place]] = []  # of each line that is a record, its number
        of_shard: dict[str, list[int]] = {}
        scanned: set[str] = set()
        for number, line in enumerate(replica.lines(), start=1):
            if line["event"] == "SNAPSHOT":
                if not _is_row_of_scan(line, table):
                    lines.append(f"line {number}: is not as a scan has its rows: {line}")
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
            told, had = _comparable(line), _comparable(_line_of_record(table, shard, real.records[index]))
            if told != had:
                unlike = sorted(name for name in told | had if name not in told or name not in had or told[name] != had[name])
                lines.append(f"line {number}: {shard} {sequence} is not as the stream had it: {', '.join(unlike)}")
            places.append((number, (shard, index)))
            of_shard.setdefault(shard, []).append(index)
        fitted: dict[str, list[tuple[int, bool]]] = {}  # of each shard's lines, the epoch, and whether the journal knows it
        for shard in of_shard.keys() | self.ledgers.keys():
            known = self.ledgers.get(shard)
            if known is not None and known.recovered:
                lines.append(f"{shard}: an advance of no records, which a file cut back to the journal never needs")
            runs = known.runs if known is not None else []
            fitting = self._fitting(of_shard.get(shard, []), runs, batch)
            if isinstance(fitting, str):
                lines.append(f"{shard}: {fitting.format(*self._spoken(shard, of_shard.get(shard, []), runs))}")
            else:
                fitted[shard] = fitting
        return lines + self._out_of_order(places, fitted)

    def _out_of_order(
        self, places: list[tuple[int, Place]], fitted: dict[str, list[tuple[int, bool]]]
    ) -> list[str]:
        lines: list[str] = []
        last: dict[str, int] = {}  # of each shard, the index of its last line
        seen: dict[str, int] = {}  # of each shard, how many lines have come
        current: dict[str, int] = {}  # of each key, the rank of its last line
        for number, place in places:
            shard, index = place
            real = self.truth.shards[shard]
            key, sequence = real.keys[index], real.numbers[index]
            seen[shard] = seen.get(shard, 0) + 1
            line_of = seen[shard] - 1
            epoch, is_known = fitted[shard][line_of] if shard in fitted else (0, True)
            is_early = self.came_early(shard, epoch)
            wrong = []
            parent = real.parent if real.parent in self.truth.shards else None
            if parent and not self._is_read_out(parent, last) and not is_early:
                wrong.append(f"line {number}: {shard} {sequence} comes before the end of its parent {parent}")
            if not self._follows(key, current.get(key), place, is_early=is_early):
                before = self.truth.order[key][current[key]] if key in current else None
                wrong.append(
                    f"line {number}: {shard} {sequence} of {key} comes after "
                    + (f"{before[0]} {self.truth.shards[before[0]].numbers[before[1]]}" if before else "nothing")
                )
            if wrong and not is_known:
                # It says nothing of where the replay is.
                lines += [f"{line}; a late one of epoch {epoch}" for line in wrong]
                continue
            lines += wrong
            last[shard] = index
            current[key] = self.truth.rank[place]
        return lines

    def _is_read_out(self, shard: str, last: dict[str, int]) -> bool:
        end = len(self.truth.shards[shard].numbers) - 1
        return last[shard] == end if shard in last else self.begins(shard) >= end

    def _follows(self, key: str, before: int | None, place: Place, *, is_early: bool) -> bool:
        """Whether the record at `place` may come after the key's record of rank `before`."""
        rank = self.truth.rank[place]
        if before is not None and rank == before + 1:
            return True
        order = self.truth.order[key]
        if is_early:
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

    def _fitting(self, found: list[int], runs: list[Run], batch: int) -> list[tuple[int, bool]] | str:
        """Of each of a shard's lines the epoch, and whether the journal knows it; or what is wrong, if they do not fit."""
        if runs and runs[0].start is None:
            # No record was journaled in it: what the file has of it is ahead, and begins anywhere.
            begins = runs[1].start if len(runs) > 1 else None
            place = found[0] - 1 if found and (begins is None or found[0] != begins + 1) else runs[0].end
            runs = [Run(runs[0].epoch, place, place), *runs[1:]]
        if not runs:
            if found and self.is_final:
                return "the file has {0}, and the journal does not know it"
            return [(0, False)] * len(found)

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
            if rest is not None:
                return (range(at, at), *rest)
            if 0 < ahead <= batch and (rest := fits(at + ahead, epoch + 1)) is not None:
                return (range(at, at + ahead), *rest)
            return None

        fitting = fits(0, 0)
        if fitting is None:
            return "the file has {0}, the journal {1}"
        lines: list[tuple[int, bool]] = []
        for run, ahead in zip(runs, fitting):
            lines += [(run.epoch, True)] * (ahead.start - len(lines)) + [(run.epoch, False)] * len(ahead)
        return lines

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
        """Of each key, the rank of the newest record that the journal says is in the target.

        A rewound shard, and those that were set back with it, say so only of what they have read again: behind that,
        older records may lie over newer ones until they have caught up.
        """
        ranks: dict[str, int] = {}
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


def _seconds(time: str) -> float:
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def _line_of_record(table: str, shard: str, record: dict[str, Any]) -> dict[str, Any]:
    """What a `jsonl:` target must hold of a record."""
    change = record["dynamodb"]
    made = datetime.datetime.fromtimestamp(change["ApproximateCreationDateTime"], datetime.timezone.utc)
    return {
        "table": table, "shard": shard, "sequence_number": change["SequenceNumber"], "event": record["eventName"],
        "approximate_time": made.isoformat().removesuffix("+00:00") + "Z", "keys": change["Keys"],
        "new_image": change.get("NewImage"), "old_image": change.get("OldImage"),
    }


def _is_row_of_scan(line: dict[str, Any], table: str) -> bool:
    image, keys = line["new_image"], line["keys"]
    row = {name: None for name in ("shard", "sequence_number", "approximate_time", "old_image")}
    row |= {"table": table, "event": "SNAPSHOT", "keys": {name: image.get(name) for name in keys}, "new_image": image}
    return line == row


def _comparable(line: dict[str, Any]) -> dict[str, Any]:
    """With its items in the one form that equal ones share."""
    return line | {
        name: canonical(decode_json_item(line[name]))
        for name in ("keys", "new_image", "old_image") if line.get(name) is not None
    }


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
