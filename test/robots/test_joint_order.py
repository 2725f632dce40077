# SPDX-License-Identifier: Apache-2.0
"""Joints' values are put in order by their names."""

from __future__ import annotations

import pytest

from neuro_control.robots.joint_order import ordered

NAMES = ["a", "b"]


@pytest.mark.parametrize(
    ("names", "values", "found"),
    [
        (("b", "x", "a"), [2.0, 9.0, 1.0], [1.0, 2.0]),
        (("a",), [1.0], None),
        (("a", "b"), [1.0], None),
        (("a", "b"), [1.0, 2.0], [1.0, 2.0]),
        (("a", "b", "a"), [1.0, 2.0, 3.0], [3.0, 2.0]),
    ],
)
def test_values_are_put_in_the_wanted_order(
    names: tuple[str, ...], values: list[float], found: list[float] | None
) -> None:
    inorder = ordered(names, values, NAMES)
    assert (inorder is None) == (found is None)
    if inorder is not None and found is not None:
        assert list(inorder) == found
