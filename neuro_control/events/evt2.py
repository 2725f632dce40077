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

from neuro_control.events import evt2_kernel as kernel
from neuro_control.events.word_decoder import WordDecoder


class _Decoder(WordDecoder):
    """What the two have in common.

    Events before the first time, and after a loss until it is said again, are dropped and counted.
    Times are nanoseconds, ascending, and continue over the sensor's roll-over. A time that jumps
    by more than a second is believed when the next one confirms it; a sensor whose time begins
    anew goes on from where it was.
    """


class Evt2Decoder(_Decoder):
    """Decodes an EVT 2.0 stream, packet by packet, with all state carried across packets.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height, kernel, "<u4", len, kernel.decode_evt2)


class Evt21Decoder(_Decoder):
    """Decodes an EVT 2.1 stream, packet by packet, with all state carried across packets.

    Raises ValueError on construction for a size that no sensor has.
    """

    def __init__(self, width: int, height: int) -> None:
        room, decode = kernel.most_events_evt21, kernel.decode_evt21
        super().__init__(width, height, kernel, "<i8", room, decode)
