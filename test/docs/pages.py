# SPDX-License-Identifier: Apache-2.0
"""The code in a page of documentation: what a reader would type, and what is said about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<said>(?:not run|needs): [^>]+?) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NAME = re.compile(r"# ([\w./-]+\.py)\b")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    not_run: why a test does not run it, "" where one does. needs: a module that it needs, or "".
    file: the name that a Python block gives itself in its first line, or "".
    """

    page: Path
    line: int
    language: str
    text: str
    not_run: str
    needs: str
    file: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The page's blocks of code, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        said, _, why = (match["said"] or "").partition(": ")
        name = _NAME.match(match["text"])
        found.append(
            Block(
                page,
                text.count("\n", 0, match.start("text")),
                match["language"],
                match["text"],
                why if said == "not run" else "",
                why if said == "needs" else "",
                name[1] if name and match["language"] == "python" else "",
            )
        )
    return found
