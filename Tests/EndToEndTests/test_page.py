"""The daemon's page in a browser: what an operator sees, reads and reaches, of a daemon and of answers that are made up."""

from __future__ import annotations

import json
import os
import pathlib
import random
import shlex
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from browser import Browser, Page, program
from pageserver import CannedAnswers, CommandAnswers, PageServer
from shake import Daemon, Shakectl, until
from streamsim import StreamSim, default_binary

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium: tools/setup installs it")

REASON = "a wrong mapping was deployed <b>yesterday</b>"
DESKTOP, PHONE, SMALLEST = (1280, 900), (390, 844), (320, 640)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


class Looking:
    """Opens pages; at the end none of them may have complained, or asked anybody but its own server."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._pages: list[tuple[Page, str]] = []
        self.may_lose_the_server = False

    def at(self, url: str, size: tuple[int, int] = DESKTOP, scheme: str = "light", **hash: str) -> Page:
        page = self._browser.open(
            url + (f"#{urlencode(hash)}" if hash else ""), width=size[0], height=size[1], scheme=scheme
        )
        self._pages.append((page, url))
        page.until("document.readyState === 'complete' && state.heard > 0", "the page has an answer")
        return page

    def close(self) -> None:
        for page, url in self._pages:
            strangers = [asked for asked in page.requests if not asked.startswith((url, "data:"))]
            complaints = [
                text for text in page.complaints
                if not (self.may_lose_the_server and ("ERR_CONNECTION" in text or "ERR_INCOMPLETE" in text))
            ]
            page.close()
            assert strangers == []
            assert complaints == []


@pytest.fixture
def looking(browser: Browser) -> Iterator[Looking]:
    looking = Looking(browser)
    yield looking
    looking.close()


# --- A daemon that had a split, a fault, a rewind and a loss ---


class Scene:
    """One table of the simulator, followed into SQLite, and the address of the page."""

    def __init__(self, binary: str, folder: pathlib.Path) -> None:
        self.simulator = StreamSim(default_binary(), seed=11)
        self.table = self.simulator.create_table("orders")
        self.shakectl = Shakectl(binary, folder / "journal")
        self._arguments = [
            "--table", "orders", "--target", f"sqlite:{folder / 'replica.db'}", "--mode", "incr", "--on-loss", "skip",
            "--poll-maximum", "50ms", "--discovery-interval", "200ms",
        ]
        # The daemon serves the page itself, if it can already.
        self._serves_itself = "--http" in self.shakectl.call("run", "--help", journal=False).stdout
        self._server: PageServer | None = None
        if self._serves_itself:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            self._arguments += ["--http", f"127.0.0.1:{port}"]
            self.url = f"http://127.0.0.1:{port}/"
        else:
            self._server = PageServer(CommandAnswers(binary, self.shakectl.journal))
            self.url = self._server.url
        self.daemon: Daemon | None = None

    def start(self) -> Daemon:
        self.daemon = self.shakectl.run(self.simulator, *self._arguments)
        return self.daemon

    def fall_silent(self) -> None:
        """Nobody answers at the page's address any more."""
        if self._server:
            self._server.stop()
        else:
            assert self.daemon is not None
            assert self.daemon.terminate() == 0

    def speak_again(self) -> None:
        if self._server:
            self._server.start()
        else:
            self.start()

    def shards(self) -> dict[str, dict[str, Any]]:
        if self.shakectl.call("shards").returncode != 0:
            return {}
        return {line["shard"]: line for line in self.shakectl.json("shards")}

    def open_shards(self) -> list[str]:
        return [id for id, line in self.shards().items() if line["status"] == "in_processing"]

    def history(self, shard: str, kind: str) -> list[dict[str, Any]]:
        return self.shakectl.json("history", shard, "--event", kind)

    def load(self, until_many: int) -> None:
        """Changes come until every open shard has that many batches."""
        assert self.daemon is not None

        def enough() -> bool:
            self.simulator.load("orders", 10)
            return all(len(self.history(shard, "sequence_advanced")) >= until_many for shard in self.open_shards())

        self.daemon.until(enough, f"{until_many} batches of each open shard", deadline=60)

    def close(self) -> None:
        if self.daemon and self.daemon.is_running:
            self.daemon.kill()
        if self._server:
            self._server.close()
        self.simulator.stop()


