# SPDX-License-Identifier: Apache-2.0
"""What goes on in the network: spikes by population, and the membranes of chosen neurons."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from neuro_control.dashboard.panel import FrameParts, rounded
from neuro_control.dashboard.senses_panel import EventSense
from neuro_control.dashboard.spike_counts import SpikeCounts
from neuro_control.dashboard.taps import Tap, TapSpec
from neuro_control.nodes.messages import message_class
from neuro_control.reports.json_text import json_text

TEXT = "std_msgs/msg/String"
ARRAY = "std_msgs/msg/Float64MultiArray"
SLICE_NS = 5_000_000
MOST_BINS = 48
MOST_ROWS = 1000
SENT_SLICES = 64
KEPT_TICKS = 512


class NetworkPanel:
    """`raster` uint8[bins, SENT_SLICES] (`SpikeCounts`), `membranes` float32[ticks, columns]."""

    def __init__(self, node: Node, budget: int) -> None:
        self._description = Tap(node, TapSpec("network/description", (TEXT,), latched=True))
        self.spikes = EventSense(node, "network/spikes", budget, depth=16)
        self._membranes = Tap(node, TapSpec("network/membranes", (ARRAY,), depth=16))
        self._forget()

    def _forget(self) -> None:
        self.spikes.rest()
        self._text: dict[str, Any] | None = None
        self._counts: SpikeCounts | None = None
        self._columns: list[str] = []
        self._ticks = np.empty((0, 0), np.float32)

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        return [self._description, self.spikes.tap, self._membranes]

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        if not self._description.kind:
            self._forget()
            return
        for taken in self._description.take():
            self._describe(deserialize_message(taken.data, message_class(TEXT)).data)
        if self._text is None:
            return
        parts.texts["network"] = self._text
        self._draw_spikes(now_s, parts)
        self._draw_membranes(now_s, parts)

    def _describe(self, text: str) -> None:
        try:
            said = json.loads(text)
            json_text(said)
            rows = [int(row["shown"]) for row in said["rows"]]
            if len(rows) > MOST_ROWS:
                raise ValueError(f"it has {len(rows)} rows; at most {MOST_ROWS} are drawn")
            counts = SpikeCounts(rows, MOST_BINS, SLICE_NS)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            self._counts = None
            self._text = {"error": f"network/description cannot be read: {error}"}
            return
        self._text, self._counts = said, counts

    def _draw_spikes(self, now_s: float, parts: FrameParts) -> None:
        counts = self._counts
        if counts is None or not self.spikes.tap.kind:
            self.spikes.rest()
            return
        events, fresh = self.spikes.take(now_s)
        if fresh:
            counts.reset()
        for batch in events:
            counts.add(batch)
        view = self.spikes.view
        if not view.width:
            return
        # The stamp is the end of the last tick.
        counts.advance((view.stamp_ns - 1) // SLICE_NS)
        parts.state["raster"] = self.spikes.says(now_s) | {
            "slice": counts.newest_slice,
            "slice_s": SLICE_NS * 1e-9,
            "bins": counts.bins.tolist(),
            "rates_hz": [rounded(float(rate), 3) for rate in counts.rates_hz()],
        }
        parts.arrays["raster"] = counts.columns(SENT_SLICES)

    def _draw_membranes(self, now_s: float, parts: FrameParts) -> None:
        if not self._membranes.kind:
            self._columns = []
            return
        for taken in self._membranes.take():
            self._add(deserialize_message(taken.data, message_class(ARRAY)))
        age_s = self._membranes.age_s(now_s)
        if not self._columns or not len(self._ticks) or age_s is None or age_s > 2.0:
            return
        parts.state["membranes"] = {"columns": self._columns, "age_s": rounded(age_s)}
        # Seconds since the last tick: a float32 would not tell ticks apart after some hours.
        ticks = self._ticks.copy()
        ticks[:, 0] -= ticks[-1, 0]
        parts.arrays["membranes"] = ticks.astype(np.float32)

    def _add(self, message: Any) -> None:
        dims = message.layout.dim
        if len(dims) != 2 or len(message.data) != dims[0].size * dims[1].size:
            return
        columns = str(dims[1].label).split(",")
        if len(columns) != dims[1].size:
            return
        block: NDArray[np.float64] = np.asarray(message.data, np.float64)
        block = block.reshape(dims[0].size, dims[1].size)
        if columns != self._columns or (
            len(self._ticks) and len(block) and block[0, 0] < self._ticks[-1, 0]
        ):
            self._columns = columns
            self._ticks = np.empty((0, len(columns)), np.float64)
        self._ticks = np.concatenate([self._ticks, block])[-KEPT_TICKS:]
