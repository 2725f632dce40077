# SPDX-License-Identifier: Apache-2.0
"""Sound from WAV files: whole numbers and floating point, plain and extensible headers.

Read block by block, however long the file is, and as far as it goes where it was cut off. The
layout is that of "Multimedia Programming Interface and Data Specifications 1.0" (IBM and
Microsoft, 1991), with WAVE_FORMAT_EXTENSIBLE as Microsoft's mmreg.h has it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# What follows the format's number in the GUID of an extensible header.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_LONGEST_FORMAT = 40  # bytes, of an extensible header
_WIDTHS = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8)}
_UNKNOWN_SIZE = 0xFFFFFFFF
"""What a program writes that could not go back to fill in the size (ffmpeg into a pipe)."""

_CONVERT = "convert it: ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"


@dataclass(frozen=True)
class SoundFile:
    """A WAV file: where it is and what its header says.

    sample_rate_hz; ears: its channels; samples: of each of them that are there; width: bytes of a
    sample; kind: whole numbers or floating point; begin: byte at which the samples begin; missing:
    samples that the header promises and the file does not have in full, because it was cut off.
    """

    path: Path
    sample_rate_hz: int
    ears: int
    samples: int
    width: int
    kind: Literal["whole", "float"]
    begin: int
    missing: int

    def blocks(self, samples: int) -> Iterator[NDArray[np.float64]]:
        """The sound, so many samples at once: float64[n, ears] in units of full scale."""
        if samples < 1:
            raise ValueError(f"samples is {samples}; it must be at least 1")
        frame = self.width * self.ears
        with self.path.open("rb") as file:
            file.seek(self.begin)
            for done in range(0, self.samples, samples):
                data = file.read(frame * min(samples, self.samples - done))
                whole = len(data) // frame * frame
                if not whole:  # it was cut since it was opened
                    return
                yield self._decoded(np.frombuffer(data[:whole], np.uint8))

    def _decoded(self, data: NDArray[np.uint8]) -> NDArray[np.float64]:
        if self.kind == "float":
            values = data.view(f"<f{self.width}").astype(np.float64)
        elif self.width == 1:
            values = data.astype(np.float64) / 128.0 - 1.0
        elif self.width == 3:
            padded = np.zeros((len(data) // 3, 4), np.uint8)
            padded[:, 1:] = data.reshape(-1, 3)
            values = padded.reshape(-1).view("<i4") / 2.0**31
        else:
            values = data.view(f"<i{self.width}") / 2.0 ** (8 * self.width - 1)
        return np.asarray(values, np.float64).reshape(-1, self.ears)


def open_sound(path: str | Path) -> SoundFile:
    """A WAV file of one ear or two: whole numbers of 8, 16, 24 or 32 bit, or float32 or float64.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no such file; the text says what is wrong, and what to convert it to.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no sound file {path}")
    with path.open("rb") as file:
        try:
            return _read_header(path, file)
        except struct.error as error:
            raise ValueError(f"{path} is no WAV file: it ends within its header") from error


def _read_header(path: Path, file: BinaryIO) -> SoundFile:
    size = path.stat().st_size
    magic, _, form = struct.unpack("<4sI4s", file.read(12))
    if magic in (b"RIFX", b"RF64") and form == b"WAVE":
        raise ValueError(f"{path} is a WAV file of the kind {magic.decode()}; {_CONVERT}")
    if (magic, form) != (b"RIFF", b"WAVE"):
        raise ValueError(f"{path} is no WAV file: it does not begin with RIFF and WAVE")
    said: tuple[int, int, int, int] | None = None
    while head := file.read(8):
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            if said is None:
                raise ValueError(f"{path} is no WAV file: its samples come before their format")
            begin = file.tell()
            # Whoever writes a stream fills the length in at its end, if it comes to that.
            promised = length if length not in (0, _UNKNOWN_SIZE) else size - begin
            kind, rate_hz, ears, width = said
            frame = ears * width
            samples = min(promised, size - begin) // frame
            return SoundFile(
                path,
                rate_hz,
                ears,
                samples,
                width,
                "float" if kind == _FLOAT else "whole",
                begin,
                -(-promised // frame) - samples,
            )
        after = file.tell() + length + length % 2
        if name == b"fmt ":
            said = _read_format(path, file.read(min(length, _LONGEST_FORMAT)))
        file.seek(after)
    raise ValueError(f"{path} is no WAV file: it has no samples (no chunk 'data')")


def _read_format(path: Path, chunk: bytes) -> tuple[int, int, int, int]:
    """(kind, samples a second, ears, bytes of a sample) of a chunk 'fmt '."""
    kind, ears, rate_hz, _, frame, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and chunk[26:40] == _GUID_TAIL:
        kind = struct.unpack_from("<H", chunk, 24)[0]
    if kind not in _WIDTHS:
        raise ValueError(
            f"{path} holds sound of the format {kind:#06x}; whole numbers (0x0001) and floating"
            f" point (0x0003) are read: {_CONVERT}"
        )
    if ears not in (1, 2):
        raise ValueError(f"{path} has {ears} channels; a cochlea has one or two")
    # Fewer bits than their container holds are its upper ones.
    width = frame // ears
    if width not in _WIDTHS[kind] or frame != width * ears or not 0 < bits <= 8 * width:
        raise ValueError(f"{path} has {bits} bits in {frame} bytes for {ears} channels; {_CONVERT}")
    if rate_hz == 0:
        raise ValueError(f"{path} has 0 samples a second; it must have some")
    return kind, rate_hz, ears, width
