# SPDX-License-Identifier: Apache-2.0
"""What the three kinds of afferents speak of, and what they keep silent about."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neuro_control.events import Events
from neuro_control.senses.skin import STEP_NS, Skin, SkinSettings
from neuro_control.senses.skin_layout import SkinLayout, read_skin_layout
from neuro_control.senses.touch import Touch, TouchRule

MS = 1_000_000
ROWS, COLUMNS = 4, 6


def play(pressures, skin: Skin | None = None, period_ns: int = MS) -> Events:
    """Events of pressures [time, rows, columns], a sample a period."""
    skin = skin or Skin(*pressures.shape[1:])
    parts = [skin.feel(sample, k * period_ns) for k, sample in enumerate(pressures)]
    events = Events.concatenate(parts)
    events.check()
    return events


def everywhere(values) -> np.ndarray:
    return np.asarray(values)[:, None, None] * np.ones((1, ROWS, COLUMNS))


def band(events: Events, number: int) -> Events:
    kept = events.y // (events.height // 3) == number
    columns = (events.t_ns[kept], events.x[kept], events.y[kept], events.p[kept])
    return Events(*columns, events.width, events.height)


def press_hold_release(level: float = 0.6) -> np.ndarray:
    """100 ms of nothing, 50 ms of pressing, 500 ms of holding, 50 ms of letting go, nothing."""
    up, hold = np.linspace(0, level, 51)[1:], np.full(500, level)
    return np.concatenate([np.zeros(100), up, hold, up[::-1], np.zeros(200)])


def test_without_a_contact_nobody_speaks():
    assert len(play(everywhere(np.zeros(300)))) == 0


def test_the_slow_afferent_goes_on_under_a_hold_and_the_fast_one_speaks_of_change():
    events = play(everywhere(press_hold_release()))
    slow, fast = band(events, 0), band(events, 1)
    during_hold = slow.window(300 * MS, 650 * MS)
    assert len(during_hold) > 5 * ROWS * COLUMNS
    assert len(fast.window(200 * MS, 640 * MS)) == 0
    onset, release = fast.window(100 * MS, 200 * MS), fast.window(640 * MS, 760 * MS)
    assert min(len(onset), len(release)) >= ROWS * COLUMNS
    assert onset.p.all()
    assert not release.p.any()
    assert len(slow.window(800 * MS, 900 * MS)) == 0


def test_the_slow_afferent_is_faster_under_more_pressure():
    counts = [
        len(band(play(everywhere(press_hold_release(level))), 0).window(300 * MS, 650 * MS))
        for level in (0.0, 0.2, 0.4, 0.8)
    ]
    assert counts[0] == 0
    assert counts[1] < counts[2] < counts[3]


def test_the_third_kind_speaks_of_small_vibration_in_its_rhythm_and_not_of_slow_pressing():
    t = np.arange(400)
    shaking = 0.3 + 0.01 * np.sin(2 * np.pi * 200 * t * 1e-3)
    pressing = 0.3 + 0.4 * t / 400
    assert len(band(play(everywhere(pressing)), 2)) == 0
    events = band(play(everywhere(shaking)), 2)
    assert len(events) > 10 * ROWS * COLUMNS
    phase = np.exp(2j * np.pi * 200 * events.t_ns * 1e-9).mean()
    assert abs(phase) > 0.6


def test_addresses_are_bands_of_rows():
    pressures = np.zeros((300, ROWS, COLUMNS))
    pressures[10:, 2, 5] = 0.8
    events = play(pressures)
    assert (events.width, events.height) == (COLUMNS, 3 * ROWS)
    assert set(events.x.tolist()) == {5}
    assert set(events.y.tolist()) == {2, ROWS + 2, 2 * ROWS + 2}


@settings(max_examples=25)
@given(
    middle=st.integers(1, 19),
    seed=st.integers(0, 100),
)
def test_a_sample_more_on_the_straight_line_changes_nothing(middle, seed):
    step_ns = STEP_NS
    span = 20 * step_ns
    rng = np.random.default_rng(seed)
    ends = rng.uniform(0, 1, (2, 1, 1))
    one, two = Skin(1, 1), Skin(1, 1)
    one.feel(ends[0], 0)
    two.feel(ends[0], 0)
    whole = one.feel(ends[1], span)
    share = middle / 20
    first = two.feel(ends[0] + share * (ends[1] - ends[0]), middle * step_ns)
    second = two.feel(ends[1], span)
    assert [*first.t_ns, *second.t_ns] == whole.t_ns.tolist()
    assert [*first.y, *second.y] == whole.y.tolist()


def test_afferents_differ_by_their_mismatch_and_the_seed_says_how():
    def counts(**said) -> list[int]:
        skin = Skin(ROWS, COLUMNS, SkinSettings(**said))
        events = band(play(everywhere(press_hold_release()), skin), 0)
        return np.bincount(events.y.astype(int) * COLUMNS + events.x, minlength=24).tolist()

    assert len(set(counts())) == 1
    assert len(set(counts(mismatch_sigma=0.2))) > 3
    assert counts(mismatch_sigma=0.2) == counts(mismatch_sigma=0.2)
    assert counts(mismatch_sigma=0.2) != counts(mismatch_sigma=0.2, seed=1)


MOST = {"sa1_gain": 1000.0, "fa1_gain": 1000.0, "fa2_gain": 1e6}


@settings(max_examples=15, deadline=None)
@given(
    gains=st.fixed_dictionaries({name: st.floats(0.0, most) for name, most in MOST.items()}),
    period_ns=st.integers(MS // 4, MS),
    seed=st.integers(0, 100),
)
@example(gains=MOST, period_ns=MS // 4, seed=0)
@example(gains=MOST | {"fa1_gain": 60.0}, period_ns=MS // 4, seed=0)
@example(gains=MOST, period_ns=MS, seed=0)
def test_no_gain_and_no_pressure_silence_an_afferent_for_good(gains, period_ns, seed):
    rng = np.random.default_rng(seed)
    square = np.arange(200) % 2
    wild = np.concatenate([square, rng.uniform(0, 1, 100)])[:, None, None]
    skin = Skin(1, 1, SkinSettings(**gains, fa2_cutoff_hz=5.0))
    play(wild, skin, period_ns)
    rest_ns = len(wild) * period_ns
    calm = [skin.feel(np.zeros((1, 1)), rest_ns + k * 100 * MS) for k in range(1, 11)]
    assert len(calm[-1]) == 0
    again = [
        skin.feel(np.full((1, 1), level), rest_ns + (1001 + k) * MS)
        for k, level in enumerate(np.repeat([0, 1, 0, 1], 20))
    ]
    said = np.bincount(Events.concatenate(again).y, minlength=3)
    # What is enough for an afferent at rest: of SA-I 4, of the others at such a square far more.
    loud = np.array([gains["sa1_gain"], gains["fa1_gain"], gains["fa2_gain"] / 100.0]) > 10.0
    assert (said[loud] > 0).all()


def test_an_afferent_speaks_as_often_as_its_equations_in_finer_steps():
    """Izhikevich's regular spiking cell under a constant current of 40: 91 a second."""
    skin = Skin(1, 1, SkinSettings(sa1_gain=40.0, fa1_gain=0.0, fa2_gain=0.0))
    v, u, expected, step_ms = -70.0, -14.0, 0, 0.002
    for _ in range(int(1000 / step_ms)):
        v += step_ms * (0.04 * v * v + 5.0 * v + 140.0 - u + 40.0)
        u += step_ms * 0.02 * (0.2 * v - u)
        if v >= 30.0:
            v, u, expected = -65.0, u + 8.0, expected + 1
    events = play(np.ones((1001, 1, 1)), skin)
    assert len(events) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("pressure", "t_ns", "message"),
    [
        (np.zeros((2, 2)), MS, r"shape \(2, 2\); it must be \(4, 6\)"),
        (np.full((ROWS, COLUMNS), np.nan), MS, r"taxel \[0, 0\] is nan; it must be finite"),
        (np.zeros((ROWS, COLUMNS)), 0, "t_ns is 0; it must be after the last sample's 0"),
    ],
)
def test_what_is_no_sample_is_refused(pressure, t_ns, message):
    skin = Skin(ROWS, COLUMNS)
    skin.feel(np.zeros((ROWS, COLUMNS)), 0)
    with pytest.raises(ValueError, match=message):
        skin.feel(pressure, t_ns)


