"""A PostgreSQL cluster on the loopback interface that nobody will miss: made in a temporary folder, removed at the end."""

from __future__ import annotations

import argparse
import asyncio
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from linecontrol import Refused, complain, obey

PROGRAM = "postgres-throwaway"
DATABASE = "shake"
_PATIENCE = 30.0
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


def binaries() -> pathlib.Path:
    """Where Debian's newest PostgreSQL is; $SHAKE_TEST_PGBIN names another."""
    if told := os.environ.get("SHAKE_TEST_PGBIN"):
        return pathlib.Path(told)
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if not found:
        raise Refused("there is no PostgreSQL in /usr/lib/postgresql; tools/setup installs it")
    return max(found, key=lambda path: [int(number) for number in path.parent.name.split(".")])


class Cluster:
    def __init__(self, settings: list[str], *, trusts: bool) -> None:
        self._binaries = binaries()
        self._settings = settings
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="shake-postgres-"))
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        self._passwords = {"shake": secrets.token_hex(8), "limited": secrets.token_hex(8)}
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        # PostgreSQL refuses to run as root.
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        try:
            self._make(trusts)
        except BaseException:
            self.remove()
            raise

    def url(self, user: str = "shake") -> str:
        return f"postgres://{user}:{self._passwords[user]}@127.0.0.1:{self._port}/{DATABASE}"

    def _command(self, program: str, *arguments: str) -> list[str]:
        """As the cluster's user; it ends with this process, also where that is killed."""
        become = ["setpriv", "--pdeathsig", "QUIT"]
        if self._user:
            become += [f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]
        return [*become, "--", str(self._binaries / program), *arguments]

    def _make(self, trusts: bool) -> None:
        password = self._folder / "password"
        password.write_text(self._passwords["shake"])
        if self._user:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
            os.chown(password, self._user.pw_uid, self._user.pw_gid)
        password.chmod(0o600)
        # A collation that is not "C", so that a column for which it was forgotten sorts otherwise.
        self._run("", "initdb", f"--pgdata={self._data}", "--username=shake", f"--pwfile={password}", "--encoding=UTF8",
                  f"--auth={'trust' if trusts else 'scram-sha-256'}", "--locale=C.UTF-8", "--locale-provider=icu",
                  "--icu-locale=en-US", "--no-sync", "--no-instructions")
        password.unlink()
        self._run(
            f"CREATE DATABASE {DATABASE};\nCREATE ROLE limited LOGIN PASSWORD '{self._passwords['limited']}';\n",
            "postgres", "--single", "-D", str(self._data), "-F", "postgres")

    def _run(self, text: str, program: str, *arguments: str) -> None:
        ran = subprocess.run(
            self._command(program, *arguments), input=text, capture_output=True, text=True, cwd="/",
            env={"PATH": os.environ.get("PATH", "")},
        )
        if ran.returncode or "ERROR:" in ran.stderr:
            raise Refused(f"{program}: {(ran.stderr or ran.stdout).strip()}")

    # --- What can be said to it ---

    async def start(self) -> None:
        if self._process:
            raise Refused("the cluster runs already")
        for attempt in range(3):
            port = self._port or _free_port()
            options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *self._settings]
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command("postgres", "-D", str(self._data), *(word for each in options for word in ("-c", each))),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                    env={"PATH": os.environ.get("PATH", "")},
                )
            if await self._is_ready(self._process):
                self._port = port
                return
            self._process = None
            if "Address already in use" not in self._tail() or self._port and attempt == 2:
                break
        raise Refused(f"PostgreSQL did not start: {self._tail()}")

    async def _is_ready(self, process: asyncio.subprocess.Process) -> bool:
        """Waits until the server says that it is; false if it ended."""
        state = self._data / "postmaster.pid"
        end = time.monotonic() + _PATIENCE
        while process.returncode is None and time.monotonic() < end:
            lines = state.read_text().splitlines() if state.exists() else []
            if lines and lines[0] == str(process.pid) and lines[-1].strip() == "ready":
                return True
            await asyncio.sleep(0.01)
        if process.returncode is None:
            process.kill()
        await process.wait()
        return False

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    async def stop(self) -> None:
        """As an operator stops it: sessions are ended, what they had begun is rolled back, all is written."""
        await self._end(signal.SIGINT)

    async def kill(self) -> None:
        """As a crash ends it: the next start recovers from the log."""
        await self._end(signal.SIGQUIT)

    async def restart(self) -> None:
        if self._process:
            await self.stop()
        await self.start()

    async def limited(self) -> str:
        """The URL of a role that may come in, and nothing else."""
        return self.url("limited")

    async def _end(self, number: int) -> None:
        process = self._process
        if not process or process.returncode is not None:
            self._process = None
            raise Refused("the cluster does not run")
        process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
        self._process = None

    async def remove_all(self) -> None:
        if self._process and self._process.returncode is None:
            await self.kill()
        self.remove()

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _run(settings: list[str], *, trusts: bool) -> None:
    cluster = Cluster(settings, trusts=trusts)
    try:
        await cluster.start()
        print(cluster.url(), flush=True)
        await obey({"stop": cluster.stop, "start": cluster.start, "restart": cluster.restart, "kill": cluster.kill,
                    "limited": cluster.limited}, ends_with_stdin=True)
    finally:
        await cluster.remove_all()


def main() -> None:
    parser = argparse.ArgumentParser(prog=f"tools/{PROGRAM}", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="nothing is made durable")
    parser.add_argument("--trust", action="store_true", help="passwords are not asked for")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the server")
    given = parser.parse_args()
    try:
        asyncio.run(_run([*(_FAST if given.fast else ()), *given.set], trusts=given.trust))
    except (Refused, KeyError, OSError) as error:
        complain(PROGRAM, str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
