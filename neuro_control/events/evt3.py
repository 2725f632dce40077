# SPDX-License-Identifier: Apache-2.0
"""Encoding `evt3`: Prophesee's EVT 3.0, 16-bit words that say only what has changed.

The top four bits of a word are its type: 0x0 row; 0x2 one event (column, polarity); 0x3 column
and polarity of the vectors that follow; 0x4 and 0x5 a vector of 12 and of 8 pixels; 0x6 and 0x8
the lower and the upper 12 bits of a 24-bit time in microseconds; 0xA an edge at the external
trigger input; 0x7, 0xE, 0xF and the reserved 0x9 carry nothing for us.
Definition: Prophesee, "EVT 3.0 Format". The 24-bit time rolls over every 16.8 s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import evt3_kernel as kernel
from neuro_control.events.address_events import Events, check_size
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.trigger import Trigger
from neuro_control.events.word_carry import WordCarry

_NO_BYTES = np.empty(0, np.uint8)


class Evt3Decoder:
    """Decodes an EVT 3.0 stream, packet by packet, with all state carried across packets.

    Events before the first time and row are dropped and counted, and so are those after a loss
    (`discontinuity`) until time and row are known again. Times are nanoseconds, ascending, and
    continue over the sensor's roll-over. A time that jumps by more than 65 ms is believed when
    the next one confirms it, so that a flipped bit does not move the clock; a sensor whose time
    begins anew goes on from where it was.

    Construction compiles the kernel, or loads it from numba's cache.
    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        check_size(width, height)
        self._width = width
        self._height = height
        self._state = kernel.initial_state()
        self._carry = WordCarry("<u2")
        self.decode(_NO_BYTES)

    @property
    def width(self) -> int:
        """Columns of the sensor."""
        return self._width

    @property
    def height(self) -> int:
        """Rows of the sensor."""
        return self._height

    @property
    def counters(self) -> DecoderCounters:
        """What has been decoded and dropped since construction."""
        state = self._state.tolist()
        return DecoderCounters(
            events_on=state[kernel.EVENTS_ON],
            events_off=state[kernel.EVENTS_OFF],
            triggers=state[kernel.TRIGGERS],
            outside_sensor=state[kernel.OUTSIDE],
            malformed=state[kernel.MALFORMED] + self._carry.split_bytes,
            unreferenced=state[kernel.UNREFERENCED],
            time_reversals=state[kernel.REVERSALS],
        )

    @property
    def last_trigger(self) -> Trigger | None:
        """The latest edge at the external trigger input."""
        word = int(self._state[kernel.TRIGGER_WORD])
        if word < 0:
            return None
        return Trigger(int(self._state[kernel.TRIGGER_T_NS]), (word >> 8) & 0xF, bool(word & 1))

    def decode(  # the signature is the protocol's
        self,
        payload: NDArray[np.uint8],
        time_base_ns: int = 0,  # noqa: ARG002
    ) -> Events:
        """Decode one payload (uint8[n]); EVT 3.0 carries its own time, so the base is not used.

        An odd byte at the end is kept: it is the first half of the next packet's first word.
        """
        words = self._carry.words(payload)
        room = kernel.most_events(words)
        t_ns = np.empty(room, np.int64)
        x = np.empty(room, np.uint16)
        y = np.empty(room, np.uint16)
        p = np.empty(room, np.uint8)
        n = kernel.decode(words, self._state, self._width, self._height, t_ns, x, y, p)
        return Events(t_ns[:n], x[:n], y[:n], p[:n], self._width, self._height)

    def discontinuity(self) -> None:
        """Packets were lost: wait for a new time, row and vector base; drop half a word."""
        self._carry.drop()
        kernel.distrust(self._state)

    def reset(self) -> None:
        """The device started anew: its time begins where it says; the counters stay."""
        self._carry.drop()
        kernel.forget(self._state)
