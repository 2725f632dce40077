# SPDX-License-Identifier: Apache-2.0
"""Encoding `evt3`: Prophesee's EVT 3.0, 16-bit words that say only what has changed.

The top four bits of a word are its type: 0x0 row; 0x2 one event (column, polarity); 0x3 column
and polarity of the vectors that follow; 0x4 and 0x5 a vector of 12 and of 8 pixels; 0x6 and 0x8
the lower and the upper 12 bits of a 24-bit time in microseconds; 0xA an edge at the external
trigger input; 0x7, 0xE, 0xF and the reserved 0x9 carry nothing for us.
Definition: Prophesee, "EVT 3.0 Format". The 24-bit time rolls over every 16.8 s.
"""

from __future__ import annotations

from neuro_control.events import evt3_kernel as kernel
from neuro_control.events.word_decoder import WordDecoder


class Evt3Decoder(WordDecoder):
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
        super().__init__(width, height, kernel, "<u2", kernel.most_events, kernel.decode)
