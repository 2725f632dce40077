# SPDX-License-Identifier: Apache-2.0
"""A population over a window of ticks as one torch operation, forwards and backwards.

In every tick, with ``a`` what arrives (64 times that in integers):

    u = keep_u u + a                     in integers: rounded towards zero, wrapped once
    v = keep_v v + u + constant          in integers: rounded towards zero, clipped
    v = 0 while it is held;  w = keep_w w
    spike = v > threshold + w            v[spike] = 0, w[spike] += rise, held[spike] = refractory

The gradient is that of these equations without rounding, wrap and clip (straight-through: Bengio
et al., arXiv:1308.3432, 2013), with a surrogate in the place of a spike's derivative, and none
through the reset (Zenke and Ganguli, Neural Computation 30, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neuro_control.training import twin_scan_kernels as kernels
from neuro_control.training.surrogates import Surrogate

LARGEST = float((1 << 23) - 1)

State = tuple[Tensor, Tensor, Tensor, Tensor]
"""Current, membrane, adaptation and ticks still held, float64[batch, n] each."""


@dataclass(frozen=True, eq=False)
class ScanKind:
    """What is computed: integers or floats, spikes or voltages, with a memory of spikes or not.

    ``distance_unit`` float32[n] is what the surrogate counts the distance to the threshold in.
    ``decays`` says whether they have a gradient.
    ``compiled`` False keeps to torch, as on a GPU.
    """

    exact: bool
    spiking: bool
    history: bool
    surrogate: Surrogate
    distance_unit: Tensor
    decays: bool = False
    compiled: bool = True


def scan(arriving: Tensor, numbers: Tensor, state: State, kind: ScanKind) -> tuple[Tensor, State]:
    """Step a population over a window.

    Args:
        arriving: [batch, time, n], float32 or float64.
        numbers: float64[7, n], rows as `twin_scan_kernels` names them.
        state: before the window.
        kind: what to compute.

    Returns:
        Spikes (0 or 1) or, without them, membranes, float32[batch, time, n]; the state after.
    """
    signal, *after = _Scan.apply(arriving, numbers, *state, kind)  # type: ignore[no-untyped-call]
    return signal, (after[0], after[1], after[2], after[3])


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        arriving: Tensor,
        numbers: Tensor,
        current: Tensor,
        membrane: Tensor,
        adaptation: Tensor,
        held: Tensor,
        kind: ScanKind,
    ) -> tuple[Tensor, ...]:
        wanted = any(context.needs_input_grad)
        state = torch.stack([current, membrane, adaptation, held])
        shape = arriving.shape
        signal = arriving.new_empty(shape, dtype=torch.float32)
        kept = wanted and kind.spiking
        distance = signal.new_empty(shape if kept else (1, 1, shape[2]))
        free = signal.new_empty(shape if kept and kind.history else (0, 0, 0), dtype=torch.bool)
        remembers = wanted and kind.decays
        past = signal.new_empty((3, *shape) if remembers else (3, 0, 0, 0))
        arrays = (arriving, numbers, state)
        how = (kind.exact, kind.spiking, kind.history)
        made = (signal, distance, free, past)
        if kind.compiled and not arriving.is_cuda:
            kernels.forward(
                *(x.detach().contiguous().numpy() for x in arrays[:2]),
                state.numpy(),
                *how,
                *(x.numpy() for x in made),
            )
        else:
            forward_in_torch(*arrays, kind, *made)
        context.save_for_backward(numbers, signal, distance, free, past)
        context.kind = kind
        context.dtype = arriving.dtype
        after = [x.clone() for x in state]
        context.mark_non_differentiable(after[3])
        return (signal, *after)

    @staticmethod
    def backward(context: Any, given: Tensor, *after: Tensor) -> tuple[Tensor | None, ...]:
        numbers, signal, distance, free, past = context.saved_tensors
        kind: ScanKind = context.kind
        bell = distance
        if kind.spiking:
            bell = kind.surrogate.derivative(distance / kind.distance_unit) / kind.distance_unit
        state = torch.stack([x.double() for x in after[:3]])
        found = torch.empty_like(signal)
        sums = numbers.new_zeros((kernels.REFRACTORY, numbers.shape[1]))
        slope = 64.0 if kind.exact else 1.0
        if kind.compiled and not given.is_cuda:
            arrays = (given.float(), bell.float(), signal, free, past, numbers)
            kernels.backward(
                *(x.detach().contiguous().numpy() for x in arrays),
                slope,
                kind.spiking,
                *(x.numpy() for x in (state, found, sums)),
            )
        else:
            backward_in_torch(
                (given, bell, signal, free, past, numbers), slope, kind.spiking, state, found, sums
            )
        of_numbers = torch.cat([sums, sums.new_zeros(1, sums.shape[1])])
        return (found.to(context.dtype), of_numbers, *state, None, None)


def forward_in_torch(
    arriving: Tensor,
    numbers: Tensor,
    state: Tensor,
    kind: ScanKind,
    signal: Tensor,
    distance: Tensor,
    free: Tensor,
    past: Tensor,
) -> None:
    """`twin_scan_kernels.forward` on any device."""
    keep_u, keep_v, keep_w, constant, threshold, rise, refractory = numbers.unbind()
    u, v, w, held = state.unbind()
    for t in range(arriving.shape[1]):
        if past.numel():
            past[:, :, t] = state[:3]
        a = arriving[:, t].double()
        x, y, z = u * keep_u, v * keep_v, w * keep_w
        if kind.exact:
            x = x.trunc() + 64 * a
            x = x - 2.0**24 * (x > LARGEST + 1) + 2.0**24 * (x <= -LARGEST - 1)
            y = (y.trunc() + x + constant).clamp(-LARGEST, LARGEST)
            z = z.trunc()
        else:
            x = x + a
            y = y + x + constant
        u.copy_(x)
        if not kind.spiking:
            v.copy_(y)
            signal[:, t] = y
            continue
        open_ = held <= 0
        y = y * open_
        away = y - threshold - z
        fires = (away > 0) & open_
        if len(distance) == len(arriving) and distance.shape[1] == arriving.shape[1]:
            distance[:, t] = away
        if free.numel():
            free[:, t] = open_
        signal[:, t] = fires
        z = z + rise * fires
        w.copy_(z.clamp(max=LARGEST) if kind.exact else z)
        v.copy_(y * ~fires)
        held.copy_(torch.where(fires, refractory, (held - 1).clamp(min=0)))


def backward_in_torch(
    saved: tuple[Tensor, ...],
    slope: float,
    spiking: bool,
    state: Tensor,
    found: Tensor,
    sums: Tensor,
) -> None:
    """`twin_scan_kernels.backward` on any device."""
    given, bell, signal, free, past, numbers = saved
    keep_u, keep_v, keep_w, _, _, rise, _ = numbers.unbind()
    gu, gv, gw = state.unbind()
    for t in range(given.shape[1] - 1, -1, -1):
        y = gv.clone()
        if spiking:
            s = signal[:, t].double()
            d = (given[:, t].double() + rise * gw) * bell[:, t]
            if free.numel():
                y, d = y * free[:, t], d * free[:, t]
            y = y * (1 - s) + d
            sums[kernels.THRESHOLD] -= d.sum(dim=0)
            sums[kernels.RISE] += (gw * s).sum(dim=0)
            w = gw - d
            if past.numel():
                sums[kernels.KEEP_ADAPTATION] += (w * past[kernels.ADAPTATION, :, t]).sum(dim=0)
            gw.copy_(w * keep_w)
        else:
            y = y + given[:, t]
        x = gu + y
        found[:, t] = slope * x
        sums[kernels.CONSTANT] += y.sum(dim=0)
        if past.numel():
            sums[kernels.KEEP_CURRENT] += (x * past[kernels.CURRENT, :, t]).sum(dim=0)
            sums[kernels.KEEP_MEMBRANE] += (y * past[kernels.MEMBRANE, :, t]).sum(dim=0)
        gu.copy_(x * keep_u)
        gv.copy_(y * keep_v)
