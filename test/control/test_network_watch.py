# SPDX-License-Identifier: Apache-2.0
"""Watching a network changes nothing of what it does, and sees all of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.backends.recorder import record
from neuro_control.backends.runner import Indices, RunCounters, RunnerState
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.worker_process import BackendError
from neuro_control.control.arm import load_network
from neuro_control.control.network_watch import MOST_TICKS, NetworkWatch
from neuro_control.control.probes import Probe
from neuro_control.control.watched_runner import WatchedRunner, watched
from neuro_control.network.fixed_network import (
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Port,
)

NETWORK = load_network("arm_tracker.nir")
N_INPUTS = sum(port.size for port in NETWORK.inputs.values())
MS = 1_000_000


def some_input(seed: int, ticks: int, most: int = 400) -> tuple[Indices, np.ndarray]:
    """Events in one corner, with doubles, as an encoder gives them."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most, ticks)
    # Enough in one place to make the field fire, and now and then one input twice.
    rows, columns = rng.integers(40, 52, counts.sum()), rng.integers(60, 72, counts.sum())
    indices = (rng.integers(0, 2, counts.sum()) * 128 + rows) * 128 + columns
    return indices.astype(np.int32), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def spikes_of(watch: NetworkWatch, name: str, ticks: int) -> list[list[int]]:
    """The spikes of a row, tick by tick."""
    activity = watch.take()
    assert len(activity.t_ns) == ticks
    tick, neuron = activity.spikes[[row.name for row in watch.rows].index(name)]
    return [neuron[tick == n].tolist() for n in range(ticks)]


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(1, 40), st.booleans(), st.booleans())
def test_a_watched_network_does_what_an_unwatched_one_does(
    seed: int, ticks: int, spikes: bool, membranes: bool
) -> None:
    plain = CpuRunner(NETWORK)
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.choose([Probe("field", 300)])
    watch.spikes, watch.membranes = spikes, membranes
    given_ = some_input(seed, ticks)
    for got, wanted in zip(runner.run(*given_), plain.run(*given_), strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == wanted.dtype
    assert runner.state() == plain.state()
    assert runner.counters == plain.counters


def test_what_it_sees_is_what_the_recorder_sees() -> None:
    indices, offsets = some_input(1, 60)
    recorded = record(CpuRunner(NETWORK), indices, offsets, traces={"field": [330, 331]})
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.choose([Probe("field", 330), Probe("field", 331)])
    watch.spikes = watch.membranes = True
    for first in range(0, 60, 7):
        last = min(first + 7, 60)
        part = indices[offsets[first] : offsets[last]]
        runner.run(part, offsets[first : last + 1] - offsets[first])
        watch.stamp(last * MS, MS)
    activity = watch.take()
    assert list(activity.t_ns) == [MS * tick for tick in range(60)]
    for row, (tick, neuron) in zip(watch.rows, activity.spikes, strict=True):
        if row.role != "input":
            np.testing.assert_array_equal(tick, recorded.spikes[row.name].tick)
            np.testing.assert_array_equal(neuron, recorded.spikes[row.name].neuron)
    traces = recorded.traces["field"]
    assert len(recorded.spikes["field"].tick) > 0, "nothing fired: this test sees nothing"
    np.testing.assert_array_equal(activity.membrane, traces.membrane)
    np.testing.assert_array_equal(activity.current, traces.current)
    assert activity.current.any()
    np.testing.assert_array_equal(activity.threshold, np.broadcast_to(traces.threshold, (60, 2)))


def test_inputs_are_rows_too_each_channel_once_a_tick() -> None:
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.spikes = True
    velocity = NETWORK.inputs["velocity"].offset
    runner.step(np.array([5, 3, 5, velocity + 2], np.int32))
    watch.stamp(MS, MS)
    assert spikes_of(watch, "events", 1) == [[3, 5]]
    runner.step(np.array([5, velocity + 2], np.int32))
    watch.stamp(2 * MS, MS)
    assert spikes_of(watch, "velocity", 1) == [[2]]


def test_a_payload_of_a_graded_input_is_seen_as_often_as_it_counts() -> None:
    population = FixedPopulation(
        "lif", (1,), 0, np.array([4095]), np.array([0]), np.array([10]), np.array([0])
    )
    network = FixedNetwork(
        (population,),
        (FixedProjection.from_matrix("in", "lif", [[1, 1]]),),
        {"in": Port(0, 2, (2,), 2)},
        {"out": Port(0, 1, (1,))},
        {"out": "lif"},
        1e-3,
    )
    runner, watch = watched(CpuRunner(network), network)
    watch.spikes = True
    runner.step(np.array([1, 0, 1, 0, 0, 0, 0], np.int32))
    watch.stamp(MS, MS)
    assert spikes_of(watch, "in", 1) == [[0, 0, 0, 1, 1]], "of 2 bits, 3 is the largest payload"
    assert runner.counters.synaptic_operations == 5


def test_rows_say_what_the_network_is_made_of() -> None:
    _, watch = watched(CpuRunner(NETWORK), NETWORK)
    roles = {row.name: row.role for row in watch.rows}
    assert roles["events"] == roles["velocity"] == "input"
    assert roles["retina"] == "hidden"
    assert roles["field"] == "output"
    row = next(row for row in watch.rows if row.name == "field")
    assert (row.size, row.shape, row.seen) == (1024, (1, 32, 32), True)
    assert row.threshold == (4850 << 6, 4850 << 6)


def test_while_nobody_watches_nothing_is_kept_and_calls_go_straight_through() -> None:
    class Once(CpuRunner):
        steps = 0

        def step(self, active: Indices) -> Indices:
            self.steps += 1
            return super().step(active)

    inner = Once(NETWORK)
    runner, watch = watched(inner, NETWORK)
    watch.membranes = True  # but no neuron is chosen
    runner.run(*some_input(2, 10))
    assert (inner.steps, watch.ticks, watch.on) == (0, 0, False)


def test_a_wrong_input_is_refused_before_a_tick_is_stepped() -> None:
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.spikes = True
    before = runner.state()
    with pytest.raises(ValueError, match="outside the inputs"):
        runner.run(np.array([1, N_INPUTS], np.int32), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="offsets"):
        runner.run(np.array([1], np.int32), np.array([0, 2]))
    assert runner.state() == before
    assert watch.ticks == 0


def test_neurons_that_are_not_there_cannot_be_chosen() -> None:
    _, watch = watched(CpuRunner(NETWORK), NETWORK)
    with pytest.raises(ValueError, match="retina has the neurons 0 to 1023"):
        watch.choose([Probe("retina", 1024)])
    with pytest.raises(ValueError, match="there are"):
        watch.choose([Probe("retin", 1)])
    with pytest.raises(ValueError, match="at most"):
        watch.choose([Probe("retina", n) for n in range(33)])
    assert watch.probes == ()


def test_neurons_chosen_later_have_no_past() -> None:
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.membranes = True
    watch.choose([Probe("field", 1)])
    runner.run(*some_input(3, 2))
    watch.choose([Probe("field", 1), Probe("retina", 7)])
    runner.run(*some_input(3, 2))
    watch.stamp(4 * MS, MS)
    activity = watch.take()
    assert [str(probe) for probe in activity.probes] == ["field:1", "retina:7"]
    assert np.isnan(activity.membrane).all(axis=1).tolist() == [True, True, False, False]


def test_thresholds_that_rise_with_spikes_are_shown_as_they_are() -> None:
    population = FixedPopulation(
        "lif", (1,), 0, np.array([4095]), np.array([0]), np.array([10]), np.array([0]),
        threshold_decay=100, threshold_step=5,
    )  # fmt: skip
    network = FixedNetwork(
        (population,),
        (FixedProjection.from_matrix("in", "lif", [[100]]),),
        {"in": Port(0, 1, (1,))},
        {"out": Port(0, 1, (1,))},
        {"out": "lif"},
        1e-3,
    )
    runner, watch = watched(CpuRunner(network), network)
    watch.membranes = watch.spikes = True
    watch.choose([Probe("lif", 0)])
    for _ in range(4):
        runner.step(np.zeros(1, np.int32))
    watch.stamp(4 * MS, MS)
    activity = watch.take()
    assert activity.spikes[1][0].tolist() == [1, 2, 3], "a spike reaches it one tick later"
    assert activity.threshold[0, 0] == 10 << 6
    assert activity.threshold[1, 0] == (10 << 6) + (5 << 6)


def test_no_more_is_copied_than_what_is_watched() -> None:
    """A whole state, with the ring of all delays, would take longer than the tick."""

    class Lean(CpuRunner):
        def state(self) -> RunnerState:
            raise AssertionError("the whole state is copied")

        def membrane(self, name: str) -> np.ndarray:
            raise AssertionError("a whole population is copied")

    population = FixedPopulation(
        "lif", (3,), 0, np.full(3, 4095), np.zeros(3), np.full(3, 10), np.zeros(3),
        threshold_decay=100, threshold_step=5,
    )  # fmt: skip
    network = FixedNetwork(
        (population,),
        (FixedProjection.from_matrix("in", "lif", [[100], [0], [100]], delay=62),),
        {"in": Port(0, 1, (1,))},
        {"out": Port(0, 3, (3,))},
        {"out": "lif"},
        1e-3,
    )
    runner, watch = watched(Lean(network), network)
    watch.membranes = True
    watch.choose([Probe("lif", 2), Probe("lif", 1)])
    for _ in range(70):
        runner.step(np.zeros(1, np.int32))
    watch.stamp(70 * MS, MS)
    activity = watch.take()
    assert (activity.threshold[:, 1] == 10 << 6).all()
    assert (activity.threshold[-1] > [10 << 6, 0]).all(), "it rises with the spikes of its own"
    assert activity.threshold[0, 0] == 10 << 6


def test_a_time_that_begins_anew_forgets_what_was_before() -> None:
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.spikes = True
    for end_ns in (5_000 * MS, 10 * MS):
        runner.run(*some_input(4, 3))
        watch.stamp(end_ns, MS)
    assert watch.take().t_ns.tolist() == [7 * MS, 8 * MS, 9 * MS]


def test_what_nobody_takes_is_bounded() -> None:
    runner, watch = watched(CpuRunner(NETWORK), NETWORK)
    watch.spikes = True
    for number in range(3):
        runner.run(np.zeros(0, np.int32), np.zeros(MOST_TICKS // 2 + 1, np.int64))
        watch.stamp((number + 1) * MOST_TICKS // 2 * MS, MS)
    assert watch.ticks == MOST_TICKS


class Elsewhere:
    """A network in another process: shows its outputs only."""

    name = "elsewhere"

    def __init__(self) -> None:
        self._inner = CpuRunner(NETWORK)
        self.input_ports, self.output_ports = NETWORK.inputs, NETWORK.outputs

    @property
    def counters(self) -> RunCounters:
        return self._inner.counters

    def step(self, active: Indices) -> Indices:
        return self._inner.step(active)

    def run(self, indices: Indices, offsets: np.ndarray) -> tuple[Indices, np.ndarray]:
        return self._inner.run(indices, offsets)

    def reset(self) -> None:
        self._inner.reset()

    def state(self) -> RunnerState:
        return self._inner.state()

    def restore(self, state: RunnerState) -> None:
        self._inner.restore(state)

    def membrane(self, name: str) -> np.ndarray:
        return self._inner.membrane(name)


def test_of_a_backend_elsewhere_the_outputs_are_seen() -> None:
    runner, watch = watched(Elsewhere(), NETWORK)
    watch.spikes = True
    assert {row.name for row in watch.rows if not row.seen} == {
        "retina", "gain_control", "inhibition", "velocity_copy",
    }  # fmt: skip
    indices, offsets = some_input(1, 60)
    recorded = record(CpuRunner(NETWORK), indices, offsets)
    runner.run(indices, offsets)
    watch.stamp(60 * MS, MS)
    activity = watch.take()
    names = [row.name for row in watch.rows]
    field = activity.spikes[names.index("field")]
    np.testing.assert_array_equal(field[1], recorded.spikes["field"].neuron)
    assert len(activity.spikes[names.index("retina")][1]) == 0
    with pytest.raises(ValueError, match="another process"):
        watch.choose([Probe("field", 1)])


class Gone:
    """A backend that answers nothing at all."""

    def begin(self, indices: Indices, offsets: np.ndarray) -> int:
        raise BackendError("gone")

    def poll(self, sequence: int, timeout_s: float) -> None:
        raise BackendError("gone")

    def begin_restore(self, state: RunnerState) -> int:
        raise BackendError("gone")

    def poll_done(self, sequence: int, timeout_s: float) -> bool:
        raise BackendError("gone")

    def close(self, ask: bool = True) -> None:
        """Nothing to end."""


@pytest.fixture
def shadowed() -> Iterator[ShadowRunner]:
    runner = ShadowRunner(NETWORK, Gone, "gone")
    yield runner
    runner.close()


def test_of_a_shadowed_backend_the_twin_is_watched(shadowed: ShadowRunner) -> None:
    runner, watch = watched(shadowed, NETWORK)
    assert runner is shadowed
    assert isinstance(shadowed.twin, WatchedRunner)
    watch.spikes = True
    indices, offsets = some_input(1, 20)
    recorded = record(CpuRunner(NETWORK), indices, offsets)
    runner.run(indices, offsets)
    watch.stamp(20 * MS, MS)
    tick, neuron = watch.take().spikes[2]
    np.testing.assert_array_equal(tick, recorded.spikes["retina"].tick)
    np.testing.assert_array_equal(neuron, recorded.spikes["retina"].neuron)
