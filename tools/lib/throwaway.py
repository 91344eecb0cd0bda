"""Servers that a test starts for itself, each in a process of its own that ends with the test's at the latest."""

from __future__ import annotations

import pathlib
import sys

from linecontrol import Controlled

_HERE = pathlib.Path(__file__).parent


class MongoStandin(Controlled):
    """`tools/mongo-standin`: `stop`, `start`, `restart` and `kill` are its words."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(
            [sys.executable, "-B", "-m", "mongostandin", "--until-stdin-closes", *arguments], PYTHONPATH=str(_HERE)
        )
        self.url = self.first_line


class ThrowawayPostgres(Controlled):
    """`tools/postgres-throwaway`: `stop`, `start`, `restart`, `kill` and `limited` are its words."""

    def __init__(self, *arguments: str) -> None:
        super().__init__([sys.executable, "-B", "-m", "postgresthrowaway", *arguments], PYTHONPATH=str(_HERE))
        self.url = self.first_line

    @property
    def limited_url(self) -> str:
        return self.say("limited")
