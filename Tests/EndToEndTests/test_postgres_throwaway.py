"""The throwaway PostgreSQL cluster, judged by psql."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
from collections.abc import Iterator

import pytest
from shake import until
from throwaway import ThrowawayPostgres


def psql(url: str, statement: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", url, "-c", statement], capture_output=True, text=True, timeout=30)


def folder_of(url: str) -> pathlib.Path:
    return pathlib.Path(psql(url, "SHOW data_directory").stdout.strip()).parent


@pytest.fixture(scope="module")
def cluster() -> Iterator[ThrowawayPostgres]:
    cluster = ThrowawayPostgres("--fast")
    yield cluster
    cluster.close()


def test_its_superuser_may_all_and_the_limited_role_nothing(cluster: ThrowawayPostgres) -> None:
    assert psql(cluster.url, "CREATE TABLE mine (k text); SELECT count(*) FROM mine").stdout == "CREATE TABLE\n0\n"
    for statement in ("SELECT * FROM mine", "CREATE TABLE other (k text)"):
        refused = psql(cluster.limited_url, statement)
        assert refused.returncode and "permission denied" in refused.stderr
    assert psql(cluster.limited_url, "SELECT 1").stdout == "1\n"


def test_a_wrong_password_and_a_wrong_database_are_refused(cluster: ThrowawayPostgres) -> None:
    assert "password authentication failed" in psql(cluster.url.replace("shake:", "shake:x", 1), "SELECT 1").stderr
    assert "does not exist" in psql(f"{cluster.url}x", "SELECT 1").stderr


def test_its_collation_is_not_that_of_bytes(cluster: ThrowawayPostgres) -> None:
    assert psql(cluster.url, """SELECT 'a' < 'B', 'a' < 'B' COLLATE "C" """).stdout == "t|f\n"


def test_what_was_committed_outlives_a_crash() -> None:
    cluster = ThrowawayPostgres()
    assert psql(cluster.url, "SHOW fsync").stdout == "on\n"
    psql(cluster.url, "CREATE TABLE t AS SELECT 1 AS v")
    for words in (("kill", "start"), ("restart",), ("stop", "start")):
        for word in words:
            cluster.say(word)
        assert psql(cluster.url, "SELECT v FROM t").stdout == "1\n", words
    cluster.say("stop")
    assert psql(cluster.url, "SELECT 1").returncode
    with pytest.raises(RuntimeError, match="does not run"):
        cluster.say("kill")
    assert cluster.close() == 0


def test_nothing_is_left_when_it_ends() -> None:
    cluster = ThrowawayPostgres("--fast", "--trust", "--set", "work_mem=5MB")
    folder = folder_of(cluster.url)
    assert folder.exists()
    assert psql(cluster.url.replace("shake:", "shake:x", 1), "SHOW work_mem").stdout == "5MB\n"
    assert cluster.close() == 0
    assert not folder.exists()
    cluster = ThrowawayPostgres("--fast")
    folder = folder_of(cluster.url)
    os.kill(cluster.pid, signal.SIGTERM)
    until(lambda: not folder.exists(), "the folder is gone")
    assert cluster.close() == 0


def test_the_server_ends_with_a_program_that_is_killed() -> None:
    cluster = ThrowawayPostgres("--fast")
    folder = folder_of(cluster.url)
    os.kill(cluster.pid, signal.SIGKILL)
    until(lambda: psql(cluster.url, "SELECT 1").returncode, "the server ended")
    cluster.close()
    subprocess.run(["rm", "-rf", str(folder)], check=True)
