# SPDX-License-Identifier: Apache-2.0
"""A film of a run: scene, events and the network's spikes side by side.

Drawn after the run from what a `FilmTape` and a `SpikeRaster` kept of it, one frame at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_control.demo.record import RunRecord
from neuro_control.demo.scene import Scene
from neuro_control.reports.event_image import polarity_pixels
from neuro_control.reports.film_file import write_film
from neuro_control.reports.film_frame import PAPER, FilmCanvas, Panel
from neuro_control.reports.film_tape import FilmTape
from neuro_control.reports.raster import SpikeRaster

Pixels = npt.NDArray[np.uint8]

HEIGHT = 384  # three pixels to one of a camera with 128
RASTER_WIDTH = 440
RASTER_S = 2.0


def raster_pixel_s(speed: int) -> float:
    """Time of one column of the raster in a film that many times faster than the run."""
    return RASTER_S * speed / RASTER_WIDTH


def make_film(
    path: Path,
    record: RunRecord,
    report: Mapping[str, Any],
    simulator: Mapping[str, Any],
    goes_on: Callable[[], bool] = lambda: True,
) -> int:
    """Write the film of a run; return how many frames it has.

    simulator: the simulator's parameters, for the scene. goes_on: asked before every
    frame; the film ends where it says no.
    Raises ValueError if the record has no tape, or nothing was heard.
    """
    tape = record.tape
    if tape is None:
        raise ValueError("the record of the run has no tape")
    frames = film_frames(tape, record, report, simulator, goes_on)
    return write_film(path, frames, tape.schedule.fps)


def film_frames(
    tape: FilmTape,
    record: RunRecord,
    report: Mapping[str, Any],
    simulator: Mapping[str, Any],
    goes_on: Callable[[], bool] = lambda: True,
) -> Iterator[Pixels]:
    """The frames, uint8[height, width, 3], up to the last moment that was heard.

    Raises ValueError before the first if nothing was.
    """
    raster = None if record.network is None else record.network.raster
    scene = None
    if tape.has("joints") and tape.has("target"):
        scene = Scene.of(simulator, tuple(record.joints), HEIGHT, HEIGHT)
    panels = _panels(tape, scene, raster)
    if not panels or tape.last_frame < 0:
        raise ValueError("nothing was heard of the run that a film could show")
    schedule = tape.schedule
    title = f"{report['task']}  ·  seed {report['seed']}"
    canvas = FilmCanvas(title, panels)
    speed = "real time" if schedule.speed == 1 else f"{schedule.speed} times real time"
    try:
        for frame in range(tape.last_frame + 1):
            if frame and not goes_on():
                return
            end_s = schedule.time_s(frame)
            images = []
            if scene is not None:
                images.append(_scene(scene, tape, frame))
            events = tape.events_of(frame)
            if events is not None:
                images.append(_fitted(polarity_pixels(events, PAPER), HEIGHT))
            if raster is not None:
                images.append(raster.window(end_s, RASTER_WIDTH, PAPER))
            yield canvas.frame(images, f"simulated time {end_s:6.2f} s, played at {speed}")
    finally:
        if scene is not None:
            scene.close()


def _panels(tape: FilmTape, scene: Scene | None, raster: SpikeRaster | None) -> list[Panel]:
    panels = []
    if scene is not None:
        panels.append(Panel("Scene", "Drawn from the recorded joint angles.", HEIGHT, HEIGHT))
    if tape.size is not None:
        width, height = tape.size
        shown = _fitted(np.zeros((height, width, 3), np.uint8), HEIGHT)
        panels.append(
            Panel(
                "Event camera",
                f"Events of {tape.window_ns * 1e-6:.0f} ms: brighter orange, darker blue.",
                shown.shape[1],
                shown.shape[0],
                left=64,
                x_label="column [pixel]",
                y_label="row [pixel]",
                x_ticks=[(0.0, "0"), (0.5, f"{width // 2}"), (1.0, f"{width}")],
                y_ticks=[(0.0, "0"), (0.5, f"{height // 2}"), (1.0, f"{height}")],
            )
        )
    if raster is not None:
        seconds = RASTER_S * tape.schedule.speed
        panels.append(
            Panel(
                "Spikes of the network",
                "Inputs blue, hidden green, outputs orange; darker: more spikes.",
                RASTER_WIDTH,
                raster.height,
                left=26 + 6 * max(len(_label(p.name, p.size)) for p in raster.drawn),
                x_label="time before now [s]",
                x_ticks=[(0.0, f"-{seconds:g}"), (0.5, f"-{seconds / 2:g}"), (1.0, "0")],
                y_ticks=[
                    ((top + bottom) / 2 / raster.height, _label(p.name, p.size))
                    for p, (top, bottom) in zip(raster.drawn, raster.places, strict=True)
                ],
            )
        )
    return panels


def _label(name: str, size: int) -> str:
    short = name if len(name) <= 18 else f"{name[:17]}…"
    return f"{short} ({size:,})"


def _scene(scene: Scene, tape: FilmTape, frame: int) -> Pixels:
    joints, target = tape.vector("joints", frame), tape.vector("target", frame)
    if joints is None or target is None:
        return np.full((HEIGHT, HEIGHT, 3), 255, np.uint8)
    return scene.draw(joints, target)


def _fitted(image: Pixels, height: int) -> Pixels:
    """Enlarged by whole numbers, or thinned, to at most `height` rows and as many columns."""
    longest = max(image.shape[:2])
    if longest > height:
        step = -(-longest // height)
        image = image[::step, ::step]
        longest = max(image.shape[:2])
    times = height // longest
    return image.repeat(times, axis=0).repeat(times, axis=1)
