# SPDX-License-Identifier: Apache-2.0
"""Somebody else's backend: what docs/backends.md asks for, and nothing of neuro_control's inside.

`example` steps dense matrices with numpy; it refuses what it cannot do by name. `board` speaks to
a process, so that it is shadowed.
"""

import itertools
import os
import sys

import numpy as np

from neuro_control.backends import ProcessRunner, RefusedError, RunCounters, RunnerState


def decayed(z, d):
    return np.sign(z) * ((np.abs(z) * (4096 - d)) >> 12)


class DenseRunner:
    name = "example"

    def __init__(self, network):
        self.network = network
        self.matrices = [q.matrix().astype(np.int64) for q in network.projections]
        self.inputs = sum(port.size for port in network.inputs.values())
        self.reset()

    @property
    def input_ports(self):
        return self.network.inputs

    @property
    def output_ports(self):
        return self.network.outputs

    @property
    def counters(self):
        return RunCounters(ticks=self.ticks)

    def reset(self):
        n = self.network.n_neurons
        self.u, self.v = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.waiting = np.zeros((self.network.longest_delay + 1, n), np.int64)
        self.ticks = 0

    def step(self, active):
        active = np.asarray(active)
        if len(active) and not 0 <= active.min() <= active.max() < self.inputs:
            raise ValueError(f"active indices must be 0..{self.inputs - 1}")
        outside = np.zeros(self.inputs, np.int64)
        outside[active] = 1
        x = {n: outside[p.offset : p.offset + p.size] for n, p in self.network.inputs.items()}
        where = {p.name: slice(p.offset, p.offset + p.size) for p in self.network.populations}
        for p in self.network.populations:
            at = where[p.name]
            u = decayed(self.u[at], p.du.astype(np.int64) + 1) + (self.waiting[0, at] << 6)
            u = np.where(u > 2**23, u - 2**24, np.where(u <= -(2**23), u + 2**24, u))
            bias = p.bias_mantissa.astype(np.int64) << p.bias_exponent
            v = decayed(self.v[at], p.dv.astype(np.int64)) + u + bias
            v = np.clip(v, -(2**23) + 1, 2**23 - 1)
            x[p.name] = ((v > (p.vth.astype(np.int64) << 6)) & p.spiking).astype(np.int64)
            self.u[at], self.v[at] = u, np.where(x[p.name], 0, v)
        self.waiting = np.roll(self.waiting, -1, axis=0)
        self.waiting[-1] = 0
        for q, matrix in zip(self.network.projections, self.matrices, strict=True):
            sums, e = matrix @ x[q.source], q.weight_exponent
            self.waiting[q.delay, where[q.target]] += sums << e if e > 0 else sums >> -e
        self.ticks += 1
        shown = self.network.output_populations
        out = [
            port.offset + np.flatnonzero(x[shown[n]]) for n, port in self.network.outputs.items()
        ]
        return np.concatenate([np.zeros(0, np.int64), *out]).astype(np.int32)

    def run(self, indices, offsets):
        parts = [self.step(indices[a:b]) for a, b in itertools.pairwise(offsets)]
        ends = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        return np.concatenate([np.zeros(0, np.int32), *parts]), ends

    def state(self):
        nothing = np.zeros_like(self.u)
        arrays = (self.u.copy(), self.v.copy(), self.waiting.copy(), nothing, nothing)
        return RunnerState(self.network.fingerprint(), *arrays)

    def restore(self, state):
        if state.network != self.network.fingerprint():
            raise ValueError("the state belongs to another network")
        self.u, self.v = state.current.copy(), state.membrane.copy()
        self.waiting = state.pending.copy()

    def membrane(self, name):
        p = self.network.population(name)
        return self.v[p.offset : p.offset + p.size].reshape(p.shape)


def example(network, options):
    for p in network.populations:
        if np.any(p.refractory) or np.any(p.threshold_step):
            raise RefusedError(f"population {p.name!r}: only plain LIF here")
    return DenseRunner(network)


def board(network, options):
    command = [sys.executable, os.environ["EXAMPLE_BOARD"], "--dense"]
    return ProcessRunner(network, command, "example_board")