@pytest.fixture(scope="module")
def scene(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    scene = Scene(binary, tmp_path_factory.mktemp("page"))
    try:
        daemon = scene.start()
        daemon.until(lambda: len(scene.open_shards()) == 1, "the table is followed")
        scene.load(2)
        scene.simulator.split("orders")
        daemon.until(lambda: len(scene.open_shards()) == 2, "the shard has split")
        scene.load(5)

        scene.simulator.fault("GetRecords", "InternalServerError", count=40)
        daemon.until(
            lambda: any(scene.history(shard, "faulted") for shard in scene.open_shards()), "the reading has failed"
        )
        scene.simulator.faults([])
        [scene.faulted, *_] = [shard for shard in scene.open_shards() if scene.history(shard, "faulted")]
        scene.load(6)

        third = scene.history(scene.faulted, "sequence_advanced")[2]["sequence_number"]
        scene.shakectl.text("rewind", scene.faulted, third, "--reason", REASON)
        scene.load(9)

        assert daemon.terminate() == 0
        scene.simulator.load("orders", 60)
        scene.simulator.trim("orders", keep=0)
        daemon = scene.start()
        daemon.until(
            lambda: all(scene.history(shard, "range_lost") for shard in scene.open_shards()), "the loss is known"
        )
        yield scene
    finally:
        scene.close()


def shown_shard(looking: Looking, scene: Scene, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
    page = looking.at(scene.url, size, scheme, table="orders", shard=scene.faulted)
    page.until("document.querySelectorAll('a.mark').length >= 3", "its history is drawn")
    return page


def test_whether_it_is_well_is_what_one_reads_first(looking: Looking, scene: Scene) -> None:
    page = looking.at(scene.url)
    page.until("document.querySelector('h1').innerText.includes('degraded')", "the loss is in the headline")
    assert "degraded" in page.run("document.title")
    top = page.run("document.querySelector('#verdict').innerText")
    assert "lost: what came after" in top
    assert "shakectl ack orders" in top and f"shakectl history {scene.faulted}" in top or "shakectl history" in top
    [row] = page.run("[...document.querySelectorAll('#tables tbody tr')].map(r => r.innerText)")
    for word in ("orders", "degraded", "incr_sync"):
        assert word in row
    page.until("document.querySelector('#live').innerText.trim() === 'Live'", "it is live")


def test_a_split_is_seen_in_the_lineage(looking: Looking, scene: Scene) -> None:
    page = looking.at(scene.url)
    page.until("document.querySelectorAll('.lineage a').length >= 3", "the bars are drawn")
    bars = page.run(
        "Object.fromEntries([...document.querySelectorAll('.lineage a')].map(a => [a.dataset.lane, {"
        " words: a.getAttribute('aria-label'), letter: a.querySelector('text').textContent,"
        " box: (b => [b.left, b.right, b.top])(a.querySelector('.body').getBoundingClientRect())}]))"
    )
    shards = scene.shards()
    assert bars.keys() == shards.keys()
    [parent] = [id for id, line in shards.items() if line["children"]]
    assert bars[parent]["letter"] == "D" and "done" in bars[parent]["words"]
    children = [bars[child] for child in shards[parent]["children"]]
    assert {child["letter"] for child in children} == {"R"}
    for child in children:
        assert "child of" in child["words"]
        assert child["box"][0] >= bars[parent]["box"][1], "it begins where its parent ends"
    assert len({child["box"][2] for child in children}) == 2, "each has a lane"
    assert page.run("document.querySelectorAll('.lineage .link').length") == 1


def test_a_fault_a_rewind_and_a_loss_are_seen_and_read(looking: Looking, scene: Scene) -> None:
    page = shown_shard(looking, scene)
    marks = page.run(
        "[...document.querySelectorAll('a.mark')].map(m => [m.getAttribute('class'), m.getAttribute('aria-label')])"
    )
    kinds = [kind for kind, _ in marks]
    assert kinds == ["mark fault", "mark rewind", "mark lost"], "in the order of time"
    said = {kind.removeprefix("mark "): words for kind, words in marks}
    [fault] = scene.history(scene.faulted, "faulted")[:1]
    assert fault["code"] in said["fault"]
    assert REASON in said["rewind"]
    assert "trimmed" in said["lost"]
    assert page.run("document.querySelector('.history .back').getBBox().height") > 10, "the place goes back"
    assert page.run("document.querySelectorAll('.history .gap').length") == 1

    [rewound] = scene.history(scene.faulted, "rewound")
    listed = page.run("document.querySelector('#shard .events').innerText")
    assert REASON in listed, "as text: it is no markup"
    assert rewound["author"] in listed
    for title in ("Fault: ", "Rewound", "Records lost", "Taken up", "Discovered"):
        assert title in listed

    # From the graph to the line that tells of it.
    page.click("a.mark.rewind .edge")
    assert REASON in page.run("document.activeElement.innerText")


def test_the_history_of_a_daemon_is_what_its_page_shows(looking: Looking, scene: Scene) -> None:
    page = shown_shard(looking, scene)
    scene.simulator.load("orders", 20)
    last = until(lambda: scene.history(scene.faulted, "sequence_advanced")[-1], "there is one")
    page.until(
        f"[...historyOf('orders', {json.dumps(scene.faulted)}).events.values()]"
        f".some(e => e.position === {last['position']})", "it comes by itself"
    )
    positions = page.run(
        f"[...historyOf('orders', {json.dumps(scene.faulted)}).events.keys()].sort((a, b) => a - b)"
    )
    journal = [event["position"] for event in scene.shakectl.json("history", scene.faulted)]
    assert [position for position in journal if position <= last["position"]] == [
        position for position in positions if position <= last["position"]
    ]


def test_the_commands_that_it_shows_do_what_it_says(looking: Looking, scene: Scene) -> None:
    page = shown_shard(looking, scene)
    open_all(page)
    commands = page.run("[...document.querySelectorAll('[data-copy]')].map(b => b.dataset.copy)")
    rewinds = [command for command in commands if " rewind " in command]
    assert len(rewinds) >= 2
    for command in rewinds[:1] + rewinds[-1:]:
        words = shlex.split(command)
        assert words[0] == "shakectl" and "--dry-run" in words, "nobody is made to change anything by pasting"
        told = scene.shakectl.call(*words[1:], "--json")
        # What the stream has lost can't be delivered again, and the command says so.
        assert told.returncode in (0, 69), told.stderr
        if told.returncode == 0:
            assert json.loads(told.stdout)["shard"] == scene.faulted
    for command in commands:
        if shlex.split(command)[1] in ("history", "shards", "status"):
            assert scene.shakectl.call(*shlex.split(command)[1:]).returncode == 0, command

    page.run("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }")
    page.click("#shard [data-copy]")
    assert page.until("window.copied") == page.run("document.querySelector('#shard [data-copy]').dataset.copy")
    page.until("document.querySelector('#shard [data-copy]').innerText === 'Copied'")
    assert page.run("document.querySelector('#said').innerText") == "Copied", "to a screen reader, too"


def test_it_says_when_it_is_not_live_and_recovers_by_itself(looking: Looking, scene: Scene) -> None:
    looking.may_lose_the_server = True
    page = looking.at(scene.url)
    page.until("document.querySelector('#live').innerText.trim() === 'Live'", "it is live")
    scene.simulator.load("orders", 20)
    page.until("state.position > 0", "it has seen an event")
    scene.fall_silent()
    page.until("document.querySelector('#live').innerText.includes('Not live since')", "it says so")
    page.run("state.heard -= QUIET; draw()")
    assert "No word from the daemon" in page.run("document.querySelector('h1').innerText"), "what is old is not well"
    assert "may be wrong" in page.run("document.querySelector('#verdict').innerText")
    scene.speak_again()
    page.until("document.querySelector('#live').innerText.trim() === 'Live'", "it is live again")
    page.until("!document.querySelector('h1').innerText.includes('No word')", "and knows how it is")
    assert any("/api/v1/events?after=" in asked for asked in page.requests), "and missed nothing meanwhile"


def test_everything_is_reached_by_the_keyboard(looking: Looking, scene: Scene) -> None:
    page = shown_shard(looking, scene)
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached, bars = [], 0
    for _ in range(400):
        page.press("Tab")
        here = page.run(
            "(() => { const e = document.activeElement; if (e === document.body) return null;"
            " const s = getComputedStyle(e), edge = e.querySelector(':scope .edge');"
            " const seen = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0"
            "   || edge && getComputedStyle(edge).stroke !== 'none';"
            " return [e.dataset.lane ? 'bar' : e.dataset.copy ?? e.getAttribute('href') ?? e.innerText, seen,"
            "  e.className?.baseVal ?? e.className]; })()"
        )
        if here is None:
            break
        reached.append(here[0])
        bars += here[0] == "bar"
        assert here[1], f"where the focus is can't be seen: {here}"
    else:
        raise AssertionError("the focus never leaves the page")
    assert reached[0] == "#main", "past all else to the tables"
    everything = page.run(
        "[...document.querySelectorAll('a[href], button, input, summary')].filter(e => e.checkVisibility()"
        " && !e.dataset.lane).map(e => e.dataset.copy ?? e.getAttribute('href') ?? e.innerText)"
    )
    assert set(everything) <= set(reached)
    page.run("document.querySelector('.skip').focus()")
    page.press("Enter")
    assert page.run("document.activeElement.id + location.hash").startswith("main#table=orders&shard="), "and stays there"
    assert bars == 1, "the lineage is one stop, and the arrow keys go on from there"


def test_the_arrow_keys_go_through_the_lineage(looking: Looking, scene: Scene) -> None:
    page = looking.at(scene.url)
    page.until("document.querySelectorAll('.lineage a').length >= 3", "the bars are drawn")
    page.run("document.querySelector('.lineage a[tabindex=\"0\"]').focus()")
    lane = "document.activeElement.dataset.lane"
    shards = scene.shards()
    [parent] = [id for id, line in shards.items() if line["children"]]
    for _ in range(3):
        page.press("ArrowUp")
    first = page.run(lane)
    page.press("ArrowLeft")
    assert page.run(lane) == parent, "left is what came before"
    page.press("ArrowRight")
    assert page.run(lane) == first
    page.press("ArrowDown")
    below = page.run(lane)
    assert {first, below} == set(shards[parent]["children"])
    page.run("draw()")
    assert page.run(lane) == below, "what is drawn anew leaves the focus alone"
    page.press("Enter")
    page.until("document.activeElement.id === 'shard-title'", "the shard is opened, and one is there")
    assert below in page.run("document.activeElement.innerText")


@pytest.mark.parametrize("size", [PHONE, SMALLEST])
def test_a_phone_needs_no_scrolling_aside(looking: Looking, scene: Scene, size: tuple[int, int]) -> None:
    page = shown_shard(looking, scene, size)
    assert overflowing(page) == []
    open_all(page)
    assert overflowing(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_everything_can_be_read(looking: Looking, scene: Scene, size: tuple[int, int], scheme: str) -> None:
    page = shown_shard(looking, scene, size, scheme)
    open_all(page)
    assert audit(page) == []
    # Told apart by a screen reader, too.
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    named = {"button", "link", "img", "heading", "columnheader", "searchbox", "progressbar"}
    roles: dict[str, list[str]] = {}
    for node in nodes:
        if not node.get("ignored"):
            roles.setdefault(node["role"].get("value", ""), []).append(node.get("name", {}).get("value", ""))
    for role in named & roles.keys():
        assert all(name.strip() for name in roles[role]), f"{role} without a name"
    assert {"banner", "main", "contentinfo", "table", "row", "cell", "columnheader"} <= roles.keys()


def test_nothing_moves_for_who_asked_for_that(looking: Looking, scene: Scene) -> None:
    page = looking.at(scene.url)
    moving = (
        "[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);"
        " return s.animationName !== 'none' || s.transitionDuration.split(', ').some(d => parseFloat(d) > 0); }).length"
    )
    page.until("!!document.querySelector('button')")
    assert page.run(moving) == 0
    page.look(is_still=False)
    assert page.run(moving) > 0, "or this would find nothing"


def test_what_happens_is_seen_without_asking(looking: Looking, scene: Scene) -> None:
    """The last of these: it changes the scene."""
    page = looking.at(scene.url)
    page.until("document.querySelectorAll('.lineage a').length >= 3", "the bars are drawn")
    page.until("document.querySelector('h1').innerText.includes('degraded')", "there is a loss")
    bars = page.run("document.querySelectorAll('.lineage a').length")
    scene.shakectl.text("ack", "orders")
    page.until("document.querySelector('h1').innerText.trim() === 'The table is well'", "it was acknowledged")
    assert "well" in page.run("document.querySelector('#said').innerText"), "to a screen reader, too"
    assert "Loss acknowledged" in page.run("document.querySelector('#lately').innerText")
    assert page.run("document.querySelectorAll('.trouble').length") == 0
    scene.simulator.roll_over("orders")
    page.until(f"document.querySelectorAll('.lineage a').length === {bars + 1}", "its child is there")
    scene.shakectl.text("pause", "orders", "--reason", "for a moment")
    page.until("document.querySelector('#tables').innerText.includes('paused')", "it is paused")
    assert "for a moment" in page.run("document.querySelector('#table').innerText")
    assert "shakectl resume orders" in page.text()

    # A rewind whose replay has not begun can be undone, and the page has the command.
    shard = next(shard for shard in scene.open_shards() if scene.history(shard, "sequence_advanced"))
    place = scene.shards()[shard]["sequence_number"]
    before = scene.history(shard, "sequence_advanced")[-2]["sequence_number"]
    scene.shakectl.text("rewind", shard, before, "--offline")
    page.run(f"location.hash = link('orders', {json.dumps(shard)})")
    undo = page.until(
        "[...document.querySelectorAll('#shard [data-copy]')].map(b => b.dataset.copy)"
        ".find(c => c.includes('--to-position'))", "there is the command that undoes it"
    )
    told = scene.shakectl.one(*shlex.split(undo)[1:], "--offline", "--dry-run")
    assert (told["from_sequence_number"], told["to_sequence_number"]) == (before, place)

    scene.shakectl.text("resume", "orders")
    page.until("!document.querySelector('#tables').innerText.includes('paused')", "it goes on")


# --- Answers that no daemon of ours gives ---

STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/{}/stream/2026-11-02T09:14:22.103"
HOSTILE = [
    "<img src=x onerror=\"document.title='taken'\">",
    "'; touch /tmp/taken; #",
    "$(touch taken)`touch taken`",
    "--journal=/elsewhere",
    "a\nb\x1b[31mred\u202egnp.exe",
    "quote'\"\\back",
    "</script><script>alert(1)</script>",
    "=ls ~ * ?",
    "long-" + "x" * 240,
]


def when(seconds_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def status(table: str, **more: Any) -> dict[str, Any]:
    return {
        "table": table, "stream": STREAM.format(table), "phase": "incr_sync", "health": "ok", "reason": "following 1 shard",
        "lag_seconds": 0, "records": 10, "shards": {"in_processing": 1}, "last_error": None, "losses": [], "pauses": [],
        "dead_letters": 0, "listed_seconds": 1, "read_seconds": 1, "acknowledged_seconds": 1, "scan": None,
    } | more


def shard(table: str, name: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "table": table, "stream": STREAM.format(table), "shard": name, "parent": parent, "children": [],
        "status": "in_processing", "sequence_number": "123", "starting_sequence_number": "100",
        "ending_sequence_number": None, "lag_seconds": 0,
    } | more


def checkpoint(table: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "table": table, "stream": STREAM.format(table), "shard": name, "parent": None, "status": "in_processing",
        "iterator_type": "AFTER_SEQUENCE_NUMBER", "sequence_number": "123", "epoch": 0, "revision": 2, "position": 2,
        "worker": "here/1", "approximate_time": None, "updated": when(9), "accounted_until": None, "loss": None,
        "dead_letters": [], "imported": False, "folded": None,
    } | more


def event(table: str, name: str | None, position: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "position": position, "revision": position, "time": when(100 - position), "run": 1, "table": table,
        "stream": STREAM.format(table), "shard": name, "event": kind,
    } | more


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[PageServer] = []

    def serve(answers: CannedAnswers) -> str:
        servers.append(PageServer(answers))
        return servers[-1].url

    yield serve
    for server in servers:
        server.close()


def hostile(name: str) -> CannedAnswers:
    loss = {
        "table": name, "shard": name, "cause": "trimmed", "from_sequence_number": "1" * 40, "to_sequence_number": None,
        "since": None, "policy": "stop", "detail": name, "time": when(50), "position": 3, "acknowledged": False,
        "remedy": None,
    }
    return CannedAnswers(
        [status(
            name, health="failed", reason=f"{name} `{name}`", last_error=name, losses=[loss], dead_letters=2,
            pauses=[{"shard": None, "author": name, "reason": name, "since": when(9), "held_until": None}],
        )],
        [shard(name, name), shard(name, f"{name}2", name, starting_sequence_number="200")],
        {name: [
            event(name, name, 1, "shard_discovered", parent=None, starting_sequence_number="1",
                  ending_sequence_number=None, start=name),
            event(name, name, 2, "sequence_advanced", sequence_number="2", records=1, bytes=1, approximate_time=None),
            event(name, name, 3, "range_lost", **{key: loss[key] for key in (
                "cause", "from_sequence_number", "to_sequence_number", "since", "policy", "detail")}),
            event(name, name, 4, "rewound", from_sequence_number="2", to_sequence_number=None, inclusive=False,
                  reason=name, author=name, cascade_root=name, epoch=1),
            event(name, name, 5, "faulted", code=name, message=name, retried=False),
        ]},
        {name: checkpoint(name, name, loss=loss, parent=f"{name}0")},
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(looking: Looking, serve: Any, name: str) -> None:
    answers = hostile(name)
    page = looking.at(serve(answers), PHONE, table=name, shard=name)
    page.until("document.querySelectorAll('a.mark').length === 3", "its history is drawn")
    until(answers.is_followed, "the page listens")
    answers.say(event(name, name, 6, "faulted", code=name, message=name, retried=True))
    page.until("!!document.querySelector('#lately h2')", "a live event is shown")
    assert page.run("document.querySelectorAll('img, iframe, script:not([src=\"page.js\"]), b, [onerror]').length") == 0
    assert "taken" not in page.run("document.title").split(" – ")[-1]
    open_all(page)
    assert overflowing(page) == []
    assert audit(page) == []

    visible = name.replace("\n", "\u240a").replace("\x1b", "\u241b").replace("\u202e", "⟨U+202E⟩")
    assert visible in page.run("document.querySelector('#table-title').textContent")
    commands = page.run("[...document.querySelectorAll('[data-copy]')].map(b => b.dataset.copy)")
    named = [command for command in commands if "dead-letters" not in command]
    assert any(" ack " in command for command in named) and any(" rewind " in command for command in named)
    for command in named:
        assert command.isprintable(), "what is pasted is one line without what can't be seen"
        words = subprocess.run(
            ["/bin/bash", "-c", command.replace("shakectl", "printf '%s\\0'", 1)], capture_output=True, check=True,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        ).stdout.decode().split("\0")[:-1]
        assert name in words or f"{name}/{name}" in words, command
        if name.startswith("-"):
            assert words.index("--") < words.index(name), "it is no option"


def test_an_option_may_be_a_tables_name(binary: str, tmp_path: pathlib.Path) -> None:
    """That `--` means to the program what the page takes it for."""
    told = Shakectl(binary, tmp_path).call(
        "ack", "--skip", "--journal", str(tmp_path), "--", "--json", journal=False
    )
    assert told.returncode == 74, "no journal is there: it has read the whole line"
    assert "journal" in told.stderr


def test_what_a_newer_daemon_says_is_shown_as_far_as_it_goes(looking: Looking, serve: Any) -> None:
    answers = CannedAnswers(
        [status("new", health="dreaming", phase="third_phase", shards={"resting": 1}, scan=None)],
        [shard("new", "s-1", status="resting")],
        {"s-1": [event("new", "s-1", 1, "dreamt", depth=3)]}, {"s-1": checkpoint("new", "s-1", status="resting")},
    )
    page = looking.at(serve(answers), table="new", shard="s-1")
    page.until("document.querySelector('#shard .events')?.innerText.includes('dreamt')", "its history is shown")
    text = page.text()
    for word in ("dreaming", "third_phase", "resting"):
        assert word in text


@pytest.mark.parametrize(
    ("lines", "headline"),
    [
        ([], "No table is known yet"),
        ([status("a")], "The table is well"),
        ([status("a"), status("b")], "Both tables are well"),
        ([status(name) for name in "abc"], "All 3 tables are well"),
        ([status("a"), status("b", health="failed"), status("c", health="degraded")], "1 of 3 tables needs you"),
        ([status("a"), status("b", health="degraded"), status("c", health="degraded")], "2 of 3 tables are degraded"),
        ([status("a", health="stopped")], "The table is stopped"),
    ],
)
def test_the_headline_is_the_worst(
    looking: Looking, serve: Any, lines: list[dict[str, Any]], headline: str
) -> None:
    page = looking.at(serve(CannedAnswers(lines)))
    page.until(f"document.querySelector('h1').innerText.trim() === {json.dumps(headline)}", headline)
    worst = [line["table"] for line in lines if line["health"] != "ok"]
    shown = page.run("[...document.querySelectorAll('.trouble h2 a')].map(a => a.innerText)")
    assert set(shown) == set(worst)


HISTORY = "shakectl history s-1 --reverse --limit 20"
PAUSE = {"shard": "s-1", "author": "kim", "reason": "", "since": when(9), "held_until": None}


def lost(shard: str, policy: str, position: int = 3) -> dict[str, Any]:
    """A lost range, as a table's status tells it."""
    return {
        "table": "t", "shard": shard, "cause": "trimmed", "from_sequence_number": "1", "to_sequence_number": "2",
        "since": None, "policy": policy, "detail": "gone", "time": when(9), "position": position, "acknowledged": False,
        "remedy": None,
    }


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"losses": "stop"}, ["shakectl ack t --resync", "shakectl ack t --skip", HISTORY]),
        ({"losses": "skip"}, ["shakectl ack t", "shakectl resync t", HISTORY]),
        ({"dead_letters": 3}, ["shakectl dead-letters", "shakectl dead-letters retry --all"]),
        ({"pauses": [PAUSE]}, ["shakectl resume t/s-1"]),
        ({"health": "failed", "reason": "the table needs a full sync"}, ["shakectl resync t"]),
        ({"health": "degraded", "reason": "no page for 70 s"}, ["shakectl shards t", HISTORY]),
    ],
)
def test_what_to_do_next_is_a_command(
    looking: Looking, serve: Any, more: dict[str, Any], expected: list[str]
) -> None:
    if isinstance(policy := more.get("losses"), str):
        more = {"health": "failed", "losses": [lost("s-1", policy)]}
    page = looking.at(serve(CannedAnswers([status("t", **more)], [shard("t", "s-1")])))
    page.until("document.querySelectorAll('.lineage a').length === 1")
    page.until(
        f"{json.dumps(sorted(expected))}.join() ==="
        " [...new Set([...document.querySelectorAll('[data-copy]')].map(b => b.dataset.copy))].sort().join()",
        f"the commands are {expected}",
    )


def test_no_two_steps_are_called_the_same(looking: Looking, serve: Any) -> None:
    losses = [lost("s-1", "skip"), lost("s-1", "skip", 4), lost("s-2", "skip", 5)]
    lines = [status("t", health="degraded", losses=losses)]
    page = looking.at(serve(CannedAnswers(lines, [shard("t", "s-1"), shard("t", "s-2")])))
    page.until("document.querySelectorAll('.lineage a').length === 2")
    names = page.run("[...document.querySelectorAll('.trouble .step > p')].map(p => p.innerText)")
    assert [name for name in names if "were lost" in name] == [
        "See where the records of …s-1 were lost", "See where the records of …s-2 were lost"
    ]
    assert len(set(names)) == len(names)


def many(generations: int, roots: int) -> list[dict[str, Any]]:
    """Lines of descent that roll over every four hours, with ids as the service makes them."""
    chance = random.Random(5)
    now = datetime.now(UTC).timestamp()
    shards: list[dict[str, Any]] = []
    for root in range(roots):
        parent: dict[str, Any] | None = None
        for generation in range(generations):
            began = now - (generations - generation - 0.5) * 4 * 3600 + root
            name = f"shardId-{int(began * 1000):020d}-{chance.randrange(16**8):08x}"
            own = shard(
                "many", name, parent and parent["shard"], sequence_number=f"{int(began * 1e6)}5",
                starting_sequence_number=f"{int(began * 1e6)}0",
            )
            if parent:
                parent.update(children=[name], status="done", ending_sequence_number=f"{int(began * 1e6)}", lag_seconds=None)
            shards.append(own)
            parent = own
    return shards


@pytest.mark.parametrize(("generations", "roots"), [(1, 500), (100, 5), (2, 250)])
def test_five_hundred_shards_are_no_wall(looking: Looking, serve: Any, generations: int, roots: int) -> None:
    shards = many(generations, roots)
    late = shards[generations - 1 + generations * (roots // 2)]
    late["lag_seconds"] = 320
    answers = CannedAnswers([status("many", lag_seconds=320, health="degraded", reason="a shard is behind")], shards)
    page = looking.at(serve(answers))
    page.until("document.querySelectorAll('.lineage a').length > 0", "it is drawn")
    assert page.run("document.querySelectorAll('.lineage a').length") < 160
    assert page.run("document.querySelector('.lineage').getBoundingClientRect().height") < 700
    assert page.run("document.querySelectorAll('*').length") < 2500
    assert late["shard"] in page.run("[...document.querySelectorAll('.lineage a')].map(a => a.dataset.lane)"), (
        "what is behind is never folded"
    )
    assert f"{500:,} shards" in page.text()
    assert audit(page) == []

    page.run("document.querySelector('[data-key=\"shards\"]').open = true")
    assert page.run("document.querySelectorAll('.of-shards tbody tr').length") == 25
    assert late["shard"] == page.run("document.querySelector('.of-shards tbody a').title"), "it comes first"
    page.run(
        "(() => { const i = document.querySelector('#sought'); i.focus(); i.value = "
        f"{json.dumps(shards[0]['shard'][-8:].upper())}; i.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
    )
    page.until("document.querySelectorAll('.of-shards tbody tr').length === 1", "it is found by a part of its id")
    page.look(*PHONE)
    page.run("draw()")
    assert overflowing(page) == []


def test_each_status_is_told_by_its_letter_and_its_pattern(looking: Looking, serve: Any) -> None:
    statuses = ["not_processed", "not_needed", "prepared", "in_processing", "waiting_for_parent", "done", "lost"]
    shards = [
        shard("t", f"s-{number}", status=status, starting_sequence_number=str(100 + number))
        for number, status in enumerate(statuses)
    ]
    pauses = [PAUSE | {"shard": "s-3"}]
    page = looking.at(serve(CannedAnswers([status("t", pauses=pauses)], shards)))
    page.until("document.querySelectorAll('.lineage a').length === 7", "all are drawn")
    letters = page.run("[...document.querySelectorAll('.lineage a text')].map(t => t.textContent)")
    assert sorted(letters) == sorted(["N", "–", "P", "R", "W", "D", "L"])
    looks = page.run(
        "[...document.querySelectorAll('.lineage .body')].map(b => { const s = getComputedStyle(b);"
        " return [s.fill, s.stroke, s.strokeDasharray].join(); })"
    )
    assert len(set(looks)) == 7
    words = page.run("document.querySelector('.lineage a[data-lane=\"s-3\"]').getAttribute('aria-label')")
    assert "paused" in words
    # Only those of one status.
    page.click("[data-filter='waiting_for_parent']")
    assert page.run("[...document.querySelectorAll('.lineage a')].map(a => a.dataset.lane)") == ["s-4"]
    assert audit(page) == []


def test_a_lineage_in_a_circle_and_one_of_two_streams_are_drawn(looking: Looking, serve: Any) -> None:
    shards = [
        shard("t", "a", "b"), shard("t", "b", "a", starting_sequence_number="200"), shard("t", "own", "own"),
        shard("t", "old", status="done", stream="arn:older"),
    ]
    page = looking.at(serve(CannedAnswers([status("t")], shards)))
    page.until("document.querySelectorAll('.lineage a').length === 4", "all are drawn")
    assert "1 older stream" in page.text()


# --- What is asked of every page ---


def open_all(page: Page) -> None:
    """What is folded, and what comes up with that."""
    page.run(
        "(async () => { document.querySelectorAll('details').forEach(d => d.open = true);"
        " for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); })()"
    )


def overflowing(page: Page) -> list[str]:
    """What reaches beyond the right edge."""
    return page.run(
        "(() => { const w = document.documentElement.clientWidth, out = [];"
        " if (document.documentElement.scrollWidth > w) out.push(`the page is ${document.documentElement.scrollWidth} wide`);"
        " for (const e of document.querySelectorAll('body *')) { if (e.closest('.unseen, thead')) continue;"
        "  const b = e.getBoundingClientRect();"
        "  if (b.width && b.right > w + 1 && e.checkVisibility()) out.push(`${e.nodeName}.${e.getAttribute('class')}"
        " ${Math.round(b.right)} ${e.textContent.slice(0, 40)}`); }"
        " return out.slice(0, 5); })()"
    )


def audit(page: Page) -> list[str]:
    """Headings in order, names, unique ids, contrast of 4.5 at least: the basics, and no more than that."""
    return page.run(AUDIT)


AUDIT = r"""(() => {
    const wrong = [];
    if (!document.documentElement.lang) wrong.push("no language");
    if (!document.title) wrong.push("no title");
    if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
    for (const landmark of ["header", "main", "footer"]) if (!document.querySelector(landmark)) wrong.push(`no ${landmark}`);
    let level = 0;
    for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
        const own = Number(heading.nodeName[1]);
        if (own > level + 1) wrong.push(`h${own} after h${level}: ${heading.textContent}`);
        level = own;
    }
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`id ${id} twice`);
    for (const e of document.querySelectorAll("[aria-labelledby]")) {
        if (e.childNodes.length && !document.getElementById(e.getAttribute("aria-labelledby"))) wrong.push(`no ${e.getAttribute("aria-labelledby")}`);
    }
    for (const input of document.querySelectorAll("input")) if (!input.labels.length) wrong.push("an input without a label");
    for (const svg of document.querySelectorAll("svg")) {
        if (!svg.closest("[aria-hidden=true], [aria-label], [aria-labelledby]") ) wrong.push("a drawing without words");
    }
    if (document.querySelector("[style], style, [onclick]")) wrong.push("inline style or script");

    const parse = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
    const ground = (element) => {
        if (element.ownerSVGElement) {
            const box = element.getBoundingClientRect();
            const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
            const under = [...(element.closest("g.bar")?.querySelectorAll("rect") ?? [])].filter((rect) => {
                const own = rect.getBoundingClientRect();
                return getComputedStyle(rect).fill !== "none" && own.left <= x && x <= own.right && own.top <= y && y <= own.bottom;
            });
            if (under.length) return parse(getComputedStyle(under.at(-1)).fill);
            element = element.ownerSVGElement;
        }
        for (let e = element; e; e = e.parentElement) {
            const colour = parse(getComputedStyle(e).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const element = text.parentElement;
        if (!text.data.trim() || ["TITLE", "NOSCRIPT", "SCRIPT"].includes(element.nodeName.toUpperCase())) continue;
        if (element.closest(".unseen, .skip") || !element.checkVisibility()) continue;
        const style = getComputedStyle(element);
        const colour = parse(element.ownerSVGElement ? style.fill : style.color);
        const found = ratio(colour, ground(element));
        if (found < 4.5) wrong.push(`contrast ${found.toFixed(2)} of "${text.data.trim().slice(0, 30)}" (${element.getAttribute("class") ?? element.nodeName})`);
    }
    return wrong.slice(0, 10);
})()"""
