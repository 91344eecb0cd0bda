"""A TCP proxy between a client and a server, for faults of the network that no server has a word for.

    python tools/lib/faultproxy.py --to HOST:PORT [--port N]

prints the port it listens on, and obeys lines on its standard input, each answered with `ok` or `error …`:

    cut client N | cut server N   N more bytes from that side are passed on, over whatever connections they come; then
                                  the connection is closed, and the rest is lost
    swallow [WORD]                the next bytes from a client (that have the word in them) are passed on, the server's
                                  answer is not: the effect happens, the answer is lost, the connection is cut
    freeze | thaw                 nothing is passed on, neither way, and nothing is closed
    delay MILLISECONDS            before whatever is passed on
    refuse | accept               new connections are refused (the port is closed), or accepted again
    reset                         all open connections are cut
    heal                          all of the above is undone
    count                         how many connections are open, and how many there were
"""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import sys
from dataclasses import dataclass, field

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))

from linecontrol import Controlled, Refused, obey

_CHUNK = 65536
SIDES = ("client", "server")


@dataclass(eq=False)
class Link:
    """A client's connection and the one to the server that goes with it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    swallows: bool = False  # what the server says from now on is lost

    def cut(self) -> None:
        """Both ends see a connection that was reset; what was passed on before may be lost with it."""
        for writer in (self.client, self.server):
            writer.transport.abort()

    def end(self) -> None:
        """Both ends get what was passed on, and then find the connection closed."""
        for writer in (self.client, self.server):
            writer.close()


@dataclass
class FaultProxy:
    """To be used within one event loop; from elsewhere, `ProxyProcess`."""

    host: str
    to: int
    port: int = 0
    _links: set[Link] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _left: dict[str, int] = field(default_factory=dict)  # bytes until the cut, by side
    _swallow: bytes | None = None  # what bytes from a client must hold for their answer to be lost
    _delay: float = 0
    _connections: int = 0
    _listener: asyncio.Server | None = None

    def __post_init__(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()

    async def accept(self) -> None:
        if not self._listener:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    async def cut(self, side: str, count: str | int) -> None:
        if side not in SIDES or int(count) < 0:
            raise Refused(f"cut is of {' or '.join(SIDES)}, after 0 or more bytes")
        self._left[side] = int(count)

    async def swallow(self, text: str = "") -> None:
        self._swallow = text.encode()

    async def freeze(self) -> None:
        self._flows.clear()

    async def thaw(self) -> None:
        self._flows.set()

    async def delay(self, milliseconds: str | float) -> None:
        self._delay = float(milliseconds) / 1000

    async def reset(self) -> None:
        for link in list(self._links):
            link.cut()

    async def heal(self) -> None:
        self._left, self._swallow, self._delay = {}, None, 0
        await self.thaw()
        await self.accept()

    async def count(self) -> str:
        return f"{len(self._links)} {self._connections}"

    async def close(self) -> None:
        await self.refuse()
        await self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- One connection ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._connections += 1
        try:
            try:
                from_server, to_server = await asyncio.open_connection(self.host, self.to)
            except OSError:  # as if this were the server's own port
                writer.transport.abort()
                return
            link = Link(writer, to_server)
            self._links.add(link)
            try:
                await asyncio.gather(
                    self._pass("client", reader, to_server, link), self._pass("server", from_server, writer, link))
            except OSError:
                link.cut()
            finally:
                self._links.discard(link)
                link.client.close()
                link.server.close()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _pass(self, side: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link) -> None:
        while True:
            if self._left.get(side) == 0:
                del self._left[side]
                link.end()
                return
            data = await reader.read(_CHUNK)
            await self._flows.wait()
            if self._delay:
                await asyncio.sleep(self._delay)
            if link.swallows and side == "server":
                link.cut()
                return
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            if side == "client" and self._swallow is not None and self._swallow in data:
                self._swallow, link.swallows = None, True
            left = self._left.get(side)
            if left is not None:
                data = data[:left]
                self._left[side] = left - len(data)
            writer.write(data)
            await writer.drain()


class ProxyProcess(Controlled):
    """The proxy in a process of its own; it ends with this one at the latest."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__([sys.executable, "-B", __file__, "--to", f"{host}:{port}"])
        self.port = int(self.first_line)


async def _run(host: str, to: int, port: int) -> None:
    proxy = FaultProxy(host, to, port)
    await proxy.accept()
    print(proxy.port, flush=True)
    await obey({name: getattr(proxy, name) for name in (
        "cut", "swallow", "freeze", "thaw", "delay", "refuse", "accept", "reset", "heal", "count",
    )}, ends_with_stdin=True)
    await proxy.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    host, _, to = given.to.rpartition(":")
    asyncio.run(_run(host, int(to), given.port))


if __name__ == "__main__":
    main()
