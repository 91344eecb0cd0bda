"""Prints what the tests say of each target: a row a scenario, a column a target, from what `swift test` wrote.

    python tools/lib/targettable.py EVENTS OUTPUT      EVENTS as `--event-stream-output-path` writes it, OUTPUT as it prints

A scenario is a test that takes a `candidate`; a cell is the number of its cases that passed, or of those that failed. Prints
nothing where none of them ran. The events know which tests there are and where; which target a case is of, and which case an issue,
only the output tells.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, TextIO

_STARTED = re.compile(r'Test case passing \d+ arguments? candidate → (?P<target>.+?)(?:, \w+ → .*)? to "(?P<test>.+)" started\.')
_ISSUE = re.compile(
    r'Test "(?P<test>.+)" recorded an issue with \d+ arguments? '
    r"(?P<case>candidate → (?P<target>.+?)(?:, \w+ → .*)?) at \S+\.swift:\d+:\d+")


@dataclass
class Scenario:
    """A test, and how many of its cases ran and failed, by target."""

    name: str
    ran: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def cell(self, target: str) -> str:
        ran, failed = self.ran.get(target, 0), self.failed.get(target, 0)
        if not ran:
            return "·"
        return f"✘ {failed}" if failed else f"✔ {ran}" if ran > 1 else "✔"


def read(events: TextIO, output: TextIO) -> dict[str, list[Scenario]]:
    """By suite, in the order in which they stand in their files."""
    suites: dict[str, str] = {}
    places: list[tuple[str, int, Scenario]] = []
    for record in map(json.loads, events):
        if record["kind"] != "test":
            continue
        test: dict[str, Any] = record["payload"]
        name = test.get("displayName") or test["name"]
        if test["kind"] == "suite":
            suites[test["id"]] = name
        elif "candidate:" in test["name"]:
            places.append((test["id"].split("/")[0], test["sourceLocation"]["line"], Scenario(name)))
    scenarios = {scenario.name: scenario for *_, scenario in places}
    failing: set[tuple[str, str]] = set()
    for line in output:
        if (started := _STARTED.search(line)) and started["test"] in scenarios:
            scenarios[started["test"]].ran[started["target"]] += 1
        elif (issue := _ISSUE.search(line)) and issue["test"] in scenarios:
            case = (issue["test"], issue["case"])
            if case not in failing:  # a case may have more than one
                failing.add(case)
                scenarios[issue["test"]].failed[issue["target"]] += 1
    table: dict[str, list[Scenario]] = defaultdict(list)
    for suite, _, scenario in sorted(places, key=lambda place: place[:2]):
        if scenario.ran:
            table[suites.get(suite, suite)].append(scenario)
    return table


def lines(suite: str, scenarios: list[Scenario]) -> list[str]:
    targets = list(dict.fromkeys(target for scenario in scenarios for target in scenario.ran))
    head = [suite, *targets]
    rows = [[scenario.name, *(scenario.cell(target) for target in targets)] for scenario in scenarios]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    first, *others = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in [head, *rows])
    return [rule, first, rule, *others]


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as events, open(sys.argv[2], encoding="utf-8", errors="replace") as output:
        for suite, scenarios in read(events, output).items():
            print("\n".join(["", *lines(suite, scenarios)]))


if __name__ == "__main__":
    main()
