# SPDX-License-Identifier: Apache-2.0
"""Encoding `mono`: eight bytes an event, of which each stands by itself.

A little-endian uint64 for every event: bits 0-31 nanoseconds after the packet's `time_base`,
32-47 x, 48-62 y, 63 polarity (1: ON). Definition: README of event_camera_msgs.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.event_arrays import ArrayPool, first
from neuro_control.events.kernel_types import EVENTS, compile_once, words_type
from neuro_control.events.mono_kernel import decode_mono
from neuro_control.events.payload import Payload, octets
from neuro_control.events.trigger import Triggers

BYTES_PER_EVENT = 8
LARGEST_SPAN_NS = (1 << 32) - 1
"""Longest time that one packet can cover: 4.29 s."""

MONO_LARGEST_HEIGHT = 1 << 15
"""Rows that the 15 bits of y can name."""

# Beyond this a time base plus an event's offset would not fit int64.
_LARGEST_TIME_BASE_NS = (1 << 63) - 1 - LARGEST_SPAN_NS


def encode_mono(events: Events) -> tuple[NDArray[np.uint8], int]:
    """Encode events as one `mono` payload.

    Returns (payload uint8[8 n], time_base_ns); the time base is the earliest event's time (at most
    2^63 - 2^32, so that every offset can be added), and 0 for no events.

    Raises ValueError when a time is negative, when the events span more than `LARGEST_SPAN_NS`
    (split them), when a y does not fit 15 bits or a polarity is neither 0 nor 1.
    """
    if len(events) == 0:
        return np.empty(0, np.uint8), 0
    time_base_ns = int(events.t_ns.min())
    span_ns = int(events.t_ns.max()) - time_base_ns
    if time_base_ns < 0:
        raise ValueError(f"t_ns goes down to {time_base_ns}; a packet's times must not be negative")
    if span_ns > LARGEST_SPAN_NS:
        raise ValueError(
            f"t_ns spans {span_ns} ns; one mono packet holds {LARGEST_SPAN_NS} ns"
            " at most: split the events into shorter packets"
        )
    if events.height > MONO_LARGEST_HEIGHT and int(events.y.max()) >= MONO_LARGEST_HEIGHT:
        raise ValueError(
            f"y goes up to {int(events.y.max())}; mono has 15 bits for it:"
            f" it must be below {MONO_LARGEST_HEIGHT}"
        )
    if int(events.p.max()) > 1:
        raise ValueError(f"p goes up to {int(events.p.max())}; a polarity must be 0 or 1")
    time_base_ns = min(time_base_ns, _LARGEST_TIME_BASE_NS)
    words = np.empty((len(events), 4), "<u2")
    words.view("<u4")[:, 0] = events.t_ns - time_base_ns
    words[:, 2] = events.x
    words[:, 3] = (events.p.astype(np.uint16) << 15) | events.y
    return words.reshape(-1).view(np.uint8), time_base_ns


class MonoDecoder:
    """Decodes `mono` payloads; each stands by itself, so only the counters are kept.

    Events outside the sensor are dropped and counted, bytes that do not fill an event are counted
    as one malformed tail, a packet whose events are not ascending in time is sorted (stably).

    Construction compiles the kernel, or loads it from numba's cache.
    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        check_size(width, height)
        self._width = width
        self._height = height
        self._on = 0
        self._off = 0
        self._outside = 0
        self._malformed = 0
        self._reversals = 0
        self._arrays = ArrayPool()
        integer = types.int64
        compile_once(decode_mono, (words_type("<u8"), integer, integer, integer, *EVENTS))

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
        return DecoderCounters(
            events_on=self._on,
            events_off=self._off,
            outside_sensor=self._outside,
            malformed=self._malformed,
            time_reversals=self._reversals,
        )

    @property
    def triggers(self) -> Triggers:
        """None: the encoding has no word for them."""
        return Triggers.empty()

    def decode(self, payload: Payload, time_base_ns: int = 0) -> Events:
        """Decode one payload (uint8[n]) whose times count from `time_base_ns`."""
        payload = octets(payload)
        n, tail = divmod(len(payload), BYTES_PER_EVENT)
        if tail:
            self._malformed += 1
            payload = payload[: n * BYTES_PER_EVENT]
        if n and not 0 <= time_base_ns <= _LARGEST_TIME_BASE_NS:
            self._malformed += n
            n = 0
        if n == 0:
            return Events.empty(self._width, self._height)
        words = np.ascontiguousarray(payload).view("<u8")
        arrays = self._arrays.room_for(n)
        kept, on, backwards = decode_mono(words, time_base_ns, self._width, self._height, *arrays)
        self._outside += n - kept
        self._on += on
        self._off += kept - on
        if backwards:
            self._reversals += backwards
            order = np.argsort(arrays[0][:kept], kind="stable")
            t_ns, x, y, p = arrays
            return Events(t_ns[order], x[order], y[order], p[order], self._width, self._height)
        return first(arrays, kept, self._width, self._height)

    def discontinuity(self) -> None:
        """Nothing hangs on the packets before."""

    def reset(self) -> None:
        """Nothing hangs on the packets before."""
