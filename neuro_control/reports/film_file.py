# SPDX-License-Identifier: Apache-2.0
"""Writing films: H.264 in MP4 through imageio-ffmpeg, GIF through pillow."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neuro_control.reports.files import check_output, whole_file

Pixels = npt.NDArray[np.uint8]

SUFFIXES = (".mp4", ".gif")
MOST_FILM_BYTES = 12_000_000
"""A longer film stands beside a page, not in it: mail and browsers take no more."""
FPS = {".mp4": 20, ".gif": 10}
LONGEST_S = {".mp4": 60.0, ".gif": 30.0}
"""A GIF is not compressed in time and waits in memory until it is whole."""


def check_film(option: str, path: Path) -> None:
    """See, before anything starts, whether a film can be written there.

    Raises ValueError naming what is wrong: place, suffix, or an encoder that is not installed.
    """
    check_output(option, path, SUFFIXES)
    if path.suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ValueError(
            f"{option} {path}: imageio-ffmpeg, which writes .mp4, is not installed; "
            "pip install imageio-ffmpeg, or choose .gif"
        )


def write_film(path: Path, frames: Iterable[Pixels], fps: int) -> int:
    """Write the frames, uint8[height, width, 3] each, height and width even; return how many.

    One frame is in memory at a time (of a GIF all, with 256 colours). The file is whole or not
    there at all.
    Raises ValueError if there is no frame, or a frame is of another size than the first or odd.
    """
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise ValueError("a film needs a frame")
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"frames of {width} x {height} pixels: width and height must be even")
    checked = _checked(chain([first], remaining), first.shape)
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".mp4":
            return _write_mp4(temporary, checked, (width, height), fps)
        return _write_gif(temporary, checked, fps)


def _checked(frames: Iterable[Pixels], shape: tuple[int, ...]) -> Iterator[Pixels]:
    for number, frame in enumerate(frames):
        if frame.shape != shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {number} is {frame.dtype}{frame.shape}; it must be {shape}")
        yield frame


def _write_mp4(path: Path, frames: Iterator[Pixels], size: tuple[int, int], fps: int) -> int:
    import imageio_ffmpeg  # type: ignore[import-untyped]

    writer = imageio_ffmpeg.write_frames(
        str(path),
        size,
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=2,
        ffmpeg_log_level="error",
        # yuv420p and the index at the front: what every browser and phone plays.
        output_params=["-crf", "23", "-preset", "veryfast", "-movflags", "+faststart"],
    )
    writer.send(None)
    count = 0
    try:
        for frame in frames:
            writer.send(np.ascontiguousarray(frame))
            count += 1
    finally:
        writer.close()
    return count


def _write_gif(path: Path, frames: Iterator[Pixels], fps: int) -> int:
    from PIL import Image

    count = 0

    def pictures() -> Iterator[Image.Image]:
        nonlocal count
        for frame in frames:
            count += 1
            yield Image.fromarray(frame).quantize(128, dither=Image.Dither.NONE)

    made = pictures()
    first = next(made)
    first.save(
        path,
        "GIF",
        save_all=True,
        append_images=made,
        duration=round(1000 / fps),
        loop=0,
        optimize=False,
    )
    return count
