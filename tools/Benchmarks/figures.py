"""What the benchmarks print: rows of figures, each beside its floor and what is required of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """A bound on a row's median, or on its ratio to the floor."""

    bound: float
    of_ratio: bool = False
    is_most: bool = False

    def holds(self, row: Row) -> bool:
        value = row.ratio if self.of_ratio else row.median
        assert value is not None
        return value <= self.bound if self.is_most else value >= self.bound

    def text(self, row: Row) -> str:
        sign = "≤" if self.is_most else "≥"
        return f"{sign} {self.bound:g} of it" if self.of_ratio else f"{sign} {figure(self.bound)} {row.unit}"


def ratio_of(bound: float) -> Requirement:
    return Requirement(bound, of_ratio=True)


def at_least(bound: float) -> Requirement:
    return Requirement(bound)


def at_most(bound: float) -> Requirement:
    return Requirement(bound, is_most=True)


@dataclass(frozen=True)
class Row:
    """One row of the table. The n-th value and the n-th value of the floor come from the same round."""

    name: str
    unit: str
    values: Sequence[float]
    floor_name: str = ""
    floor: Sequence[float] = ()
    required: Requirement | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' own ratios, so that what slows a whole round down slows both sides."""
        if not self.floor:
            return None
        return statistics.median(value / floor for value, floor in zip(self.values, self.floor, strict=True))


def figure(value: float) -> str:
    """Three digits that count, thousands marked."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    return f"[{figure(min(values))}–{figure(max(values))}]"


def table(rows: Sequence[Row]) -> str:
    """Every row, aligned; numbers to the right."""
    head = ["", "median", "[min–max]", "", "floor, in the same rounds", "ratio", "required", "reached"]
    cells = [head]
    for row in rows:
        floor = ratio = ""
        if row.floor:
            floor = f"{figure(statistics.median(row.floor))} {spread(row.floor)} {row.floor_name}"
            assert row.ratio is not None
            ratio = f"{row.ratio:.2f}"
        required = row.required.text(row) if row.required else ""
        reached = ("yes" if row.required.holds(row) else "NO") if row.required else ""
        cells.append([row.name, figure(row.median), spread(row.values), row.unit, floor, ratio, required, reached])
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    to_the_right = {1, 5}
    lines = [
        "  ".join(
            cell.rjust(width) if column in to_the_right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])
