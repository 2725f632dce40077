# SPDX-License-Identifier: Apache-2.0
"""Lava's own Python models (fixed point): Dense and LIF processes, one step a call."""

import dataclasses

import numpy as np

# lava-nc wants Python 3.10, where a dataclass with a mutable default could still be made.
_dataclass = dataclasses.dataclass


def _hashable(cls=None, /, **options):
    options.setdefault("unsafe_hash", True)
    return _dataclass(cls, **options) if cls else lambda c: _dataclass(c, **options)


dataclasses.dataclass = _hashable
import lava.magma.compiler.var_model  # noqa: E402, F401

dataclasses.dataclass = _dataclass
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.dense.process import Dense  # noqa: E402
from lava.proc.io.source import RingBuffer  # noqa: E402
from lava.proc.lif.process import LIF  # noqa: E402
from stopwatch import main  # noqa: E402

TICKS = 64
running = []


def build(weights):
    rng = np.random.default_rng(0)
    # Lava's processes are fed by a process of their own: the same share of active inputs, in turn.
    active = (rng.random((weights[0].shape[1], TICKS)) < 0.05).astype(int)
    source = RingBuffer(data=active)
    port = source.s_out
    for weight in weights:
        scaled = np.clip(weight * 64, -128, 127).astype(int) * 2
        dense = Dense(weights=scaled)
        lif = LIF(shape=(weight.shape[0],), du=4095, dv=205, vth=128, bias_mant=0)
        port.connect(dense.s_in)
        dense.a_out.connect(lif.a_in)
        port = lif.s_out
    configuration = Loihi2SimCfg(select_tag="fixed_pt")
    running.append(lif)

    def step(_):
        lif.run(condition=RunSteps(num_steps=1), run_cfg=configuration)
        return np.zeros(1)

    return lambda row: row, step


if __name__ == "__main__":
    main("lava-nc", build)
    # Its processes would wait for ever.
    for process in running:
        process.stop()
