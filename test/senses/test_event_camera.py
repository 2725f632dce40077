# SPDX-License-Identifier: Apache-2.0
"""What a pixel promises: laws of the event camera."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.senses.event_camera import EventCamera, EventCameraSettings
from neuro_control.senses.event_camera_presets import PRESETS, SIZES
from neuro_control.senses.event_pixels import follow, linear_log_luminance, log_luminance

MS = 1_000_000
SIZE = 16
FLOOR = 0.01
QUIET = {"leak_rate_hz": 0.0, "shot_rate_hz": 0.0, "floor_luminance": FLOOR}
IDEAL = EventCameraSettings(threshold_sigma=0.0, refractory_us=0.0, **QUIET)


def light(log_value: float) -> np.ndarray:
    """A picture whose logarithm, with the dark current, is `log_value`."""
    return np.full((SIZE, SIZE), math.exp(log_value) - FLOOR, np.float32)


@given(st.floats(-1.8, 1.8))
@settings(max_examples=60)
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
@settings(max_examples=20)
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
@settings(max_examples=20)
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
    for size, name in (((0, 4), "width is 0"), ((4, 70_000), "height is 70000")):
        with pytest.raises(ValueError, match=f"{name}; it must be 1 to 65536"):
            EventCamera(*size)
    with pytest.raises(ValueError, match="threshold_on"):
        EventCameraSettings(threshold_on=0.0)


@pytest.mark.parametrize(
    ("luminance", "t_ns", "message"),
    [
        (light(-1.0), 5.5e6, r"t_ns: 5500000\.0 must be a whole number"),
        (light(-1.0), None, "t_ns: None must be a whole number"),
        (None, MS, "luminance: .*give float32"),
        ([["bright"] * SIZE] * SIZE, MS, "luminance: .*give float32"),
        ([[0.5], [0.5, 0.5]], MS, "luminance: .*give float32"),
        ([[0.5, 0.5]], MS, r"luminance: shape \(1, 2\), expected \(16, 16\)"),
        (0.5, MS, r"luminance: shape \(\), expected"),
        (light(-1.0) * 1j, MS, "luminance: .*give float32"),
    ],
)
def test_what_is_of_another_type_is_refused_by_name(luminance, t_ns, message) -> None:
    camera = EventCamera(SIZE, SIZE, IDEAL)
    with pytest.raises(ValueError, match=message):
        camera.expose(luminance, t_ns)
    camera.expose(light(-2.0), 0)
    with pytest.raises(ValueError, match=message):
        camera.expose(luminance, t_ns)
    assert len(camera.expose(light(-1.7), np.int64(MS))) == SIZE * SIZE


def test_a_picture_may_be_a_list_or_of_other_numbers() -> None:
    picture = np.random.default_rng(0).integers(0, 2, (2, SIZE, SIZE))
    said = []
    for kind in (np.float32, np.float64, np.uint8, np.int64, np.bool_, list):
        camera = EventCamera(SIZE, SIZE, IDEAL)
        two = picture.tolist() if kind is list else picture.astype(kind)
        camera.expose(two[0], 0)
        events = camera.expose(two[1], MS)
        said.append((events.t_ns.tolist(), events.x.tolist(), events.p.tolist()))
    assert all(one == said[0] for one in said)
    assert said[0][0]


def grey(luminance: float) -> np.ndarray:
    return np.full((SIZE, SIZE), luminance, np.float32)


def test_the_linear_logarithmic_response_is_linear_in_the_dark() -> None:
    out = np.empty(5, np.float32)
    given_255 = np.array([0.0, 10.0, 19.999, 20.0, 200.0])
    linear_log_luminance((given_255 / 255).astype(np.float32), out)
    slope = math.log(20) / 20
    expected = [0.0, 10 * slope, 19.999 * slope, math.log(20), math.log(200)]
    np.testing.assert_allclose(out, expected, atol=1e-5)


@pytest.mark.parametrize("luminance", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("dt_s", [1e-6, 1e-4, 1e-3, 1e-2, 1.0])
def test_the_photoreceptor_follows_a_step_at_any_picture_rate(
    luminance: float, dt_s: float
) -> None:
    cutoff_hz = 100.0
    way = np.empty(1, np.float32)
    follow(np.full(1, luminance, np.float32), 2 * np.pi * cutoff_hz * dt_s, way)
    share = (255 * luminance + 20) / 275
    assert way[0] == pytest.approx(-math.expm1(-2 * math.pi * cutoff_hz * share * dt_s), rel=2e-6)


@pytest.mark.parametrize("pictures_per_s", [100, 1000, 10_000])
@pytest.mark.parametrize("rate_hz", [0.01, 0.1])
def test_the_leak_does_not_depend_on_the_picture_rate(pictures_per_s: int, rate_hz: float) -> None:
    """Bright light, where a leak of a microunit is less than the logarithm can resolve."""
    update = {"leak_rate_hz": rate_hz, "response": "linear_log"}
    camera = EventCamera(64, 64, IDEAL.model_copy(update=update), seed=1)
    picture, seconds = np.full((64, 64), 0.8, np.float32), 2
    n = sum(
        len(camera.expose(picture, tick * 10**9 // pictures_per_s))
        for tick in range(seconds * pictures_per_s + 1)
    )
    # Phases are uniform: a pixel leaks once or not at all.
    once = rate_hz * seconds
    assert abs(n - once * 64**2) < 5 * math.sqrt(once * (1 - once) * 64**2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
@pytest.mark.parametrize("response", ["log", "linear_log"])
def test_a_pixel_survives_a_value_that_is_no_light(value: float, response: str) -> None:
    update = {"cutoff_hz": 300.0, "response": response}
    camera = EventCamera(4, 4, IDEAL.model_copy(update=update))
    good = np.full((4, 4), 0.5, np.float32)
    bad = good.copy()
    bad[0, 0] = value
    for tick in range(20):
        others = camera.expose(bad if tick == 1 else good, tick * 100 * MS)
        assert not np.any((others.x > 0) | (others.y > 0))
    events = camera.expose(2 * good, 20 * 100 * MS)
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (events.y, events.x), 1)
    # What was left below a threshold after the excursion may make one more or less.
    assert np.all(abs(counts - 2) <= 1)
    counts[0, 0] = 2
    assert np.all(counts == 2)


def test_with_noise_off_it_says_what_the_equations_of_v2e_say() -> None:
    """Counts for every pixel, picture and polarity, beside those equations in plain numpy."""
    rng = np.random.default_rng(5)
    settings = EventCameraSettings(
        threshold_sigma=0.05, refractory_us=0.0, response="linear_log", cutoff_hz=200.0, **QUIET
    )
    camera = EventCamera(32, 24, settings, seed=9)
    on = camera.thresholds_on.reshape(24, 32).astype(float)
    off = camera.thresholds_off.reshape(24, 32).astype(float)
    t_ns, filtered, memory, n_events = 0, None, None, 0
    for _ in range(60):
        picture = rng.uniform(0, 1, (24, 32)).astype(np.float32)
        dt_ns = int(rng.integers(MS // 10, 5 * MS))
        t_ns += dt_ns
        events = camera.expose(picture, t_ns)
        light = picture * 255.0
        level = np.where(light <= 20, light * math.log(20) / 20, np.log(np.maximum(light, 1)))
        if filtered is None or memory is None:
            filtered, memory = level, level.copy()
            continue
        share = (light + 20) / 275
        filtered = filtered + (level - filtered) * -np.expm1(
            -2 * math.pi * 200.0 * share * dt_ns * 1e-9
        )
        wanted_on = np.floor(np.maximum(filtered - memory, 0) / on).astype(int)
        wanted_off = np.floor(np.maximum(memory - filtered, 0) / off).astype(int)
        memory += wanted_on * on - wanted_off * off
        said = np.zeros((2, 24, 32), int)
        np.add.at(said, (events.p, events.y, events.x), 1)
        np.testing.assert_array_equal(said[1], wanted_on)
        np.testing.assert_array_equal(said[0], wanted_off)
        n_events += len(events)
    assert n_events > 60 * 24 * 32


def test_a_slow_photoreceptor_speaks_later_and_in_the_dark_later_still() -> None:
    def first_ns(dark: float, bright: float, cutoff_hz: float) -> int:
        settings = IDEAL.model_copy(update={"response": "linear_log", "cutoff_hz": cutoff_hz})
        camera = EventCamera(SIZE, SIZE, settings)
        camera.expose(grey(dark), 0)
        for tick in range(1, 2000):
            events = camera.expose(grey(bright), tick * MS // 10)
            if len(events):
                return int(events.t_ns[0])
        raise AssertionError("no event")

    in_light, in_dark = first_ns(0.4, 0.8, 50.0), first_ns(0.1, 0.2, 50.0)
    assert first_ns(0.4, 0.8, 0.0) < in_light < in_dark


def test_leaks_come_at_each_pixels_own_rate() -> None:
    settings = IDEAL.model_copy(update={"leak_rate_hz": 5.0, "leak_sigma": 0.2})
    camera = EventCamera(64, 64, settings, seed=3)
    picture = np.full((64, 64), 0.5, np.float32)
    camera.expose(picture, 0)
    counts = np.zeros((64, 64))
    for second in range(1, 41):
        events = camera.expose(picture, second * 1000 * MS)
        np.add.at(counts, (events.y, events.x), 1)
        assert events.p.all()
    rates = counts / 40
    assert rates.mean() == pytest.approx(5.0, rel=0.02)
    assert rates.std() == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(("luminance", "share"), [(0.0, 1.0), (0.5, 0.625), (1.0, 0.25)])
def test_noise_falls_with_light(luminance: float, share: float) -> None:
    settings = IDEAL.model_copy(update={"shot_rate_hz": 10.0, "shot_bright_factor": 0.25})
    camera = EventCamera(64, 64, settings, seed=1)
    picture = np.full((64, 64), luminance, np.float32)
    camera.expose(picture, 0)
    n = sum(len(camera.expose(picture, tick * 10 * MS)) for tick in range(1, 101))
    expected = 10.0 * share * 64 * 64
    assert abs(n - expected) < 5 * math.sqrt(expected)


def test_thresholds_are_recovered_from_a_ramp() -> None:
    settings = IDEAL.model_copy(update={"threshold_sigma": 0.04})
    camera = EventCamera(64, 64, settings, seed=2)
    ticks = 800
    counts = np.zeros((64, 64))
    camera.expose(np.full((64, 64), math.exp(-4.0), np.float32), 0)
    for tick in range(1, ticks + 1):
        level = math.exp(-4.0 + 4.0 * tick / ticks)
        events = camera.expose(np.full((64, 64), level, np.float32), tick * MS)
        np.add.at(counts, (events.y, events.x), 1)
    change = math.log(1.0 + FLOOR) - math.log(math.exp(-4.0) + FLOOR)
    measured = change / (counts + 0.5)
    expected = camera.thresholds_on.reshape(64, 64)
    np.testing.assert_allclose(measured, expected, rtol=0.06)
    assert expected.std() == pytest.approx(0.04, rel=0.05)
    assert np.corrcoef(measured.ravel(), expected.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_sees_an_edge_move(name: str) -> None:
    width, height = SIZES.get(name, (64, 48))
    camera = EventCamera(width, height, PRESETS[name], seed=0)
    n = 0
    for tick in range(12):
        picture = np.full((height, width), 0.2, np.float32)
        picture[:, : width // 2 + tick] = 0.9
        n += len(camera.expose(picture, tick * 10 * MS))
    assert n > height
