# SPDX-License-Identifier: Apache-2.0
"""A page of one HTML file: no script, nothing loaded from anywhere, light and dark, on paper too.

A `Page` has sections, a section has blocks. Every text is escaped; only drawings from
`neuro_control.reports.plots` go in as they are.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

from neuro_control.reports.style import STYLE


class Block(Protocol):
    """A piece of a section."""

    def html(self) -> str:
        """The piece as HTML."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str

    def html(self) -> str:
        """See Block."""
        return f"<p>{escape(self.text)}</p>"


@dataclass(frozen=True)
class Code:
    """Something to copy, such as a command line."""

    text: str

    def html(self) -> str:
        """See Block."""
        return f'<pre tabindex="0"><code>{escape(self.text)}</code></pre>'


@dataclass(frozen=True)
class Notices:
    """What the reader must know before believing a figure; nothing at all if there is none."""

    texts: Sequence[str]

    def html(self) -> str:
        """See Block."""
        if not self.texts:
            return ""
        items = "".join(f"<li>{escape(text)}</li>" for text in self.texts)
        return f'<div class="notices" role="note"><ul>{items}</ul></div>'


@dataclass(frozen=True)
class Card:
    """A figure to see first: what it is, the number with its unit, and what to hold it against."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Cards:
    """The figures to see first."""

    cards: Sequence[Card]

    def html(self) -> str:
        """See Block."""
        shown = "".join(
            f"<div><dt>{escape(card.name)}</dt><dd><b>{escape(card.value)}</b>"
            f"<small>{escape(card.remark)}</small></dd></div>"
            for card in self.cards
        )
        return f'<dl class="cards">{shown}</dl>'


@dataclass(frozen=True)
class Table:
    """A table. Columns of numbers, and those that `right` names, end at the right.

    caption: what it shows. columns: the head. rows: as many cells each as there are columns.
    prose: cells are sentences; on a phone they stand one below the other.
    Raises ValueError for a row of another length.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    right: Sequence[int] = ()
    prose: bool = False

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"rows[{number}] has {len(row)} cells, not {len(self.columns)}")

    def html(self) -> str:
        """See Block."""
        right = {
            column
            for column in range(len(self.columns))
            if column in self.right or _are_numbers([row[column] for row in self.rows])
        }

        def marked(column: int) -> str:
            return ' class="n"' if column in right else ""

        head = "".join(
            f'<th scope="col"{marked(i)}>{escape(name)}</th>' for i, name in enumerate(self.columns)
        )
        kind = ' class="prose"' if self.prose else ""
        lines = []
        for row in self.rows:
            first = f'<th scope="row"{marked(0)}>{escape(shown(row[0]))}</th>'
            others = "".join(
                f"<td{marked(i)}{self._label(i)}>{escape(shown(cell))}</td>"
                for i, cell in enumerate(row)
                if i
            )
            lines.append(f"<tr>{first}{others}</tr>")
        return (
            f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(self.caption)}">'
            f"<table{kind}><caption>{escape(self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        )

    def _label(self, column: int) -> str:
        """The head of a column at the cell itself, for where cells do not stand below it."""
        return f' data-label="{escape(self.columns[column])}"' if self.prose else ""


@dataclass(frozen=True)
class Plot:
    """A drawing from `plots.svg_of`, and what is to be seen in it."""

    svg: str
    caption: str

    def html(self) -> str:
        """See Block."""
        return f"<figure>{self.svg}<figcaption>{escape(self.caption)}</figcaption></figure>"


@dataclass(frozen=True)
class Picture:
    """A picture as PNG bytes, and what is to be seen in it. crisp: its pixels stay squares."""

    png: bytes
    caption: str
    label: str
    crisp: bool = False

    def html(self) -> str:
        """See Block."""
        kind = ' class="crisp"' if self.crisp else ""
        return (
            f'<figure><img{kind} alt="{escape(self.label)}" '
            f'src="{_data("image/png", self.png)}">'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )


@dataclass(frozen=True)
class Film:
    """A film as MP4 bytes (a GIF is a picture that moves), and what is to be seen in it."""

    content: bytes
    caption: str
    label: str
    gif: bool = False

    def html(self) -> str:
        """See Block."""
        if self.gif:
            shown_ = f'<img alt="{escape(self.label)}" src="{_data("image/gif", self.content)}">'
        else:
            shown_ = (
                f'<video controls loop muted playsinline preload="auto" '
                f'aria-label="{escape(self.label)}" '
                f'src="{_data("video/mp4", self.content)}"></video>'
            )
        return (
            f'<figure class="wide">{shown_}<figcaption>{escape(self.caption)}</figcaption></figure>'
        )


@dataclass(frozen=True)
class Side:
    """Blocks beside each other where the window is wide enough."""

    blocks: Sequence[Block]

    def html(self) -> str:
        """See Block."""
        return f'<div class="side">{"".join(block.html() for block in self.blocks)}</div>'


@dataclass(frozen=True)
class Section:
    """A title and what stands under it."""

    title: str
    blocks: Sequence[Block]

    def html(self) -> str:
        """See Block."""
        inner = "".join(block.html() for block in self.blocks)
        return f"<section><h2>{escape(self.title)}</h2>{inner}</section>"


@dataclass(frozen=True)
class Page:
    """A page. top: blocks before the first section; footer: a line at the end."""

    title: str
    subtitle: str
    top: Sequence[Block] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
    footer: str = ""

    def html(self) -> str:
        """The whole file."""
        top = "".join(block.html() for block in self.top)
        sections = "".join(section.html() for section in self.sections)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            '<link rel="icon" href="data:,">\n'
            f"<title>{escape(self.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
            f"<header><h1>{escape(self.title)}</h1><p>{escape(self.subtitle)}</p></header>\n"
            f"{top}\n{sections}\n</main>\n<footer><p>{escape(self.footer)}</p></footer>\n"
            "</body>\n</html>\n"
        )


def shown(value: object) -> str:
    """A cell as text: numbers with four digits, and nothing where nothing is known."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"
    return str(value)


def _are_numbers(cells: Sequence[object]) -> bool:
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(
        isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in known
    )


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
