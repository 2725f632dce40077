# SPDX-License-Identifier: Apache-2.0
"""The spikes of a network over a whole run, in bounded memory: counts, and a raster for pictures.

A `SpikeRaster` keeps three things of what it is given, and none of them grows with the number of
spikes: how many each population fired in each stretch of time, a picture of the whole run whose
pixel counts the spikes of some neurons in some time, and the single spikes of the last moments.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_control.reports.palette import BLUE, GREEN, VERMILION, rgb

Counts = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

RATE_BINS = 600
MOST_POPULATIONS = 20
GAP = 4
ROLE_COLOURS = {"input": BLUE, "hidden": GREEN, "output": VERMILION}


@dataclass(frozen=True)
class Population:
    """One row of the description of a network: an input, or a population of neurons.

    size: its neurons (or channels). shown: of how many the spikes come, every stride-th one.
    """

    name: str
    role: str
    size: int
    shown: int
    stride: int = 1
    seen: bool = True


def populations_of(description: str) -> list[Population]:
    """Read a network's description (JSON, format 1; see `network/description`).

    Raises ValueError if it is not one.
    """
    try:
        document = json.loads(description)
        if document["format"] != 1:
            raise ValueError(f"format is {document['format']!r}; this reads 1")
        if not document["rows"]:
            raise ValueError("it has no rows")
        return [
            Population(
                name=str(row["name"]),
                role=str(row["role"]),
                size=int(row["size"]),
                shown=int(row["shown"]),
                stride=int(row.get("stride", 1)),
                seen=bool(row.get("seen", True)),
            )
            for row in document["rows"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a network's description: {error!r}") from error


def panel_heights(populations: Sequence[Population], height: int) -> list[tuple[int, int]]:
    """Where each population stands in a raster `height` pixels high: (first, last + 1).

    Heights grow with the logarithm of the number of neurons, so that one inhibitory neuron is
    seen beside thirty thousand inputs.
    """
    weights = [1.0 + math.log10(max(p.shown, 1)) for p in populations]
    free = height - GAP * (len(populations) - 1)
    edges = np.rint(np.cumsum([0.0, *weights]) / sum(weights) * free).astype(int)
    return [(int(edges[i]) + GAP * i, int(edges[i + 1]) + GAP * i) for i in range(len(populations))]


@dataclass
class SpikeRaster:
    """The spikes of a run of some seconds.

    populations: what the rows are; of more than `MOST_POPULATIONS` the first are drawn.
    seconds: how long the run will be. pixel_s: time of one column of the picture.
    height: pixels of the picture. recent_s: how long single spikes are kept.
    Memory: height * seconds / pixel_s bytes, 8 * RATE_BINS bytes a population, and the single
    spikes of `recent_s`.
    """

    populations: Sequence[Population]
    seconds: float
    pixel_s: float
    height: int = 384
    recent_s: float = 1.0
    recent: deque[tuple[Int, Int, Int]] = field(default_factory=deque)
    last_ns: int = 0

    def __post_init__(self) -> None:
        self.drawn = list(self.populations[:MOST_POPULATIONS])
        self.places = panel_heights(self.drawn, self.height)
        self.columns = max(1, math.ceil(self.seconds / self.pixel_s)) + 1
        self.image: Counts = np.zeros((self.height, self.columns), np.uint8)
        self.rate_bin_s = max(self.seconds / RATE_BINS, 0.02)
        self.counts: Int = np.zeros((len(self.populations), RATE_BINS + 2), np.int64)
        self.first_ns: int | None = None
        self._recent_ns = round(self.recent_s * 1e9)
        first = np.array([top for top, _ in self.places], np.int64)
        rows = np.array([bottom - top for top, bottom in self.places], np.int64)
        self._first, self._rows = first, rows
        self._shown = np.array([max(p.shown, 1) for p in self.drawn], np.int64)

    def add(self, t_ns: npt.ArrayLike, neuron: npt.ArrayLike, population: npt.ArrayLike) -> None:
        """Note spikes: int64[n] time, place among the shown neurons, and row. Any order."""
        t, x, y = (np.asarray(a, np.int64) for a in (t_ns, neuron, population))
        good = (y >= 0) & (y < len(self.populations)) & (t >= 0)
        t, x, y = t[good], x[good], y[good]
        if len(t) == 0:
            return
        self.first_ns = int(t.min()) if self.first_ns is None else self.first_ns
        self.last_ns = max(self.last_ns, int(t.max()))
        bins = np.minimum((t * (1e-9 / self.rate_bin_s)).astype(np.int64), RATE_BINS + 1)
        np.add.at(self.counts, (y, bins), 1)
        self._paint(t, x, y)
        self.recent.append((t, x, y))
        while len(self.recent) > 1 and int(self.recent[0][0][-1]) < self.last_ns - self._recent_ns:
            self.recent.popleft()

    def _paint(self, t: Int, x: Int, y: Int) -> None:
        column = (t * (1e-9 / self.pixel_s)).astype(np.int64)
        inside = (column < self.columns) & (y < len(self.drawn))
        column, x, y = column[inside], x[inside], y[inside]
        x = np.clip(x, 0, self._shown[y] - 1)
        row = self._first[y] + x * self._rows[y] // self._shown[y]
        pixel, count = np.unique(row * self.columns + column, return_counts=True)
        flat = self.image.reshape(-1)
        flat[pixel] = np.minimum(flat[pixel].astype(np.int64) + count, 255)

    def totals(self) -> Int:
        """Spikes of each population so far, int64[populations]."""
        totals: Int = self.counts.sum(axis=1)
        return totals

    def rates(self) -> tuple[Float, Float]:
        """Mean rate of each population's shown neurons over time.

        Returns t_s float64[n], the middle of each stretch that lies wholly between the first and
        the last spike, and hz float64[populations, n], spikes per neuron and second.
        """
        if self.first_ns is None:
            return np.empty(0), np.empty((len(self.populations), 0))
        begin = math.ceil(self.first_ns * 1e-9 / self.rate_bin_s - 1e-9)
        end = min(math.floor(self.last_ns * 1e-9 / self.rate_bin_s + 1e-9), RATE_BINS + 1)
        shown = np.array([max(p.shown, 1) for p in self.populations], np.float64)[:, None]
        middle: Any = (np.arange(begin, max(begin, end)) + 0.5) * self.rate_bin_s
        hz: Any = self.counts[:, begin : max(begin, end)] / (self.rate_bin_s * shown)
        return middle, hz

    def recent_spikes(self) -> tuple[Int, Int, Int]:
        """Spikes of the last `recent_s`: t_ns, neuron among the shown, row; each int64[n]."""
        if not self.recent:
            empty = np.empty(0, np.int64)
            return empty, empty, empty
        t, x, y = (np.concatenate(parts) for parts in zip(*self.recent, strict=True))
        late = t > self.last_ns - self._recent_ns
        return t[late], x[late], y[late]

    def window(self, end_s: float, width: int, background: tuple[int, int, int]) -> Pixels:
        """The picture's last `width` columns before a time, uint8[height, width, 3].

        A pixel is the darker the more spikes are in it, beside the most that pixels of its
        population usually hold. Time before the run's beginning is background.
        """
        last = round(end_s / self.pixel_s)
        columns = np.arange(last - width, last)
        part = self.image[:, np.clip(columns, 0, self.columns - 1)].astype(np.float32)
        part[:, (columns < 0) | (columns >= self.columns)] = 0
        paper = np.asarray(background, np.float32)
        pixels = np.empty((self.height, width, 3), np.float32)
        pixels[:] = paper
        for population, (top, bottom), most in zip(
            self.drawn, self.places, self._usual_most(), strict=True
        ):
            # Where there are more pixels than neurons, each neuron fills several.
            shown, rows = max(population.shown, 1), bottom - top
            neuron = np.arange(rows) * shown // rows
            counts = part[top + (neuron * rows // shown if shown < rows else np.arange(rows))]
            strength = np.where(counts > 0, 0.35 + 0.65 * np.minimum(counts / most, 1.0), 0.0)
            ink = np.asarray(rgb(ROLE_COLOURS.get(population.role, GREEN)), np.float32)
            pixels[top:bottom] = paper + strength[:, :, None] * (ink - paper)
        return np.asarray(pixels + 0.5, np.uint8)

    def _usual_most(self) -> list[float]:
        """The 95th percentile of each population's pixels that have spikes, at least 1."""
        if getattr(self, "_most_at", None) != self.last_ns:
            found = []
            for top, bottom in self.places:
                counts = self.image[top:bottom]
                counts = counts[counts > 0]
                found.append(float(max(np.percentile(counts, 95), 1.0)) if len(counts) else 1.0)
            self._most, self._most_at = found, self.last_ns
        return self._most


def description_facts(description: str) -> dict[str, Any]:
    """Size and step of a described network: neurons, synapses, dt_s, file; None where unknown."""
    document = json.loads(description)
    return {key: document.get(key) for key in ("file", "neurons", "synapses", "dt_s")}
