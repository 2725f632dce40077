# SPDX-License-Identifier: Apache-2.0
"""N-MNIST's and N-Caltech101's binary files: five bytes an event.

x, y (a byte each), polarity (1 bit) and microseconds (23 bits), big-endian; an event in row 240
says that 2^13 microseconds have passed. Source: Orchard et al., "Converting static image datasets
to spiking neuromorphic datasets using saccades", Frontiers in Neuroscience 9, 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from neuro_control.events.files.event_file import ArrayFile, Block, records

_OVERFLOW_ROW = 240
_OVERFLOW_US = 1 << 13


def open_nmnist(path: Path) -> ArrayFile:
    """An N-MNIST file; it has no header and says no size."""

    def parts() -> Iterator[Block]:
        passed = np.int64(0)
        for record in records(path, 0, np.dtype((np.uint8, 5))):
            wide = record.astype(np.int64)
            overflow = wide[:, 1] == _OVERFLOW_ROW
            t_us = ((wide[:, 2] & 0x7F) << 16) | (wide[:, 3] << 8) | wide[:, 4]
            offset_us = passed + _OVERFLOW_US * np.cumsum(overflow)
            passed = offset_us[-1]
            kept = ~overflow
            yield (
                ((t_us + offset_us) * 1000)[kept],
                wide[kept, 0],
                wide[kept, 1],
                wide[kept, 2] >> 7,
            )

    return ArrayFile(path, "N-MNIST", None, parts)
