# SPDX-License-Identifier: Apache-2.0
"""Encodings `libcaer` and `libcaer_cmp`: what libcaer_driver publishes for iniVation's cameras.

`libcaer` is libcaer's own polarity event, eight bytes, little-endian: uint32 with a valid mark
(bit 0), polarity (bit 1), y (bits 2-16) and x (bits 17-31), and int32 microseconds, which roll
over every 36 minutes; the packet's time base holds what went before.
`libcaer_cmp` says in 16-bit words only what has changed: the top four bits are 0 upper and 1 lower
12 bits of the microseconds since the packet's time base; 2 column; 3 row and polarity of one
event; 4 row and polarity of the vectors that follow; 5 a vector of eight pixels down a column.
Each time word is sent when it changes, and both begin at 0 in every packet. The time base is in
nanoseconds, of the host's clock: that of the sensor's start, plus the packet's first event's time
(`libcaer`: plus its roll-overs).
Definitions: libcaer's polarity.h; types of event_camera_codecs, message_converter of
libcaer_driver.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuro_control.events import libcaer_kernel as kernel
from neuro_control.events.address_events import Events, check_size
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.event_arrays import first, room_for
from neuro_control.events.payload import Payload, octets
from neuro_control.events.trigger import Triggers

_NO_BYTES = np.empty(0, np.uint8)
# Beyond this a time base plus an event's own time would not fit int64.
_LARGEST_TIME_BASE_NS = (1 << 63) - 1 - (1 << 43)


class _Decoder:
    """What the two have in common. Packets hold whole words; a tail is counted and dropped."""

    def __init__(
        self,
        width: int,
        height: int,
        word_bytes: int,
        word: str,
        events_per_word: int,
        decode: Callable[..., int],
    ) -> None:
        check_size(width, height)
        self._width = width
        self._height = height
        self._word_bytes = word_bytes
        self._word = word
        self._events_per_word = events_per_word
        self._decode = decode
        self._state = kernel.initial_state()
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
            outside_sensor=state[kernel.OUTSIDE],
            malformed=state[kernel.MALFORMED],
            unreferenced=state[kernel.UNREFERENCED],
            time_reversals=state[kernel.REVERSALS],
        )

    @property
    def triggers(self) -> Triggers:
        """None: the encoding has no word for them."""
        return Triggers.empty()

    def decode(self, payload: Payload, time_base_ns: int = 0) -> Events:
        """Decode one payload (uint8[n]) whose times count from `time_base_ns`."""
        payload = octets(payload)
        n_words, tail = divmod(len(payload), self._word_bytes)
        if tail:
            self._state[kernel.MALFORMED] += 1
        if n_words and not 0 <= time_base_ns <= _LARGEST_TIME_BASE_NS:
            self._state[kernel.MALFORMED] += n_words
            n_words = 0
        # A copy: kernels are compiled for each kind of array, read-only and unaligned ones too.
        words = np.array(payload[: n_words * self._word_bytes]).view(self._word)
        arrays = room_for(n_words * self._events_per_word)
        base_ns = time_base_ns if n_words else 0
        size = (self._width, self._height)
        n = self._decode(words, base_ns, self._state, *size, *arrays)
        return first(arrays, n, *size)

    def discontinuity(self) -> None:
        """Packets were lost: wait for new addresses."""
        kernel.distrust(self._state)

    def reset(self) -> None:
        """The device started anew; the counters stay."""
        kernel.distrust(self._state)


class LibcaerDecoder(_Decoder):
    """Decodes `libcaer` packets; a time stamp that rolls over within a packet goes on.

    Events that libcaer has marked as invalid, or whose time is negative, count as malformed.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, 8, "<u4", 1, kernel.decode_plain)


class LibcaerCmpDecoder(_Decoder):
    """Decodes `libcaer_cmp` packets; column, row and polarity are carried across packets.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, 2, "<u2", 8, kernel.decode_compressed)
