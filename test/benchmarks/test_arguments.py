# SPDX-License-Identifier: Apache-2.0
"""An argument that cannot be is named, with its value and what would be right."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.arguments import positive


@pytest.mark.parametrize("text", ["-4", "0", "x", "nan", "inf", ""])
@pytest.mark.parametrize(("kind", "right"), [(int, "a whole number"), (float, "a number")])
def test_numbers_are_above_zero(text, kind, right, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--passes", type=positive(kind))
    assert parser.parse_args(["--passes", "3"]).passes == kind(3)
    with pytest.raises(SystemExit):
        parser.parse_args(["--passes", text])
    assert f"argument --passes: {text!r} is not {right} above 0" in capsys.readouterr().err
