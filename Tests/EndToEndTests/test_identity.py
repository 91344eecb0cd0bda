"""The daemon finds its credentials in each of the places, and no secret of any of them is ever seen."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest
from identitystandin import IdentityStandin, identity_standin
from localsource import REGION, LocalSource, SourceTable, clean_environment
from rig import item
from shake import Daemon, Shakectl, until


@pytest.fixture
def standin() -> Iterator[IdentityStandin]:
    with identity_standin() as standin:
        yield standin


class Machine:
    """A machine's environment and shared files, without a key of ours unless a test gives one."""

    def __init__(self, standin: IdentityStandin, folder: pathlib.Path) -> None:
        self.standin = standin
        self.folder = folder
        self.environment = {
            name: value for name, value in clean_environment().items()
            if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED")
        } | {
            "HOME": str(folder),
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": standin.url,
            "AWS_ENDPOINT_URL_STS": standin.url,
        }

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)


def prepared(place: str, machine: Machine) -> dict[str, str]:
    """What the environment says beyond the machine's own, where the credentials are at `place`."""
    role = "arn:aws:iam::123456789012:role"
    if place == "instance":
        return {}
    if place == "container":
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": machine.standin.url + "/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": machine.file("container-token", "container-secret-token\n"),
        }
    if place == "web identity":
        return {
            "AWS_WEB_IDENTITY_TOKEN_FILE": machine.file("web-token", "web-secret-token\n"),
            "AWS_ROLE_ARN": f"{role}/pod",
        }
    if place == "role by profile":
        machine.file("credentials", "[base]\naws_access_key_id = BASE\naws_secret_access_key = base-secret\n")
        machine.file("config", f"[profile replica]\nrole_arn = {role}/replica\nsource_profile = base\n")
        return {"AWS_PROFILE": "replica"}
    assert place == "process"
    printed = json.dumps({"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "process-secret"})
    program = machine.file("print.sh", f"#!/bin/sh\necho '{printed}'\n")
    os.chmod(program, 0o700)
    machine.file("config", f"[default]\ncredential_process = {program}\n")
    return {}


@pytest.mark.parametrize("place", ["instance", "container", "web identity", "role by profile", "process"])
def test_a_table_is_followed_with_credentials_of_each_place(
    binary: str, source: LocalSource, table: SourceTable, standin: IdentityStandin, tmp_path: pathlib.Path, place: str
) -> None:
    table.put_all([item(number) for number in range(5)])
    machine = Machine(standin, tmp_path)
    shakectl = Shakectl(binary, tmp_path / "journal", machine.environment | prepared(place, machine))
    result = shakectl.call(
        "run", "--until-idle", "0.3", "--source-endpoint", source.endpoint, "--region", REGION,
        "--table", table.name, "--target", f"jsonl:{tmp_path}/changes.jsonl",
    )
    assert result.returncode == 0, result.stderr
    assert len((tmp_path / "changes.jsonl").read_text().splitlines()) == 5


def test_an_instance_says_which_region_it_is_in(
    binary: str, source: LocalSource, table: SourceTable, standin: IdentityStandin, tmp_path: pathlib.Path
) -> None:
    table.put(item(1))
    shakectl = Shakectl(binary, tmp_path / "journal", Machine(standin, tmp_path).environment)
    result = shakectl.call(
        "run", "--until-idle", "0.3", "--source-endpoint", source.endpoint, "--table", table.name,
        "--target", f"jsonl:{tmp_path}/changes.jsonl",
    )
    assert result.returncode == 0, result.stderr
    assert "/latest/meta-data/placement/region" in standin.asked


def test_credentials_are_refreshed_while_the_daemon_follows_and_a_refresh_that_fails_stops_nothing(
    binary: str, source: LocalSource, table: SourceTable, standin: IdentityStandin, tmp_path: pathlib.Path
) -> None:
    """Those of an instance outlive their end; the daemon says that it finds no newer ones, and goes on."""
    standin.lasting = 63
    role = "/latest/meta-data/iam/security-credentials/the-role"
    shakectl = Shakectl(binary, tmp_path / "journal", Machine(standin, tmp_path).environment)
    daemon = shakectl.run(source, "--table", table.name, "--target", f"jsonl:{tmp_path}/changes.jsonl", "--mode", "incr")
    try:
        asked = until(lambda: standin.asked.count(role), "credentials are asked for")
        standin.refusals[role] = (500, "")
        # Of 63 seconds they are looked for again in the last 21 to 10.
        until(lambda: standin.asked.count(role) > asked, "they are asked for again", deadline=90)
        daemon.until(lambda: "it refuses with HTTP 500" in daemon.log, "the log says that none are had")
        table.put(item(1))
        daemon.until(lambda: (tmp_path / "changes.jsonl").read_text().count("\n") == 1, "a change arrives")
    finally:
        code = daemon.terminate()
    assert code == 0, daemon.log


# --- Nothing secret is seen ---

# What no output may hold has a word in it that nothing else has.
SECRETS = {
    "secret access key": "HUSHsecretaccesskeyHUSH0001", "session token": "HUSHsessiontokenHUSH0002",
    "web identity token": "HUSHwebidentitytokenHUSH0003", "container token": "HUSHcontainertokenHUSH0004",
    "postgres password": "HUSHpostgrespasswordHUSH0005", "mongodb password": "HUSHmongodbpasswordHUSH0006",
    "process secret": "HUSHprocesssecretHUSH0007", "file secret": "HUSHfilesecretHUSH0008",
    "gained secret": "HUSHgainedsecretHUSH0009", "gained token": "HUSHgainedtokenHUSH0010",
    "container path": "HUSHcontainerpathHUSH0011", "endpoint password": "HUSHendpointpasswordHUSH0012",
}

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDPLANTED", "AWS_SECRET_ACCESS_KEY": SECRETS["secret access key"],
    "AWS_SESSION_TOKEN": SECRETS["session token"],
}


def command_line(pid: int) -> bytes:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def refusal(code: str, message: str = "what was shown: ECHO") -> tuple[int, str]:
    return 400, json.dumps({"__type": f"com.amazon.coral.service#{code}", "message": message})


def sts_refusal(code: str) -> tuple[int, str]:
    return 403, f"<ErrorResponse><Error><Code>{code}</Code><Message>what was shown: ECHO</Message></Error></ErrorResponse>"


class Watcher:
    """Runs the program, and looks for the secrets in all that it leaves behind."""

    def __init__(self, binary: str, machine: Machine) -> None:
        self.binary = binary
        self.machine = machine
        self.seen: list[bytes] = []
        self._count = 0

    def run(
        self, environment: dict[str, str], *arguments: str, endpoint: str | None = None, code: int | None = None,
        seconds: float = 0,
    ) -> str:
        """A run that ends by itself, or one that is looked at while it tries again, and then ended."""
        self._count += 1
        journal = self.machine.folder / f"journal-{self._count}"
        shakectl = Shakectl(self.binary, journal, self.machine.environment | environment)
        command = [
            self.binary, "run", "--region", REGION, *(["--source-endpoint", endpoint] if endpoint else []),
            "--log-level", "trace", *arguments, "--journal", str(journal),
        ]
        output = self.machine.folder / f"output-{self._count}"
        daemon = Daemon(command, shakectl.environment, str(journal) + ".log", stdout=output.open("wb"))
        lines: list[bytes] = []

        def over() -> bool:
            lines.append(command_line(daemon.pid))
            return not daemon.is_running or bool(seconds) and daemon.log.count("\n") >= 2

        until(over, f"it has ended or said something: {arguments}", deadline=seconds or 60)
        found = daemon.terminate() if daemon.is_running else daemon.wait()
        self.seen += set(lines)
        log = daemon.log
        assert code is None or found == code, f"{found}: {log}"
        self.seen += [log.encode(), output.read_bytes()]
        if journal.exists():
            for words in [("tail", "--json"), ("status", "--json"), ("shards", "--json"), ("verify",)]:
                result = shakectl.call(*words)
                self.seen += [result.stdout.encode(), result.stderr.encode()]
            self.seen += [file.read_bytes() for file in journal.rglob("*") if file.is_file()]
        return log

    def check(self) -> None:
        assert len(self.seen) > 10 and any(b"shakectl\0run" in one for one in self.seen)
        for one in self.seen:
            # Also half of one, where a text was cut.
            place = one.find(b"HUSH")
            assert place < 0, f"{one[max(0, place - 300):place + 60]!r}"


@pytest.fixture
def watcher(binary: str, standin: IdentityStandin, tmp_path: pathlib.Path) -> Watcher:
    standin.secret, standin.token = SECRETS["gained secret"], SECRETS["gained token"]
    return Watcher(binary, Machine(standin, tmp_path))


def followed(watcher: Watcher, table: str = "nothing") -> list[str]:
    return ["--table", table, "--target", f"jsonl:{watcher.machine.folder}/changes.jsonl"]


def test_no_secret_is_seen_where_the_service_refuses(watcher: Watcher, standin: IdentityStandin) -> None:
    for code, exit in [
        ("UnrecognizedClientException", 77), ("ExpiredTokenException", 77), ("InvalidSignatureException", 77),
        ("AccessDeniedException", 77), ("IncompleteSignatureException", 69),
    ]:
        standin.refusals = {"DynamoDB": refusal(code)}
        text = watcher.run(KEYS, *followed(watcher), "--until-idle", "0.3", endpoint=standin.url, code=exit)
        assert code in text
    wrong = "Credential should be scoped to a valid region, not 'us-east-1'. ECHO"
    standin.refusals = {"DynamoDB": refusal("InvalidSignatureException", wrong)}
    assert "valid region" in watcher.run(KEYS, *followed(watcher), endpoint=standin.url, code=77)
    for padding in ["", 190 * "x"]:
        standin.refusals = {"DynamoDB": (200, f"nonsense {padding} ECHO")}
        assert "isn't JSON" in watcher.run(KEYS, *followed(watcher), endpoint=standin.url, seconds=20)
        standin.refusals = {"DynamoDB": (403, f"<html> {padding} ECHO")}
        assert "403" in watcher.run(KEYS, *followed(watcher), endpoint=standin.url, code=69)
    watcher.run(KEYS, *followed(watcher), endpoint="http://127.0.0.1:1", seconds=20)
    watcher.run(
        KEYS | {"AWS_ENDPOINT_URL": f"http://user:{SECRETS['endpoint password']}@127.0.0.1:1"}, *followed(watcher), code=78
    )
    watcher.check()


def test_no_secret_is_seen_where_no_credentials_are_had(watcher: Watcher, standin: IdentityStandin) -> None:
    machine = watcher.machine
    role = "arn:aws:iam::123456789012:role/pod"
    web = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": machine.file("web-token", SECRETS["web identity token"] + "\n"), "AWS_ROLE_ARN": role,
    }
    for code, exit in [("ExpiredTokenException", 77), ("InvalidIdentityToken", 69), ("AccessDenied", 77)]:
        standin.refusals = {"AssumeRoleWithWebIdentity": sts_refusal(code)}
        assert code in watcher.run(web, *followed(watcher), endpoint=standin.url, code=exit)
    for token in [SECRETS["container token"], SECRETS["container token"] + "\r\nX-Evil: 1"]:
        container = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{standin.url}/{SECRETS['container path']}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": machine.file("container-token", token),
        }
        standin.refusals = {f"/{SECRETS['container path']}": (403, '{"code": "Denied", "message": "not ECHO"}')}
        assert "container" in watcher.run(container, *followed(watcher), endpoint=standin.url, code=78)
    elsewhere = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://192.0.2.1/{SECRETS['container path']}"}
    assert "192.0.2.1 by http" in watcher.run(elsewhere, *followed(watcher), endpoint=standin.url, code=78)
    program = machine.file(
        "print.sh", f"#!/bin/sh\necho {SECRETS['process secret']}; echo {SECRETS['process secret']} >&2; exit ${{1:-0}}\n"
    )
    os.chmod(program, 0o700)
    for last in ["0", "3", f"0 {SECRETS['process secret']}"]:
        machine.file("config", f"[default]\ncredential_process = {program} {last}\n")
        assert "credential_process" in watcher.run({}, *followed(watcher), endpoint=standin.url, code=78)
    machine.file("config", "")
    machine.file("credentials", f"[default]\naws_secret_access_key = {SECRETS['file secret']}\n")
    assert "no aws_access_key_id" in watcher.run({}, *followed(watcher), endpoint=standin.url, code=78)
    machine.file("credentials", f"[default]\n{SECRETS['file secret']}\n")
    assert "line 2" in watcher.run({}, *followed(watcher), endpoint=standin.url, code=78)
    machine.file("credentials", "")
    standin.refusals = {"/latest/meta-data/iam/security-credentials/the-role": (200, json.dumps({"Code": "Failed", "Message": "no"}))}
    assert "Failed: no" in watcher.run({}, *followed(watcher), endpoint=standin.url, code=69)
    watcher.check()


