# SPDX-License-Identifier: Apache-2.0
"""The torch twin spikes as the engine does, to the last spike and voltage, before and after it
was trained."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    Affine,
    AvgPool2d,
    Conv2d,
    CubaLI,
    CubaLIF,
    Flatten,
    I,
    Input,
    Linear,
    Network,
    Output,
    Scale,
    SumPool2d,
    Threshold,
    quantize,
)

torch = pytest.importorskip("torch", reason="the package torch is not installed: make torch")
from neuro_control.training import SURROGATES, Surrogate, TorchNetwork  # noqa: E402

DT = 1e-3


def neuron(rng: np.random.Generator, shape: tuple[int, ...]):
    tau = rng.uniform(0.002, 0.05)
    kinds = [
        lambda: LIF.with_unit_gain(shape, dt_s=DT, tau_s=tau),
        lambda: LIF(shape, tau=tau, r=tau / DT, refractory=rng.integers(0, 5, shape) * DT),
        lambda: CubaLIF.with_unit_gain(shape, dt_s=DT, tau_mem_s=tau, tau_syn_s=0.004),
        lambda: CubaLIF(shape, 0.003, tau, r=tau / DT, w_in=3.0, refractory=0.002),
        lambda: IF(shape, v_threshold=rng.uniform(0.5, 2.0, shape)),
        lambda: AdaptiveLIF(shape, tau, tau_adaptation=0.05, adaptation=0.3, r=tau / DT),
        lambda: Threshold(shape, threshold=0.4),
    ]
    return kinds[rng.integers(len(kinds))]()


def dense(seed: int) -> Network:
    """Two inputs, recurrence, a skip, biases, a readout without spikes.

    The largest weights of two projections stay within the 2^15 that Loihi's exponents bridge.
    """
    rng = np.random.default_rng(seed)

    def normal(strength: float, shape: tuple[int, int]) -> np.ndarray:
        drawn = rng.normal(0, strength, shape)
        return np.copysign(np.maximum(np.abs(drawn), 0.003), drawn)

    a, b, n, m = (int(k) for k in rng.integers(1, 9, 4))
    readout = [LI((2,), tau=0.01, r=10.0), CubaLI((2,), 0.004, 0.02, w_in=3.0), I((2,), r=0.5)]
    strength = float(rng.choice([0.3, 1.0, 3.0]))
    nodes = {
        "a": Input((a,)),
        "b": Input((b,)),
        "wa": Affine(normal(strength, (n, a)), rng.normal(0, 0.2, n)),
        "wb": Linear(np.abs(normal(strength, (n, b)))),
        "n": neuron(rng, (n,)),
        "back": Linear(-np.abs(normal(strength, (n, n)))),
        "gain": Scale(rng.uniform(0.5, 2.0, n)),
        "onward": Linear(normal(strength, (m, n))),
        "m": neuron(rng, (m,)),
        "read": Linear(normal(1, (2, m))),
        "v": readout[rng.integers(3)],
        "out_n": Output((n,)),
        "out_m": Output((m,)),
        "out_v": Output((2,)),
    }
    edges = [
        *pairwise(["a", "wa", "n", "back", "n"]),
        *pairwise(["b", "wb", "n", "gain", "onward", "m", "read", "v", "out_v"]),
        ("n", "out_n"),
        ("m", "out_m"),
    ]
    return Network(nodes, edges, DT)


def image(seed: int) -> Network:
    rng = np.random.default_rng(seed)
    nodes = {
        "in": Input((2, 9, 8)),
        "conv": Conv2d(
            rng.normal(0, 0.5, (4, 1, 3, 3)), rng.normal(0, 0.1, 4), (2, 1), (1, 2), (1, 2), 2
        ),
        "n": LIF.with_unit_gain((4, 5, 8), dt_s=DT, tau_s=0.01),
        "pool": SumPool2d(2) if seed % 2 else AvgPool2d((2, 3), (1, 2), (1, 1)),
        "conv2": Conv2d(rng.normal(0, 0.5, (3, 4, 2, 2)), padding="same"),
        "m": IF((3, 2, 4) if seed % 2 else (3, 6, 4)),
        "flat": Flatten(),
        "w": Linear(rng.normal(0, 0.5, (5, 24 if seed % 2 else 72))),
        "o": CubaLIF.with_unit_gain((5,), dt_s=DT, tau_mem_s=0.02, tau_syn_s=0.005),
        "out": Output((5,)),
    }
    return Network(nodes, list(pairwise(nodes)), DT)


def engine_run(network: Network, spikes: np.ndarray) -> tuple[np.ndarray, CpuRunner]:
    """Output spikes [time, channel] of the engine for [time, channel]."""
    runner = CpuRunner(quantize(network))
    found = np.zeros((len(spikes), sum(p.size for p in runner.output_ports.values())))
    for tick, row in enumerate(spikes):
        found[tick, runner.step(np.flatnonzero(row).astype(np.int32))] = 1
    return found, runner


def channels(network: Network) -> int:
    return sum(port.size for port in quantize(network).inputs.values())


def assert_same(twin: TorchNetwork, spikes: np.ndarray) -> None:
    """Batch of [batch, time, channel]: spikes, and the state at the end."""
    with torch.no_grad():
        run = twin(torch.from_numpy(spikes))
    for i, sample in enumerate(spikes):
        expected, runner = engine_run(twin.network(), sample)
        np.testing.assert_array_equal(run.spikes[i].numpy(), expected)
        state = runner.state()
        for name in ("current", "membrane", "adaptation", "refractory"):
            parts = getattr(run.state, name)
            mine = np.concatenate([part[i].numpy() for part in parts.values()])
            np.testing.assert_array_equal(mine, getattr(state, name))
        mine = np.concatenate([part[i].numpy() for part in run.state.pending.values()], axis=1)
        np.testing.assert_array_equal(mine, state.pending)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_spike_and_voltage_is_the_engines(seed: int):
    network = dense(seed)
    rng = np.random.default_rng(seed)
    shape = (2, 150, channels(network))
    spikes = (rng.random(shape) < rng.choice([0.1, 0.5])).astype(np.float32)
    assert_same(TorchNetwork(network), spikes)


@pytest.mark.parametrize("seed", range(6))
def test_every_spike_of_convolutions_and_pools_is_the_engines(seed: int):
    network = image(seed)
    rng = np.random.default_rng(seed)
    assert_same(TorchNetwork(network), (rng.random((2, 40, 144)) < 0.2).astype(np.float32))


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_equality_survives_training(seed: int):
    network = dense(seed)
    twin = TorchNetwork(network)
    optimiser = torch.optim.Adam(twin.parameters(), lr=0.02)
    rng = np.random.default_rng(seed)
    spikes = (rng.random((2, 30, channels(network))) < 0.4).astype(np.float32)
    before = twin.quantized().fingerprint()
    for _ in range(3):
        optimiser.zero_grad()
        run = twin(torch.from_numpy(spikes))
        target = torch.from_numpy((rng.random(tuple(run.spikes.shape)) < 0.5).astype(np.float64))
        loss = ((run.spikes - target) ** 2).mean() + (run.voltages["v"] - 1).pow(2).mean()
        loss.backward()
        optimiser.step()
    assert twin.quantized().fingerprint() != before
    assert_same(twin, spikes)


@pytest.mark.parametrize("seed", [0, 5, 7])
def test_voltages_of_a_readout_are_the_engines_in_the_networks_own_units(seed: int):
    network = dense(seed)
    twin = TorchNetwork(network)
    spikes = (np.random.default_rng(0).random((1, 60, channels(network))) < 0.4).astype(np.float32)
    voltages = twin(torch.from_numpy(spikes)).voltages["v"][0].detach().numpy()
    fixed = twin.quantized()
    _, runner = engine_run(network, spikes[0])
    np.testing.assert_allclose(voltages[-1], fixed.voltage("v", runner.membrane("v")), rtol=1e-12)
    assert np.ptp(voltages) > 0


def test_a_run_in_pieces_is_the_run_in_one_and_the_gradient_ends_where_it_is_cut():
    network = dense(5)
    twin = TorchNetwork(network)
    rng = np.random.default_rng(1)
    spikes = torch.from_numpy((rng.random((3, 40, channels(network))) < 0.4).astype(np.float32))
    whole = twin(spikes)
    first = twin(spikes[:, :25])
    second = twin(spikes[:, 25:], first.state.detach())
    pieces = torch.cat([first.spikes, second.spikes], dim=1)
    assert torch.equal(pieces, whole.spikes)
    assert all(not x.requires_grad for x in first.state.detach().membrane.values())


@pytest.mark.parametrize("name", SURROGATES)
def test_a_surrogate_is_a_step_forwards_and_a_bell_backwards(name: str):
    x = torch.tensor([-2.0, -0.1, 0.0, 0.1, 2.0], dtype=torch.float64, requires_grad=True)
    surrogate = Surrogate(name, slope=2.0)
    y = surrogate.spike(x)
    assert y.tolist() == [0, 0, 0, 1, 1]
    y.sum().backward()
    bell = x.grad.tolist()
    assert bell[2] == 1.0
    assert bell[1] == pytest.approx(bell[3])
    assert 1.0 > bell[3] > bell[4] >= 0.0


def test_the_float_mode_computes_the_equations():
    """One LIF, by hand: a weight of 0.4 moves the membrane by 0.4, which then decays."""
    nodes = {
        "in": Input((1,)),
        "w": Linear([[0.4]]),
        "n": LI((1,), tau=0.01, r=10.0),
        "out": Output((1,)),
    }
    twin = TorchNetwork(Network(nodes, list(pairwise(nodes)), DT), exact=False)
    spikes = torch.tensor([[[1.0], [0.0], [1.0], [0.0], [0.0]]])
    found = twin(spikes).voltages["n"][0, :, 0].tolist()
    assert found == pytest.approx([0.0, 0.4, 0.36, 0.724, 0.6516], rel=1e-6)


def test_float_and_integers_spike_at_nearly_the_same_rate():
    network = dense(11)
    rng = np.random.default_rng(0)
    spikes = torch.from_numpy((rng.random((4, 400, channels(network))) < 0.3).astype(np.float32))
    with torch.no_grad():
        exact = TorchNetwork(network)(spikes).spikes.mean().item()
        smooth = TorchNetwork(network, exact=False)(spikes).spikes.mean().item()
    assert exact > 0.01
    assert exact == pytest.approx(smooth, rel=0.1)


@pytest.mark.parametrize("name", SURROGATES)
def test_a_network_learns_and_keeps_its_accuracy_when_it_is_deployed(name: str):
    """Which of two groups of channels fires more often: learned in integers from random weights."""
    rng = np.random.default_rng(7)
    n, ticks, samples = 12, 20, 64
    label = rng.integers(0, 2, samples)
    rate = np.where((np.arange(n) < n // 2)[None, :] == (label == 0)[:, None], 0.4, 0.1)
    spikes = (rng.random((samples, ticks, n)) < rate[:, None, :]).astype(np.float32)
    nodes = {
        "in": Input((n,)),
        "w1": Linear(rng.normal(0, 0.3, (10, n))),
        "hidden": LIF.with_unit_gain((10,), dt_s=DT, tau_s=0.01),
        "w2": Linear(rng.normal(0, 0.3, (2, 10))),
        "class": LIF.with_unit_gain((2,), dt_s=DT, tau_s=0.01),
        "out": Output((2,)),
    }
    twin = TorchNetwork(Network(nodes, list(pairwise(nodes)), DT), surrogate=Surrogate(name))
    optimiser = torch.optim.Adam(twin.parameters(), lr=0.05)
    given, wanted = torch.from_numpy(spikes), torch.from_numpy(label)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(twin(given).spikes.sum(dim=1), wanted)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    with torch.no_grad():
        trained = twin(given).spikes.sum(dim=1).argmax(dim=1).numpy()
    deployed = [engine_run(twin.network(), sample)[0].sum(axis=0).argmax() for sample in spikes]
    assert np.array_equal(deployed, trained)
    assert losses[-1] < 0.6 * losses[0]
    assert (trained == label).mean() > 0.9


def test_what_cannot_be_given_is_refused_by_name():
    nodes = {"in": Input((2,)), "w": Linear(np.eye(2)), "n": IF((2,)), "out": Output((2,))}
    twin = TorchNetwork(Network(nodes, list(pairwise(nodes)), DT))
    with pytest.raises(ValueError, match=r"spikes must be \[batch, time, 2\] .* not \[1, 4, 3\]"):
        twin(torch.zeros(1, 4, 3))
    with pytest.raises(ValueError, match="surrogate 'step' must be one of fast_sigmoid"):
        Surrogate("step")
    with pytest.raises(ValueError, match="slope of a surrogate must be positive, not 0"):
        Surrogate(slope=0.0)


def small_twin() -> TorchNetwork:
    nodes = {
        "in": Input((4,)),
        "w": Linear(np.linspace(0.1, 0.8, 16).reshape(4, 4)),
        "n": LIF.with_unit_gain((4,), dt_s=1e-3, tau_s=0.02),
        "out": Output((4,)),
    }
    return TorchNetwork(Network(nodes, list(pairwise(nodes)), 1e-3))


def test_a_twin_moves_as_modules_do_and_can_be_copied():
    twin = copy.deepcopy(small_twin().to("cpu").float())
    twin(torch.ones(1, 3, 4))


@pytest.mark.parametrize("exact", [True, False])
def test_a_twin_can_be_copied_while_it_is_trained_and_the_copy_is_apart(exact: bool):
    twin = TorchNetwork(dense(5), exact=exact)
    given = torch.ones(1, 20, channels(dense(5)))
    run = twin(given)
    copied = copy.deepcopy(twin)
    run.voltages["v"].sum().backward()
    with torch.no_grad():
        for weight in twin.parameters():
            weight.mul_(1.5)
    assert torch.equal(copied(given).voltages["v"], run.voltages["v"])
    assert not torch.equal(twin(given).voltages["v"], run.voltages["v"])


def test_spikes_may_be_bool_and_a_surrogate_may_be_given_by_its_name():
    twin = TorchNetwork(small_twin().network(), surrogate="arctan")
    given = torch.ones(1, 20, 4)
    run = twin(given.bool())
    assert torch.equal(run.spikes, twin(given).spikes)
    run.spikes.sum().backward()
    other = TorchNetwork(small_twin().network(), surrogate=Surrogate("arctan"))
    other(given).spikes.sum().backward()
    for one, two in zip(twin.parameters(), other.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad)


def test_weights_that_are_changed_behind_torchs_back_are_seen():
    twin = small_twin()
    given = torch.ones(1, 30, 4)
    twin(given)
    for weight in twin.parameters():
        weight.data.mul_(0.3)
    runner = CpuRunner(twin.quantized())
    trains = np.tile(np.arange(4, dtype=np.int32), 30)
    indices, offsets = runner.run(trains, np.arange(31) * 4)
    found = twin(given).spikes[0].nonzero().numpy()
    assert found[:, 1].tolist() == indices.tolist()
    assert np.bincount(found[:, 0], minlength=30).tolist() == np.diff(offsets).tolist()


def test_what_the_engine_cannot_be_given_is_refused():
    twin = small_twin()
    with pytest.raises(ValueError, match="spikes of input 'in' must be 0 or 1"):
        twin(2 * torch.ones(1, 3, 4))
    with pytest.raises(ValueError, match="for one tick at least"):
        twin(torch.ones(1, 0, 4))
    with pytest.raises(ValueError, match="the state is of a batch of 2, the spikes of 1"):
        twin(torch.ones(1, 3, 4), twin.rest(2))
    with pytest.raises(ValueError, match=r"another network: its current is .* \['m', 'n', 'v'\]"):
        twin(torch.ones(1, 3, 4), TorchNetwork(dense(5)).rest(1))
    nodes = dict(twin.network().nodes) | {"w": Linear(np.ones((5, 4))), "n": IF((5,))}
    nodes["out"] = Output((5,))
    wider = TorchNetwork(Network(nodes, twin.network().edges, 1e-3))
    with pytest.raises(ValueError, match=r"current of 'n' has the shape \[1, 5\], and here \[1, 4"):
        twin(torch.ones(1, 3, 4), wider.rest(1))
    for surrogate, message in (("step", "'step' must be one of"), (5.0, "the name of one, not 5")):
        with pytest.raises(ValueError, match=message):
            TorchNetwork(twin.network(), surrogate=surrogate)
    clash = {"in": Input((1,)), "a.b": Linear([[1.0]]), "a|b": Linear([[2.0]])}
    clash["n"] = LIF((1,), tau=0.02)
    edges = [("in", "a.b"), ("in", "a|b"), ("a.b", "n"), ("a|b", "n")]
    with pytest.raises(ValueError, match="another node is called the same without them"):
        TorchNetwork(Network(clash, edges, 1e-3))
