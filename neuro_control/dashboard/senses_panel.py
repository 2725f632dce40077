# SPDX-License-Identifier: Apache-2.0
"""Eye, skin and ears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from neuro_control.dashboard.cdr import CdrError, event_packet
from neuro_control.dashboard.event_picture import EventPicture
from neuro_control.dashboard.panel import EVENT_PACKET, FrameParts, rounded
from neuro_control.dashboard.rates import Share
from neuro_control.dashboard.sensor_view import SensorView
from neuro_control.dashboard.spike_counts import SpikeCounts
from neuro_control.dashboard.taps import Taken, Tap, TapSpec
from neuro_control.events import Events, Packet
from neuro_control.nodes.messages import message_class
from neuro_control.senses.interaural import interaural_time_difference_ns

EAR_SLICE_NS = 10_000_000
EAR_BINS = 64
# A packet says itself how many rows it has; each costs memory.
MOST_EARS = 16
SOUND_WINDOW_NS = 200_000_000
# What the search for a sound's direction is given at most.
SOUND_EVENTS = 2000
LARGEST_SKIN_SIDE = 64


class EventSense:
    """One topic of event packets, decoded within a budget."""

    def __init__(self, node: Node, topic: str, budget: int, depth: int = 64) -> None:
        self.tap = Tap(node, TapSpec(topic, (EVENT_PACKET,), depth=depth))
        self._budget = budget
        self.on_packet: Callable[[Packet, Taken], None] | None = None
        self._begin()

    def _begin(self) -> None:
        self.view = SensorView(self._budget, self._reset)
        self.share = Share()
        self._fresh = True
        self.unreadable = 0

    def _reset(self) -> None:
        self._fresh = True

    def rest(self) -> None:
        """Nobody publishes: what comes after is counted anew."""
        self.share = Share()

    def take(self, now_s: float) -> tuple[tuple[Events, ...], bool]:
        """New events, and whether everything shown before is void (a new sensor or time)."""
        packets = []
        for taken in self.tap.take():
            try:
                packet = event_packet(taken.data, self.tap.topic)
            except CdrError:
                self.unreadable += 1
                continue
            packets.append(packet)
            if self.on_packet is not None:
                self.on_packet(packet, taken)
        sampled = self.view.take(packets)
        fresh, self._fresh = self._fresh, False
        if fresh:
            # Its stamps are those of another clock.
            self.share = Share()
        self.share.add(now_s, self.view.stamp_ns * 1e-9, sampled.carried, sampled.shown)
        return sampled.events, fresh

    def says(self, now_s: float) -> dict[str, Any]:
        """What the page says beside the picture."""
        view = self.view
        return {
            "width": view.width,
            "height": view.height,
            "encoding": view.encoding,
            "refused": view.refused,
            "events_per_s": rounded(self.share.rate, 1),
            "shown": rounded(self.share.shown, 4),
            "age_s": rounded(self.tap.age_s(now_s)),
            "stamp_s": view.stamp_ns * 1e-9,
        }


class CameraPanel:
    """The event camera: `camera` uint8[rows, columns], see `EventPicture.codes`."""

    def __init__(self, node: Node, budget: int) -> None:
        self.sense = EventSense(node, "event_camera/events", budget)
        self._picture: EventPicture | None = None

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        return [self.sense.tap]

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        if not self.sense.tap.kind:
            self._picture = None
            self.sense.rest()
            return
        events, fresh = self.sense.take(now_s)
        view = self.sense.view
        if not view.width:
            return
        if fresh or self._picture is None:
            self._picture = EventPicture(view.width, view.height)
        for batch in events:
            self._picture.add(batch)
        says = self.sense.says(now_s)
        parts.state["camera"] = says | {"binning": self._picture.binning}
        parts.arrays["camera"] = self._picture.codes(view.now_ns)


class SkinPanel:
    """The skin: `pressure` float32[rows, columns], `afferents` uint8[3 * rows, columns]."""

    def __init__(self, node: Node, budget: int) -> None:
        self.sense = EventSense(node, "skin/events", budget)
        self.taxels = Tap(
            node, TapSpec("taxels", ("sensor_msgs/msg/Image", "std_msgs/msg/Float32MultiArray"))
        )
        self._picture: EventPicture | None = None
        self._pressure: np.ndarray | None = None

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        return [self.sense.tap, self.taxels]

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        if not self.sense.tap.kind:
            self._picture = None
        if not self.taxels.kind:
            self._pressure = None
        events, fresh = self.sense.take(now_s)
        view = self.sense.view
        if self.sense.tap.kind and view.width:
            if fresh or self._picture is None:
                self._picture = EventPicture(view.width, view.height)
            for batch in events:
                self._picture.add(batch)
            parts.state["skin"] = self.sense.says(now_s)
            parts.arrays["afferents"] = self._picture.codes(view.now_ns)
        for taken in self.taxels.take()[-1:]:
            self._pressure = self._read(taken.data)
        if self._pressure is not None:
            parts.state.setdefault("skin", {})["pressure_age_s"] = rounded(self.taxels.age_s(now_s))
            parts.arrays["pressure"] = self._pressure

    def _read(self, data: bytes) -> np.ndarray | None:
        message = deserialize_message(data, message_class(self.taxels.kind))
        if self.taxels.kind.endswith("Image"):
            if message.encoding != "32FC1":
                return None
            order = ">" if message.is_bigendian else "<"
            rows, columns, step = int(message.height), int(message.width), int(message.step)
            if step < 4 * columns or len(message.data) < step * rows:
                return None
            flat = np.frombuffer(message.data, np.uint8)[: rows * step].reshape(rows, step)
            values = np.ascontiguousarray(flat[:, : 4 * columns]).view(f"{order}f4")
        else:
            values = np.asarray(message.data, np.float32)
            columns = self._columns_of(len(values))
            values = values[: len(values) // columns * columns].reshape(-1, columns)
        if not values.size:
            return None
        every = max(1, -(-max(values.shape) // LARGEST_SKIN_SIDE))
        return values[::every, ::every].astype(np.float32)

    def _columns_of(self, taxels: int) -> int:
        """Of an array without a shape: as the afferents have it, else as square as can be."""
        view = self.sense.view
        if view.width and view.width * (view.height // 3) == taxels:
            return view.width
        return max(round(taxels**0.5), 1)


class EarsPanel:
    """The ears: `ears` uint8[bins, slices] (`SpikeCounts`), and where the sound comes from."""

    def __init__(self, node: Node, budget: int) -> None:
        self.sense = EventSense(node, "cochlea/events", budget)
        self._counts: SpikeCounts | None = None
        self._recent: list[Events] = []
        self.time_difference_ns: float | None = None

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        return [self.sense.tap]

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        if not self.sense.tap.kind:
            self._counts, self.time_difference_ns = None, None
            self.sense.rest()
            return
        events, fresh = self.sense.take(now_s)
        view = self.sense.view
        if not view.width:
            return
        if view.height > MOST_EARS:
            self._counts, self.time_difference_ns = None, None
            raise ValueError(
                f"{self.sense.tap.topic} says it has {view.height} rows; "
                f"of ears there are {MOST_EARS} at most"
            )
        if fresh or self._counts is None:
            self._counts = SpikeCounts([view.width] * view.height, EAR_BINS, EAR_SLICE_NS)
            self._recent = []
        for batch in events:
            self._counts.add(batch)
        self._counts.advance(view.now_ns // EAR_SLICE_NS)
        self._find_direction(events, view.now_ns)
        difference_ns = self.time_difference_ns
        parts.state["ears"] = self.sense.says(now_s) | {
            "slice": self._counts.newest_slice,
            "slice_s": EAR_SLICE_NS * 1e-9,
            "bins": self._counts.bins.tolist(),
            "time_difference_us": None if difference_ns is None else rounded(difference_ns / 1e3),
        }
        parts.arrays["ears"] = self._counts.columns(64)

    def _find_direction(self, events: tuple[Events, ...], now_ns: int) -> None:
        if self.sense.view.height != 2:
            return
        self._recent += events
        self._recent = [e for e in self._recent if int(e.t_ns[-1]) > now_ns - SOUND_WINDOW_NS]
        joined = Events.concatenate(self._recent[-8:]) if self._recent else None
        self.time_difference_ns = (
            None if joined is None else interaural_time_difference_ns(joined[-SOUND_EVENTS:])
        )
