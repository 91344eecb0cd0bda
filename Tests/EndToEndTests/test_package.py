"""The Debian package on a machine of its own: installed, configured, started, upgraded, removed and purged, by the real systemd.

`tools/test --package` makes the package and the machine; without it there is nothing here to test.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator

import machine as machines
import pytest
from shake import until
from shardedsource import ShardedSource, ShardedTable

PACKAGE = os.environ.get("SHAKE_PACKAGE")
pytestmark = pytest.mark.skipif(PACKAGE is None, reason="SHAKE_PACKAGE names no package; tools/test --package makes one")

CONFIGURATION = """
journal: {folder}/journal
source: {{region: us-east-1, endpoint: {endpoint}}}
tables: [{table}]
target: jsonl:{folder}/changes.jsonl
mode: incr
poll: {{maximum: 50ms}}
discovery_interval: 200ms
"""
CONFIG = {"SHAKE_CONFIG": "/etc/shake/shake.yaml"}


@pytest.fixture(scope="module")
def machine() -> Iterator[machines.Machine]:
    if why := machines.missing():
        pytest.fail(f"there can be no machine here: {why}")
    cache = pathlib.Path(__file__).parents[2] / ".build" / "machines"
    machine = machines.Machine(cache)
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def versions(machine: machines.Machine, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The package, and the same as the version that comes after it, where the machine finds them."""
    assert PACKAGE is not None
    work = tmp_path_factory.mktemp("newer")
    subprocess.run(["dpkg-deb", "-R", PACKAGE, str(work / "root")], check=True)
    control = work / "root/DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+newer", control.read_text(), flags=re.MULTILINE))
    (machine.path("/srv")).mkdir(exist_ok=True)
    shutil.copy(PACKAGE, machine.path("/srv/shake.deb"))
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(work / "root"), str(machine.path("/srv/newer.deb"))],
        check=True, stdout=subprocess.DEVNULL)
    return "/srv/shake.deb", "/srv/newer.deb"


def install(machine: machines.Machine, package: str) -> str:
    return machine.text("apt-get", "install", "--yes", "--no-install-recommends", package)


def show(machine: machines.Machine, unit: str, *properties: str) -> dict[str, str]:
    told = machine.text("systemctl", "show", unit, *(f"--property={name}" for name in properties))
    return dict(line.split("=", 1) for line in told.splitlines())


class Followed:
    """What a service follows, and what it has made of it."""

    def __init__(self, machine: machines.Machine, source: ShardedSource, table: str, unit: str, folder: str) -> None:
        self.machine, self.unit, self.folder = machine, unit, folder
        self.table: ShardedTable = source.create_table(table)
        self._shard = self.table.open_shard()
        self._count = 0
        self.configuration = CONFIGURATION.format(folder=folder, endpoint=source.endpoint, table=table)

    def count(self) -> int:
        return self._count

    def put(self) -> None:
        self._count += 1
        self.table.put(self._shard, f"item-{self._count}", self._count)

    def written(self) -> list[str]:
        path = self.machine.path(self.folder.replace("/var/lib/", "/var/lib/private/") + "/changes.jsonl")
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line)["sequence_number"] for line in lines]

    def catch_up(self) -> None:
        """All that was put is there, and once."""
        until(lambda: len(self.written()) >= self._count, f"{self._count} records are written: {self.log()}")
        assert len(self.written()) == len(set(self.written())) == self._count

    def log(self) -> str:
        return str(self.machine.call("journalctl", "--unit", self.unit, "--lines", "30", "--no-pager").stdout)

    def start(self) -> None:
        result = self.machine.call("systemctl", "start", self.unit)
        assert result.returncode == 0, result.stderr + self.log()

    def pid(self) -> int:
        return int(show(self.machine, self.unit, "MainPID")["MainPID"])


def test_each_unit_says_where_its_own_credentials_are() -> None:
    """What is read there is pasted into a configuration: of an instance the folder has its whole name."""
    assert PACKAGE is not None
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", PACKAGE], check=True, capture_output=True).stdout
    for unit, folder in (("shake.service", "shake.service"), ("shake@.service", "shake@NAME.service")):
        text = subprocess.run(
            ["tar", "-xO", f"./lib/systemd/system/{unit}"], input=archive, check=True, capture_output=True).stdout.decode()
        assert re.findall(r"/run/credentials/([^/]+)/", text) == [folder]


