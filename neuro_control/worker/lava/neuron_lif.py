# SPDX-License-Identifier: Apache-2.0
"""Lava's fixed-point LIF with decays and a threshold for each neuron; and with a recorder.

The arithmetic is Lava's own, inherited: only the types of its three parameters are arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.lif.models import AbstractPyLifModelFixed, PyLifModelBitAcc
from lava.proc.lif.process import LIF
from numpy.typing import NDArray

from .ports import rows


class NeuronLIF(LIF):
    """A LIF whose ``du``, ``dv`` and ``vth`` are int32[n]."""

    def __init__(
        self,
        *,
        shape: tuple[int],
        du: NDArray[np.int32],
        dv: NDArray[np.int32],
        vth: NDArray[np.int32],
        **others: Any,
    ) -> None:
        super().__init__(shape=shape, **others)
        self.du = Var(shape=shape, init=du)
        self.dv = Var(shape=shape, init=dv)
        self.vth = Var(shape=shape, init=vth)


@implements(proc=NeuronLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyNeuronLIF(AbstractPyLifModelFixed):  # type: ignore[misc]
    """See the module. Lava lets no model of a process inherit from another process's model."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    du: np.ndarray = LavaPyType(np.ndarray, np.int32)
    dv: np.ndarray = LavaPyType(np.ndarray, np.int32)
    vth: np.ndarray = LavaPyType(np.ndarray, np.int32)

    scale_threshold = PyLifModelBitAcc.scale_threshold
    spiking_activation = PyLifModelBitAcc.spiking_activation


class _Recording:
    """Writes the membranes after a tick into the shared table that the process names."""

    proc_params: Any
    time_step: int
    v: NDArray[np.int32]

    def run_spk(self) -> None:
        """Step, then write."""
        super().run_spk()  # type: ignore[misc]
        table = rows(self.proc_params["record"])
        table[(self.time_step - 1) % len(table)] = self.v


@implements(proc=LIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("recording")
class RecordingLif(_Recording, PyLifModelBitAcc):  # type: ignore[misc]
    """Lava's own, recorded."""


@implements(proc=NeuronLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("recording")
class RecordingNeuronLif(_Recording, PyNeuronLIF):
    """`PyNeuronLIF`, recorded."""
