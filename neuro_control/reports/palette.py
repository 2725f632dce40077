# SPDX-License-Identifier: Apache-2.0
"""The colours of plots and pages.

The four colours of data are Okabe and Ito's (Color Universal Design, 2008), of theirs those that
stand out from white and from the dark page alike, so that one picture serves both. People with
any kind of colour vision can tell them apart; what matters differs in line style or place as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BLUE, VERMILION, GREEN, PURPLE = DATA = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
GREY = "#7A7A7A"

ON, OFF = VERMILION, BLUE
"""Brighter and darker events."""

# What turns with the page: role -> colour in the light, in the dark. In the dark thin lines of
# the data's colours are brighter; pictures made of pixels keep the same ones.
THEME: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "blue": (BLUE, "#5CB8F0"),
        "vermilion": (VERMILION, "#F0833A"),
        "green": (GREEN, "#12A67B"),
        "purple": (PURPLE, "#E0A5C8"),
        "paper": ("#ffffff", "#14171a"),
        "panel": ("#f4f5f6", "#1e2327"),
        "ink": ("#1b1f23", "#e7eaed"),
        "faint": ("#57606a", "#a3adb7"),
        "line": ("#cfd4d9", "#3a424a"),
        "warn": ("#8a3b00", "#ffb27a"),
        "warnpaper": ("#fff3e8", "#33230f"),
        "link": ("#005a8d", "#6cc0f0"),
    }
)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a colour written as ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def css_variables(dark: bool) -> str:
    """The theme as CSS: ``--ink:#1b1f23;...``."""
    return "".join(f"--{role}:{pair[dark]};" for role, pair in THEME.items())
