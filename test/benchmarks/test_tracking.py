# SPDX-License-Identifier: Apache-2.0
"""The tracking benchmark's arithmetic, and the controllers that it compares."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import arm_loop
from benchmarks.loop_film import film_run
from benchmarks.tracking import jump_row, reacquisition_s


def test_a_jump_is_reacquired_when_the_error_first_falls_below_two_degrees() -> None:
    error_deg = np.concatenate([np.zeros(100), np.linspace(20.0, 0.0, 201), np.zeros(700)])
    target_m = np.zeros((len(error_deg), 3))
    target_m[100:, 0] = 0.2
    # 20 degrees fall to 2 in 180 samples, and below in the next.
    assert reacquisition_s(error_deg, target_m, 0.002) == [pytest.approx(181 * 0.002)]


def test_a_jump_that_is_never_followed_takes_for_ever_and_one_cut_short_is_left_out() -> None:
    target_m = np.zeros((1000, 3))
    target_m[300:, 1], target_m[900:, 1] = 0.2, 0.4
    times = reacquisition_s(np.full(1000, 20.0), target_m, 0.002)
    assert times == [math.inf]
    assert jump_row("centroid", times)["reacquired"] == 0
    assert jump_row("centroid", times)["worst_s"] is None


def test_a_path_without_jumps_has_none() -> None:
    target_m = np.linspace(0.0, 1.0, 1000)[:, None] * np.ones(3)
    assert reacquisition_s(np.zeros(1000), target_m, 0.002) == []


@pytest.mark.parametrize("contrast", [1.0, 4.0])
def test_the_spiking_controller_is_near_the_ceiling_and_far_from_the_centroid(
    contrast: float,
) -> None:
    scene = {"seed": 2, "renderer": "rays", "world": {"background_contrast": contrast}}
    median = {
        kind: float(np.median(arm_loop.run(kind, 1.5, scene).error_deg[250:]))
        for kind in arm_loop.KINDS
    }
    assert median["truth"] < median["spiking"] < 1.25 * median["truth"] + 60 / 128 / 2
    assert median["centroid"] > 4 * median["spiking"]


def test_a_run_can_be_filmed_with_scene_events_and_spikes(tmp_path: Path) -> None:
    path = tmp_path / "run.gif"
    scene = {"seed": 2, "renderer": "rays"}
    assert film_run(path, 0.5, scene, "tracking: a test") == 5
    with Image.open(path) as film:
        assert film.n_frames == 5
        first, last = (np.asarray(_frame(film, k), np.int64) for k in (0, 4))
    assert first.shape[1] > 2.5 * 384, "three panels side by side"
    for part in np.array_split(np.abs(first - last).sum(axis=2), 3, axis=1):
        assert part.any(), "each panel shows something that changes"


def _frame(film: Image.Image, number: int) -> Image.Image:
    film.seek(number)
    return film.convert("RGB")
