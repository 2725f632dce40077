# SPDX-License-Identifier: Apache-2.0
"""A raster of a whole run: known spikes give known rates and pixels, in bounded memory."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.reports.raster import (
    GAP,
    MOST_POPULATIONS,
    Population,
    SpikeRaster,
    panel_heights,
    populations_of,
)

ONE, MANY = Population("one", "hidden", 1, 1), Population("many", "output", 1000, 1000)
DESCRIPTION = {
    "format": 1,
    "neurons": 11,
    "rows": [
        {"row": 0, "name": "in", "role": "input", "size": 4, "shown": 4, "stride": 1, "seen": True},
        {"row": 1, "name": "out", "role": "output", "size": 11, "shown": 6, "stride": 2},
    ],
}


def test_populations_are_read_from_a_description() -> None:
    found = populations_of(json.dumps(DESCRIPTION))
    assert found == [Population("in", "input", 4, 4), Population("out", "output", 11, 6, 2)]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 1, "rows": []}', '{"format": 2, "rows": []}', '{"format": 1}']
)
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a network's description"):
        populations_of(text)


def test_known_spikes_give_known_totals_and_rates() -> None:
    raster = SpikeRaster([ONE, MANY], seconds=10.0, pixel_s=0.01)
    for k in range(1001):  # for ten seconds, neuron 0 of both fires each 10 ms
        raster.add([k * 10_000_000] * 2, [0, 0], [0, 1])
    assert raster.totals().tolist() == [1001, 1001]
    t_s, hz = raster.rates()
    assert t_s[0] == pytest.approx(0.01)
    assert t_s[-1] == pytest.approx(9.99)
    np.testing.assert_allclose(hz[0], 100.0)
    np.testing.assert_allclose(hz[1], 0.1)
    t_ns, _, row = raster.recent_spikes()
    assert t_ns.min() == 9_010_000_000
    assert np.bincount(row).tolist() == [100, 100]


def test_the_picture_shows_a_spike_in_its_population_at_its_time() -> None:
    raster = SpikeRaster([ONE, MANY], seconds=1.0, pixel_s=0.01, height=100)
    raster.add([505_000_000], [999], [1])
    window = raster.window(0.6, 20, (255, 255, 255))  # from 0.4 s to 0.6 s
    drawn = np.argwhere((window != 255).any(axis=2))
    assert drawn.tolist() == [[99, 10]]
    raster.add([405_000_000], [0], [0])  # one neuron alone fills all of its rows
    top, bottom = raster.places[0]
    drawn = np.argwhere((raster.window(0.6, 20, (255, 255, 255)) != 255).any(axis=2))
    assert drawn.tolist() == [*([row, 0] for row in range(top, bottom)), [99, 10]]


def test_time_outside_the_run_is_empty() -> None:
    raster = SpikeRaster([ONE], seconds=1.0, pixel_s=0.01, height=10)
    raster.add([0], [0], [0])
    assert (raster.window(0.0, 30, (1, 2, 3)) == (1, 2, 3)).all()
    assert (raster.window(5.0, 30, (1, 2, 3)) == (1, 2, 3)).all()


def test_what_cannot_be_is_passed_over() -> None:
    raster = SpikeRaster([ONE], seconds=1.0, pixel_s=0.01)
    raster.add([0, 0, -1], [0, 0, 0], [7, -1, 0])
    raster.add([], [], [])
    assert raster.totals().tolist() == [0]
    assert raster.rates()[0].size == 0
    raster.add([5_000_000_000], [0], [0])  # after the end it counts, and nothing breaks
    assert raster.totals().tolist() == [1]


def test_memory_does_not_grow_with_the_spikes() -> None:
    raster = SpikeRaster([MANY], seconds=100.0, pixel_s=0.05)
    rng = np.random.default_rng(0)
    for second in range(100):
        t_ns = np.sort(rng.integers(second, second + 1, 10_000, endpoint=False) * 10**9)
        t_ns = t_ns + np.sort(rng.integers(0, 10**9, 10_000))
        raster.add(t_ns, rng.integers(0, 1000, 10_000), np.zeros(10_000, np.int64))
    assert raster.image.nbytes == 384 * 2001
    assert sum(len(part[0]) for part in raster.recent) <= 20_000
    assert raster.totals().tolist() == [1_000_000]


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=MOST_POPULATIONS))
def test_every_population_has_its_place_and_none_overlap(sizes: list[int]) -> None:
    populations = [Population(f"p{i}", "hidden", n, n) for i, n in enumerate(sizes)]
    places = panel_heights(populations, 384)
    assert places[0][0] == 0
    assert places[-1][1] == 384
    for (top, bottom), (following, _) in zip(places, [*places[1:], (384 + GAP, 0)], strict=True):
        assert bottom - top >= 2
        assert following == bottom + GAP
