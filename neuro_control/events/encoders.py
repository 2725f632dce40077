# SPDX-License-Identifier: Apache-2.0
"""Events to the payloads of event packets, by the name of the encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import evt_encode_kernel as kernel
from neuro_control.events.address_events import Events, check_size
from neuro_control.events.mono import encode_mono

EVT_LARGEST_SIZE = 1 << 11
"""Columns and rows that the 11-bit addresses of EVT 2.0 and 3.0 can name."""


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
        encode: Callable[..., int],
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
        self._encode = encode
        self._last_us = -1
        self._state = kernel.initial_state()

    def encode(self, events: Events) -> tuple[NDArray[np.uint8], int]:
        """See `EventEncoder.encode`; the time base is 0, since the words say the time."""
        _check(events, self._size)
        if len(events) == 0:
            return np.empty(0, np.uint8), 0
        first_us, last_us = int(events.t_ns[0]) // 1000, int(events.t_ns[-1]) // 1000
        if first_us < max(self._last_us, 0):
            raise ValueError(
                f"t_ns begins at {int(events.t_ns[0])}, before the last packet's end at"
                f" {self._last_us * 1000}; give later events, or reset the encoder"
            )
        start_us = first_us if self._last_us < 0 else self._last_us
        pauses = ((last_us - start_us) >> self._high_bit) // self._fill
        words = np.empty(self._words_per_event * len(events) + pauses, self._word)
        n = self._encode(events.t_ns, events.x, events.y, events.p, self._state, words)
        self._last_us = last_us
        return words[:n].view(np.uint8), 0

    def reset(self) -> None:
        """The next payload says everything again."""
        self._state = kernel.initial_state()
        self._last_us = -1


class Evt2Encoder(_EvtEncoder):
    """Writes EVT 2.0: whole microseconds, addresses below 2048.

    Raises ValueError on construction for a size that 11 bits cannot address.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, "<u4", 2, 6, kernel.EVT2_FILL, kernel.encode_evt2)


class Evt3Encoder(_EvtEncoder):
    """Writes EVT 3.0, with vectors where they are shorter: whole microseconds, 11-bit addresses.

    A decoder that has not heard the beginning knows time modulo 16.8 s only.
    Raises ValueError on construction for a size that 11 bits cannot address.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, "<u2", 4, 12, kernel.EVT3_FILL, kernel.encode_evt3)


def _check(events: Events, size: tuple[int, int]) -> None:
    if (events.width, events.height) != size:
        raise ValueError(
            f"events are of a sensor of {events.width}x{events.height}, the encoder is for"
            f" {size[0]}x{size[1]}"
        )
    events.check()
    if len(events) and int(events.t_ns[0]) < 0:
        raise ValueError(f"t_ns begins at {int(events.t_ns[0])}; times must not be negative")


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
