# SPDX-License-Identifier: Apache-2.0
"""Sound from WAV files."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SoundFile:
    """A WAV file: where it is and what its header says.

    sample_rate_hz; ears: its channels; samples: of each of them; width: bytes of a sample.
    """

    path: Path
    sample_rate_hz: int
    ears: int
    samples: int
    width: int

    def blocks(self, samples: int) -> Iterator[NDArray[np.float64]]:
        """The sound, so many samples at once: float64[n, ears] in units of full scale."""
        if samples < 1:
            raise ValueError(f"samples is {samples}; it must be at least 1")
        with wave.open(str(self.path), "rb") as file:
            while data := file.readframes(samples):
                yield self._decoded(np.frombuffer(data, np.uint8))

    def _decoded(self, data: NDArray[np.uint8]) -> NDArray[np.float64]:
        if self.width == 1:
            values = data.astype(np.float64) / 128.0 - 1.0
        elif self.width == 3:
            padded = np.zeros((len(data) // 3, 4), np.uint8)
            padded[:, 1:] = data.reshape(-1, 3)
            values = padded.reshape(-1).view("<i4") / 2.0**31
        else:
            values = data.view(f"<i{self.width}") / 2.0 ** (8 * self.width - 1)
        return np.asarray(values, np.float64).reshape(-1, self.ears)


def open_sound(path: str | Path) -> SoundFile:
    """A WAV file of 8, 16, 24 or 32 bit whole numbers, one ear or two.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no such file; the text says what is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no sound file {path}")
    try:
        with wave.open(str(path), "rb") as file:
            found = SoundFile(
                path,
                file.getframerate(),
                file.getnchannels(),
                file.getnframes(),
                file.getsampwidth(),
            )
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no WAV file of whole numbers: {error}") from error
    if found.ears not in (1, 2):
        raise ValueError(f"{path} has {found.ears} channels; a cochlea has one or two")
    return found
