"""The `streamsim` server on this machine: a source whose streams split, trim, expire and fail when they are told to.

What is written and read goes through boto3, as with moto's server; what only a simulator can do goes through its
control interface, which tools/StreamSim/README.md describes.
"""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import re
from typing import Any
from urllib.parse import urlencode

from localsource import SourceServer, SourceTable

_FIRST_LINE = re.compile(r"streamsim: seed (?P<seed>\d+), http://(?P<host>[^:/]+):(?P<port>\d+)")


def default_binary() -> str:
    """The program that is used where none is named: $STREAMSIM, else the checkout's release build."""
    checkout = pathlib.Path(__file__).parents[2]
    return os.path.abspath(
        os.environ.get("STREAMSIM") or checkout / "tools" / "StreamSim" / ".build" / "release" / "streamsim"
    )


class ControlError(Exception):
    """The control interface refused a request."""

    def __init__(self, method: str, path: str, status: int, text: str) -> None:
        super().__init__(f"{method} {path}: {status} {text}")
        self.status = status
        self.text = text


class StreamSim(SourceServer):
    """The server on a free port; it ends with this process at the latest."""

    def __init__(
        self, binary: str | None = None, *, seed: int | None = None, faults: int | None = None,
        quirks: tuple[str, ...] = (), manual_clock: bool = False,
    ) -> None:
        binary = binary or default_binary()
        command = [binary, "--port", "0", "--ends-with-stdin"]
        command += ["--seed", str(seed)] if seed is not None else []
        command += ["--faults", str(faults)] if faults is not None else []
        command += [word for quirk in quirks for word in ("--quirk", quirk)]
        command += ["--clock", "manual"] if manual_clock else []
        super().__init__(command)
        told = _FIRST_LINE.fullmatch(self._first_line)
        if not told:
            self.stop()
            raise RuntimeError(f"{binary} did not start, its first line is {self._first_line!r}")
        self.seed = int(told["seed"])
        self.address = (told["host"], int(told["port"]))
        self._connect(f"http://{told['host']}:{told['port']}")

    def _table(self, name: str, key_names: list[str]) -> SimulatedTable:
        return SimulatedTable(self, name, key_names)

    def create_table(self, name: str, **options: Any) -> SimulatedTable:
        table = super().create_table(name, **options)
        assert isinstance(table, SimulatedTable)
        return table

    # --- The control interface ---

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the control interface, `path` being what follows /control/."""
        # Not through urllib: a proxy of the user's shell must not be asked.
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(
                method, f"/control/{path}", None if body is None else json.dumps(body),
                {} if body is None else {"Content-Type": "application/json"},
            )
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        if reply.status != 200:
            raise ControlError(method, path, reply.status, text)
        return json.loads(text)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Changes some settings, and gives all."""
        return self.control("POST", "settings", changes) if changes else self.control("GET", "settings")

    def faults(self, faults: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """The list of faults, which `faults` replaces."""
        return self.control("GET", "faults") if faults is None else self.control("POST", "faults", faults)

    def fault(self, action: str, fault: str, percent: int = 100, count: int | None = None) -> None:
        """This one fault and no other."""
        self.faults([{"action": action, "fault": fault, "percent": percent} | ({"count": count} if count else {})])

    def late_effect(
        self, action: str = "*", *, after_ms: int | None = None, after_writes: int | None = None,
        count: int | None = 1,
    ) -> None:
        """This one fault and no other: `count` writes (None: all) get no answer, and are done later.

        Later is `after_ms`, or once so many newer writes are done; with neither, at `release_late_writes`.
        """
        more = {"after_ms": after_ms, "after_writes": after_writes, "count": count}
        self.faults([
            {"action": action, "fault": "late_effect"}
            | {name: value for name, value in more.items() if value is not None}
        ])

    def late_writes(self) -> list[str]:
        """The actions of the writes that are still to be done, the oldest first."""
        return [write["action"] for write in self.control("GET", "late-writes")["late_writes"]]

    def release_late_writes(self, count: int | None = None) -> int:
        """The oldest `count` of them are done now, or all. Gives how many it were."""
        return self.control("POST", "release-late-writes", {} if count is None else {"count": count})["released"]

    def quirks(self, quirks: list[str] | None = None) -> list[str]:
        """The list of quirks, which `quirks` replaces."""
        return self.control("GET", "quirks") if quirks is None else self.control("POST", "quirks", quirks)

    def split(self, table: str, shard: str | None = None) -> tuple[str, list[str]]:
        """Closes an open shard, by chance if none is named. Gives it and its children."""
        return self._replace("split", table, shard)

    def roll_over(self, table: str, shard: str | None = None) -> tuple[str, list[str]]:
        """As `split`, with one child."""
        return self._replace("roll-over", table, shard)

    def _replace(self, how: str, table: str, shard: str | None) -> tuple[str, list[str]]:
        told = self.control("POST", how, {"table": table} | ({"shard": shard} if shard else {}))
        return told["parent"], told["children"]

    def expire_iterators(self) -> None:
        """As if fifteen minutes had gone by for every iterator."""
        self.control("POST", "expire-iterators", {})

    def trim(self, table: str, keep: int | None = None) -> None:
        """The records of the stream are gone at once, but for the newest `keep`."""
        self.control("POST", "trim", {"table": table} | ({} if keep is None else {"keep": keep}))

    def advance(self, seconds: float) -> float:
        """Gives what the time then is, in seconds since 1970."""
        return self.control("POST", "advance", {"seconds": seconds})["now"]

    def expire_items(self) -> int:
        """The service deletes what its time to live has passed, and gives how many."""
        return self.control("POST", "expire-items", {})["expired"]

    def load(self, table: str, changes: int, *, keys: int | None = None, hot: int | None = None) -> int:
        """Writes changes of the workload generator, at once."""
        return self._load({"table": table, "changes": changes}, keys, hot)["changes"]

    def steady_load(self, table: str, per_second: float, *, keys: int | None = None, hot: int | None = None) -> None:
        """Starts the workload generator, or stops it with 0."""
        self._load({"table": table, "per_second": per_second}, keys, hot)

    def _load(self, load: dict[str, Any], keys: int | None, hot: int | None) -> Any:
        more = {name: value for name, value in (("keys", keys), ("hot", hot)) if value is not None}
        return self.control("POST", "load", load | more)

    def records(self, table: str, stream: str | None = None) -> list[dict[str, Any]]:
        """Every record that the table's streams ever had, in the order of making, gone or not."""
        query = {"table": table} | ({"stream": stream} if stream else {})
        return self.control("GET", f"records?{urlencode(query)}")["records"]

    def items(self, table: str) -> list[dict[str, Any]]:
        """The items as the wire has them: bytes in Base64, unlike boto3's."""
        return self.control("GET", f"items?{urlencode({'table': table})}")["items"]

    def shards(self, table: str) -> list[dict[str, Any]]:
        """Every shard that the table's streams ever had, whether it is listed or not."""
        return self.control("GET", f"shards?{urlencode({'table': table})}")["shards"]

    def calls(self) -> dict[str, dict[str, int]]:
        """Of each action, how many calls came, and how many in the second in which most did."""
        return self.control("GET", "calls")

    def coverage(self) -> dict[str, int]:
        """How often each fault and each peculiarity came up."""
        return self.control("GET", "coverage")


class SimulatedTable(SourceTable):
    """A table of the simulator. Its `records` are the truth, not what the stream still has."""

    def __init__(self, source: StreamSim, name: str, key_names: list[str]) -> None:
        super().__init__(source, name, key_names)
        self.simulator = source

    def records(self) -> list[dict[str, Any]]:
        """Every record of the newest stream, in the order of making, as GetRecords gives it on the wire."""
        return [record["record"] for record in self.simulator.records(self.name, self.stream)]

    def split(self, shard: str | None = None) -> tuple[str, list[str]]:
        return self.simulator.split(self.name, shard)

    def roll_over(self, shard: str | None = None) -> tuple[str, list[str]]:
        return self.simulator.roll_over(self.name, shard)


__all__ = ["ControlError", "SimulatedTable", "StreamSim", "default_binary"]
