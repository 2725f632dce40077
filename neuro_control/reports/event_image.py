# SPDX-License-Identifier: Apache-2.0
"""Events of a moment as an image: the last polarity at each pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neuro_control.events import Events
from neuro_control.reports.palette import OFF, ON, rgb

Polarity = npt.NDArray[np.int8]
Pixels = npt.NDArray[np.uint8]


def add_events(image: Polarity, events: Events) -> None:
    """Write +1 (brighter) or -1 (darker) into int8[height, width] where events are; last wins."""
    inside = (events.x < image.shape[1]) & (events.y < image.shape[0])
    image[events.y[inside], events.x[inside]] = 2 * events.p[inside].astype(np.int8) - 1


def polarity_pixels(image: Polarity, background: tuple[int, int, int]) -> Pixels:
    """The image in colour, uint8[height, width, 3]."""
    colours = np.array([rgb(OFF), background, rgb(ON)], np.uint8)
    return colours[np.sign(image).astype(np.int64) + 1]


def polarity_rgba(image: Polarity) -> Pixels:
    """The same, uint8[height, width, 4], see-through where nothing happened.

    It looks right on light and on dark pages.
    """
    pixels = np.zeros((*image.shape, 4), np.uint8)
    pixels[..., :3] = polarity_pixels(image, (0, 0, 0))
    pixels[..., 3] = np.where(image != 0, 255, 0)
    return pixels
