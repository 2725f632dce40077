# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a shadowed backend, and where its spikes differ from its twin's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.primary import Offsets, Outputs
from neuro_control.backends.runner import Indices
from neuro_control.network import Port


class FaultKind(str, Enum):
    """What may go wrong with a backend."""

    DEADLINE = "deadline"
    DIVERGENCE = "divergence"
    CRASH = "crash"
    HANG = "hang"


@dataclass(frozen=True)
class Fault:
    """Something went wrong at ``tick``; for a divergence, which output and what both said."""

    kind: FaultKind
    tick: int
    text: str
    output: str = ""
    neuron: int = -1
    primary: int = -1
    twin: int = -1

    def __str__(self) -> str:
        return f"tick {self.tick}: {self.kind.value}: {self.text}"


def same(one: Outputs, other: Outputs) -> bool:
    """Whether both have the same spikes in the same ticks."""
    return _equal(one[0], other[0]) and _equal(one[1], other[1])


def divergence(
    first_tick: int, answer: Outputs, twin: Outputs, ports: Mapping[str, Port]
) -> tuple[int, Fault]:
    """How many outputs differ in the ticks from the first on, and the first of them as a fault.

    Both are sound (`fault_of`, `disorder_of`), and not the same.
    """
    differing, first = 0, None
    for tick in range(len(twin[1]) - 1):
        mine, theirs = (
            set(indices[offsets[tick] : offsets[tick + 1]].tolist())
            for indices, offsets in (answer, twin)
        )
        odd = mine ^ theirs
        differing += len(odd)
        if odd and first is None:
            first = (first_tick + tick, min(odd), int(min(odd) in mine))
    if first is None:
        raise ValueError("the answers are the same, or not sound")
    at, channel, spiked = first
    name, port = next(
        (name, port) for name, port in ports.items() if 0 <= channel - port.offset < port.size
    )
    neuron = channel - port.offset
    words = ("is silent", "spikes")
    text = (
        f"neuron {neuron} of {name!r} {words[spiked]}, the twin's {words[1 - spiked]}"
        f" ({differing} outputs differ in this cycle)"
    )
    return differing, Fault(FaultKind.DIVERGENCE, at, text, name, neuron, spiked, 1 - spiked)


def disorder_of(indices: Indices, offsets: Offsets) -> str:
    """Which tick's indices do not ascend, each once; '' if none. They fit together otherwise."""
    if len(indices) < 2:
        return ""
    falls = (indices[1:] <= indices[:-1]).nonzero()[0] + 1
    if not len(falls):
        return ""
    begins = np.zeros(len(indices) + 1, np.bool_)
    begins[offsets] = True
    wrong = falls[~begins[falls]]
    if not len(wrong):
        return ""
    at = int(wrong[0])
    tick = int(np.searchsorted(offsets, at, side="right")) - 1
    return (
        f"active indices must ascend, each once, but those of tick {tick} of "
        f"{len(offsets) - 1} have {int(indices[at])} after {int(indices[at - 1])}"
    )


def _equal(mine: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """As np.array_equal, in a tenth of its time where the types are the same."""
    if mine.dtype == theirs.dtype:
        return mine.tobytes() == theirs.tobytes()
    return np.array_equal(mine, theirs)
