"""What a shell offers after a tab: commands, options, and the journal's own names."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from localsource import SourceTable
from rig import Follower, Rig, item

# Completes the words that it is given, as bash does after a tab.
_TAB = """
source "$1"; shift
function=$(complete -p shakectl | sed -E 's/.*-F ([^ ]+).*/\\1/')
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
$function shakectl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def said(stderr: str) -> list[str]:
    """Without what libmongoc says where a process that was killed has left its counters under the same id in /dev/shm."""
    return [line for line in stderr.splitlines() if "mongoc: Falling back to malloc" not in line]


class Tab:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._script = rig.folder / "completion.bash"
        self._script.write_text(self.script("bash"))
        (rig.folder / "bin").mkdir()
        (rig.folder / "bin" / "shakectl").symlink_to(rig.binary)

    def script(self, shell: str) -> str:
        result = self._rig.shakectl().call("--generate-completion-script", shell, journal=False)
        assert result.returncode == 0 and said(result.stderr) == []
        return result.stdout

    def offers(self, *words: str) -> list[str]:
        environment = self._rig.shakectl().environment
        result = subprocess.run(
            ["bash", "-c", _TAB, "tab", str(self._script), "shakectl", *words],
            env=environment | {"PATH": f"{self._rig.folder}/bin:{environment['PATH']}"}, capture_output=True, text=True,
            timeout=30, cwd=self._rig.folder,
        )
        assert said(result.stderr) == [], "it is silent"
        return result.stdout.split()


@pytest.fixture
def tab(rig: Rig) -> Tab:
    return Tab(rig)


def test_names_are_those_of_the_journal_that_the_line_names(rig: Rig, table: SourceTable, tab: Tab) -> None:
    table.put(item(1))
    follower = Follower(rig, "sqlite", table, more=("--until-idle", "0.3"))
    assert follower.start().wait() == 0
    at = ("--journal", follower.shakectl.journal)
    for command in ("history", "state", "explain", "rewind"):
        assert tab.offers(command, *at, "") == [follower.shard]
    assert tab.offers("history", *at, follower.shard[:9]) == [follower.shard]
    assert tab.offers("history", *at, f"{table.name}/") == [f"{table.name}/{follower.shard}"]
    assert tab.offers("history", *at, "nothing-like-it") == []
    for command in ("shards", "resync", "ack"):
        assert tab.offers(command, *at, "") == [table.name]
    assert tab.offers("pause", *at, "") == [table.name, follower.shard]


def test_what_can_not_be_read_has_no_names_and_says_nothing(rig: Rig, tab: Tab) -> None:
    assert tab.offers("history", "--journal", str(rig.folder / "nowhere"), "") == []
    journal = rig.folder / "broken"
    journal.mkdir()
    (journal / "data.mdb").write_bytes(bytes(range(256)) * 64)
    assert tab.offers("history", "--journal", str(journal), "") == []
    (rig.folder / "shake.yaml").write_text("traget: [")
    assert tab.offers("history", "") == []


def test_words_that_an_option_takes(tab: Tab) -> None:
    assert tab.offers("run", "--mode", "") == ["all", "full", "incr"]
    assert tab.offers("run", "--on-loss", "s") == ["stop", "skip"]
    assert "sequence_advanced" in tab.offers("history", "x", "--event", "seq")
    assert tab.offers("doc") == ["doctor"]
    assert tab.offers("status", "--wa") == ["--watch"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(tab: Tab, tmp_path: pathlib.Path, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    script = tmp_path / f"script.{shell}"
    script.write_text(tab.script(shell))
    result = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=30)
    assert result.returncode == 0 and result.stderr == ""