def test_after_a_long_pause_it_begins_anew():
    skin = Skin(1, 1)
    skin.feel(np.zeros((1, 1)), 0)
    assert len(skin.feel(np.ones((1, 1)), 5_000 * MS)) == 0
    with pytest.raises(ValueError, match="rows is 0 and columns 3"):
        Skin(0, 3)


# Contacts


def sliding(speed_taxels_per_s: float, seconds: float) -> np.ndarray:
    """A ridged surface that moves along the columns under a constant load."""
    t = np.arange(int(seconds * 1000)) * 1e-3
    column = np.arange(COLUMNS)
    ridges = 0.4 + 0.2 * np.sin(
        2 * np.pi * (column[None, :] - speed_taxels_per_s * t[:, None]) / 3.0
    )
    return np.repeat(ridges[:, None, :], ROWS, axis=1)


def test_onset_hold_release_and_slip_are_told_apart():
    rule = TouchRule()
    events = play(everywhere(press_hold_release()))
    said = [
        rule.judge(events.window(begin * MS, (begin + 30) * MS)) for begin in (30, 110, 400, 660)
    ]
    assert said == [Touch.NOTHING, Touch.ONSET, Touch.HOLD, Touch.RELEASE]
    slip = play(sliding(30.0, 0.5))
    for begin in range(100, 450, 50):
        assert rule.judge(slip.window(begin * MS, (begin + 50) * MS)) is Touch.SLIP


