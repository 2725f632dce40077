# SPDX-License-Identifier: Apache-2.0
"""The file that a command line names, and its events."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from neuro_control.events import EventFile, Events, open_file
from neuro_control.events.address_events import check_size
from neuro_control.events.files.reading import chunks

CHUNK = 1_000_000


def opened(arguments: argparse.Namespace) -> tuple[EventFile, tuple[int, int]]:
    """The file and the size of its sensor.

    Raises:
        ValueError, OSError: it cannot be read, or the size is none.
    """
    width, height = arguments.width, arguments.height
    if (width is None) != (height is None):
        given, missing = (
            (f"--width {width}", "--height")
            if height is None
            else (f"--height {height}", "--width")
        )
        raise ValueError(f"{given} is given without {missing}; give both, or neither")
    size: tuple[int, int] | None = None
    if width is not None:
        try:
            check_size(width, height)
        except ValueError as error:
            raise ValueError(f"--{error}") from error
        size = (width, height)
    file = open_file(arguments.file, topic=arguments.topic, layout=arguments.layout, size=size)
    return file, size or file.smallest_size()


def events_of(arguments: argparse.Namespace) -> tuple[Iterator[Events], tuple[int, int]]:
    """The events, chunk by chunk, and the size of the sensor."""
    file, size = opened(arguments)
    return chunks(file, size, CHUNK), size
