# SPDX-License-Identifier: Apache-2.0
"""The table of codes names each setting in the code's own terms."""

from __future__ import annotations

import pytest

from benchmarks.codes import CODES


def test_a_setting_is_what_the_code_has() -> None:
    for code in ("send on delta", "step forward", "moving window", "Ben's spiker"):
        for setting, make in CODES[code].items():
            assert f"threshold {make().threshold:g}" in setting
    for code in ("regular rate", "latency", "burst"):
        for setting, make in CODES[code].items():
            assert f"{make().ticks_per_sample} ticks" in setting


@pytest.mark.parametrize("code", list(CODES))
def test_no_setting_is_a_mere_number(code: str) -> None:
    assert all(not setting.isdigit() for setting in CODES[code])
