# SPDX-License-Identifier: Apache-2.0
"""The debugger shows, tick for tick, what the dense equations give: forwards, backwards, after a
restore, and down to the single synapse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.inspection import (
    Counted,
    Debugger,
    Fires,
    Moment,
    Overflows,
    Reaches,
    Silent,
)
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port

TICKS = 40
graphs = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(1, 4), st.integers(0, 8)
)


def spikes_for(network: FixedNetwork, seed: int, ticks: int = TICKS):
    """Random trains, some channels twice in a tick."""
    rng = np.random.default_rng(seed)
    n = sum(port.size for port in network.inputs.values())
    parts = [
        rng.integers(0, n, rng.integers(0, n + 1)) if n else np.zeros(0, int) for _ in range(ticks)
    ]
    offsets = np.cumsum([0] + [len(part) for part in parts])
    return np.concatenate(parts).astype(np.int32), offsets.astype(np.int64)


class DenseRun:
    """Every tick of the dense reference, with the values before the reset."""

    def __init__(self, reference, indices, offsets) -> None:
        self.states, self.spikes, self.arrived, self.compared = [], [], [], []
        network = reference.network
        for tick in range(len(offsets) - 1):
            self.arrived.append(reference.all(reference.waiting[0]))
            v = reference.all(reference.v)
            reference.step(indices[offsets[tick] : offsets[tick + 1]])
            u = reference.all(reference.u)
            dv = np.concatenate([p.dv for p in network.populations]).astype(np.int64)
            bias = np.concatenate([p.bias for p in network.populations]).astype(np.int64)
            left = np.sign(v) * ((np.abs(v) * (4096 - dv)) >> 12)
            self.compared.append(np.clip(left + u + bias, -(2**23) + 1, 2**23 - 1))
            self.states.append((u, reference.all(reference.v), reference.pending))
            self.spikes.append({name: s.copy() for name, s in reference.spikes.items()})


def agrees(debugger: Debugger, dense: DenseRun) -> None:
    """Everything that the debugger shows is what the dense equations say of this tick."""
    if debugger.tick == 0:
        return
    tick = debugger.tick - 1
    u, v, pending = dense.states[tick]
    state = debugger.state()
    np.testing.assert_array_equal(state.current, u)
    np.testing.assert_array_equal(state.membrane, v)
    np.testing.assert_array_equal(state.pending, pending)
    for name, neurons in debugger.spikes.items():
        np.testing.assert_array_equal(neurons, dense.spikes[tick][name])
    if debugger.tick == debugger.first_tick:
        return
    inside = debugger.last_tick()
    np.testing.assert_array_equal(inside.arrived, dense.arrived[tick])
    np.testing.assert_array_equal(inside.current, u)
    free = ~inside.held
    np.testing.assert_array_equal(inside.membrane[free], dense.compared[tick][free])
    fired = np.concatenate(
        [dense.spikes[tick][p.name] + p.offset for p in debugger.network.populations]
    )
    np.testing.assert_array_equal(np.flatnonzero(inside.spiked), fired)


@settings(max_examples=25)
@given(graph=graphs)
def test_every_tick_is_that_of_the_dense_equations(graph, fixed_network, dense_reference):
    network = fixed_network(*graph, graded=True)
    given_spikes = spikes_for(network, graph[0])
    dense = DenseRun(dense_reference(network), *given_spikes)
    debugger = Debugger(network, *given_spikes)
    for _ in range(TICKS):
        debugger.step()
        agrees(debugger, dense)
    totals = {name: sum(len(s[name]) for s in dense.spikes) for name in debugger.counts}
    assert debugger.counts == totals
    assert debugger.step().ended


@settings(max_examples=25)
@given(
    graph=graphs,
    walk=st.lists(st.integers(0, TICKS), min_size=1, max_size=8),
    most_bytes=st.sampled_from([0, 20_000, 1 << 28]),
)
def test_going_to_any_tick_in_any_order_shows_that_tick(
    graph, walk, most_bytes, fixed_network, dense_reference, monkeypatch_interval
):
    """Whatever moments were kept, and however few memory allowed."""
    network = fixed_network(*graph, graded=True)
    given_spikes = spikes_for(network, graph[0])
    dense = DenseRun(dense_reference(network), *given_spikes)
    debugger = Debugger(network, *given_spikes, most_bytes=most_bytes)
    for tick in walk:
        debugger.go_to(tick)
        assert debugger.tick == tick
        agrees(debugger, dense)
        assert sum(debugger.counts.values()) == sum(
            len(s) for done in dense.spikes[:tick] for s in done.values()
        )


@pytest.fixture(scope="module")
def monkeypatch_interval():
    """Moments close together, so that short runs have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuro_control.inspection.debugger.FIRST_INTERVAL", 3)
        yield


@settings(max_examples=20)
@given(graph=graphs, at=st.integers(0, TICKS))
def test_a_saved_state_goes_on_as_the_run_did(
    graph, at, fixed_network, dense_reference, tmp_path_factory
):
    network = fixed_network(*graph, graded=True)
    given_spikes = spikes_for(network, graph[0])
    dense = DenseRun(dense_reference(network), *given_spikes)
    debugger = Debugger(network, *given_spikes)
    debugger.go_to(at)
    path = tmp_path_factory.mktemp("states") / "state.npz"
    debugger.moment().save(path)
    other = Debugger(network, *given_spikes)
    other.restore(Moment.load(path, network))
    agrees(other, dense)
    assert other.first_tick == at
    while not other.step().ended:
        agrees(other, dense)
    other.go_to(at)
    agrees(other, dense)
    with pytest.raises(ValueError, match=f"there are {at} to {TICKS}"):
        other.go_to(at - 1)


