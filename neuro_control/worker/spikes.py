# SPDX-License-Identifier: Apache-2.0
"""Spikes of some ticks as the body of a frame: what passes in every control cycle, without JSON.

All is little-endian: a head of `HEAD`, 32 bytes, with float64 microseconds that stepping took (0
in a question), int64 t ticks, int64 n spikes and int64 m neurons whose membranes follow (0 where
none were asked for); then int64 offsets[t + 1], tick k having the indices from offsets[k] to
offsets[k + 1]; int32 indices[n]; and int32 membranes[t, m] after each tick.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .protocol import Kind, Message, ProtocolError

HEAD = struct.Struct("<dqqq")
MAX = 1 << 32
_I4, _I8, _U4, _U8 = (np.dtype(name) for name in ("<i4", "<i8", "<u4", "<u8"))
_most = np.maximum.reduce  # What the method `max` comes to, in half its time.


class Spikes(NamedTuple):
    """Active channels of some ticks: indices int32[n], offsets int64[t + 1]; see the module.

    ``membranes`` int32[t, m] or None.
    """

    indices: NDArray[np.int32]
    offsets: NDArray[np.int64]
    busy_us: float = 0.0
    membranes: NDArray[np.int32] | None = None


def spikes_message(kind: Kind, sequence: int, spikes: Spikes) -> Message:
    """The message of that kind, STEP or SPIKES. Arrays of other types are cast."""
    indices, offsets, busy_us, membranes = spikes
    values = b"" if membranes is None else membranes.astype(_I4).tobytes()
    neurons = 0 if membranes is None else membranes.shape[1]
    head = HEAD.pack(busy_us, len(offsets) - 1, len(indices), neurons)
    body = head + _bytes(offsets, _I8) + _bytes(indices, _I4) + values
    return Message(kind, sequence, {}, {}, body)


def read_spikes(message: Message) -> Spikes:
    """The spikes of a STEP or SPIKES; the arrays are views into it. `fault_of` looks closer.

    Raises:
        ProtocolError: the body has another size than it says.
    """
    body = message.body
    if len(body) < HEAD.size:
        raise ProtocolError(f"{message.kind.name}: {len(body)} bytes are no spikes")
    busy_us, ticks, count, neurons = HEAD.unpack_from(body)
    small = 0 <= ticks < MAX and 0 <= count < MAX and 0 <= neurons < MAX
    end = HEAD.size + 8 * (ticks + 1) + 4 * count
    if not small or len(body) != end + 4 * ticks * neurons:
        raise ProtocolError(
            f"{message.kind.name}: {len(body)} bytes are not {ticks} ticks with {count} spikes "
            f"and {neurons} membranes"
        )
    offsets = np.frombuffer(body, _I8, ticks + 1, HEAD.size)
    indices = np.frombuffer(body, _I4, count, HEAD.size + 8 * (ticks + 1))
    membranes = None
    if ticks * neurons:
        membranes = np.frombuffer(body, _I4, ticks * neurons, end).reshape(ticks, neurons)
    return Spikes(indices, offsets, busy_us, membranes)


def fault_of(indices: NDArray[np.int32], offsets: NDArray[np.int64], channels: int) -> str:
    """What is wrong with spikes of so many channels, '' if nothing. Costs microseconds."""
    n, ends = len(indices), offsets.tolist()
    if not ends or ends[0] or ends[-1] != n or (len(ends) > 2 and sorted(ends) != ends):
        return f"offsets must rise from 0 to {n}, the number of indices"
    if not n:
        return ""
    # One comparison for both ends: as unsigned, what is negative is large.
    if indices.dtype == _I4:
        most = _most(indices.view(_U4))
    elif indices.dtype.kind == "i":
        most = _most(indices.astype(_I8).view(_U8))
    else:
        return f"active indices must be whole numbers with a sign, not {indices.dtype}"
    if most >= channels:
        return f"active indices are {indices.min()}..{indices.max()}; there are 0..{channels - 1}"
    return ""


def _bytes(array: NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    return array.tobytes() if array.dtype == dtype else array.astype(dtype).tobytes()
