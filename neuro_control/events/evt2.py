# SPDX-License-Identifier: Apache-2.0
"""Encodings `evt2` and `evt21`: Prophesee's EVT 2.0 and EVT 2.1.

EVT 2.0 has a 32-bit word for each event. Its top four bits are the type: 0x0 OFF and 0x1 ON with
six bits of time, x (11 bits) and y (11 bits); 0x8 the upper 28 bits of the time in microseconds;
0xA an edge at the external trigger input; 0xE and 0xF carry nothing for us.
EVT 2.1 has the same types in 64-bit words, whose lower half says which of 32 pixels in a row,
beginning at x, have an event.
Definitions: Prophesee, "EVT 2.0 Format" and "EVT 2.1 Format". The 34-bit time rolls over every
4.8 hours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import evt2_kernel as kernel
from neuro_control.events.address_events import Events, check_size
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.trigger import Trigger
from neuro_control.events.word_carry import WordCarry

_NO_BYTES = np.empty(0, np.uint8)


class _Decoder:
    """What the two have in common: state, counters, and words across packets.

    Events before the first time, and after a loss until it is said again, are dropped and counted.
    Times are nanoseconds, ascending, and continue over the sensor's roll-over. A time that jumps
    by more than a second is believed when the next one confirms it; a sensor whose time begins
    anew goes on from where it was.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(
        self,
        width: int,
        height: int,
        word: str,
        room: Callable[[NDArray[Any]], int],
        decode: Callable[..., int],
    ) -> None:
        check_size(width, height)
        self._width = width
        self._height = height
        self._state = kernel.initial_state()
        self._carry = WordCarry(word)
        self._room = room
        self._decode = decode
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
        state = self._state.tolist()
        channel = state[kernel.TRIGGER_CHANNEL]
        if channel < 0:
            return None
        return Trigger(state[kernel.TRIGGER_T_NS], channel, bool(state[kernel.TRIGGER_VALUE]))

    def decode(  # the signature is the protocol's
        self,
        payload: NDArray[np.uint8],
        time_base_ns: int = 0,  # noqa: ARG002
    ) -> Events:
        """Decode one payload (uint8[n]); the words carry their own time, the base is not used.

        Bytes at the end that do not fill a word are kept for the next packet.
        """
        words = self._carry.words(payload)
        room = self._room(words)
        t_ns = np.empty(room, np.int64)
        x = np.empty(room, np.uint16)
        y = np.empty(room, np.uint16)
        p = np.empty(room, np.uint8)
        n = self._decode(words, self._state, self._width, self._height, t_ns, x, y, p)
        return Events(t_ns[:n], x[:n], y[:n], p[:n], self._width, self._height)

    def discontinuity(self) -> None:
        """Packets were lost: wait for a new time; drop part of a word."""
        self._carry.drop()
        kernel.distrust(self._state)

    def reset(self) -> None:
        """The device started anew: its time begins where it says; the counters stay."""
        self._carry.drop()
        kernel.forget(self._state)


class Evt2Decoder(_Decoder):
    """Decodes an EVT 2.0 stream, packet by packet, with all state carried across packets.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, "<u4", len, kernel.decode_evt2)


class Evt21Decoder(_Decoder):
    """Decodes an EVT 2.1 stream, packet by packet, with all state carried across packets.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, "<i8", kernel.most_events_evt21, kernel.decode_evt21)