@settings(max_examples=25)
@given(graph=graphs)
def test_the_synapses_that_are_named_add_up_to_the_input(graph, fixed_network):
    network = fixed_network(*graph, graded=True)
    debugger = Debugger(network, *spikes_for(network, graph[0]))
    rng = np.random.default_rng(graph[0])
    for _ in range(TICKS):
        debugger.step(3)
        inside = debugger.last_tick()
        for population in network.populations:
            neuron = int(rng.integers(population.size))
            found = debugger.origins(population.name, neuron)
            assert sum(part.arrived for part in found) == inside.arrived[population.offset + neuron]
            for part in found:
                projection = next(
                    q
                    for q in network.projections
                    if q.name == part.projection
                    and q.delay == part.delay
                    and all(q.matrix()[neuron, s.source_neuron] == s.weight for s in part.synapses)
                )
                assert part.spike_tick == debugger.tick - 2 - projection.delay


def chain(*, vth: int = 100, weight: int = 60, du: int = 4095) -> FixedNetwork:
    """One input; two neurons, the second hears the first."""
    populations = tuple(
        FixedPopulation(name, (1,), i, du=np.full(1, du), dv=np.zeros(1, int), vth=np.full(1, vth),
                        bias_mantissa=np.zeros(1, int))
        for i, name in enumerate("ab")
    )  # fmt: skip
    projections = (
        FixedProjection.from_matrix("in", "a", [[weight]]),
        FixedProjection.from_matrix("a", "b", [[120]], delay=2),
    )
    return FixedNetwork(populations, projections, {"in": Port(0, 1, (1,))}, {}, {}, 1e-3)


def every_tick(ticks: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(ticks, np.int32), np.arange(ticks + 1)


def test_a_run_stops_where_a_neuron_fires():
    debugger = Debugger(chain(), *every_tick(20))
    # 60 arrives in tick 1, 120 is above 100 in tick 2; it takes 1 + 2 ticks to b.
    assert debugger.run([Fires("a")]).tick == 3
    stop = debugger.run([Fires("b", (0,))])
    assert (stop.tick, stop.why, stop.ended) == (6, "b[0] fired", False)
    found = debugger.origins("b", 0)
    assert [(p.source, p.delay, p.spike_tick, p.arrived) for p in found] == [("a", 2, 2, 120)]


def test_a_run_stops_where_a_population_has_been_silent():
    quiet = (np.zeros(4, np.int32), np.array([0, 1, 2, 3, 4] + [4] * 20))
    debugger = Debugger(chain(), *quiet)
    stop = debugger.run([Silent("a", 5)])
    # a fires in ticks 2 and 4; five ticks without are 5 to 9.
    assert (stop.tick, stop.why) == (10, "a has been silent for 5 ticks")
    assert debugger.run([Silent("a", 5)]).ended


def test_a_run_stops_at_a_count():
    debugger = Debugger(chain(), *every_tick(40))
    stop = debugger.run([Counted("a", 3)])
    assert stop.why == "a has spiked 3 times"
    assert debugger.counts["a"] == 3


def test_a_run_stops_near_the_threshold():
    debugger = Debugger(chain(), *every_tick(40))
    stop = debugger.run([Reaches("a", (), 0.5)])
    assert (stop.tick, debugger.counts["a"]) == (2, 0)


def test_a_run_stops_where_a_current_wraps_or_a_membrane_saturates():
    # Without decay the current grows by 60 a tick and the membrane by the sum of it.
    debugger = Debugger(chain(vth=131071, weight=255, du=0), *every_tick(3000))
    stop = debugger.run([Overflows("a")])
    assert stop.why == "membrane saturated in a[0]"
    inside = debugger.last_tick()
    assert inside.saturated[0]
    assert inside.membrane[0] == 2**23 - 1


def test_most_limits_a_run():
    debugger = Debugger(chain(), *every_tick(20))
    assert debugger.run(most=7).tick == 7
    assert debugger.run().ended


def test_what_is_not_there_is_refused(tmp_path: Path):
    debugger = Debugger(chain(), *every_tick(20))
    with pytest.raises(ValueError, match="tick 21: there are 0 to 20"):
        debugger.go_to(21)
    with pytest.raises(ValueError, match=r"neurons 0\.\.0, not 1"):
        debugger.origins("a", 1)
    with pytest.raises(ValueError, match="no population 'c'"):
        debugger.origins("c", 0)
    path = tmp_path / "state.npz"
    debugger.moment().save(path)
    with pytest.raises(ValueError, match="belongs to network"):
        Moment.load(path, chain(weight=61))
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a state"):
        Moment.load(path, debugger.network)
    with pytest.raises(FileNotFoundError):
        Moment.load(tmp_path / "none.npz", debugger.network)
    assert debugger.last_tick() is None
    assert debugger.origins("a", 0) is None
