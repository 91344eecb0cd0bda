"""Runs the real program against moto's server, which none of us wrote. Nothing in here links Shake."""

from __future__ import annotations

import itertools
import os
import pathlib
import random
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from localsource import LocalSource, SourceTable
from rig import Rig
from shardedsource import ShardedSource
from streamsim import StreamSim, default_binary
from throwaway import MongoStandin, ThrowawayPostgres

SEED = int(os.environ.get("SHAKE_SEED") or random.SystemRandom().randrange(1 << 32))
_tables = itertools.count(1)


@pytest.fixture(scope="session")
def binary() -> str:
    """The program under test: $SHAKECTL, else the checkout's debug build."""
    checkout = pathlib.Path(__file__).parents[2]
    path = os.path.abspath(os.environ.get("SHAKECTL") or checkout / ".build" / "debug" / "shakectl")
    if not os.access(path, os.X_OK):
        pytest.exit(f"no program to test at {path}: build it with 'swift build', or set SHAKECTL", returncode=2)
    return path


@pytest.fixture(scope="session")
def source() -> Iterator[LocalSource]:
    source = LocalSource()
    yield source
    source.stop()


@pytest.fixture
def simulator() -> Iterator[StreamSim]:
    """A service of the test's own."""
    if not os.path.exists(default_binary()):
        pytest.skip("StreamSim is not built")
    simulator = StreamSim(default_binary())
    yield simulator
    simulator.stop()


@pytest.fixture(scope="session")
def mongodb_url() -> Iterator[str]:
    """The user's MongoDB, if $SHAKE_TEST_MONGODB names one; else a stand-in that answers as a replica set."""
    if told := os.environ.get("SHAKE_TEST_MONGODB"):
        yield told
        return
    server = MongoStandin("--topology", "replica-set")
    yield server.url
    server.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The user's PostgreSQL, if $SHAKE_TEST_POSTGRES names one; else a cluster that is gone with the tests."""
    if told := os.environ.get("SHAKE_TEST_POSTGRES"):
        yield told
        return
    server = ThrowawayPostgres("--fast")
    yield server.url
    server.close()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """All of a test's chance."""
    print(f"SHAKE_SEED={SEED} replays this run")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def hanging_disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a disk that hangs is made with a C compiler, and there is no cc")
    library = tmp_path_factory.mktemp("shim") / "hangingdisk.so"
    source = pathlib.Path(__file__).with_name("hangingdisk.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl"], check=True)
    return str(library)


@pytest.fixture
def rig(binary: str, source: LocalSource, tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(binary, source, tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def table(source: LocalSource) -> SourceTable:
    """A table of its own for each test, so that moto need not be reset while others use it."""
    return source.create_table(f"table-{next(_tables)}")


def pytest_report_header() -> list[str]:
    return [
        f"program under test: {os.environ.get('SHAKECTL') or '.build/debug/shakectl'}",
        f"SHAKE_SEED={SEED} replays this run's chance",
    ]


@pytest.fixture
def sharded() -> Iterator[ShardedSource]:
    source = ShardedSource()
    yield source
    source.close()
