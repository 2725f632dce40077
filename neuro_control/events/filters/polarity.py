# SPDX-License-Identifier: Apache-2.0
"""Which polarities pass, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.event_arrays import first, room_for
from neuro_control.events.filters.event_filter import check_state, contiguous


@dataclass(frozen=True)
class Polarity:
    """Passes one polarity or both, as they are, inverted, or all as ON.

    keep: "on", "off" or "both". become: "same", "inverted" or "on"; `keep` looks before it.
    Raises ValueError naming the word that is none of these.
    """

    keep: Literal["on", "off", "both"] = "both"
    become: Literal["same", "inverted", "on"] = "same"

    def __post_init__(self) -> None:
        if self.keep not in ("on", "off", "both"):
            raise ValueError(f"keep is {self.keep!r}; it must be 'on', 'off' or 'both'")
        if self.become not in ("same", "inverted", "on"):
            raise ValueError(f"become is {self.become!r}; it must be 'same', 'inverted' or 'on'")

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The same."""
        return width, height

    def initial_state(self, width: int, height: int) -> tuple[int, int]:
        """The sensor's size: there is nothing to remember."""
        check_size(width, height)
        return height, width

    def apply(self, events: Events, state: tuple[int, int]) -> Events:
        """See `EventFilter.apply`."""
        check_state(events, state)
        out = room_for(len(events))
        passes = np.array([self.keep != "on", self.keep != "off"])
        becomes = {"same": (0, 1), "inverted": (1, 0), "on": (1, 1)}[self.become]
        n = _chosen(*contiguous(events), passes, np.array(becomes, np.uint8), *out)
        return first(out, n, events.width, events.height)


@njit(cache=True, nogil=True)
def _chosen(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    passes: NDArray[np.bool_],
    becomes: NDArray[np.uint8],
    out_t: NDArray[np.int64],
    out_x: NDArray[np.uint16],
    out_y: NDArray[np.uint16],
    out_p: NDArray[np.uint8],
) -> int:
    n = 0
    for i in range(t_ns.shape[0]):
        out_t[n] = t_ns[i]
        out_x[n] = x[i]
        out_y[n] = y[i]
        out_p[n] = becomes[p[i]]
        n += passes[p[i]]
    return n
