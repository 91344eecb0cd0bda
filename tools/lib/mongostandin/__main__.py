"""The command line of `tools/mongo-standin`."""

from __future__ import annotations

import argparse
import asyncio
import pathlib

from linecontrol import obey

from .authentication import User
from .server import Options, Server


def _user(text: str) -> User:
    name, separator, password = text.partition(":")
    if not name or not separator or not password:
        raise argparse.ArgumentTypeError("a user is NAME:PASSWORD")
    return User(name, password)


def _reader(text: str) -> User:
    user = _user(text)
    return User(user.name, user.password, may_write=False)


async def _run(options: Options, *, ends_with_stdin: bool) -> None:
    server = Server(options)
    await server.start()
    print(server.url, flush=True)
    commands = {"stop": server.stop, "start": server.start, "restart": server.restart, "kill": server.kill}
    await obey(commands, ends_with_stdin=ends_with_stdin)
    if server.is_running:
        await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/mongo-standin", description=__doc__)
    parser.add_argument("--topology", choices=("standalone", "replica-set", "sharded"), default="standalone")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", action="append", type=_user, default=[], metavar="NAME:PASSWORD")
    parser.add_argument("--reader", action="append", type=_reader, default=[], metavar="NAME:PASSWORD")
    parser.add_argument("--data", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--transaction-seconds", type=float, default=60)
    parser.add_argument("--max-batch", type=int, default=100_000)
    parser.add_argument("--until-stdin-closes", action="store_true")
    given = parser.parse_args()
    options = Options(
        given.topology, given.port, (*given.user, *given.reader), given.data, given.transaction_seconds,
        given.max_batch)
    asyncio.run(_run(options, ends_with_stdin=given.until_stdin_closes))


main()
