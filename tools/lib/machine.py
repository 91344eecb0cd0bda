"""A Debian of its own beside this machine's, with systemd as its first process: for what only a real one shows.

It is made by debootstrap from this machine's mirror, booted by systemd-nspawn in this machine's network, and gone with the test.

    python tools/lib/machine.py     exits with 0 where there can be one, else says why not
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from typing import Any

from shake import until

_SUITE = "bookworm"
_PACKAGES = ("ca-certificates", "dbus", "systemd")


def missing() -> str | None:
    """Why there can't be one here."""
    if os.geteuid() != 0:
        return "it takes root"
    lacking = [tool for tool in ("debootstrap", "systemd-nspawn", "nsenter", "setpriv") if shutil.which(tool) is None]
    if lacking:
        return f"there is no {', '.join(lacking)}: tools/setup --package installs them"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False).returncode != 0:
        return "this container may make no namespaces"
    return None if os.access("/sys/fs/cgroup", os.W_OK) else "this container may make no control groups"


def unreachable() -> str | None:
    """Why nothing can be had from the mirror."""
    try:
        with urllib.request.urlopen(f"{_mirror()}/dists/{_SUITE}/InRelease", timeout=20) as answer:
            answer.read(1)
    except OSError as error:
        return f"the mirror {_mirror()} does not answer: {error}"
    return None


def _mirror() -> str:
    """Where this machine gets the suite from."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"],
        capture_output=True, text=True, check=True).stdout
    sites = [line.split()[0] for line in told.splitlines() if line.split()[1:] == [_SUITE]]
    return sites[0] if sites else "http://deb.debian.org/debian"


class Machine:
    def __init__(self, cache: pathlib.Path) -> None:
        """`cache`: where a tree that was made once is kept for the next time."""
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="shake-machine-", dir="/var/tmp"))
        self.root = self._folder / "root"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._make(cache / f"{_SUITE}-{'-'.join(_PACKAGES)}.tar")
            self._boot()
        except BaseException:
            self.close()
            raise

    def _make(self, kept: pathlib.Path) -> None:
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            tree = self._folder / "new"
            subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", _SUITE, str(tree), _mirror()],
                check=True, stdout=subprocess.DEVNULL)
            draft = kept.with_suffix(".new")
            subprocess.run(["tar", "-C", str(tree), "-cf", str(draft), "."], check=True)
            draft.rename(kept)
            shutil.rmtree(tree)
        self.root.mkdir()
        subprocess.run(["tar", "-C", str(self.root), "-xpf", str(kept)], check=True)
        # How the mirror is reached from here.
        shutil.copytree("/etc/apt/apt.conf.d", self.root / "etc/apt/apt.conf.d", dirs_exist_ok=True)

    def _boot(self) -> None:
        with open(self._folder / "console", "wb") as console:
            self._process = subprocess.Popen(
                # Shut down where this process dies before it could end it.
                ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit",
                 f"--directory={self.root}", f"--machine=shake-{os.getpid()}", "--console=pipe", "--resolv-conf=copy-host"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        until(self._is_up, f"the machine is up; its console: {self._folder / 'console'}", deadline=120, every=0.2)
        self.text("apt-get", "update", "-qq")

    def _first(self) -> int | None:
        """Its first process, as this machine counts."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError("the machine ended:\n" + (self._folder / "console").read_text(errors="replace")[-3000:])
        path = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        children = path.read_text().split()
        return int(children[0]) if children else None

    def _is_up(self) -> bool:
        if self._first() is None:
            return False
        state = self.call("systemctl", "is-system-running")
        return state.stdout.strip() in ("running", "degraded")

    def call(self, *command: str, environment: dict[str, str] | None = None, deadline: float = 300) -> Any:
        """A command in it, as root."""
        first = self._first()
        assert first is not None
        return subprocess.run(
            ["nsenter", f"--target={first}", "--all", "--wdns=/", *command], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=deadline, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
            | (environment or {}))

    def text(self, *command: str, **more: Any) -> str:
        """What a command that must succeed prints."""
        result = self.call(*command, **more)
        assert result.returncode == 0, f"{' '.join(command)}: exit {result.returncode}:\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def path(self, name: str) -> pathlib.Path:
        return self.root / name.lstrip("/")

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            # Nothing in it is worth an orderly end. With its first process all others go, and then this one.
            if (first := self._first()) is not None:
                os.kill(first, signal.SIGKILL)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    if why := missing() or unreachable():
        sys.exit(f"there can be no machine of its own for the package, which is not tried: {why}")
