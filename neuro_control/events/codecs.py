# SPDX-License-Identifier: Apache-2.0
"""The encodings that can be read, by the name that an event packet gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from neuro_control.events.address_events import Events
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.evt2 import Evt2Decoder, Evt21Decoder
from neuro_control.events.evt3 import Evt3Decoder
from neuro_control.events.libcaer import LibcaerCmpDecoder, LibcaerDecoder
from neuro_control.events.mono import MonoDecoder
from neuro_control.events.payload import Payload
from neuro_control.events.trigger import Triggers


class Decoder(Protocol):
    """Turns the payloads of one stream into events; may carry state from packet to packet.

    Whatever bytes come in, a decoder does not raise, returns only events inside the sensor, in
    ascending time, and counts what it could not use.
    """

    @property
    def width(self) -> int:
        """Columns of the sensor."""

    @property
    def height(self) -> int:
        """Rows of the sensor."""

    @property
    def counters(self) -> DecoderCounters:
        """What has been decoded and dropped since construction."""

    @property
    def triggers(self) -> Triggers:
        """The edges at the external trigger inputs in the payload that was decoded last.

        All of them together are as many as `counters.triggers`; encodings that cannot say any
        (libcaer, libcaer_cmp, mono) have none.
        """

    def decode(self, payload: Payload, time_base_ns: int = 0) -> Events:
        """Decode one packet's payload (uint8[n], or what else holds bytes).

        `time_base_ns`: only where the encoding has it.

        Raises:
            ValueError, TypeError: what holds no bytes; see `neuro_control.events.payload.octets`.
        """

    def discontinuity(self) -> None:
        """Say that packets were lost before the next one: what hung on them is not trusted."""

    def reset(self) -> None:
        """Say that the device started anew: forget all state but the counters."""


DECODERS: Mapping[str, Callable[[int, int], Decoder]] = MappingProxyType(
    {
        "evt2": Evt2Decoder,
        "evt21": Evt21Decoder,
        "evt3": Evt3Decoder,
        "libcaer": LibcaerDecoder,
        "libcaer_cmp": LibcaerCmpDecoder,
        "mono": MonoDecoder,
    }
)
"""Encoding name -> class of its decoder."""

WORD_BYTES: Mapping[str, int] = MappingProxyType(
    {"evt2": 4, "evt21": 8, "evt3": 2, "libcaer": 4, "libcaer_cmp": 2, "mono": 8}
)
"""Encoding name -> bytes of the words that a device of the other byte order turns round."""


def supported_encodings() -> tuple[str, ...]:
    """Names of the encodings that `decoder` knows."""
    return tuple(sorted(DECODERS))


def decoder(encoding: str, width: int, height: int) -> Decoder:
    """A new decoder for one stream.

    Raises ValueError naming the encoding and the supported ones, or a size that no sensor has.
    """
    make = DECODERS.get(encoding)
    if make is None:
        supported = ", ".join(supported_encodings())
        raise ValueError(
            f"encoding {encoding!r} is not supported; it must be one of: {supported}"
            " (a driver's `encoding` parameter selects it)"
        )
    return make(width, height)
