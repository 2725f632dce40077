# SPDX-License-Identifier: Apache-2.0
"""What a pixel promises: laws of the event camera."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.sim.event_camera import EventCamera, EventCameraSettings
from neuro_control.sim.event_pixels import log_luminance

MS = 1_000_000
SIZE = 16
FLOOR = 0.01
QUIET = {"leak_rate_hz": 0.0, "shot_rate_hz": 0.0, "floor_luminance": FLOOR}
IDEAL = EventCameraSettings(threshold_sigma=0.0, refractory_us=0.0, **QUIET)


def light(log_value: float) -> np.ndarray:
    """A picture whose logarithm, with the dark current, is `log_value`."""
    return np.full((SIZE, SIZE), math.exp(log_value) - FLOOR, np.float32)


@given(st.floats(-1.8, 1.8))
@settings(deadline=None, max_examples=60)
def test_a_step_gives_as_many_events_as_it_holds_thresholds(step: float) -> None:
    threshold = 0.25
    if abs(abs(step) / threshold - round(abs(step) / threshold)) < 1e-3:
        return  # on the edge, rounding decides
    camera = EventCamera(SIZE, SIZE, IDEAL)
    assert len(camera.expose(light(-2.0), 0)) == 0
    events = camera.expose(light(-2.0 + step), 2 * MS)
    assert len(events) == SIZE * SIZE * math.floor(abs(step) / threshold)
    assert set(events.p.tolist()) <= {1 if step > 0 else 0}


def test_a_remainder_is_not_forgotten() -> None:
    camera = EventCamera(SIZE, SIZE, IDEAL)
    camera.expose(light(-2.0), 0)
    counts = [len(camera.expose(light(-2.0 + 0.1 * n), n * MS)) for n in range(1, 11)]
    assert sum(counts) == SIZE * SIZE * 3  # 1.0 is four thresholds, reached but for rounding
    or_four = sum(counts) + len(camera.expose(light(-0.99), 11 * MS))
    assert or_four == SIZE * SIZE * 4


def test_stamps_are_interpolated_where_the_light_crosses() -> None:
    camera = EventCamera(SIZE, SIZE, IDEAL)
    camera.expose(light(-2.0), 0)
    events = camera.expose(light(-1.0 + 1e-4), 4 * MS)
    one = events.t_ns[(events.x == 3) & (events.y == 5)]
    np.testing.assert_allclose(one, np.array([1, 2, 3, 4]) * MS, atol=2_000)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_stamps_are_sorted_and_inside_the_interval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    camera = EventCamera(SIZE, SIZE, EventCameraSettings(shot_rate_hz=50.0), seed)
    t_ns = 0
    for _ in range(6):
        events = camera.expose(rng.uniform(0, 1, (SIZE, SIZE)).astype(np.float32), t_ns + 2 * MS)
        assert np.all(np.diff(events.t_ns) >= 0)
        assert np.all((events.t_ns > t_ns) & (events.t_ns <= t_ns + 2 * MS))
        assert np.all(events.x < SIZE)
        assert np.all(events.y < SIZE)
        t_ns += 2 * MS


@given(st.integers(0, 10_000), st.sampled_from([100.0, 500.0, 3000.0]))
@settings(deadline=None, max_examples=20)
def test_no_pixel_speaks_within_its_refractory_time(seed: int, refractory_us: float) -> None:
    rng = np.random.default_rng(seed)
    camera = EventCamera(
        SIZE, SIZE, EventCameraSettings(refractory_us=refractory_us, shot_rate_hz=20.0), seed
    )
    last = np.full((SIZE, SIZE), -(10**12))
    for n in range(8):
        events = camera.expose(rng.uniform(0, 1, (SIZE, SIZE)).astype(np.float32), n * 2 * MS)
        for t_ns, x, y in zip(events.t_ns, events.x, events.y, strict=True):
            assert t_ns - last[y, x] >= refractory_us * 1000
            last[y, x] = t_ns


def test_constant_light_is_silent_without_noise() -> None:
    camera = EventCamera(SIZE, SIZE, EventCameraSettings(**QUIET))
    picture = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE)).astype(np.float32)
    assert sum(len(camera.expose(picture, n * MS)) for n in range(50)) == 0


def test_thresholds_differ_between_pixels_as_asked() -> None:
    camera = EventCamera(128, 128, EventCameraSettings(threshold_sigma=0.03))
    for thresholds in (camera.thresholds_on, camera.thresholds_off):
        assert thresholds.mean() == pytest.approx(0.25, abs=0.002)
        assert thresholds.std() == pytest.approx(0.03, rel=0.05)
    assert abs(np.corrcoef(camera.thresholds_on, camera.thresholds_off)[0, 1]) < 0.05


@pytest.mark.parametrize("noise", ["leak_rate_hz", "shot_rate_hz"])
def test_noise_has_the_rate_asked_for(noise: str) -> None:
    camera = EventCamera(64, 64, EventCameraSettings(**{**QUIET, noise: 5.0}))
    picture = np.full((64, 64), 0.5, np.float32)
    events = [camera.expose(picture, n * 10 * MS) for n in range(101)]
    rate = sum(map(len, events)) / 1.0 / 64**2
    assert rate == pytest.approx(5.0, rel=0.05)
    on = sum(int(e.p.sum()) for e in events) / sum(map(len, events))
    assert on == pytest.approx(1.0 if noise == "leak_rate_hz" else 0.5, abs=0.02)


def test_equal_seeds_give_equal_events_and_others_do_not() -> None:
    rng = np.random.default_rng(1)
    pictures = [rng.uniform(0, 1, (SIZE, SIZE)).astype(np.float32) for _ in range(5)]

    def run(seed: int) -> list[tuple[int, int, int, int]]:
        camera = EventCamera(SIZE, SIZE, EventCameraSettings(shot_rate_hz=10.0), seed)
        events = [camera.expose(picture, n * MS) for n, picture in enumerate(pictures)]
        return [
            row
            for e in events
            for row in zip(*(column.tolist() for column in (e.t_ns, e.x, e.y, e.p)), strict=True)
        ]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_very_sensitive_pixels_lose_no_event() -> None:
    """More events than there was room for at first."""
    camera = EventCamera(
        SIZE, SIZE, EventCameraSettings(
            threshold_on=0.02, threshold_sigma=0.0, refractory_us=0.0, **QUIET
        )
    )  # fmt: skip
    camera.expose(light(-4.0), 0)
    assert len(camera.expose(light(-0.01), MS)) == SIZE * SIZE * 199


def test_logarithm_is_right() -> None:
    values = np.geomspace(1e-4, 50, 10_000).astype(np.float32)
    out = np.empty_like(values)
    log_luminance(values, np.float32(1e-3), out)
    np.testing.assert_allclose(out, np.log(values.astype(np.float64) + 1e-3), atol=2e-6)


def test_what_does_not_fit_is_refused() -> None:
    camera = EventCamera(SIZE, SIZE)
    with pytest.raises(ValueError, match=r"luminance: shape \(4, 4\)"):
        camera.expose(np.zeros((4, 4), np.float32), 0)
    camera.expose(light(-1.0), 5)
    with pytest.raises(ValueError, match="t_ns: 5 is not after"):
        camera.expose(light(-1.0), 5)
    with pytest.raises(ValueError, match="threshold_on"):
        EventCameraSettings(threshold_on=0.0)