def test_the_package_from_its_installation_to_its_purge(
    machine: machines.Machine, versions: tuple[str, str], sharded: ShardedSource
) -> None:
    older, newer = versions

    # Installed: everything is in its place, and nothing runs that nobody has told what to do.
    install(machine, older)
    assert machine.text("shakectl", "--version").startswith("shakectl ")
    assert show(machine, "shake", "ActiveState", "UnitFileState") == {"ActiveState": "inactive", "UnitFileState": "disabled"}
    for file in ("man/man1/shakectl.1.gz", "man/man1/shakectl-run.1.gz", "man/man5/shake.yaml.5.gz",
                 "bash-completion/completions/shakectl", "zsh/vendor-completions/_shakectl",
                 "fish/vendor_completions.d/shakectl.fish", "doc/shake/copyright", "doc/shake/changelog.Debian.gz"):
        assert machine.path(f"/usr/share/{file}").is_file(), file
    assert machine.text("dpkg", "--verify", "shake") == ""
    assert machine.text("dpkg-query", "-W", "-f", "${Conffiles}", "shake").split()[0] == "/etc/shake/shake.yaml"
    assert machine.call("systemd-analyze", "verify", "--man=no", "shake.service", "shake@x.service").stderr == ""

    # As it comes it follows nothing, says so once, and is not tried again and again.
    assert machine.call("systemctl", "start", "shake").returncode != 0
    told = show(machine, "shake", "Result", "ExecMainStatus", "NRestarts", "ActiveState")
    assert told == {"Result": "exit-code", "ExecMainStatus": "78", "NRestarts": "0", "ActiveState": "failed"}
    orders = Followed(machine, sharded, "orders", "shake", "/var/lib/shake")
    assert "no table to follow" in orders.log()

    # Configured, with credentials that only root can read.
    machine.path("/etc/shake/shake.yaml").write_text(orders.configuration)
    secrets = machine.path("/etc/shake/environment")
    secrets.touch(mode=0o600)
    secrets.write_text("AWS_ACCESS_KEY_ID=local\nAWS_SECRET_ACCESS_KEY=local\n")
    orders.put()
    assert machine.call("systemctl", "enable", "--now", "shake").returncode == 0, orders.log()
    assert show(machine, "shake", "ActiveState", "StatusText") == {"ActiveState": "active", "StatusText": "following orders"}
    orders.catch_up()

    # It has no rights that it does not need.
    status = dict(
        line.split(":\t", 1) for line in machine.text("cat", f"/proc/{orders.pid()}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] != "0"
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert re.search(r"Max core file size +0 +0", machine.text("cat", f"/proc/{orders.pid()}/limits"))
    folder = machine.path("/var/lib/private/shake").stat()
    assert folder.st_uid == int(status["Uid"].split()[0]) and folder.st_mode & 0o777 == 0o700

    # So has what is run as the service's user, as docs/OPERATING.md says how.
    assert json.loads(machine.text(
        "systemd-run", "--quiet", "--pipe", "--wait", "-p", "User=shake", "-p", "DynamicUser=yes", "-p", "StateDirectory=shake",
        "-E", "SHAKE_CONFIG=/etc/shake/shake.yaml", "shakectl", "verify", "--json"))["ok"] is True

    # An operator's commands find the journal by the service's own configuration.
    assert json.loads(machine.text("shakectl", "status", "--json", environment=CONFIG))["health"] == "ok"

    # A daemon that gives no sign of life is ended and started anew. (What makes it give none is tested in test_service.py.)
    drop_in = machine.path("/etc/systemd/system/shake.service.d/soon.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nWatchdogSec=8\n")
    machine.text("systemctl", "daemon-reload")
    machine.text("systemctl", "restart", "shake")
    hung = orders.pid()
    machine.text("systemctl", "kill", "--signal=SIGSTOP", "shake")
    orders.put()
    until(lambda: orders.pid() not in (0, hung), "it is started anew", deadline=60)
    orders.catch_up()
    assert int(show(machine, "shake", "NRestarts")["NRestarts"]) == 1
    assert "watchdog" in orders.log().lower()
    assert machine.call("sh", "-c", "ls /dev/shm").stdout == "", "what was killed left something in memory"

    shutil.rmtree(drop_in.parent)


    # The token of --http is root's, and the service reads it all the same. Nothing else that is root's stays so in its folder: what was
    # restored is the service's once it starts.
    machine.text("shakectl", "backup", "/var/lib/shake/backup", environment=CONFIG)
    orders.put()
    orders.catch_up()
    machine.text("systemctl", "stop", "shake")
    token = machine.path("/etc/shake/http-token")
    token.touch(mode=0o600)
    token.write_text("a-token-of-this-test-0123456789\n")
    machine.path("/etc/shake/shake.yaml").write_text(
        orders.configuration + "http: {address: '0.0.0.0:0', token_file: /run/credentials/shake.service/http-token}\n")
    machine.text("mv", "/var/lib/private/shake/journal", "/var/lib/private/shake/aside")
    machine.text("shakectl", "restore", "/var/lib/shake/backup", environment=CONFIG)
    assert machine.path("/var/lib/private/shake/journal/data.mdb").stat().st_uid == 0
    orders.start()
    assert "token=needed" in orders.log()
    orders.put()
    until(lambda: len(set(orders.written())) == orders.count(), f"it goes on from the backup: {orders.log()}")
    assert machine.path("/var/lib/private/shake/journal/data.mdb").stat().st_uid == folder.st_uid
    machine.path("/etc/shake/shake.yaml").write_text(orders.configuration)
    machine.text("systemctl", "restart", "shake")

    # Upgraded while it runs: the newer one goes on, with the administrator's configuration.
    before = orders.pid()
    install(machine, newer)
    assert show(machine, "shake", "ActiveState", "UnitFileState") == {"ActiveState": "active", "UnitFileState": "enabled"}
    assert orders.pid() not in (0, before)
    assert machine.path("/etc/shake/shake.yaml").read_text() == orders.configuration
    orders.put()
    orders.catch_up()
    stops = [event for event in map(json.loads, machine.text("shakectl", "tail", "--json", environment=CONFIG).splitlines())
             if event["event"] == "run_stopped"]
    assert len(stops) == 3, "since the backup it was asked to stop thrice, by the restarts and by the upgrade"

    # Removed: it is stopped, and what it knew stays. A bus that does not answer keeps nobody from it.
    broken = machine.path("/usr/local/bin/systemctl")
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("#!/bin/sh\necho 'Failed to connect to bus: Connection refused' >&2\nexit 1\n")
    broken.chmod(0o755)
    removed = machine.call("env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "dpkg", "--remove", "shake")
    assert removed.returncode == 0 and "could not stop the service" in removed.stderr, removed.stderr
    broken.unlink()
    machine.text("systemctl", "stop", "shake")
    install(machine, newer)
    orders.start()
    assert machine.call("apt-get", "remove", "--yes", "shake").returncode == 0
    assert not machine.path("/usr/bin/shakectl").exists()
    assert machine.call("sh", "-c", "grep -lx shakectl /proc/[0-9]*/comm").stdout == ""
    assert machine.path("/var/lib/private/shake/journal/data.mdb").exists()
    assert machine.path("/etc/shake/shake.yaml").exists()

    # Installed again it goes on from there.
    install(machine, newer)
    orders.put()
    orders.start()
    orders.catch_up()
    assert json.loads(machine.text("shakectl", "verify", "--json", environment=CONFIG))["ok"] is True

    # Purged: configuration and credentials go; the journal can't be made again, and is said to be there.
    purged = machine.call("apt-get", "purge", "--yes", "shake")
    assert purged.returncode == 0, purged.stderr
    assert "/var/lib/private/shake is kept" in purged.stdout
    assert not machine.path("/etc/shake").exists()
    assert machine.path("/var/lib/private/shake/journal/data.mdb").exists()
    assert not list(machine.path("/etc/systemd/system").glob("*/shake*")), "it is still enabled"
    assert show(machine, "shake", "LoadState") == {"LoadState": "not-found"}


def test_instances_of_the_template_keep_to_themselves(
    machine: machines.Machine, versions: tuple[str, str], sharded: ShardedSource
) -> None:
    install(machine, versions[0])
    both = [Followed(machine, sharded, table, f"shake@{table}", f"/var/lib/shake-{table}") for table in ("shop", "users")]
    secrets = machine.path("/etc/shake/aws-credentials")
    secrets.touch(mode=0o600)
    secrets.write_text("[default]\naws_access_key_id = local\naws_secret_access_key = local\n")
    for followed in both:
        machine.path(f"/etc/shake/{followed.table.name}.yaml").write_text(followed.configuration)
        machine.path(f"/etc/shake/{followed.table.name}.environment").write_text("PGPASSWORD=of-no-use\n")
        followed.put()
        followed.start()
    for followed in both:
        followed.catch_up()
    assert len({machine.path(f"/var/lib/private/shake-{name}").stat().st_uid for name in ("shop", "users")}) == 2

    machine.text("systemctl", "enable", "shake@shop", "shake@users")
    wants = machine.path("/etc/systemd/system/multi-user.target.wants")
    (wants / "shake@mine.service").symlink_to("/etc/systemd/system/shake@mine.service")

    # An upgrade starts each of them anew.
    before = [followed.pid() for followed in both]
    install(machine, versions[1])
    for followed, pid in zip(both, before):
        assert followed.pid() not in (0, pid)
        followed.put()
        followed.catch_up()
    assert machine.call("apt-get", "purge", "--yes", "shake").returncode == 0
    assert machine.call("systemctl", "is-active", *(followed.unit for followed in both)).stdout.split() != ["active"] * 2
    for name in ("shop", "users"):
        assert machine.path(f"/var/lib/private/shake-{name}/journal/data.mdb").exists()
    # What holds credentials is gone, what an administrator wrote stays; and nothing is enabled but what the package did not bring.
    assert sorted(path.name for path in machine.path("/etc/shake").iterdir()) == ["shop.yaml", "users.yaml"]
    assert [path.name for path in wants.glob("shake*")] == ["shake@mine.service"]