def test_no_secret_is_seen_where_all_is_well_or_the_target_is_down(
    watcher: Watcher, source: LocalSource, table: SourceTable, standin: IdentityStandin
) -> None:
    machine = watcher.machine
    table.put_all([item(number) for number in range(5)])
    for place in ["instance", "container", "web identity"]:
        watcher.run(
            prepared(place, machine), *followed(watcher, table.name), "--until-idle", "0.3", "--existing", "append",
            endpoint=source.endpoint, code=0,
        )
    # In a file, in the environment and (where all can read it) in the command line.
    passwords = {"postgres": SECRETS["postgres password"], "mongodb": SECRETS["mongodb password"]}
    for scheme, password in passwords.items():
        for hidden in [True, False]:
            url = f"{scheme}://ann@127.0.0.1:1/db" if hidden else f"{scheme}://ann:{password}@127.0.0.1:1/db"
            config = machine.file(f"{scheme}.yaml", f"target: '{url}'\n")
            more = {"PGPASSWORD": password, "SHAKE_MONGODB_PASSWORD": password} if hidden else {}
            watcher.run(
                KEYS | more, "--config", config, "--table", table.name, "--mode", "incr", endpoint=source.endpoint, seconds=20
            )
    watcher.check()


def test_a_password_in_the_command_line_is_warned_of_and_never_repeated(
    watcher: Watcher, source: LocalSource, table: SourceTable
) -> None:
    url = f"postgres://ann:{SECRETS['postgres password']}@127.0.0.1:1/db"
    result = subprocess.run(
        [watcher.binary, "run", "--region", REGION, "--source-endpoint", source.endpoint, "--table", table.name,
         "--target", url, "--until-idle", "0.3", "--mode", "full", "--journal", str(watcher.machine.folder / "warned"),
         "--target-option", f"password={SECRETS['mongodb password']}"],
        env=watcher.machine.environment | KEYS, capture_output=True, text=True, timeout=60,
    )
    text = result.stdout + result.stderr
    assert result.returncode != 0
    assert "can be read by everybody on this machine" in text
    assert "PGPASSWORD" in text
    assert not any(secret in text for secret in SECRETS.values()), text


