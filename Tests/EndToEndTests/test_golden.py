"""Journals that earlier versions wrote, read by this program: every event and every state as it was shown then."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import pytest
from rig import Rig
from shake import Shakectl

GOLDEN = pathlib.Path(__file__).parents[1] / "JournalTests" / "Golden"


def lines(path: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(params=sorted(path.name for path in GOLDEN.iterdir()))
def golden(request: pytest.FixtureRequest, rig: Rig) -> tuple[pathlib.Path, Shakectl]:
    folder = GOLDEN / request.param
    copy = rig.folder / "golden"
    copy.mkdir()
    for name in ("data.mdb", "daemon.lock"):
        shutil.copy(folder / name, copy)
    return folder, rig.shakectl("golden")


def test_a_golden_journal_shows_what_it_showed_when_it_was_written(golden: tuple[pathlib.Path, Shakectl]) -> None:
    folder, shakectl = golden
    # A later version may say more of an event, and never less or otherwise.
    for shown, expected in zip(shakectl.json("tail"), lines(folder / "events.jsonl"), strict=True):
        assert all(shown[name] == value for name, value in expected.items())
    for expected in lines(folder / "states.jsonl"):
        shown = shakectl.one("state", expected["shard"])
        assert all(shown[name] == value for name, value in expected.items())
    assert shakectl.one("verify")["ok"] is True


def test_a_golden_journal_takes_an_operators_rewind(golden: tuple[pathlib.Path, Shakectl]) -> None:
    _, shakectl = golden
    events = shakectl.one("verify")["events"]
    [shard] = {event["shard"] for event in shakectl.json("tail") if event.get("parent")}
    shakectl.text("rewind", shard, "--to-start", "--offline", "--reason", "to see")
    assert shakectl.one("verify")["events"] == events + 2


def test_a_golden_export_is_imported_and_says_what_it_said(golden: tuple[pathlib.Path, Shakectl], rig: Rig) -> None:
    folder, shakectl = golden
    new = rig.shakectl("new")
    new.text("import", str(folder / "export.jsonl"))
    assert new.one("verify") == shakectl.one("verify")
    for shown, expected in zip(new.json("tail"), lines(folder / "events.jsonl"), strict=True):
        assert all(shown[name] == value for name, value in expected.items())
    # The same bytes as the journal that it was made of, whatever else this version says of them.
    def content(of: Shakectl) -> list[tuple[str, str]]:
        return [(line["hash"], line["encoded"]) for line in of.json("export")[1:]]

    assert content(new) == content(shakectl)
    assert content(new) == [(line["hash"], line["encoded"]) for line in lines(folder / "export.jsonl")[1:]]
