"""The servers that targets are tested against: the user's own where they are named, else throwaway ones."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from pymongo import MongoClient


def test_mongodb_is_there_and_takes_a_write(mongodb_url: str) -> None:
    with MongoClient[Any](mongodb_url, serverSelectionTimeoutMS=5000) as client:
        items = client["shake_test"]["there"]
        items.replace_one({"_id": 1}, {"_id": 1, "v": "x"}, upsert=True)
        assert items.find_one() == {"_id": 1, "v": "x"}
        items.drop()


def test_postgres_is_there_and_takes_a_write(postgres_url: str) -> None:
    ran = subprocess.run(
        ["psql", "-X", "-At", postgres_url, "-c", "CREATE TEMPORARY TABLE t AS SELECT 1 AS v", "-c", "SELECT v FROM t"],
        capture_output=True, text=True, timeout=30)
    assert ran.stdout.splitlines()[-1:] == ["1"], ran.stderr


@pytest.mark.parametrize("name", ["SHAKE_TEST_MONGODB", "SHAKE_TEST_POSTGRES"])
def test_a_server_that_the_user_names_is_the_one_that_is_used(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conftest import mongodb_url, postgres_url

    fixture = {"SHAKE_TEST_MONGODB": mongodb_url, "SHAKE_TEST_POSTGRES": postgres_url}[name]
    monkeypatch.setenv(name, "named://by/the-user")
    assert list(fixture.__wrapped__()) == ["named://by/the-user"]
