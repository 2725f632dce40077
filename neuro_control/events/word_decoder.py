# SPDX-License-Identifier: Apache-2.0
"""What the decoders of Prophesee's word streams have in common: state, counters, split words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.event_arrays import ArrayPool, first
from neuro_control.events.kernel_types import EVENTS, STATE, compile_once, words_type
from neuro_control.events.payload import Payload, octets
from neuro_control.events.trigger import Trigger, Triggers
from neuro_control.events.word_carry import WordCarry

_TRIGGERS_AT_FIRST = 32
"""Room for so many of a payload; where there are more, it is doubled and kept."""


class WordDecoder:
    """Decodes a stream of words that carry their own time, packet by packet.

    Construction compiles the kernel, or loads it from numba's cache.

    Args:
        width, height: of the sensor.
        kernel: module with the state's functions and the positions of what it counts.
        word: dtype of a word.
        room: upper bound of the events in an array of words.
        decode: the kernel's loop.

    Raises:
        ValueError: no sensor has this size.
    """

    def __init__(
        self,
        width: int,
        height: int,
        kernel: Any,
        word: str,
        room: Callable[[NDArray[Any]], int],
        decode: Callable[..., int],
    ) -> None:
        check_size(width, height)
        self._width = width
        self._height = height
        self._kernel = kernel
        self._state: NDArray[np.int64] = kernel.initial_state()
        self._carry = WordCarry(word)
        self._arrays = ArrayPool()
        self._triggers = np.empty(2 * _TRIGGERS_AT_FIRST, np.int64)
        self._room = room
        self._decode = decode
        words = words_type(word)
        if room is not len:
            compile_once(room, (words,))
        compile_once(decode, (words, STATE, types.int64, types.int64, *EVENTS, STATE))

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
        state, at = self._state.tolist(), self._kernel
        return DecoderCounters(
            events_on=state[at.EVENTS_ON],
            events_off=state[at.EVENTS_OFF],
            triggers=state[at.TRIGGERS],
            outside_sensor=state[at.OUTSIDE],
            malformed=state[at.MALFORMED] + self._carry.split_bytes,
            unreferenced=state[at.UNREFERENCED],
            time_reversals=state[at.REVERSALS],
        )

    @property
    def triggers(self) -> Triggers:
        """The edges at the external trigger inputs in the payload that was decoded last."""
        kept = int(self._state[self._kernel.KEPT])
        return Triggers.of_pairs(self._triggers[: 2 * kept])

    @property
    def last_trigger(self) -> Trigger | None:
        """The latest edge at the external trigger inputs, of whichever payload."""
        edge = int(self._state[self._kernel.TRIGGER_EDGE])
        if edge < 0:
            return None
        return Trigger(int(self._state[self._kernel.TRIGGER_T_NS]), edge >> 1, bool(edge & 1))

    def decode(  # the signature is the protocol's
        self,
        payload: Payload,
        time_base_ns: int = 0,  # noqa: ARG002
    ) -> Events:
        """Decode one payload (uint8[n]); the words carry their own time, the base is not used.

        Bytes at the end that do not fill a word are kept for the next packet.
        """
        words = self._carry.words(octets(payload))
        arrays = self._arrays.room_for(self._room(words))
        size = (self._width, self._height)
        while (n := self._decode(words, self._state, *size, *arrays, self._triggers)) < 0:
            self._triggers = np.concatenate((self._triggers, np.empty_like(self._triggers)))
        return first(arrays, n, self._width, self._height)

    def discontinuity(self) -> None:
        """Packets were lost: what hung on them must be said again; drop part of a word."""
        self._carry.drop()
        self._kernel.distrust(self._state)

    def reset(self) -> None:
        """The device started anew: its time begins where it says; the counters stay."""
        self._carry.drop()
        self._kernel.forget(self._state)
