# SPDX-License-Identifier: Apache-2.0
"""Colours can be told apart by everybody, on white and on the dark page."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from neuro_control.reports.palette import DATA, GREY, THEME, rgb

# How people without one kind of cone see linear RGB: G. M. Machado et al., "A physiologically-based
# model for simulation of color vision deficiency", IEEE TVCG 15(6):1291-1298 (2009), severity 1.
SIGHT = {
    "all cones": np.eye(3),
    "no long cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no middle cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no short cones": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # sRGB, D65


def linear(colour: str) -> np.ndarray:
    c = np.array(rgb(colour)) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb: np.ndarray) -> np.ndarray:
    t = XYZ @ np.clip(linear_rgb, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2: 1 to 21."""
    bright, dim = sorted((float(XYZ[1] @ linear(c)) for c in (one, other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("dark", [False, True])
def test_any_two_colours_of_data_differ_for_every_kind_of_sight(sight: str, dark: bool) -> None:
    colours = [next(pair for pair in THEME.values() if pair[0] == c)[dark] for c in DATA]
    for one, other in combinations(colours, 2):
        seen = [lab(SIGHT[sight] @ linear(colour)) for colour in (one, other)]
        # A difference of 2.3 can just be noticed.
        assert np.linalg.norm(seen[0] - seen[1]) > 15, (one, other)


@pytest.mark.parametrize("dark", [False, True])
def test_everything_stands_out_from_the_page(dark: bool) -> None:
    paper, panel = THEME["paper"][dark], THEME["panel"][dark]
    for colour in (*DATA, GREY):  # as they are in pictures made of pixels
        assert contrast(colour, paper) >= 3, colour
    for role in ("blue", "vermilion", "green", "purple"):
        assert contrast(THEME[role][dark], paper) >= 3
    for role in ("ink", "faint", "link"):
        assert contrast(THEME[role][dark], paper) >= 4.5
        assert contrast(THEME[role][dark], panel) >= 4.5
    assert contrast(THEME["warn"][dark], THEME["warnpaper"][dark]) >= 4.5
