# SPDX-License-Identifier: Apache-2.0
"""Spikes into and out of a running Lava network, through memory that its processes share.

Lava's own Injector and Extractor exchange a message a tick with the host, and a blocking one
cannot be stopped. Here a batch of ticks lies in anonymous shared memory, made before Lava forks:
the source reads the row of its tick, the sink writes it, and nobody waits but for Lava's own
clock.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

_rows: dict[int, NDArray[Any]] = {}


def shared_rows(ticks: int, channels: int, dtype: Any = np.uint8) -> int:
    """Make a table of [ticks, channels] that forked processes share; return its key."""
    size = np.dtype(dtype).itemsize
    memory = mmap.mmap(-1, max(ticks * channels * size, 1))
    key = len(_rows)
    _rows[key] = np.frombuffer(memory, dtype, ticks * channels).reshape(ticks, channels)
    return key


def rows(key: int) -> NDArray[Any]:
    """The table of that key."""
    return _rows[key]


class SpikeSource(AbstractProcess):
    """Sends row (tick modulo rows) of a shared table in every tick."""

    def __init__(self, *, key: int, channels: int) -> None:
        super().__init__(key=key)
        self.s_out = OutPort(shape=(channels,))


class SpikeSink(AbstractProcess):
    """Writes what it receives in a tick into row (tick modulo rows) of a shared table."""

    def __init__(self, *, key: int, channels: int) -> None:
        super().__init__(key=key)
        self.a_in = InPort(shape=(channels,))


@implements(proc=SpikeSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySpikeSource(PyLoihiProcessModel):
    """See `SpikeSource`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def run_spk(self) -> None:
        """Send a row; Lava counts ticks from 1."""
        table = _rows[self.proc_params["key"]]
        self.s_out.send(table[(self.time_step - 1) % len(table)].astype(np.int32))


@implements(proc=SpikeSink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySpikeSink(PyLoihiProcessModel):
    """See `SpikeSink`."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)

    def run_spk(self) -> None:
        """Receive a row."""
        table = _rows[self.proc_params["key"]]
        table[(self.time_step - 1) % len(table)] = self.a_in.recv() != 0
