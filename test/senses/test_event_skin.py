# SPDX-License-Identifier: Apache-2.0
"""Event-based skins: a real recording passes; what is no event of the skin does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuro_control.events import Events, read
from neuro_control.senses.event_skin import pass_through
from neuro_control.senses.skin_layout import SkinLayout

PALM = SkinLayout(name="palm", rows=10, columns=10)


def test_a_real_digit_passes(shared_data: Path):
    events = read(shared_data / "tactile" / "st_mnist_sample.mat")
    assert pass_through(events, PALM) is events


def events_at(t_ns: list[int], x: int = 0) -> Events:
    n = len(t_ns)
    return Events(
        np.array(t_ns, np.int64),
        np.full(n, x, np.uint16),
        np.zeros(n, np.uint16),
        np.ones(n, np.uint8),
        10,
        10,
    )


def test_events_of_another_skin_or_out_of_order_do_not_pass():
    assert len(pass_through(events_at([5, 6]), PALM, 5)) == 2
    with pytest.raises(ValueError, match="'palm' has columns x rows = 10 x 10"):
        pass_through(Events.empty(10, 30), PALM)
    with pytest.raises(ValueError, match=r"x\[0\] is 10; it must be below the width 10"):
        pass_through(events_at([5], 10), PALM)
    with pytest.raises(ValueError, match=r"t_ns\[1\] is 4"):
        pass_through(events_at([5, 4]), PALM)
    with pytest.raises(ValueError, match=r"t_ns\[0\] is 5, before 6"):
        pass_through(events_at([5]), PALM, 6)
