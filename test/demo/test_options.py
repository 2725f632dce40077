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
        ({"report": Path("/nowhere/out.json")}, "--report /nowhere/out.json: its folder does not"),
        ({"picture": Path("/")}, "--picture /: is a folder"),
        ({"picture": Path("/proc/out.png")}, "--picture /proc/out.png: nothing can be written"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DemoOptions(**options)


def test_looking_whether_a_file_can_be_written_leaves_none(tmp_path: Path) -> None:
    options = DemoOptions(report=tmp_path / "a.json", bag=tmp_path / "b.mcap")
    assert set(options.outputs) == {"report", "bag"}
    assert list(tmp_path.iterdir()) == []