def test_a_rule_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="least_spikes is 0"):
        TouchRule(least_spikes=0)
    with pytest.raises(ValueError, match=r"one_sided is 1.0; it must be above 1"):
        TouchRule(one_sided=1.0)
    with pytest.raises(ValueError, match=r"one_sided is inf; it must be above 1, and finite"):
        TouchRule(one_sided=math.inf)
    with pytest.raises(ValueError, match="height: 4 is not a multiple of 3; a skin has"):
        TouchRule().judge(Events.empty(2, 4))


# Layouts


def test_a_layout_is_read_from_yaml(tmp_path: Path):
    path = tmp_path / "palm.yaml"
    path.write_text("name: palm\nrows: 2\ncolumns: 3\npitch_m: 0.01\nunit: kPa\nfull_scale: 50.0\n")
    layout = read_skin_layout(path)
    assert (layout.name, layout.unit, layout.full_scale) == ("palm", "kPa", 50.0)
    np.testing.assert_allclose(layout.taxel_positions[4], [0.01, 0.01, 0.0])
    odd = SkinLayout(rows=1, columns=2, positions=((0, 0, 0.1), (0, 0.02, 0.1)))
    assert odd.taxel_positions.tolist() == [[0, 0, 0.1], [0, 0.02, 0.1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows: 0\n", "rows: Input should be greater than or equal to 1, got 0"),
        ("colums: 3\n", "colums: Extra inputs are not permitted, got 3"),
        ("full_scale: .inf\n", "full_scale: Input should be a finite number, got inf"),
        ("rows: 1\ncolumns: 2\npositions: [[0, 0, 0]]\n", "positions has 1 entries; rows x colum"),
        ("- 3\n", "it must be a mapping of rows"),
        ("rows: [\n", "is not YAML"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(text, message, tmp_path: Path):
    (tmp_path / "skin.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_skin_layout(tmp_path / "skin.yaml")
    with pytest.raises(FileNotFoundError, match="no skin layout"):
        read_skin_layout(tmp_path / "nowhere.yaml")
