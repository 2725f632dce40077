# SPDX-License-Identifier: Apache-2.0
"""A benchmark's page has its tables, plots, ratios and versions; its files are looked at first."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import report
from benchmarks.page import Bars, Boxes, Curves, benchmark_page

CheckPage = Callable[[str], Any]
ROWS: list[dict[str, Any]] = [
    {"who": "ours", "median_us": np.float64(2.0), "p99_us": 3.0, "spikes": None},
    {"who": "peer <a>", "median_us": 30.0, "p99_us": 45.0, "spikes": 12345},
    {"who": "missing", "spikes": 1},
]
TEXT = """How fast it is: `python -m benchmarks.it`.

One call at a time, beside
a peer in the same run.

Another paragraph.
"""
VERSIONS = {"neuro_control": "1.2.3", "commit": "abc", "cpu": "a fast one, 2 cores"}


def bars() -> Bars:
    return Bars(
        "Times", ROWS, ("who",), "median_us", "time [µs]", mark="p99_us", reference="ours", log=True
    )


def test_everything_that_was_measured_is_in_the_page(check_page: CheckPage) -> None:
    plots = [
        bars(),
        Boxes("Samples", {"ours": [1.0, 2.0, 3.0], "peer": list(range(100))}, "time [µs]"),
        Curves("By size", {"ours": ([1, 10], [2, 3])}, "size", "time [µs]"),
        Bars("Nothing", ROWS, ("who",), "other", "1"),
        Curves("Nothing", {}, "x", "y"),
    ]
    page = benchmark_page(
        "it", TEXT, {"Times": ROWS}, VERSIONS, plots, ["a note"], ["--passes", "3"]
    )
    outline = check_page(page.html())
    rows = {row[0]: row[1:] for row in outline.rows}
    text = " ".join(outline.text)
    assert page.title == "How fast it is"
    assert rows["who"] == ["median us", "p99 us", "spikes"]
    assert rows["ours"] == ["2", "3", "–"]
    assert rows["peer <a>"] == ["30", "45", "12,345"]
    assert rows["missing"] == ["–", "–", "1"]
    assert rows["cpu"] == ["a fast one, 2 cores"]
    assert outline.tags.count("svg") == 3
    assert "One call at a time, beside a peer in the same run." in text
    assert "python -m benchmarks.it --passes 3" in text
    assert "a note" in text


def test_bars_show_the_value_and_its_ratio_to_the_reference() -> None:
    svg = benchmark_page("it", TEXT, {}, VERSIONS, [bars()]).html()
    shown = re.findall(r">\s*([\d.e+]+ \([\d.e+]+ ×\))<", svg)
    assert shown == ["2 (1 ×)", "30 (15 ×)"]
    assert "missing" not in svg


def test_boxes_show_the_median() -> None:
    page = benchmark_page("it", TEXT, {}, VERSIONS, [Boxes("b", {"a": [1, 2, 4, 8, 99]}, "s")])
    assert re.search(r">\s*4<", page.html())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--html", "out.txt"], r"must end in \.html"),
        (["--html", "/nowhere/out.html"], "its folder does not exist"),
        (["--picture", "out.txt"], r"must end in \.png or \.svg or \.pdf"),
        (["--json", "/nowhere/out.json"], "its folder does not exist"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        report.parser("it", "x").parse_args(words)
    assert re.search(why, capsys.readouterr().err)


def test_a_page_is_written_only_if_wanted(tmp_path: Path, check_page: CheckPage) -> None:
    report.write_page(report.parser("it", "x").parse_args([]), "it", TEXT, {}, VERSIONS, [bars()])
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "out.html"
    wanted = report.parser("it", "x").parse_args(["--html", str(path)])
    report.write_page(wanted, "it", TEXT, {"Times": ROWS}, VERSIONS, [bars()])
    check_page(path.read_text())
    assert [p.name for p in tmp_path.iterdir()] == ["out.html"]


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_its_plots_are_drawn_one_below_the_other(
    suffix: str, begins: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    wanted = report.parser("it", "x").parse_args(["--picture", str(path)])
    nothing = Bars("Nothing", ROWS, ("who",), "other", "1")
    boxes = Boxes("Samples", {"ours": [1.0, 2.0, 3.0]}, "time [us]")
    report.write_page(wanted, "it", TEXT, {"Times": ROWS}, VERSIONS, [bars(), nothing, boxes])
    assert path.read_bytes().startswith(begins)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".svg":
        # Each letter is a drawing; captions and names are kept as comments.
        assert [caption in path.read_text() for caption in ("Times", "Samples", "Nothing")] == [
            True,
            True,
            False,
        ]


def every_benchmark() -> list[str]:
    """Modules of `benchmarks` that are run by themselves."""
    folder = Path(report.__file__).parent
    return sorted(p.stem for p in folder.glob("*.py") if "report.parser(" in p.read_text())


@pytest.mark.parametrize("name", every_benchmark())
def test_every_benchmark_offers_a_page_and_a_picture(name: str) -> None:
    source = Path(str(importlib.import_module(f"benchmarks.{name}").__file__)).read_text()
    assert "report.write_page(" in source
    assert "plots" in source or "options.picture" in source


def test_a_benchmark_starts_without_what_draws() -> None:
    script = "import sys, benchmarks.engine; print('matplotlib' in sys.modules)"
    root = Path(report.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root
    )
    assert ran.stdout.split() == ["False"]
