"""Manual pages made from the program itself: one for each command, and one for the configuration.

    manpages.py SHAKECTL FOLDER --version 1.2.3 --date 2026-11-29 [--example FILE]

What the pages say is what `--help` says (`--experimental-dump-help`) and what `shakectl config keys` lists; here it only gets the
form of man(7).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import subprocess
import sys
from typing import Any

Command = dict[str, Any]
Argument = dict[str, Any]


def escaped(text: str) -> str:
    """Text as roff prints it: no escape, no hyphen that is none, and no control line (groff_char(7))."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("…", "\\&...").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def prose(text: str) -> str:
    """As above, where `this` is what one types."""
    parts = re.split(r"`([^`\n]+)`", text)
    return "".join(escaped(part) if index % 2 == 0 else bold(part) for index, part in enumerate(parts))


def bold(text: str) -> str:
    return f"\\fB{escaped(text)}\\fR"


def italic(text: str) -> str:
    return f"\\fI{escaped(text)}\\fR"


def blocks(text: str) -> list[str]:
    """Paragraphs; what is indented stays as it stands."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        kept = block.split("\n")
        index = 0
        first = True
        while index < len(kept):
            end = index
            indented = kept[index].startswith("  ")
            while end < len(kept) and kept[end].startswith("  ") == indented:
                end += 1
            part = kept[index:end]
            if indented:
                indent = min(len(line) - len(line.lstrip()) for line in part)
                lines += ["", ".in +4n", ".nf", *(escaped(line[indent:]) for line in part), ".fi", ".in"]
            else:
                lines += [*([".PP"] if first and lines else [".br"] if not first else []), *(prose(line) for line in part)]
            first = False
            index = end
    return [line for line in lines if line]


def titled(text: str) -> tuple[str, str]:
    """What is said, and the examples that stand at its end."""
    said, mark, examples = text.partition("Examples:\n")
    return said.strip("\n"), examples if mark else ""


def names(argument: Argument) -> list[str]:
    dashes = {"short": "-", "long": "--", "longWithSingleDash": "-"}
    found = [dashes[name["kind"]] + name["name"] for name in argument.get("names", [])]
    return sorted(found, key=lambda name: (name.startswith("--"), name.startswith("--no-"), name))


def usage(argument: Argument) -> str:
    value = italic(argument["valueName"])
    if argument["kind"] == "positional":
        shown = value
    else:
        preferred = [name for name in names(argument) if name.startswith("--")] or names(argument)
        shown = bold(preferred[0]) if argument["kind"] == "flag" else f"{bold(preferred[0])} {value}"
    if argument["isRepeating"]:
        shown += " ..."
    return f"[{shown}]" if argument["isOptional"] else shown


def described(argument: Argument) -> list[str]:
    head = ", ".join(bold(name) for name in names(argument)) or italic(argument["valueName"])
    if argument["kind"] == "option":
        head += " " + italic(argument["valueName"])
    return [".TP", head, prose(argument.get("abstract", "")) or "\\&"]


def entries(arguments: list[Argument]) -> list[str]:
    """A flag and what says its opposite are one."""
    found: dict[str, Argument] = {}
    for argument in arguments:
        opposite = next((name[5:] for name in names(argument) if name.startswith("--no-")), None)
        if opposite in found:
            found[opposite] = {**found[opposite], "names": found[opposite]["names"] + argument["names"]}
        else:
            found[argument["valueName"] if argument["kind"] == "positional" else names(argument)[-1][2:]] = argument
    return [line for argument in found.values() for line in described(argument)]


# These every command has.
COMMON = {"journal", "config", "json", "log-format", "log-level", "version", "help"}


def is_common(argument: Argument) -> bool:
    return any(name["name"] in COMMON for name in argument.get("names", []))


def full_name(command: Command) -> list[str]:
    return [*command.get("superCommands", []), command["commandName"]]


class Manual:
    def __init__(self, root: Command, version: str, date: str) -> None:
        self.root, self.version, self.date = root, version, date
        self.commands = list(self.walk(root))

    def walk(self, command: Command):
        # `shakectl help` is of the parser's own make, and each command has --help.
        if command["commandName"] == "help" or not command.get("shouldDisplay", True):
            return
        yield command
        for sub in command.get("subcommands", []):
            yield from self.walk(sub)

    def head(self, title: str, section: int, abstract: str, source: str = "User Commands") -> list[str]:
        abstract = abstract.rstrip(".")
        return [
            f'.TH "{escaped(title.upper())}" {section} "{self.date}" "shake {escaped(self.version)}" "{source}"',
            # Names of calls and of options are not to be broken.
            ".nh", ".ad l", ".ss 12 0",
            ".SH NAME", f"{escaped(title)} \\- {prose(abstract[:1].lower() + abstract[1:])}",
        ]

    def page(self, command: Command) -> str:
        name = full_name(command)
        arguments = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
        subcommands = [sub for sub in command.get("subcommands", []) if sub["commandName"] != "help"]
        out = self.head("-".join(name), 1, command["abstract"])
        out += [".SH SYNOPSIS", f"{bold(' '.join(name))}"]
        if subcommands:
            out.append(f"{italic('command')} [{italic('option')} ...]")
        else:
            own = [argument for argument in arguments if not is_common(argument)]
            out += [usage(argument) for argument in own if argument["kind"] != "positional"] if len(own) < 12 else [
                f"[{italic('option')} ...]"]
            out += [usage(argument) for argument in own if argument["kind"] == "positional"]
        said, examples = titled(command.get("discussion", ""))
        out += [".SH DESCRIPTION", *(blocks(said) if said else blocks(command["abstract"]))]
        if subcommands:
            out.append(".SH COMMANDS")
            for sub in subcommands:
                page = "\\-".join(escaped(part) for part in full_name(sub))
                out += [".TP", f"\\fB{page}\\fR(1)", prose(sub.get("abstract", ""))]
        own = [argument for argument in arguments if not is_common(argument)]
        if positional := [argument for argument in own if argument["kind"] == "positional"]:
            out += [".SH ARGUMENTS", *entries(positional)]
        if options := [argument for argument in own if argument["kind"] != "positional"]:
            out += [".SH OPTIONS", *entries(options)]
        if common := [argument for argument in arguments if is_common(argument)]:
            out += [".SH COMMON OPTIONS", *entries(common)]
        if examples:
            out += [".SH EXAMPLES", *blocks(examples)]
        if len(name) == 1:
            out += [
                ".SH FILES", ".TP", italic("/etc/shake/shake.yaml"), "What the service follows, and where to.",
                ".TP", italic("/var/lib/shake"), "The service\\(aqs journal, and what the configuration puts beside it.",
            ]
        out += [".SH SEE ALSO", self.see_also(command)]
        return "\n".join(out) + "\n"

    def see_also(self, command: Command) -> str:
        name = full_name(command)
        if len(name) == 1:
            others = [f"{page}(1)" for page in ("shakectl-run", "shakectl-status", "shakectl-plan")]
        else:
            others = [f"{'-'.join(name[:-1])}(1)"]
            others += [f"{'-'.join(full_name(sub))}(1)" for sub in command.get("subcommands", [])
                       if sub["commandName"] != "help"]
        return ",\n".join(f"\\fB{escaped(other[:-3])}\\fR(1)" for other in others) + ",\n\\fBshake.yaml\\fR(5)"

    def configuration(self, keys: list[dict[str, Any]], example: str | None) -> str:
        run = next(command for command in self.commands if full_name(command)[1:] == ["run"])
        flags = {name: argument for argument in run["arguments"] for name in names(argument)}
        out = self.head("shake.yaml", 5, "Configuration of Shake", "File Formats")
        out += [
            ".SH DESCRIPTION",
            "What a flag of \\fBshakectl run\\fR says may stand in this file instead, in YAML; flags win over it. It is what",
            "\\fB\\-\\-config\\fR names, else what \\fBSHAKE_CONFIG\\fR names, else \\fI./shake.yaml\\fR if there is one. The service reads",
            "\\fI/etc/shake/shake.yaml\\fR. A key that is not known is an error, and so is a secret.",
            ".PP", "A point in a name divides a group from what stands below it:", ".in +4n", ".nf",
            "scan:", "  readers: 8", "  capacity: 50%", ".fi", ".in", ".SH KEYS",
        ]
        for key in keys:
            flag = flags.get(key["flag"], {})
            out += [".TP", f"{bold(key['key'])} ({bold(key['flag'])})"]
            if said := flag.get("abstract"):
                out.append(prose(said))
            one = "a list, or one, of " if key["list"] and not key["expects"].startswith(("a list", "options")) else ""
            out.append(f"It expects {one}{prose(key['expects'])}.")
        if example:
            out += [".SH EXAMPLE", ".nf", *(escaped(line) for line in example.rstrip("\n").split("\n")), ".fi"]
        out += [".SH SEE ALSO", "\\fBshakectl\\-run\\fR(1),", "\\fBshakectl\\-plan\\fR(1),", "\\fBshakectl\\-config\\fR(1)"]
        return "\n".join(out) + "\n"


def said(program: str, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shakectl")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--example", type=pathlib.Path, help="a file of configuration that the page shows")
    told = parser.parse_args()
    manual = Manual(json.loads(said(told.shakectl, "--experimental-dump-help"))["command"], told.version, told.date)
    for section in ("man1", "man5"):
        (told.folder / section).mkdir(parents=True, exist_ok=True)
    for command in manual.commands:
        (told.folder / "man1" / f"{'-'.join(full_name(command))}.1").write_text(manual.page(command), encoding="utf-8")
    keys = [json.loads(line) for line in said(told.shakectl, "config", "keys", "--json").splitlines()]
    example = told.example.read_text(encoding="utf-8") if told.example else None
    (told.folder / "man5" / "shake.yaml.5").write_text(manual.configuration(keys, example), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
