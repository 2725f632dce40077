# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events render`: a picture of a stretch of events, or a film."""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import Events
from neuro_control.events_command.files import events_of
from neuro_control.reports.files import check_output, over_words, whole_file
from neuro_control.reports.palette import THEME, rgb

PICTURE_S = 0.02
PICTURE_SIDE, FILM_SIDE = 960, 480
MOST_FRAMES = 500
# On black the brighter ones of the four that everybody can tell apart.
BACKGROUND = np.array([24, 24, 28], np.float64)
ON = np.array(rgb(THEME["vermilion"][1]), np.float64)
OFF = np.array(rgb(THEME["blue"][1]), np.float64)

Image = NDArray[np.uint8]


def render(arguments: argparse.Namespace) -> int:
    """Draw it; the suffix says whether a picture or a film."""
    out = Path(arguments.out)
    film = out.suffix.lower() == ".gif"
    if not film and out.suffix.lower() != ".png":
        raise ValueError(f"{out}: the suffix must be .png (a picture) or .gif (a film)")
    check_output("OUT", out)
    over = over_words(out)
    frame_ns = _nanoseconds("--frame", arguments.frame)
    start_ns = _nanoseconds("--start", arguments.start, least=0.0)
    duration_ns = None
    if arguments.duration is not None:
        duration_ns = _nanoseconds("--duration", arguments.duration)
    chunks, size = events_of(arguments)
    if not film:
        frame_ns = duration_ns or _nanoseconds("--duration", PICTURE_S)
        duration_ns = frame_ns
    groups = frames(chunks, start_ns, frame_ns, duration_ns)
    first = next(groups, None)
    if first is None:
        raise ValueError(f"no events from {arguments.start:g} s after the first one on")
    if film:
        n = _write_film(out, itertools.chain([first], groups), size, frame_ns)
        print(f"{out}: {n} pictures of {frame_ns * 1e-6:g} ms{over}")
    else:
        from matplotlib.image import imsave

        image = picture(first, size, PICTURE_SIDE)
        with whole_file(out) as part:
            imsave(part, image)
        pixels = f"{image.shape[1]} x {image.shape[0]} pixels"
        print(f"{out}: {frame_ns * 1e-6:g} ms, {pixels}{over}")
    return 0


def _nanoseconds(name: str, seconds: float, least: float = 1e-6) -> int:
    if not least <= seconds <= 1e6:
        raise ValueError(f"{name} is {seconds:g}; it must be {least:g} to 1e6 seconds")
    return round(seconds * 1e9)


def frames(
    chunks: Iterable[Events], start_ns: int, frame_ns: int, duration_ns: int | None
) -> Iterator[list[Events]]:
    """The events of each frame, beginning at a time after the first event."""
    begin_ns: int | None = None
    number, parts = 0, list[Events]()
    for chunk in chunks:
        if begin_ns is None:
            begin_ns = int(chunk.t_ns[0]) + start_ns
        end_ns = None if duration_ns is None else begin_ns + duration_ns
        rest = chunk[int(chunk.t_ns.searchsorted(begin_ns)) :]
        while len(rest):
            frame_end_ns = begin_ns + (number + 1) * frame_ns
            inside = int(rest.t_ns.searchsorted(frame_end_ns))
            parts.append(rest[:inside])
            rest = rest[inside:]
            if len(rest):
                yield parts
                number, parts = number + 1, []
                if end_ns is not None and begin_ns + number * frame_ns >= end_ns:
                    return
                if number >= MOST_FRAMES:
                    raise ValueError(_too_long(frame_ns, duration_ns))
    if parts:
        yield parts


def _too_long(frame_ns: int, duration_ns: int | None) -> str:
    """Why a film is refused, and what would fit."""
    fits = f"--duration {MOST_FRAMES * frame_ns * 1e-9:g}"
    if duration_ns is None:
        fits += " at most, or a longer --frame"
    else:
        longer_s = math.ceil(duration_ns * 1e-6 / MOST_FRAMES) * 1e-3
        fits += f" at most, or --frame {longer_s:g} at least"
    return f"a film of more than {MOST_FRAMES} pictures of {frame_ns * 1e-9:g} s; give {fits}"


def picture(parts: Iterable[Events], size: tuple[int, int], longest_side: int) -> Image:
    """RGB uint8[height, width, 3] of all events: the colour says which polarity prevails.

    Small sensors are enlarged by a whole factor, up to the longest side wanted.
    """
    width, height = size
    balance = np.zeros(width * height, np.int64)
    for events in parts:
        address = events.y.astype(np.int64) * width + events.x
        balance += np.bincount(address[events.p == 1], minlength=width * height)
        balance -= np.bincount(address[events.p == 0], minlength=width * height)
    strength = np.clip(np.abs(balance) / 3 + (balance != 0) * 0.4, 0, 1)[:, None]
    colour = np.where(balance[:, None] > 0, ON, OFF)
    image = (BACKGROUND * (1 - strength) + colour * strength).astype(np.uint8)
    factor = max(1, longest_side // max(width, height))
    large = image.reshape(height, width, 3).repeat(factor, axis=0).repeat(factor, axis=1)
    return np.ascontiguousarray(large)


def _write_film(
    out: Path, groups: Iterable[list[Events]], size: tuple[int, int], frame_ns: int
) -> int:
    """Write a GIF, a picture in memory at a time; returns how many.

    It stands beside `out` until it is whole: what is refused or interrupted leaves what was there.
    """
    from PIL import Image as Picture

    # Films are watched: no faster than 50 pictures a second, slower than life where they are short.
    shown_ms = max(20, round(frame_ns * 1e-6))
    n = 0

    def made() -> Iterator[Picture.Image]:
        nonlocal n
        for parts in groups:
            n += 1
            yield Picture.fromarray(picture(parts, size, FILM_SIDE)).quantize(32)

    images = made()
    with whole_file(out) as part:
        next(images).save(
            part, "GIF", save_all=True, append_images=images, duration=shown_ms, loop=0
        )
    return n
