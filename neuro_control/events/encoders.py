# SPDX-License-Identifier: Apache-2.0
"""Events to the payloads of event packets, by the name of the encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import evt_encode_kernel as kernel
from neuro_control.events.address_events import Events, check_size
from neuro_control.events.mono import encode_mono
from neuro_control.events.trigger import Triggers

EVT_LARGEST_SIZE = 1 << 11
"""Columns and rows that the 11-bit addresses of EVT 2.0 and 3.0 can name."""

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Times of triggers in us, and 2 x channel + (1 if rising)."""


class EventEncoder(Protocol):
    """Turns one stream's events into payloads; may carry state from packet to packet."""

    def encode(self, events: Events) -> tuple[NDArray[np.uint8], int]:
        """One payload (uint8[n]) and its time base in nanoseconds.

        Raises:
            ValueError: naming the value that the encoding cannot hold, events of another size,
                or events that are not in ascending time.
        """

    def reset(self) -> None:
        """The next payload stands by itself again."""


class MonoEncoder:
    """Writes `mono`; every payload stands by itself, and times are kept to the nanosecond."""

    def __init__(self, width: int, height: int) -> None:
        check_size(width, height)
        self._size = (width, height)

    def encode(self, events: Events) -> tuple[NDArray[np.uint8], int]:
        """See `EventEncoder.encode`."""
        _check(events, self._size)
        return encode_mono(events)

    def reset(self) -> None:
        """Nothing hangs on the packets before."""


class _EvtEncoder:
    def __init__(
        self,
        width: int,
        height: int,
        word: str,
        words_per_event: int,
        high_bit: int,
        fill: int,
        channels: int,
        encode: Callable[..., int],
        encode_triggers: Callable[..., int],
    ) -> None:
        check_size(width, height)
        for name, value in (("width", width), ("height", height)):
            if value > EVT_LARGEST_SIZE:
                raise ValueError(f"{name} is {value}; EVT has 11 bits: at most {EVT_LARGEST_SIZE}")
        self._size = (width, height)
        self._word = word
        self._words_per_event = words_per_event
        self._high_bit = high_bit
        self._fill = fill
        self._channels = channels
        self._encode = encode
        self._encode_triggers = encode_triggers
        self._last_us = -1
        self._state = kernel.initial_state()

    def encode(
        self, events: Events, triggers: Triggers | None = None
    ) -> tuple[NDArray[np.uint8], int]:
        """See `EventEncoder.encode`; the time base is 0, since the words say the time.

        `triggers` go among the events, each before those of its microsecond.
        """
        _check(events, self._size)
        edges = self._edges(triggers) if triggers is not None and len(triggers) else None
        entries = len(events)
        if edges is not None:
            entries += len(edges[0])
            first_us, last_us = _span_us(events, edges[0])
        elif entries == 0:
            return np.empty(0, np.uint8), 0
        else:
            first_us, last_us = int(events.t_ns[0]) // 1000, int(events.t_ns[-1]) // 1000
        if first_us < max(self._last_us, 0):
            raise ValueError(
                f"t_ns begins at {first_us * 1000}, before the last packet's end at"
                f" {self._last_us * 1000}; give later events, or reset the encoder"
            )
        start_us = first_us if self._last_us < 0 else self._last_us
        pauses = ((last_us - start_us) >> self._high_bit) // self._fill
        words = np.empty(self._words_per_event * entries + pauses, self._word)
        if edges is None:
            n = self._encode(events.t_ns, events.x, events.y, events.p, self._state, words)
        else:
            n = self._encode_both(events, *edges, words)
        self._last_us = last_us
        return words[:n].view(np.uint8), 0

    def _encode_both(
        self,
        events: Events,
        trigger_us: NDArray[np.int64],
        edge: NDArray[np.int64],
        words: NDArray[Any],
    ) -> int:
        """Write the triggers between the events; returns the number of words."""
        places = (events.t_ns // 1000).searchsorted(trigger_us)
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        n = done = 0
        for begin, end in pairwise((*begins.tolist(), len(places))):
            part = events[done : int(places[begin])]
            n += self._encode(part.t_ns, part.x, part.y, part.p, self._state, words[n:])
            done += len(part)
            run = slice(begin, end)
            n += self._encode_triggers(trigger_us[run], edge[run], self._state, words[n:])
        part = events[done:]
        return n + self._encode(part.t_ns, part.x, part.y, part.p, self._state, words[n:])

    def _edges(self, triggers: Triggers) -> Edges:
        """Times in us and edges, as the kernels take them."""
        triggers.check()
        most = int(triggers.channel.max())
        if most >= self._channels:
            raise ValueError(
                f"channel goes up to {most}; the encoding has {self._channels}: it must be below"
            )
        return triggers.t_ns // 1000, 2 * triggers.channel.astype(np.int64) + triggers.value

    def reset(self) -> None:
        """The next payload says everything again."""
        self._state = kernel.initial_state()
        self._last_us = -1


class Evt2Encoder(_EvtEncoder):
    """Writes EVT 2.0: whole microseconds, addresses below 2048.

    Raises ValueError on construction for a size that 11 bits cannot address.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(
            width,
            height,
            "<u4",
            2,
            6,
            kernel.EVT2_FILL,
            32,
            kernel.encode_evt2,
            kernel.encode_triggers_evt2,
        )


class Evt3Encoder(_EvtEncoder):
    """Writes EVT 3.0, with vectors where they are shorter: whole microseconds, 11-bit addresses.

    A decoder that has not heard the beginning knows time modulo 16.8 s only.
    Raises ValueError on construction for a size that 11 bits cannot address.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(
            width,
            height,
            "<u2",
            4,
            12,
            kernel.EVT3_FILL,
            16,
            kernel.encode_evt3,
            kernel.encode_triggers_evt3,
        )


def _check(events: Events, size: tuple[int, int]) -> None:
    if (events.width, events.height) != size:
        raise ValueError(
            f"events are of a sensor of {events.width}x{events.height}, the encoder is for"
            f" {size[0]}x{size[1]}"
        )
    events.check()
    if len(events) and int(events.t_ns[0]) < 0:
        raise ValueError(f"t_ns begins at {int(events.t_ns[0])}; times must not be negative")


def _span_us(events: Events, trigger_us: NDArray[np.int64]) -> tuple[int, int]:
    """Times of the first and of the last of triggers and what events there are."""
    first_us, last_us = int(trigger_us[0]), int(trigger_us[-1])
    if len(events):
        first_us = min(first_us, int(events.t_ns[0]) // 1000)
        last_us = max(last_us, int(events.t_ns[-1]) // 1000)
    return first_us, last_us


ENCODERS: Mapping[str, Callable[[int, int], EventEncoder]] = MappingProxyType(
    {"evt2": Evt2Encoder, "evt3": Evt3Encoder, "mono": MonoEncoder}
)
"""Encoding name -> class of its encoder."""


def encoder(encoding: str, width: int, height: int) -> EventEncoder:
    """A new encoder for one stream.

    Raises ValueError naming the encoding and those that can be written, or a size that does not
    fit it.
    """
    make = ENCODERS.get(encoding)
    if make is None:
        known = ", ".join(sorted(ENCODERS))
        raise ValueError(f"encoding {encoding!r} cannot be written; it must be one of: {known}")
    return make(width, height)
