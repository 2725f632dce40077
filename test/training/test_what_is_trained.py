# SPDX-License-Identifier: Apache-2.0
"""Weights, time constants and thresholds are trained, delays are passed through, and what was
trained is what the engine runs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    IF,
    LIF,
    AdaptiveLIF,
    CubaLIF,
    Delay,
    Input,
    Linear,
    Network,
    Output,
    Threshold,
    quantize,
)

torch = pytest.importorskip("torch", reason="the package torch is not installed: make torch")
from neuro_control.training import TorchNetwork  # noqa: E402

DT = 1e-3


def network(seed: int = 0) -> Network:
    """Every kind of spiking neuron, two Delays (one of them inside a cycle), recurrence."""
    rng = np.random.default_rng(seed)
    nodes = {
        "in": Input((5,)),
        "late": Delay(rng.integers(0, 4, 5) * DT),
        "w1": Linear(rng.normal(0, 1, (6, 5))),
        "lif": LIF.with_unit_gain((6,), dt_s=DT, tau_s=0.01),
        "w2": Linear(rng.normal(0, 1, (4, 6))),
        "cuba": CubaLIF.with_unit_gain((4,), dt_s=DT, tau_mem_s=0.01, tau_syn_s=0.004),
        "loop": Linear(rng.normal(0, 0.5, (4, 4))),
        "echo": Delay(0.002),
        "w3": Linear(rng.normal(0, 1, (3, 4))),
        "adaptive": AdaptiveLIF((3,), 0.01, 0.05, 0.3, r=10.0),
        "w4": Linear(rng.normal(0, 1, (3, 3))),
        "if": IF((3,)),
        "w5": Linear(np.abs(rng.normal(0, 1, (2, 3)))),
        "z": Threshold((2,), threshold=0.5),
        "out": Output((2,)),
        "out2": Output((4,)),
    }
    chain = [
        "in",
        "late",
        "w1",
        "lif",
        "w2",
        "cuba",
        "w3",
        "adaptive",
        "w4",
        "if",
        "w5",
        "z",
        "out",
    ]
    loop = ["cuba", "loop", "echo", "cuba"]
    return Network(nodes, [*pairwise(chain), *pairwise(loop), ("cuba", "out2")], DT)


def trains(seed: int, samples: int = 2, ticks: int = 60, channels: int = 5) -> np.ndarray:
    return (np.random.default_rng(seed).random((samples, ticks, channels)) < 0.4).astype(np.float32)


def deployed(twin: TorchNetwork, sample: np.ndarray) -> np.ndarray:
    runner = CpuRunner(quantize(twin.network()))
    found = np.zeros((len(sample), sum(p.size for p in runner.output_ports.values())))
    for tick, row in enumerate(sample):
        found[tick, runner.step(np.flatnonzero(row).astype(np.int32))] = 1
    return found


def train(twin: TorchNetwork, spikes: np.ndarray, steps: int = 4, lr: float = 0.05) -> None:
    optimiser = torch.optim.Adam(twin.parameters(), lr=lr)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        optimiser.zero_grad()
        run = twin(torch.from_numpy(spikes))
        target = torch.from_numpy((rng.random(tuple(run.spikes.shape)) < 0.5).astype(np.float32))
        ((run.spikes - target) ** 2).mean().backward()
        optimiser.step()


@pytest.mark.parametrize("seed", range(4))
def test_delays_and_cycles_spike_as_the_engine_does(seed: int):
    twin = TorchNetwork(network(seed))
    spikes = trains(seed)
    with torch.no_grad():
        found = twin(torch.from_numpy(spikes)).spikes.numpy()
    expected = np.stack([deployed(twin, sample) for sample in spikes])
    assert expected[:, :, 2:].any()
    np.testing.assert_array_equal(found, expected)


def test_spikes_that_are_on_their_way_survive_a_cut():
    twin = TorchNetwork(network())
    spikes = torch.from_numpy(trains(3))
    whole = twin(spikes).spikes
    first = twin(spikes[:, :1])
    second = twin(spikes[:, 1:7], first.state.detach())
    third = twin(spikes[:, 7:], second.state)
    assert torch.equal(torch.cat([first.spikes, second.spikes, third.spikes], dim=1), whole)


@pytest.mark.parametrize(
    "what", [("decays",), ("thresholds",), ("weights", "decays", "thresholds")]
)
def test_what_was_trained_is_what_is_deployed(what: tuple[str, ...]):
    twin = TorchNetwork(network(), train=what)
    before = quantize(twin.network())
    spikes = trains(0)
    train(twin, spikes)
    after = quantize(twin.network())
    moved = {
        "weights": any(
            not np.array_equal(a.weight, b.weight)
            for a, b in zip(before.projections, after.projections, strict=True)
            if len(a.weight) == len(b.weight)
        ),
        "decays": any(
            (a.dv != b.dv).any() for a, b in zip(before.populations, after.populations, strict=True)
        ),
        "thresholds": any(
            not np.allclose(
                twin.network().nodes[name].v_threshold, network().nodes[name].v_threshold
            )
            for name in ("lif", "cuba", "adaptive", "if", "z")
        ),
    }
    assert all(moved[name] for name in what)
    assert moved["decays"] == ("decays" in what)
    assert moved["thresholds"] == ("thresholds" in what)
    with torch.no_grad():
        found = twin(torch.from_numpy(spikes)).spikes.numpy()
    np.testing.assert_array_equal(found, np.stack([deployed(twin, s) for s in spikes]))


def test_neurons_that_start_with_one_value_share_it_and_others_do_not():
    nodes = {
        "in": Input((3,)),
        "w": Linear(np.eye(3)),
        "n": LIF((3,), tau=0.01, r=10.0, v_threshold=[0.5, 0.6, 0.7]),
        "out": Output((3,)),
    }
    twin = TorchNetwork(Network(nodes, list(pairwise(nodes)), DT), train=("decays", "thresholds"))
    sizes = {name: p.numel() for name, p in twin.neurons.logarithms.items()}
    assert sizes == {"n:tau": 1, "n:v_threshold": 3}
    trained = [name for name, p in twin.named_parameters() if p.requires_grad]
    assert trained == ["neurons.logarithms.n:tau", "neurons.logarithms.n:v_threshold"]


def test_a_time_constant_is_found():
    """The voltage of a leaky integrator, whose time constant is twice what it should be."""
    from neuro_control.network import LI

    def one(tau: float) -> Network:
        nodes = {
            "in": Input((1,)),
            "w": Linear([[1.0]]),
            "v": LI((1,), tau=tau, r=10.0),
            "out": Output((1,)),
        }
        return Network(nodes, list(pairwise(nodes)), DT)

    spikes = torch.from_numpy(trains(0, 4, 80, 1))
    with torch.no_grad():
        wanted = TorchNetwork(one(0.01))(spikes).voltages["v"]
    twin = TorchNetwork(one(0.02), train="decays")
    optimiser = torch.optim.Adam(twin.parameters(), lr=0.05)
    for _ in range(80):
        optimiser.zero_grad()
        (twin(spikes).voltages["v"] - wanted).pow(2).mean().backward()
        optimiser.step()
    assert twin.network().nodes["v"].tau.item() == pytest.approx(0.01, rel=0.05)


def test_a_time_constant_stays_within_what_integers_hold():
    nodes = {"in": Input((1,)), "w": Linear([[1.0]]), "n": LIF((1,), tau=0.01), "out": Output((1,))}
    twin = TorchNetwork(Network(nodes, list(pairwise(nodes)), DT), train="decays")
    for value, ticks in ((-9.0, 1.0), (20.0, 4096.0)):
        twin.neurons.logarithms["n:tau"].data.fill_(value)
        assert twin.network().nodes["n"].tau.item() == pytest.approx(ticks * DT)
        twin(torch.ones(1, 3, 1)).spikes.sum().backward()
        assert torch.isfinite(twin.neurons.logarithms["n:tau"].grad)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ValueError, match="train must be some of weights, decays, thresholds, not"):
        TorchNetwork(network(), train=("delays",))
    with pytest.raises(ValueError, match="train must be some of"):
        TorchNetwork(network(), train=())
    nodes = {"in": Input((1,)), "n": LIF((1,), tau=0.02), "out": Output((1,))}
    bare = Network(nodes, list(pairwise(nodes)), DT)
    with pytest.raises(ValueError, match="the network has no weights to train"):
        TorchNetwork(bare)
    nodes["n"] = LIF((1,), tau=0.02, v_threshold=0.0)
    with pytest.raises(ValueError, match="node 'n': v_threshold reaches 0 above rest"):
        TorchNetwork(Network(nodes, list(pairwise(nodes)), DT), train="thresholds")


def test_a_trained_network_does_not_claim_how_the_untrained_one_was_made():
    given = network()
    own = {"description": "a reflex", "integers_per_volt": 200.0, "input_in": "touches"}
    stale = {"quantization_bits": 8, "quantization_error": "weights 0.10 % rms"}
    untrained = Network(
        given.nodes,
        given.edges,
        given.dt_s,
        own | stale | {"made_by": "neuro_control 1", "command": "make a.nir", "made_from": "b.nir"},
    )
    trained = TorchNetwork(untrained).network()
    assert trained.metadata == own | {"made_from": "neuro_control 1: make a.nir"}
    # What is trained on keeps where it came from.
    assert TorchNetwork(trained).network().metadata == trained.metadata


@pytest.mark.parametrize("what", ["weights", "decays", "thresholds"])
def test_a_training_that_diverged_names_the_node(what: str):
    twin = TorchNetwork(network(), train=[what])
    broken = next(name for name, parameter in twin.named_parameters() if parameter.requires_grad)
    node = broken.rsplit(".", maxsplit=1)[-1].split(":")[0]
    with torch.no_grad():
        twin.get_parameter(broken).fill_(torch.nan)
    with pytest.raises(ValueError, match=rf"node '{node}': .* \(has training diverged\?\)"):
        twin(torch.ones(1, 3, 5))
