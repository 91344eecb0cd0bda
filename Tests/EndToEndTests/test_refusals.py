"""What can't be done: the exit code tells the class, the message what happened, to what, and what to do."""

from __future__ import annotations

import os
import subprocess

import pytest
from localsource import LocalSource, SourceTable
from rig import Follower, Rig, item
from shake import run_arguments


def run(rig: Rig, *arguments: str, endpoint: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    shakectl = rig.shakectl()
    at = ("--source-endpoint", endpoint) if endpoint else ()  # the last one counts
    return shakectl.call(
        *run_arguments(rig.source, *arguments, *at), environment=shakectl.environment | environment
    )


def into(rig: Rig) -> tuple[str, str]:
    return "--target", f"sqlite:{rig.folder}/replica.db"


def test_a_source_out_of_reach(rig: Rig) -> None:
    result = run(rig, "--table", "t-1", *into(rig), endpoint="http://127.0.0.1:9")
    assert result.returncode == 69, result.stderr
    assert "127.0.0.1:9" in result.stderr


def test_a_table_that_is_not_there(rig: Rig) -> None:
    result = run(rig, "--table", "not-there", *into(rig))
    assert result.returncode in (69, 78), result.stderr
    assert "not-there" in result.stderr


def test_a_table_without_a_stream(rig: Rig, source: LocalSource) -> None:
    table = source.create_table("without-stream", view=None)
    result = run(rig, "--table", table.name, *into(rig))
    assert result.returncode == 78, result.stderr
    assert table.name in result.stderr
    assert "NEW_AND_OLD_IMAGES" in result.stderr


@pytest.mark.parametrize("view", ["KEYS_ONLY", "OLD_IMAGE"])
def test_a_stream_that_carries_no_new_images(rig: Rig, source: LocalSource, view: str) -> None:
    table = source.create_table(f"view-{view}", view=view)
    result = run(rig, "--table", table.name, *into(rig))
    assert result.returncode == 78, result.stderr
    assert view in result.stderr


def test_a_stream_of_new_images_alone_is_enough(rig: Rig, source: LocalSource) -> None:
    table = source.create_table("view-new", view="NEW_IMAGE")
    follower = Follower(rig, "sqlite", table)
    follower.start()
    table.put_all([item(1), item(2)])
    table.delete({"pk": item(1)["pk"]})
    follower.catch_up()
    assert follower.differences() == []


def test_no_credentials(rig: Rig, table: SourceTable) -> None:
    result = run(rig, "--table", table.name, *into(rig), AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert result.returncode in (77, 78), result.stderr
    assert "AWS_ACCESS_KEY_ID" in result.stderr
    assert list(rig.folder.glob("*journal*")) == [], "nothing is made before what was said is known to do"


def test_a_profile_that_is_not_there(rig: Rig, table: SourceTable) -> None:
    result = run(rig, "--table", table.name, *into(rig), AWS_PROFILE="nobody")
    assert result.returncode in (77, 78), result.stderr
    assert "nobody" in result.stderr


def test_a_shared_file_without_the_right_to_read_it(rig: Rig, table: SourceTable) -> None:
    path = rig.folder / "aws-config"
    path.write_text("[default]\nregion = us-east-1\n")
    path.chmod(0)
    # Root reads everything, unless it gives that right away.
    prefix = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []
    shakectl = rig.shakectl()
    result = shakectl.call(
        *run_arguments(rig.source, "--table", table.name, *into(rig)), prefix=prefix,
        environment=shakectl.environment | {"AWS_CONFIG_FILE": str(path)},
    )
    assert result.returncode == 77, (result.returncode, result.stderr)
    assert str(path) in result.stderr and "AWS_CONFIG_FILE" in result.stderr


def test_shared_files_may_be_switched_off(rig: Rig, table: SourceTable) -> None:
    """By naming /dev/null, as is the custom."""
    table.put(item(1))
    result = run(
        rig, "--table", table.name, *into(rig), "--until-idle", "0.3", AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )
    assert result.returncode == 0, result.stderr


def test_the_configuration_may_come_through_a_pipe(rig: Rig, table: SourceTable) -> None:
    configuration = f"tables: [{table.name}]\nuntil_idle: 0.3\ntarget: 'null:'\n"
    read, write = os.pipe()
    os.write(write, configuration.encode())
    os.close(write)
    shakectl = rig.shakectl()
    result = subprocess.run(
        [
            shakectl.binary, *run_arguments(rig.source, "--config", "/dev/stdin"), "--journal", shakectl.journal,
        ],
        env=shakectl.environment, stdin=read, capture_output=True, text=True, timeout=30,
    )
    os.close(read)
    assert result.returncode == 0, result.stderr


def test_an_unknown_key_in_the_configuration_names_the_nearest(rig: Rig) -> None:
    configuration = rig.folder / "shake.yaml"
    configuration.write_text("tables: [orders]\ntraget: sqlite:replica.db\n")
    result = run(rig, "--config", str(configuration))
    assert result.returncode == 78, result.stderr
    assert "traget" in result.stderr and "'target'" in result.stderr
    assert f"{configuration}:2" in result.stderr


def test_a_secret_in_the_configuration(rig: Rig) -> None:
    configuration = rig.folder / "shake.yaml"
    configuration.write_text("source:\n  secret_access_key: hunter2\n")
    result = run(rig, "--config", str(configuration))
    assert result.returncode == 78, result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--tabel", "t"], "--tabel"),
        (["--mode", "half"], "half"),
        (["--start-at", "yesterday"], "yesterday"),
        (["--until-idle", "soon"], "soon"),
        (["--table", "sp ace"], "sp ace"),
        ([], "--table"),
    ],
)
def test_flags_that_make_no_sense(rig: Rig, arguments: list[str], named: str) -> None:
    result = run(rig, *arguments, *into(rig))
    assert result.returncode == 64, result.stderr
    assert named in result.stderr
    assert not os.path.exists(rig.shakectl().journal)


