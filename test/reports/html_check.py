# SPDX-License-Identifier: Apache-2.0
"""What every page must hold to: well-formed, whole in itself, nothing loaded from anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
# What is no address to load from: names of XML namespaces.
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")


class Outline(HTMLParser):
    """Reads a page; `problems` says what is wrong with it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.uses: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        self.problems += [f"id {i!r} twice" for i in {i for i in self.ids if self.ids.count(i) > 1}]
        self.problems += [f"#{use} leads nowhere" for use in set(self.uses) - set(self.ids)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = [name for name, _ in attrs]
        self.problems += [f"<{tag}> has {n} twice" for n in set(names) if names.count(n) > 1]
        found = {name: value or "" for name, value in attrs}
        if tag == "img" and not found.get("alt"):
            self.problems.append("an <img> without alt")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        for name, value in found.items():
            self._look_at(tag, name, value)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self._open.append(tag)

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name == "id":
            self.ids.append(value)
        if name in ("href", "xlink:href") and value.startswith("#"):
            self.uses.append(value[1:])
        self.uses.extend(re.findall(r"url\(#([^)]+)\)", value))
        loads = name in ("src", "href", "xlink:href", "srcset", "action", "poster")
        if loads and not value.startswith(("#", "data:")):
            self.problems.append(f"<{tag} {name}> loads {value[:60]}")
        if "http" in value and not name.startswith("xmlns") and not value.startswith("data:"):
            self.problems.append(f"<{tag} {name}> names {value[:60]}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            self.problems.append(f"</{tag}> closes what has no end")
        elif not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1:] or 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            if re.search(r"@import|url\((?!#)|http", data):
                self.problems.append("the style loads something")
            return
        self.text.append(data)
        if self.rows and {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data


def check_page(page: str) -> Outline:
    """Read a page; fail with everything that is wrong with it."""
    outline = Outline(page)
    assert page.startswith("<!DOCTYPE html>")
    assert outline.problems == []
    for tag in ("html", "head", "title", "body", "main", "h1"):
        assert outline.tags.count(tag) == 1, tag
    assert not {"script", "iframe", "object"} & set(outline.tags)
    return outline
