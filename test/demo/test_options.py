# SPDX-License-Identifier: Apache-2.0
"""What cannot be done is refused before anything starts, with the option's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neuro_control.demo.options import DemoOptions


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"seconds": 0.0}, "--seconds 0: must be from 0.1"),
        ({"seconds": float("nan")}, "--seconds nan"),
        ({"seed": -1}, "--seed -1: must be from 0"),
        (
            {"reports": (Path("/nowhere/a.json"),)},
            "--report /nowhere/a.json: its folder does not",
        ),
        ({"picture": Path("/")}, "--picture /: is a folder"),
        (
            {"reports": (Path("a.txt"),)},
            r"--report a.txt: its name must end in \.json or \.html",
        ),
        ({"reports": (Path("a.json"), Path("a.json"))}, "--report a.json: --report writes that"),
        ({"picture": Path("out.jpeg")}, r"--picture out.jpeg: its name must end in \.png"),
        ({"film": Path("out.avi")}, r"--film out.avi: its name must end in \.mp4 or \.gif"),
        ({"film": Path("/nowhere/out.mp4")}, "--film /nowhere/out.mp4: its folder does not"),
        ({"film": Path("a.mp4"), "bag": Path("a.mp4")}, "--bag a.mp4: --film writes that"),
        ({"bag": Path("out.db3")}, "--bag out.db3: MCAP is what is recorded; .* end in .mcap"),
        ({"picture": Path("/proc/out.png")}, "--picture /proc/out.png: nothing can be written"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DemoOptions(**options)


def test_looking_whether_a_file_can_be_written_leaves_none(tmp_path: Path) -> None:
    reports = (tmp_path / "a.json", tmp_path / "a.html")
    options = DemoOptions(reports=reports, bag=tmp_path / "b.mcap", film=tmp_path / "c.gif")
    assert [option for option, _ in options.outputs()] == [
        "--report",
        "--report",
        "--film",
        "--bag",
    ]
    assert options.pages == [tmp_path / "a.html"]
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_drawn_needs_more_to_be_heard(tmp_path: Path) -> None:
    assert not DemoOptions(reports=(tmp_path / "a.json",), bag=tmp_path / "b.mcap").draws
    assert DemoOptions(reports=(tmp_path / "a.html",)).draws
    assert DemoOptions(film=tmp_path / "a.gif").draws
    assert DemoOptions(picture=tmp_path / "a.pdf").draws


def test_a_recording_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    bag = tmp_path / "run.mcap"
    bag.write_bytes(b"yesterday's")
    with pytest.raises(ValueError, match=r"--bag .*run\.mcap: is there already"):
        DemoOptions(bag=bag)
    assert bag.read_bytes() == b"yesterday's"
