"""Debian's form of CHANGELOG.md (deb-changelog(5)), on standard output.

    debianchangelog.py CHANGELOG.md VERSION 'NAME <ADDRESS>' SECONDS

The newest section is of the version that is packed; those below it are of the versions in their headings.
"""

from __future__ import annotations

import email.utils
import pathlib
import re
import sys
import textwrap


def sections(text: str) -> list[tuple[str, list[str]]]:
    """The headings of the second level, with the points below each."""
    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if line.startswith("## "):
            found.append((line[3:].strip(), []))
        elif found and line.startswith("- "):
            found[-1][1].append(line[2:].strip())
        elif found and line.startswith("  ") and found[-1][1]:
            found[-1][1][-1] += " " + line.strip()
    return found


def entry(version: str, points: list[str], maintainer: str, seconds: int) -> str:
    lines = [f"shake ({version}) unstable; urgency=medium", ""]
    for point in points or ["See the documentation."]:
        # As in a manual, what is typed stands for itself.
        lines += textwrap.wrap(
            point.replace("`", ""), 79, initial_indent="  * ", subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False)
    return "\n".join([*lines, "", f" -- {maintainer}  {email.utils.formatdate(seconds, usegmt=True).replace('GMT', '+0000')}", ""])


def main() -> int:
    path, version, maintainer, seconds = sys.argv[1:]
    found = sections(pathlib.Path(path).read_text(encoding="utf-8"))
    for index, (heading, points) in enumerate(found):
        number = version if index == 0 else re.split(r"[ ,(]", heading.strip("[]"))[0].strip("[]") + "-1"
        print(entry(number, points, maintainer, int(seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
