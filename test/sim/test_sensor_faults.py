# SPDX-License-Identifier: Apache-2.0
"""Each fault does what it says, as often as it says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.events import Events
from neuro_control.sim.sensor_faults import JointReading, SensorFaults, SensorFaultSettings

MS = 1_000_000
Q = np.zeros(6)


def faults(seed: int = 1, **values: object) -> SensorFaults:
    return SensorFaults(64, 48, SensorFaultSettings.model_validate(values), seed)


def some_events(n: int, start_ns: int, end_ns: int) -> Events:
    t_ns = np.sort(np.random.default_rng(n).integers(start_ns + 1, end_ns + 1, n))
    x = (np.arange(n) % 64).astype(np.uint16)
    return Events(t_ns, x, (x % 48).astype(np.uint16), (x % 2).astype(np.uint8), 64, 48)


def reading(t_ns: int) -> JointReading:
    return JointReading(t_ns, Q, Q, Q)


def test_without_faults_everything_is_as_it_was() -> None:
    subject = faults()
    picture = np.random.default_rng(0).random((48, 64)).astype(np.float32)
    events = some_events(10, 0, MS)
    assert subject.picture(picture) is picture
    assert subject.events(events, 0, MS) is events
    assert all(subject.packet_arrives() for _ in range(100))
    for t_ns in range(0, 10 * MS, MS):
        (arrived,) = subject.joint_states(reading(t_ns))
        assert arrived.t_ns == t_ns
    assert SensorFaultSettings().names == ()


def test_a_covered_lens_sees_black() -> None:
    dark = faults(camera_blackout=True).picture(np.ones((48, 64), np.float32))
    assert not dark.any()
    assert dark.dtype == np.float32


@settings(max_examples=20)
@given(st.integers(0, 300), st.integers(0, 50), st.floats(0.0, 1e6), st.integers(0, 99))
def test_added_events_lie_in_the_period_in_order_and_take_none_away(
    n: int, hot: int, noise: float, seed: int
) -> None:
    subject = faults(seed, hot_pixels=hot, noise_events_per_s=noise)
    given_ = some_events(n, 5 * MS, 7 * MS)
    events = subject.events(given_, 5 * MS, 7 * MS)
    assert len(events) == n + subject.events_added
    assert (np.diff(events.t_ns) >= 0).all()
    if len(events):
        assert events.t_ns[0] > 5 * MS
        assert events.t_ns[-1] <= 7 * MS
        assert events.x.max() < 64
        assert events.y.max() < 48

    def keys(some: Events) -> list[tuple[int, ...]]:
        return list(zip(*(getattr(some, a).tolist() for a in ("t_ns", "x", "y", "p")), strict=True))

    left = keys(events)
    for key in keys(given_):
        left.remove(key)


def test_hot_pixels_are_so_many_always_the_same_and_on() -> None:
    subject = faults(hot_pixels=7, hot_pixel_rate_hz=500.0)
    nothing = Events.empty(64, 48)
    heard = [subject.events(nothing, n * MS, (n + 1) * MS) for n in range(2000)]
    all_of = Events.concatenate(heard)
    pixels, counts = np.unique(all_of.y.astype(int) * 64 + all_of.x, return_counts=True)
    assert len(pixels) == 7
    assert all_of.p.all()
    # Poisson: 1000 each in 2 s, within five standard deviations.
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
    more = faults(hot_pixels=9, hot_pixel_rate_hz=500.0)
    other = Events.concatenate([more.events(nothing, n * MS, (n + 1) * MS) for n in range(100)])
    assert set(pixels) < set(other.y.astype(int) * 64 + other.x)


def test_a_storm_has_its_rate_everywhere_in_both_polarities() -> None:
    subject = faults(noise_events_per_s=1e6)
    events = subject.events(Events.empty(64, 48), 0, 200 * MS)
    assert abs(len(events) - 200_000) < 5 * np.sqrt(200_000)
    assert abs(events.p.mean() - 0.5) < 0.01
    counts = np.bincount(events.y.astype(int) * 64 + events.x, minlength=64 * 48)
    assert counts.min() > 0
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.15), "Poisson in space"


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 1.0])
def test_packets_and_joint_states_are_lost_as_often_as_said(part: float) -> None:
    subject = faults(packets_lost=part, joint_states_lost=part)
    n = 4000
    packets = sum(subject.packet_arrives() for _ in range(n))
    joints = sum(len(subject.joint_states(reading(k))) for k in range(n))
    spread = 5 * np.sqrt(n * part * (1 - part)) + 1e-9
    assert abs(packets - n * (1 - part)) <= spread
    assert abs(joints - n * (1 - part)) <= spread
    assert subject.packets_lost == n - packets
    assert subject.joint_states_lost == n - joints


def test_delayed_joint_states_come_late_with_their_own_time_and_in_order() -> None:
    subject = faults(joint_states_delay_s=0.01)
    arrived = {t: [r.t_ns for r in subject.joint_states(reading(t))] for t in range(0, 40 * MS, MS)}
    assert arrived[9 * MS] == []
    assert all(arrived[t] == [t - 10 * MS] for t in range(10 * MS, 40 * MS, MS))
    assert subject.joint_states_waiting == 10
    subject.settings = SensorFaultSettings()
    late = [r.t_ns for t in range(40, 60) for r in subject.joint_states(reading(t * MS))]
    assert late == list(range(30 * MS, 60 * MS, MS)), "none is lost, none overtakes"
    assert subject.joint_states_waiting == 0


def test_equal_seeds_give_equal_faults() -> None:
    runs = []
    for seed in (1, 1, 2):
        subject = faults(seed, hot_pixels=3, noise_events_per_s=1e4, packets_lost=0.5)
        events = subject.events(some_events(5, 0, 10 * MS), 0, 10 * MS)
        runs.append((events.t_ns.tolist(), [subject.packet_arrives() for _ in range(20)]))
    assert runs[0] == runs[1] != runs[2]


def test_the_names_are_those_of_the_faults_that_are_there() -> None:
    told = SensorFaultSettings(camera_blackout=True, packets_lost=0.1, hot_pixels=0)
    assert told.names == ("camera_blackout", "packets_lost")
    for field in SensorFaultSettings.model_fields:
        if field in ("seed", "hot_pixel_rate_hz"):
            continue
        values = {field: True if field == "camera_blackout" else 1}
        if field == "joint_states_delay_s":
            values = {field: 0.5}
        assert SensorFaultSettings.model_validate(values).names == (field,)
