# SPDX-License-Identifier: Apache-2.0
"""A page is one whole HTML file, whatever is written into it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from neuro_control.reports.page import (
    Card,
    Cards,
    Code,
    Film,
    Notices,
    Page,
    Picture,
    Plot,
    Section,
    Side,
    Table,
    Text,
    shown,
)
from neuro_control.reports.plots import page_figure, plot_style, svg_of

CheckPage = Callable[[str], Any]


def drawing(name: str) -> Plot:
    with plot_style():
        figure = page_figure()
        axes = figure.add_subplot()
        axes.plot([0, 1], [1, 2], label="a")
        axes.set(xlabel="time [s]", ylabel="<angle & more>")
        axes.legend()
        return Plot(svg_of(figure, name, 'a "line"'), "it rises")


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def full_page(text: str) -> Page:
    return Page(
        title=text,
        subtitle=text,
        top=(Notices([text]), Notices([]), Cards([Card(text, text, text)])),
        sections=(
            Section(
                text,
                [
                    Text(text),
                    Code(text),
                    Table(text, (text, "n"), [(text, 1.5), (text, None)]),
                    Side([drawing("one"), drawing("two")]),
                    Picture(png(), text, text or "x", crisp=True),
                    Film(b"\x00\x01", text, text or "x"),
                    Film(b"GIF89a", text, text or "x", gif=True),
                ],
            ),
        ),
        footer=text,
    )


def test_a_page_with_everything_is_whole_in_itself(check_page: CheckPage) -> None:
    outline = check_page(full_page("An arm").html())
    assert outline.tags.count("svg") == 2
    assert outline.tags.count("video") == 1


@given(
    text=st.text(max_size=40) | st.sampled_from(["</style><script>", '"><img src=x>', "a&amp;b"])
)
def test_no_text_can_become_markup(check_page: CheckPage, text: str) -> None:
    page = Page(
        text, text, (Notices([text]),), (Section(text, [Table(text, (text,), [(text,)])]),)
    ).html()
    outline = check_page(page)
    assert outline.rows[0] == outline.rows[1]
    assert set(outline.tags) <= {
        *[
            "html",
            "head",
            "meta",
            "link",
            "title",
            "style",
            "body",
            "main",
            "header",
            "h1",
            "p",
            "div",
            "ul",
            "li",
        ],
        *["section", "h2", "table", "caption", "thead", "tr", "th", "tbody", "footer"],
    }


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rows\[1\] has 1 cells, not 2"):
        Table("t", ("a", "b"), [(1, 2), (1,)])


def test_only_columns_of_numbers_end_at_the_right() -> None:
    html = Table(
        "t", ("name", "a", "b", "c"), [("x", 1, 1, "2"), ("y", None, "z", "3")], [3]
    ).html()
    assert html.count('<th scope="col" class="n">') == 2
    assert '<td class="n">–</td><td>z</td><td class="n">3</td>' in html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (9999, "9999"),
        (1234567, "1,234,567"),
        (0.123456, "0.1235"),
        (123456.7, "123,457"),
        (float("inf"), "inf"),
        ("text", "text"),
    ],
)
def test_values_are_shown_short(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_page_follows_light_and_dark_and_prints_on_white() -> None:
    page = full_page("x").html()
    assert "prefers-color-scheme:dark" in page
    assert "figure svg image{filter:brightness" in page, "pixels in a drawing are brighter there"
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_ink_and_data_of_a_drawing_are_the_pages_own() -> None:
    svg = drawing("one").svg
    for role in ("ink", "line", "blue"):
        assert f"var(--{role})" in svg
    assert "#010203" not in svg
    assert ">time [s]</text>" in svg
    assert "&lt;angle &amp; more&gt;" in svg
    assert 'aria-label="a &quot;line&quot;"' in svg
    assert not {"width", "height"} & {
        word.partition("=")[0] for word in svg[: svg.index(">")].split()
    }
