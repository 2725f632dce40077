# SPDX-License-Identifier: Apache-2.0
"""The neural field: one bump, on the target, whatever the background does."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.circuits.target_tracker import (
    TargetTrackerSettings,
    cell_centres,
    centre_surround,
    target_tracker,
)
from neuro_control.network import quantize

SETTINGS = TargetTrackerSettings()
CENTRES = cell_centres(SETTINGS.cells)


def run(
    rates: np.ndarray, ticks: int, seed: int = 0, runner: CpuRunner | None = None
) -> tuple[np.ndarray, CpuRunner]:
    """Field spikes (tick, neuron) for independent events of each pixel, probability a tick."""
    runner = CpuRunner(quantize(target_tracker(SETTINGS))) if runner is None else runner
    random = np.random.default_rng(seed)
    spikes = []
    for tick in range(ticks):
        pixels = np.flatnonzero(random.random(rates.shape) < rates)
        polarity = random.integers(0, 2, pixels.size)
        out = runner.step((pixels + polarity * rates.size).astype(np.int32))
        spikes += [(tick, neuron) for neuron in out]
    return np.array(spikes).reshape(-1, 2), runner


def scene(
    target: tuple[int, int] | None, *, dense: float = 0.2, background: float = 0.0
) -> np.ndarray:
    """Event probabilities (row, column) with a disc of the target's size at (column, row)."""
    rates = np.full((SETTINGS.pixels, SETTINGS.pixels), background)
    if target is not None:
        row, column = np.indices(rates.shape)
        rates[(column - target[0]) ** 2 + (row - target[1]) ** 2 < 9**2] = dense
    return rates


def mean_position(spikes: np.ndarray, since: int) -> np.ndarray:
    recent = spikes[spikes[:, 0] >= since]
    assert recent.size, "the field is silent"
    return CENTRES[recent[:, 1]].mean(0) * SETTINGS.pixels


@pytest.mark.parametrize("target", [(64, 64), (30, 90), (100, 25)])
@pytest.mark.parametrize("background", [0.0, 0.05])
def test_the_bump_is_on_the_target(target: tuple[int, int], background: float) -> None:
    spikes, _ = run(scene(target, background=background), 200)
    found = mean_position(spikes, 100)
    assert np.hypot(*(found - np.array(target) - 0.5)) < 1.0


def test_an_even_background_alone_says_nothing() -> None:
    spikes, _ = run(scene(None, background=0.05), 200)
    assert len(spikes) == 0


def test_a_long_edge_says_much_less_than_the_target() -> None:
    rates = scene(None)
    rates[:, 62:66] = 0.2
    edge, _ = run(rates, 200)
    target, _ = run(scene((64, 64)), 200)
    per_cell_edge = len(edge) / SETTINGS.cells
    assert per_cell_edge < 0.4 * len(target) / 16


def test_a_rival_half_as_busy_gets_little_of_the_activity() -> None:
    both = np.maximum(scene((40, 40), dense=0.25), scene((95, 95), dense=0.12))
    spikes, _ = run(both, 200)
    on_target = np.hypot(*(CENTRES[spikes[:, 1]] * SETTINGS.pixels - 40.5).T) < 20
    assert on_target.mean() > 0.85


@pytest.mark.parametrize("background", [0.02, 0.05])
def test_gain_control_bounds_what_the_retina_says_of_a_busy_background(background: float) -> None:
    def retina_spikes(settings: TargetTrackerSettings) -> int:
        runner = CpuRunner(quantize(target_tracker(settings)))
        run(scene(None, background=background), 200, runner=runner)
        return runner.counters.spikes

    bounded = retina_spikes(SETTINGS)
    # Two ticks share the budget, and the field's own few spikes are counted in.
    assert bounded < 200 * SETTINGS.gain_spikes
    assert bounded < 0.5 * retina_spikes(TargetTrackerSettings(gain_weight=0.0))


def test_a_flash_over_the_whole_image_is_no_target() -> None:
    _, runner = run(scene((64, 64)), 100)
    run(np.ones((SETTINGS.pixels, SETTINGS.pixels)), 3, runner=runner)
    after, _ = run(scene((64, 64)), 150, runner=runner)
    assert np.hypot(*(mean_position(after, 100) - 64.5)) < 1.0


def test_the_bump_follows_a_target_that_jumps() -> None:
    _, runner = run(scene((40, 64)), 100)
    spikes, _ = run(scene((88, 64)), 150, runner=runner)
    found = mean_position(spikes, 100)
    assert np.hypot(*(found - [88.5, 64.5])) < 1.0


def test_the_field_falls_silent_when_the_target_is_gone() -> None:
    _, runner = run(scene((64, 64)), 100)
    spikes, _ = run(scene(None), 100, runner=runner)
    assert not (spikes[:, 0] > 50).any()


def test_centre_and_surround_cancel_where_their_sums_are_equal() -> None:
    settings = TargetTrackerSettings(surround_share=1.0)
    assert centre_surround(settings).sum() == pytest.approx(0.0, abs=1e-12)
    assert centre_surround(settings).argmax() == (2 * settings.forward_radius + 1) ** 2 // 2


def test_patches_that_do_not_tile_the_input_are_refused() -> None:
    with pytest.raises(ValueError, match="patch"):
        target_tracker(TargetTrackerSettings(pixels=128, patch=5))