def test_a_target_of_an_unknown_kind_names_the_nearest(rig: Rig, table: SourceTable) -> None:
    result = run(rig, "--table", table.name, "--target", "sqllite:replica.db")
    assert result.returncode in (64, 78), result.stderr
    assert "sqlite:" in result.stderr


def test_a_target_that_cannot_be_made(rig: Rig, table: SourceTable) -> None:
    for target in ("sqlite:/no/such/folder/replica.db", "jsonl:/no/such/folder/changes.jsonl"):
        result = run(rig, "--table", table.name, "--target", target)
        assert result.returncode in (69, 73, 78), result.stderr
        assert "/no/such/folder" in result.stderr


def test_a_target_that_is_something_else(rig: Rig, table: SourceTable) -> None:
    letter = rig.folder / "letter.txt"
    letter.write_text("Dear reader,\n" * 1000)
    result = run(rig, "--table", table.name, "--target", f"sqlite:{letter}")
    assert result.returncode in (65, 69, 78), result.stderr
    assert str(letter) in result.stderr
    assert letter.read_text() == "Dear reader,\n" * 1000


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["rewind", "--help"], ["history", "--help"], ["help", "state"], ["--version"]],
)
def test_help_is_there_and_well(rig: Rig, arguments: list[str]) -> None:
    result = rig.shakectl().call(*arguments, journal=False)
    assert result.returncode == 0
    assert result.stdout.strip()


@pytest.mark.parametrize(
    "arguments", [["rune"], ["history"], ["state", "x", "--at", "noon"], ["rewind"], ["status", "--jsno"], ["help", "rune"]]
)
def test_commands_that_make_no_sense(rig: Rig, arguments: list[str]) -> None:
    result = rig.shakectl().call(*arguments, journal="rune" not in arguments)
    assert result.returncode == 64, (result.returncode, result.stderr)


def test_an_unknown_shard_says_where_to_look(rig: Rig, table: SourceTable) -> None:
    table.put(item(1))
    follower = Follower(rig, "sqlite", table, more=("--until-idle", "0.3"))
    assert follower.start().wait() == 0
    for command in ("history", "state"):
        result = follower.shakectl.call(command, "shardId-nowhere")
        assert result.returncode == 64, result.stderr
        assert "shardId-nowhere" in result.stderr
    odd = follower.shakectl.call("history", follower.shard, "--event", "sequence_advance")
    assert odd.returncode == 64
    assert "sequence_advanced" in odd.stderr