def test_no_password_is_repeated_where_a_command_or_a_file_is_wrong(watcher: Watcher) -> None:
    machine = watcher.machine
    url = f"postgres://ann:{SECRETS['postgres password']}@127.0.0.1:1/db"
    for words in [
        ["--mode", url, "--table", "a"], [f"--mode={url}", "--table", "a"], [url], ["--table", url, "--target", "null:"],
        ["--table", "a", "--target", "no" + url], ["--table", "a", "--target", url.replace(":1/", ":x/")],
        ["--table", "a", "--target", url.replace("postgres", "mongodb").replace(":1/", ":x/")],
    ]:
        result = subprocess.run(
            [watcher.binary, "run", "--region", REGION, "--source-endpoint", "http://127.0.0.1:1",
             "--journal", str(machine.folder / "none"), *words],
            env=machine.environment | KEYS, capture_output=True, text=True, timeout=60,
        )
        assert result.returncode in (64, 69, 78), result.stderr
        watcher.seen += [result.stdout.encode(), result.stderr.encode()]
    for text in [
        f'target: "{url}\ntables: [a]\n', f"mode: {url}\n", f"tables: [a]\ntarget:\n  url: {url}\n   bad: {url}\n",
        f"tables: [a]\ntarget:\n  url: {url}\n  password: {SECRETS['postgres password']}\n", f"tables: [a]\ntarget: [{url}]\n",
        f"tables: [a]\ntarget: no{url}\n", f"source: {url}\n",
    ]:
        watcher.run(KEYS, "--config", machine.file("wrong.yaml", text), code=78)
    watcher.check()
