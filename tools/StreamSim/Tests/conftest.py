"""Judges the `streamsim` server as a client that we did not write: boto3. Nothing in here links StreamSim.

What is asked of the server is what FACTS of DynamoDB are known from its documents, not what the server's code says.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim, default_binary
from support import Clients

_tables = itertools.count(1)


def pytest_configure() -> None:
    path = default_binary()
    if not os.access(path, os.X_OK):
        pytest.exit(
            f"no server to test at {path}: build it with 'swift build -c release --package-path tools/StreamSim', "
            "or set STREAMSIM",
            returncode=2,
        )


def pytest_report_header() -> str:
    return f"server under test: {default_binary()}"


class Shared:
    """A server that tests share one after the other. One that a test has killed is replaced for the next."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._begin()

    def _begin(self) -> None:
        self.sim = StreamSim(**self._options)
        self.clients = Clients(self.sim)
        self._defaults = {name: value for name, value in self.sim.settings().items() if name != "seed"}

    def lend(self) -> Iterator[StreamSim]:
        """The server for one test, and as it was before for the next one."""
        if not self.sim.is_running:
            self._begin()
        print(f"the server's seed is {self.sim.seed}")
        yield self.sim
        assert self.sim.is_running, "the server ended during this test"
        self.sim.faults([])
        self.sim.release_late_writes()
        self.sim.quirks([])
        self.sim.settings(**self._defaults)


@pytest.fixture(scope="session")
def _real() -> Iterator[Shared]:
    shared = Shared()
    yield shared
    shared.sim.stop()


@pytest.fixture(scope="session")
def _manual() -> Iterator[Shared]:
    shared = Shared(manual_clock=True)
    yield shared
    shared.sim.stop()


@pytest.fixture
def sim(_real: Shared) -> Iterator[StreamSim]:
    """The server that tests share; its settings, faults and quirks are restored after each of them."""
    yield from _real.lend()


@pytest.fixture
def clocked(_manual: Shared) -> Iterator[StreamSim]:
    """As `sim`, with a clock that stands still until it is advanced."""
    yield from _manual.lend()


@pytest.fixture
def start() -> Iterator[Callable[..., StreamSim]]:
    """Starts a server of the test's own, which ends with the test."""
    started: list[StreamSim] = []

    def start(**options: Any) -> StreamSim:
        started.append(StreamSim(**options))
        return started[-1]

    yield start
    for sim in started:
        sim.stop()


@pytest.fixture
def dynamodb(sim: StreamSim, _real: Shared) -> Any:
    """A client that neither tries again nor checks what it is given: what the server says is what the test sees."""
    return _real.clients.dynamodb


@pytest.fixture
def streams(sim: StreamSim, _real: Shared) -> Any:
    return _real.clients.streams


@pytest.fixture
def clocked_dynamodb(clocked: StreamSim, _manual: Shared) -> Any:
    return _manual.clients.dynamodb


@pytest.fixture
def clocked_streams(clocked: StreamSim, _manual: Shared) -> Any:
    return _manual.clients.streams


@pytest.fixture
def name() -> str:
    """A table's name that no other test has."""
    return f"table-{next(_tables)}"


@pytest.fixture
def table(sim: StreamSim, name: str) -> SimulatedTable:
    """A table of the test's own, with hash key `pk` and a stream of both images."""
    return sim.create_table(name)


@pytest.fixture
def clocked_table(clocked: StreamSim, name: str) -> SimulatedTable:
    return clocked.create_table(name)
