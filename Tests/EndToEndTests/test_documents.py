"""What the documents promise is there."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import re

CHECKOUT = pathlib.Path(__file__).parents[2]


def test_each_test_that_the_field_failures_name_is_there() -> None:
    text = (CHECKOUT / "docs" / "FIELD-FAILURES.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row[0].strip("| ")) for row in rows] == list(range(1, 43)), "each of the 42 rows, once"
    mutants = (CHECKOUT / "tools" / "mutants").read_text(encoding="utf-8")
    missing = []
    for row in rows:
        named = re.findall(r"`([\w/]+\.(?:swift|py))`: `([^`]+)`", row[3])
        assert named, f"row {row[0]} names no test"
        for file, name in named:
            path = CHECKOUT / "Tests" / file
            wanted = f"def {name}(" if file.endswith(".py") else f'"{name}"'
            if not path.exists() or wanted not in path.read_text(encoding="utf-8"):
                missing.append(f"{file}: {name}")
        missing += [name for name in re.findall(r"mutant `([^`]+)`", row[3]) if f'"{name}": [' not in mutants]
    assert missing == []


def test_each_planted_bug_can_still_be_planted() -> None:
    loader = importlib.machinery.SourceFileLoader("mutants", str(CHECKOUT / "tools" / "mutants"))
    spec = importlib.util.spec_from_loader("mutants", loader)
    assert spec
    mutants = importlib.util.module_from_spec(spec)
    loader.exec_module(mutants)
    assert [stale for name in mutants.MUTANTS if (stale := mutants.no_longer_there(name))] == []
