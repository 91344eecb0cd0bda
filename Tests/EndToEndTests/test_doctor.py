"""`doctor` finds what keeps a daemon back, says what to do, and changes nothing."""

from __future__ import annotations

import email.utils
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from localsource import clean_environment
from rig import Rig, until
from shake import REGION, Shakectl, json_lines
from streamsim import StreamSim
from test_full_disk import SmallDisk, disk

__all__ = ["disk"]

TABLE = "orders"
SECRET = "hunter2-hunter2-hunter2"
CALLS = ["DescribeTable", "Scan", "DescribeStream", "GetShardIterator", "GetRecords"]

# Root reads and writes everything, unless it gives that right away.
AS_ANYBODY = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []


class Patient:
    """One table of a simulator, a journal, a target, and the doctor."""

    def __init__(self, rig: Rig, simulator: StreamSim) -> None:
        self.rig = rig
        self.simulator = simulator
        self.endpoint = simulator.endpoint
        self.shakectl = Shakectl(
            rig.binary, rig.folder / "journal",
            clean_environment(AWS_ACCESS_KEY_ID="AKIATEST", AWS_SECRET_ACCESS_KEY=SECRET),
        )
        self.target = f"sqlite:{rig.folder}/replica.db"
        self.table = simulator.create_table(TABLE, hash_type="S")
        simulator.load(TABLE, 20, keys=20)

    def options(self, *more: str) -> list[str]:
        return ["--source-endpoint", self.endpoint, "--region", REGION, *(more or ("--table", TABLE)), "--target", self.target]

    def call(self, *more: str, prefix: list[str] | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        result = self.shakectl.call(
            "doctor", *self.options(*more), prefix=prefix, environment=self.shakectl.environment | environment
        )
        assert SECRET not in result.stdout + result.stderr
        return result

    def look(self, *more: str, code: int = 0, prefix: list[str] | None = None, **environment: str) -> list[dict[str, Any]]:
        result = self.call("--json", *(more or ("--table", TABLE)), prefix=prefix, **environment)
        assert result.returncode == code, result.stdout + result.stderr
        lines = json_lines(result.stdout)
        for line in lines:
            assert list(line) == ["check", "table", "ok", "severity", "detail", "advice", "exit_code"]
            assert line["ok"] == (line["severity"] != "problem") == (line["exit_code"] is None)
            assert line["severity"] != "warning" or line["advice"]
        return lines

    def problem(self, *more: str, code: int, prefix: list[str] | None = None, **environment: str) -> dict[str, Any]:
        """The one that there is."""
        lines = self.look(*more, code=code, prefix=prefix, **environment)
        [problem] = [line for line in lines if not line["ok"]]
        assert problem["exit_code"] == code
        return problem

    def run(self) -> None:
        result = self.shakectl.call("run", "--until-idle", "0.3", *self.options())
        assert result.returncode == 0, result.stderr


@pytest.fixture
def patient(rig: Rig, simulator: StreamSim) -> Patient:
    return Patient(rig, simulator)


def one(lines: list[dict[str, Any]], check: str) -> dict[str, Any]:
    [line] = [line for line in lines if line["check"] == check]
    return line


# --- All is well ---


def test_all_is_well_before_there_is_a_journal_and_nothing_is_made(patient: Patient) -> None:
    lines = patient.look()
    assert all(line["ok"] for line in lines)
    assert {line["check"] for line in lines} == {
        "configuration", "limits", "libraries", "disk", "journal", "credentials", "source", "clock", "stream", "target",
        *(f"dynamodb:{call}" for call in CALLS),
    }
    assert one(lines, "credentials")["detail"].startswith("access key AKIATEST from environment")
    assert "libcurl" in one(lines, "libraries")["detail"] and "LMDB" in one(lines, "libraries")["detail"]
    assert [line["table"] for line in lines if line["check"].startswith("dynamodb:")] == [TABLE] * 5
    assert "NEW_AND_OLD_IMAGES" in one(lines, "stream")["detail"]
    assert list(patient.rig.folder.iterdir()) == []
    assert set(patient.simulator.calls()) - set(CALLS) <= {"CreateTable"}
    assert patient.simulator.calls()["Scan"]["calls"] == 1


def test_beside_a_daemon_it_says_who_that_is_and_leaves_the_journal_alone(patient: Patient) -> None:
    daemon = patient.rig.run(patient.shakectl, *patient.options())
    daemon.until(lambda: patient.shakectl.call("status", "--check").returncode == 0, "the table is ok")
    daemon.until(lambda: "in_processing" in patient.shakectl.text("shards"), "its shard is read")
    last = patient.shakectl.one("verify")["last_position"]
    lines = patient.look()
    assert one(lines, "daemon")["detail"].startswith("running, ")
    assert "the chain, the fold and the index hold" in one(lines, "journal")["detail"]
    assert patient.shakectl.one("verify")["last_position"] == last
    assert daemon.terminate() == 0
    assert one(patient.look(), "daemon")["detail"].startswith("not running; the last one was")


def test_without_options_the_tables_are_those_of_the_journal(patient: Patient) -> None:
    patient.run()
    result = patient.shakectl.call(
        "doctor", "--json", "--source-endpoint", patient.endpoint, "--region", REGION
    )
    assert result.returncode == 64, result.stdout
    lines = json_lines(result.stdout)
    assert [line["check"] for line in lines if not line["ok"]] == ["configuration"]
    assert "--table" in one(lines, "configuration")["detail"]
    assert one(lines, "dynamodb:GetRecords")["table"] == TABLE


def test_a_person_reads_a_line_each_and_what_to_do(patient: Patient) -> None:
    result = patient.call("--table", "ordrs")
    assert result.returncode == 69
    assert "\nok       source: http://127.0.0.1" in result.stdout
    assert "\nproblem  dynamodb:DescribeTable ordrs: there is none in us-east-1" in result.stdout
    assert "the nearest is orders\n         do: check the table's name" in result.stdout
    assert result.stderr == "shakectl: dynamodb:DescribeTable of ordrs: not as a daemon needs it; see above\n"


# --- The source ---


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_permission_is_named_with_its_resource(patient: Patient, call: str) -> None:
    patient.simulator.fault(call, "AccessDeniedException")
    problem = patient.problem(code=77)
    assert (problem["check"], problem["table"]) == (f"dynamodb:{call}", TABLE)
    statement = json.loads(problem["advice"][problem["advice"].index("{"):])
    assert statement["Effect"] == "Allow" and f"dynamodb:{call}" in statement["Action"]
    of_stream = call in CALLS[2:]
    assert statement["Resource"].endswith(f":table/{TABLE}{'/stream/*' if of_stream else ''}")


def test_tables_that_match_must_be_listed(patient: Patient) -> None:
    patient.simulator.create_table("order-lines", hash_type="S")
    lines = patient.look("--include", "order*")
    assert one(lines, "dynamodb:ListTables")["detail"] == "2 tables, 2 of them match order*"
    assert [line["table"] for line in lines if line["check"] == "dynamodb:Scan"] == ["order-lines", TABLE]
    patient.simulator.fault("ListTables", "AccessDeniedException")
    problem = patient.problem("--include", "order*", code=77)
    assert problem["check"] == "dynamodb:ListTables" and '"Resource":"*"' in problem["advice"]


def test_an_endpoint_that_does_not_answer_is_one_problem_and_the_target_is_looked_at(patient: Patient) -> None:
    patient.endpoint = "http://127.0.0.1:9"
    lines = patient.look(code=69)
    assert [line["check"] for line in lines if not line["ok"]] == ["source"]
    assert "127.0.0.1:9" in one(lines, "source")["detail"]
    assert one(lines, "target")["ok"]


def test_a_region_that_there_is_not(patient: Patient) -> None:
    result = patient.shakectl.call(
        "doctor", "--json", "--region", "eu-nowhere-9", "--table", TABLE, "--target", patient.target, deadline=120
    )
    assert result.returncode == 69, result.stdout
    source = one(json_lines(result.stdout), "source")
    assert "eu-nowhere-9" in source["detail"] and "is eu-nowhere-9 a region" in source["advice"]


def test_keys_that_the_service_does_not_take(patient: Patient) -> None:
    patient.simulator.fault("*", "ExpiredTokenException")
    lines = patient.look(code=77)
    assert [line["check"] for line in lines if not line["ok"]] == ["credentials"]
    problem = [line for line in lines if not line["ok"]][0]
    assert "AKIATEST" in problem["detail"] and "session token" in problem["advice"]


def test_no_credentials(patient: Patient) -> None:
    problem = patient.problem(code=78, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert problem["check"] == "credentials" and "AWS_ACCESS_KEY_ID" in problem["detail"]


def test_keys_of_a_profile_are_told_from_those_of_the_environment(patient: Patient) -> None:
    shared = patient.rig.folder / "credentials"
    shared.write_text(f"[replication]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = {SECRET}\n")
    lines = patient.look(
        "--profile", "replication", "--table", TABLE, AWS_SHARED_CREDENTIALS_FILE=str(shared)
    )
    detail = one(lines, "credentials")["detail"]
    assert detail.startswith("access key AKIAOTHER from ") and "replication" in detail and "environment" not in detail


@pytest.mark.parametrize("view", ["KEYS_ONLY", "OLD_IMAGE"])
def test_a_stream_without_new_images(patient: Patient, view: str) -> None:
    patient.simulator.create_table("other", hash_type="S", view=view)
    problem = patient.problem("--table", "other", code=78)
    assert problem["check"] == "stream" and view in problem["detail"]


def test_a_table_without_a_stream(patient: Patient) -> None:
    patient.simulator.create_table("other", hash_type="S", view=None)
    assert patient.problem("--table", "other", code=78)["check"] == "stream"
    warning = one(patient.look("--table", "other", "--enable-streams"), "stream")
    assert warning["severity"] == "warning" and "dynamodb:UpdateTable" in warning["advice"]
    assert "UpdateTable" not in patient.simulator.calls()


# --- A service that says the time, and knows who asks ---


class Clocked(http.server.ThreadingHTTPServer):
    """Passes calls on to a simulator, with a Date of its own, and answers as STS."""

    def __init__(self, simulator: StreamSim, ahead: float) -> None:
        self.simulator = simulator
        self.ahead = ahead
        super().__init__(("127.0.0.1", 0), ClockedCall)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class ClockedCall(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Clocked

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if b"Action=GetCallerIdentity" in body:
            arn = "arn:aws:sts::123456789012:assumed-role/shake/i-1"
            answer = (
                f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>u</UserId>"
                "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            ).encode()
            self.answer(200, {"content-type": "text/xml"}, answer)
            return
        connection = http.client.HTTPConnection(*self.server.simulator.address, timeout=30)
        connection.request("POST", "/", body, {name: value for name, value in self.headers.items() if name != "host"})
        reply = connection.getresponse()
        kept = {name: value for name, value in reply.getheaders() if name.lower().startswith(("content-type", "x-amz"))}
        self.answer(reply.status, kept, reply.read())
        connection.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Date", email.utils.formatdate(time.time() + self.server.ahead, usegmt=True))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def clocked(patient: Patient, request: pytest.FixtureRequest) -> Iterator[Clocked]:
    with Clocked(patient.simulator, getattr(request, "param", 0.0)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        patient.endpoint = server.endpoint
        yield server
        server.shutdown()


@pytest.mark.parametrize("clocked", [3600.0, -3600.0], indirect=True)
def test_a_clock_that_is_an_hour_off(patient: Patient, clocked: Clocked) -> None:
    problem = patient.problem(code=78)
    assert problem["check"] == "clock" and "NTP" in problem["advice"]
    assert f"{'behind' if clocked.ahead > 0 else 'ahead of'} the service's" in problem["detail"]


@pytest.mark.parametrize("clocked", [60.0], indirect=True)
def test_a_clock_that_is_a_minute_off_is_worth_a_warning(patient: Patient, clocked: Clocked) -> None:
    clock = one(patient.look(), "clock")
    assert clock["severity"] == "warning"
    assert "behind the service's" in clock["detail"]


def test_a_clock_that_is_right_and_whom_the_keys_belong_to(patient: Patient, clocked: Clocked) -> None:
    lines = patient.look(AWS_ENDPOINT_URL_STS=clocked.endpoint)
    assert one(lines, "clock")["detail"] == "as the service's"
    assert one(lines, "credentials")["detail"].endswith(": arn:aws:sts::123456789012:assumed-role/shake/i-1")


# --- The journal and its disk ---


def test_a_damaged_journal(patient: Patient) -> None:
    patient.run()
    data = pathlib.Path(patient.shakectl.journal, "data.mdb")
    content = bytearray(data.read_bytes())
    content[:8192] = bytes(8192)
    data.write_bytes(content)
    lines = patient.look(code=65)
    assert [line["check"] for line in lines if not line["ok"]] == ["journal"]
    assert one(lines, "dynamodb:GetRecords")["ok"], "the rest is looked at"


@pytest.mark.skipif(os.geteuid() != 0, reason="giving up rights takes some")
def test_a_journal_that_may_not_be_written(patient: Patient) -> None:
    patient.run()
    journal = pathlib.Path(patient.shakectl.journal)
    for path in (*journal.iterdir(), journal):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        problem = patient.problem(code=77, prefix=AS_ANYBODY)
    finally:
        journal.chmod(0o700)
    assert problem["check"] == "journal" and "may not be written" in problem["detail"]


def test_a_journal_that_may_not_be_made(patient: Patient) -> None:
    locked = patient.rig.folder / "locked"
    locked.mkdir(mode=0o500)
    patient.shakectl.journal = str(locked / "journal")
    problem = patient.problem(code=73, prefix=AS_ANYBODY)
    assert problem["check"] == "journal" and str(locked) in problem["detail"]


def test_something_else_in_the_journals_place(patient: Patient) -> None:
    pathlib.Path(patient.shakectl.journal).write_text("Dear reader")
    assert patient.problem(code=65)["check"] == "journal"


def test_a_small_disk(patient: Patient, disk: SmallDisk) -> None:
    patient.shakectl.journal = f"{disk.folder}/journal"
    problem = patient.problem(code=74, prefix=disk.inside)
    assert problem["check"] == "disk" and "(tmpfs)" in problem["detail"] and "2.0 MiB" in problem["detail"]


def test_a_disk_that_is_mounted_read_only(patient: Patient, disk: SmallDisk) -> None:
    patient.shakectl.journal = f"{disk.folder}/journal"
    disk.shell('mount -o remount,ro "$0"')
    problem = patient.problem(code=77, prefix=disk.inside)
    assert problem["check"] == "disk" and "read-only" in problem["detail"]


# --- The target ---


def test_a_target_that_is_down(patient: Patient) -> None:
    patient.target = "postgres://shake@127.0.0.1:9/replica"
    problem = patient.problem(code=69)
    assert problem["check"] == "target" and "127.0.0.1" in problem["detail"]


def test_a_target_that_is_none(patient: Patient) -> None:
    patient.target = "sqlite:/no/such/folder/replica.db"
    problem = patient.problem(code=78)
    assert problem["check"] == "target" and "/no/such/folder" in problem["detail"]


def test_a_target_that_may_not_be_written(patient: Patient) -> None:
    patient.run()
    locked = patient.rig.folder / "replica.db"
    locked.chmod(0o400)
    problem = patient.problem(code=77, prefix=AS_ANYBODY)
    assert problem["check"] == "target" and str(locked) in problem["detail"]


def test_rows_that_no_journal_knows(patient: Patient) -> None:
    patient.run()
    patient.shakectl.journal += "-of-another"
    problem = patient.problem(code=78)
    assert problem["check"] == "table" and "--existing" in problem["detail"]


# --- Configuration and machine ---


def test_a_configuration_that_can_not_be_read_leaves_the_machine_to_be_looked_at(patient: Patient) -> None:
    file = patient.rig.folder / "shake.yaml"
    file.write_text("tables: [orders]\ntraget: sqlite:replica.db\n")
    problem = patient.problem("--config", str(file), code=78)
    assert problem["check"] == "configuration" and f"{file}:2" in problem["detail"]
    checks = {line["check"] for line in patient.look("--config", str(file), code=78)}
    assert {"limits", "disk", "journal"} <= checks and "dynamodb:Scan" not in checks


def test_a_configuration_is_named(patient: Patient) -> None:
    file = patient.rig.folder / "shake.yaml"
    file.write_text(f"tables: [{TABLE}]\nmode: incr\n")
    lines = patient.look("--config", str(file))
    assert one(lines, "configuration")["detail"] == f"{file}: every option is valid; tables orders; mode incr"
    assert "dynamodb:Scan" not in {line["check"] for line in lines}, "it is not needed"


def test_a_wrong_flag_is_wrong_usage(patient: Patient) -> None:
    result = patient.call("--table", TABLE, "--mode", "half")
    assert result.returncode == 64 and result.stdout == ""


def test_too_few_open_files(patient: Patient) -> None:
    problem = patient.problem(code=78, prefix=["sh", "-c", 'ulimit -n 64; exec "$0" "$@"'])
    assert problem["check"] == "limits" and "64 open files" in problem["detail"]


def test_the_worst_problem_makes_the_exit_code(patient: Patient) -> None:
    patient.simulator.fault("Scan", "AccessDeniedException")
    patient.target = "postgres://shake@127.0.0.1:9/replica"
    lines = patient.look(code=77)
    assert sorted(line["exit_code"] for line in lines if not line["ok"]) == [69, 77]


def test_who_no_longer_reads_ends_it(patient: Patient) -> None:
    command = f'"$0" "$@" | head -1'
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, patient.shakectl.binary, "doctor", *patient.options(), "--journal",
         patient.shakectl.journal], env=patient.shakectl.environment, capture_output=True, text=True, timeout=60,
    )
    assert result.returncode == 0 and result.stderr == ""
    assert until(lambda: result.stdout.startswith("ok "), "one line")
