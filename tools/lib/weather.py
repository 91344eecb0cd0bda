"""What a stream does by itself: faults, late listings, empty pages, splits, roll-overs, iterators that expire."""

from __future__ import annotations

import random
import threading
from typing import Any

from streamsim import StreamSim

LONGEST_DELAY_MS = 300

# What a stream may do without any fault, more often than a real one does.
HOSTILE: dict[str, Any] = {
    "empty_pages": 20, "short_pages": 20, "listing_lag_ms": 300, "contradictory_listings": 10,
    "iterator_lifetime_ms": 5000, "shuffled_listings": True, "longest_delay_ms": LONGEST_DELAY_MS,
}
CALM: dict[str, Any] = {
    "empty_pages": 0, "short_pages": 0, "listing_lag_ms": 0, "contradictory_listings": 0,
    "iterator_lifetime_ms": 900_000,
}


class Weather(threading.Thread):
    """Splits and rolls over shards of a table and lets iterators expire, until told to stop."""

    def __init__(
        self, simulator: StreamSim, table: str, chance: random.Random, *, open_shards: int, pause: tuple[float, float]
    ) -> None:
        """No more than `open_shards` stand open at once, so that the lineage grows longer and not ever wider."""
        super().__init__(daemon=True)
        self.changes = 0
        self._simulator = simulator
        self._table = table
        self._chance = chance
        self._most = open_shards
        self._pause = pause
        self._enough = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._enough.wait(self._chance.uniform(*self._pause)):
                self._change()
                self.changes += 1
        except BaseException as error:  # told to whoever asks for the end
            self._error = error

    def _change(self) -> None:
        match self._chance.randrange(5):
            case 0:
                self._simulator.expire_iterators()
            case 1 | 2 if self._open() < self._most:
                self._simulator.split(self._table)
            case _:
                self._simulator.roll_over(self._table)

    def _open(self) -> int:
        return sum(shard["ending_sequence_number"] is None for shard in self._simulator.shards(self._table))

    def stop(self) -> None:
        self._enough.set()
        self.join()
        if self._error:
            raise self._error
