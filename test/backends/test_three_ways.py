# SPDX-License-Identifier: Apache-2.0
"""One law: the integer engine, the dense equations and the torch twin agree, spike for spike and
voltage for voltage, over hundreds of ticks, in all sign modes, through overflow and saturation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    IF,
    LIF,
    AdaptiveLIF,
    CubaLIF,
    Delay,
    I,
    Input,
    Linear,
    Network,
    Output,
    SignMode,
    quantize,
)
from neuro_control.network.scaling import INTEGERS_PER_VOLT

torch = pytest.importorskip("torch", reason="the package torch is not installed: make torch")
from neuro_control.training import TorchNetwork  # noqa: E402

DT, TICKS = 1e-3, 200
HALF = 1 << 23


def weights(rng: np.random.Generator, shape: tuple[int, int], mode: SignMode) -> np.ndarray:
    # As far as 8 bits and the largest exponent reach at this scale and strength.
    values = np.clip(rng.normal(0, 1, shape), -1, 1)
    if mode is SignMode.MIXED:
        # Both signs, whatever the draw.
        values.flat[0], values.flat[-1] = 1.0, -1.0
        return values
    return np.abs(values) if mode is SignMode.EXCITATORY else -np.abs(values)


def network(seed: int, mode: SignMode, strength: float, message_bits: int = 0) -> Network:
    """Two populations that hear an input, themselves and each other, late and at once.

    ``strength`` times the threshold is what a typical spike of the input brings; the scale is
    fixed so that the threshold is high, and several such spikes at once pass the current's 24 bits.
    """
    rng = np.random.default_rng(seed)
    n_in, n, m = (int(k) for k in rng.integers((8, 3, 3), (13, 7, 7)))
    tau = rng.uniform(0.002, 0.08)
    kinds = [
        lambda k: LIF((k,), tau, r=tau / DT, refractory=rng.integers(0, 4, k) * DT),
        lambda k: CubaLIF.with_unit_gain((k,), dt_s=DT, tau_mem_s=tau, tau_syn_s=0.004),
        lambda k: AdaptiveLIF((k,), tau, 0.03, 0.2, r=tau / DT),
        lambda k: IF((k,)),
    ]
    nodes = {
        "in": Input((n_in,), message_bits),
        "w": Linear(strength * weights(rng, (n, n_in), mode)),
        "n": kinds[rng.integers(4)](n),
        "back": Linear(0.5 * strength * weights(rng, (n, n), mode)),
        "late": Delay(int(rng.integers(1, 5)) * DT),
        "onward": Linear(strength * weights(rng, (m, n), SignMode.MIXED)),
        "m": kinds[rng.integers(4)](m),
        "return": Linear(strength * weights(rng, (n, m), SignMode.MIXED)),
        "read": Linear(strength * weights(rng, (2, m), SignMode.MIXED)),
        "v": I((2,)),
        "out": Output((n,)),
        "out_m": Output((m,)),
        "out_v": Output((2,)),
    }
    edges = [
        *pairwise(["in", "w", "n", "back", "n", "onward", "m", "return", "late"]),
        ("m", "read"), ("read", "v"), ("v", "out_v"), ("n", "out"), ("m", "out_m"), ("in", "w2"),
    ]  # fmt: skip
    # What drives m whatever n does, and n through the delay.
    nodes["w2"] = Linear(strength * weights(rng, (m, n_in), SignMode.EXCITATORY))
    nodes["w3"] = Linear(np.eye(n))
    edges += [("w2", "m"), ("late", "w3"), ("w3", "n")]
    return Network(nodes, edges, DT, {INTEGERS_PER_VOLT: 20_000.0})


@pytest.mark.timeout(300)  # Kernels may have to be compiled first.
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    mode=st.sampled_from(SignMode),
    strength=st.sampled_from([0.1, 0.5, 1.5]),
)
def test_engine_dense_equations_and_twin_agree(seed, mode, strength, dense_reference):
    check(seed, mode, strength, dense_reference)


@pytest.mark.parametrize("mode", SignMode)
def test_overflow_and_saturation_are_reached_and_agree(mode: SignMode, dense_reference):
    wraps, highest, lowest = np.sum(
        [check(seed, mode, 1.5, dense_reference) for seed in range(2)], axis=0
    )
    assert wraps > 20
    assert lowest > 20
    assert highest > 20


@pytest.mark.parametrize("message_bits", [2, 8])
@pytest.mark.parametrize("mode", SignMode)
def test_graded_inputs_agree(mode: SignMode, message_bits: int, dense_reference):
    # From payloads that move a neuron a little to those whose sums wrap its current.
    wraps, *_ = check(3, mode, 0.3, dense_reference, message_bits)
    assert wraps > 0 or message_bits < 8


def check(
    seed: int, mode: SignMode, strength: float, dense_reference, message_bits: int = 0
) -> tuple[int, int, int]:
    """Compare; how often currents wrapped, and voltages stood at either end."""
    described = network(seed, mode, strength, message_bits)
    fixed = quantize(described)
    modes = {q.sign_mode for q in fixed.projections if q.name.startswith("in -> w ")}
    assert modes == {mode}
    engine, reference = CpuRunner(fixed), dense_reference(fixed)
    rng = np.random.default_rng(seed)
    n_in = fixed.inputs["in"].size
    spikes = rng.random((TICKS, n_in)) < rng.choice([0.05, 0.3, 0.9], (TICKS, 1))
    if message_bits:
        spikes = spikes * rng.integers(1, 2**message_bits, spikes.shape)
    channels = sum(port.size for port in fixed.outputs.values())
    found = np.zeros((TICKS, channels), np.float32)
    voltages = []
    wraps = highest = lowest = 0
    for tick, frame in enumerate(spikes):
        active = np.repeat(np.arange(n_in), frame.astype(np.int64)).astype(np.int32)
        unwrapped = {}
        for p in fixed.populations:
            u = reference.u[p.name]
            kept = np.sign(u) * ((np.abs(u) * (4095 - p.du.astype(np.int64))) >> 12)
            unwrapped[p.name] = kept + (reference.waiting[0][p.name] << 6)
        out = engine.step(active)
        np.testing.assert_array_equal(out, reference.step(active))
        found[tick, out] = 1
        state = engine.state()
        np.testing.assert_array_equal(state.current, reference.all(reference.u))
        np.testing.assert_array_equal(state.membrane, reference.all(reference.v))
        np.testing.assert_array_equal(state.pending, reference.pending)
        voltages.append(engine.membrane("v").copy())
        wraps += sum(int((reference.u[n] != u).sum()) for n, u in unwrapped.items())
        highest += int((state.membrane == HALF - 1).sum())
        lowest += int((state.membrane == -HALF + 1).sum())
    twin = TorchNetwork(described)
    with torch.no_grad():
        run = twin(torch.from_numpy(spikes[None].astype(np.float32)))
    np.testing.assert_array_equal(run.spikes[0].numpy(), found)
    expected = np.stack([fixed.voltage("v", v) for v in voltages])
    np.testing.assert_array_equal(run.voltages["v"][0].numpy(), expected)
    for field in ("current", "membrane", "adaptation", "refractory"):
        parts = getattr(run.state, field).values()
        mine = np.concatenate([part[0].numpy() for part in parts])
        np.testing.assert_array_equal(mine, getattr(state, field))
    return wraps, highest, lowest
