"""Whether a shard's journal accounts for every record of the stream: none missing, none twice."""

from __future__ import annotations

from typing import Any


def advances(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in history if event["event"] == "sequence_advanced"]


def unaccounted(history: list[dict[str, Any]], numbers: list[str], *, after: str | None = None) -> list[str]:
    """Compares the advances in `history` with `numbers`, the sequence numbers of the stream's records in order.

    Each advance must count exactly the records between the place before it and its own; the places before it are
    those of the last advance or rewind. The one exception: an advance of no records is recovery's, which found that
    the target already held what was applied before a crash.

    `after` is where the journal begins, None for the shard's start. Gives one line for each advance that is wrong, and
    one if the last advance isn't at the last number.
    """
    index = {number: place for place, number in enumerate(numbers)}
    place = index[after] if after is not None else -1
    wrong = []
    for event in history:
        if event["event"] == "rewound":
            to = event["to_sequence_number"]
            place = index[to] - (1 if event["inclusive"] else 0) if to is not None else -1
        elif event["event"] == "sequence_advanced":
            here = index[event["sequence_number"]]
            if event["records"] not in (0, here - place):
                wrong.append(
                    f"position {event['position']}: {event['records']} records up to {event['sequence_number']}, "
                    f"but the stream has {here - place} there"
                )
            place = here
    if place != len(numbers) - 1:
        wrong.append(f"the journal ends {len(numbers) - 1 - place} records before the stream")
    return wrong
