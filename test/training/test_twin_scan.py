# SPDX-License-Identifier: Apache-2.0
"""A population's window of ticks: compiled code, torch's own operations and torch's gradient of
the plain equations agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the package torch is not installed: make torch")
from neuro_control.training import Surrogate  # noqa: E402
from neuro_control.training.twin_scan import ScanKind, scan  # noqa: E402

BATCH, TICKS = 2, 12


def numbers_and_input(rng: np.random.Generator, n: int, exact: bool, history: bool):
    """Random numbers float64[7, n] and what arrives; in integers up to wraps and saturation."""
    threshold = rng.uniform(0.2, 1.5, n)
    numbers = np.stack(
        [
            *(rng.integers(0, 4097, (3, n)) / 4096),
            rng.normal(0, 0.1, n),
            threshold,
            rng.uniform(0, 0.5, n) * history,
            rng.integers(0, 4, n) * history,
        ]
    )
    arriving = rng.normal(0, 0.7, (BATCH, TICKS, n))
    if exact:
        size = 2.0 ** rng.integers(8, 24)
        numbers[3:6] = np.rint(numbers[3:6] * size)
        arriving = np.rint(arriving * size / 64)
    return torch.from_numpy(numbers), torch.from_numpy(arriving).float()


def run(numbers, arriving, kind: ScanKind, seed: int):
    """Signal, state after, and the gradients of a random linear function of both."""
    rng = np.random.default_rng(seed)
    n = numbers.shape[1]
    numbers = numbers.clone().requires_grad_()
    arriving = arriving.clone().requires_grad_()
    state = [torch.from_numpy(rng.normal(size=(BATCH, n))) for _ in range(2)]
    if kind.exact:
        state = [x.round() for x in state]
    state = [*state, *torch.zeros(2, BATCH, n, dtype=torch.float64)]
    state = [x.clone().requires_grad_() for x in state]
    signal, after = scan(arriving, numbers, tuple(state), kind)
    loss = (signal * torch.from_numpy(rng.normal(size=signal.shape))).sum()
    for part in after[:3]:
        loss = loss + (part * torch.from_numpy(rng.normal(size=part.shape))).sum()
    loss.backward()
    return [signal, *after], [numbers.grad[:6], arriving.grad, *(x.grad for x in state[:3])]


kinds = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), how=kinds)
def test_compiled_code_and_torch_agree_forwards_and_backwards(seed: int, how):
    exact, spiking, history, decays = how
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 20))
    numbers, arriving = numbers_and_input(rng, n, exact, history and spiking)
    unit = numbers[4].float()
    kind = [
        ScanKind(exact, spiking, history and spiking, Surrogate(), unit, decays, compiled)
        for compiled in (True, False)
    ]
    (mine, my_gradients), (theirs, their_gradients) = (
        run(numbers, arriving, k, seed) for k in kind
    )
    for a, b in zip(mine, theirs, strict=True):
        assert torch.equal(a, b)
    if not history:
        # Nothing rises then, and compiled code leaves that out.
        for gradients in (my_gradients, their_gradients):
            gradients[0] = gradients[0][:5]
            del gradients[-1]
    for a, b in zip(my_gradients, their_gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()) + 1e-12)


class Step(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return (x > 0).double()

    @staticmethod
    def backward(context, gradient):
        return gradient * Surrogate().derivative(context.saved_tensors[0])


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), history=st.booleans(), spiking=st.booleans())
def test_the_gradient_is_torchs_own_of_the_plain_equations(seed: int, history: bool, spiking: bool):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 10))
    numbers, arriving = numbers_and_input(rng, n, False, history and spiking)
    unit = numbers[4].float()
    kind = ScanKind(False, spiking, history and spiking, Surrogate(), unit, True)
    _, found = run(numbers, arriving, kind, seed)

    given_numbers = numbers.clone().requires_grad_()
    given = arriving.double().clone().requires_grad_()
    rng = np.random.default_rng(seed)
    state = [torch.from_numpy(rng.normal(size=(BATCH, n))).requires_grad_() for _ in range(2)]
    w = torch.zeros(BATCH, n, dtype=torch.float64, requires_grad=True)
    u, v, risen, held = *state, w, torch.zeros(BATCH, n)
    keep_u, keep_v, keep_w, constant, threshold, rise, refractory = given_numbers.unbind()
    signals = []
    for t in range(TICKS):
        u = u * keep_u + given[:, t]
        v = v * keep_v + u + constant
        if not spiking:
            signals.append(v)
            continue
        free = (held <= 0).double()
        v = v * free
        risen = risen * keep_w
        s = Step.apply((v - threshold - risen) / unit.double()) * free
        signals.append(s)
        fired = s.detach()
        risen = risen + rise * s
        v = v * (1 - fired)
        held = torch.where(fired > 0, refractory.detach(), (held - 1).clamp(min=0))
    signal = torch.stack(signals, dim=1)
    loss = (signal * torch.from_numpy(rng.normal(size=signal.shape))).sum()
    for part in (u, v, risen):
        loss = loss + (part * torch.from_numpy(rng.normal(size=part.shape))).sum()
    loss.backward()
    expected = [given_numbers.grad[:6], given.grad, *(x.grad for x in (*state, w))]
    for mine, theirs in zip(found, expected, strict=True):
        wanted = torch.zeros_like(mine) if theirs is None else theirs
        close = 1e-4 * float(wanted.abs().max()) + 1e-9
        torch.testing.assert_close(mine.double(), wanted.double(), rtol=1e-3, atol=close)
