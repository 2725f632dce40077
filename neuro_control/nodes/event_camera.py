# SPDX-License-Identifier: Apache-2.0
"""The event camera node: ordinary pictures in, events out.

Subscribes `image` (sensor_msgs/Image, any rate), publishes `event_camera/events`. For Gazebo's
cameras and for webcams; a real event camera's driver takes its place. Pictures must be stamped in
rising order; a stamp that runs backwards, or stands still for more than `longest_pause_s`, begins
anew, and so does a picture of another size.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field
from sensor_msgs.msg import Image

from neuro_control.events import Events
from neuro_control.nodes import messages
from neuro_control.nodes.diagnostics import Report
from neuro_control.nodes.lifecycle import run_managed
from neuro_control.nodes.sense import SenseNode, SenseSettings
from neuro_control.senses.event_camera import EventCamera, EventCameraSettings
from neuro_control.senses.event_camera_presets import PRESETS
from neuro_control.senses.image_luminance import image_luminance

Preset = Literal["", "dvs128", "davis346", "gen4_hd", "noisy", "clean", "ideal"]


class EventCameraNodeSettings(SenseSettings):
    """The node's settings and the pixels'."""

    preset: Preset = Field(
        "", description="Pixels of a known sensor; empty: as `pixels` says, which a preset replaces"
    )
    frame_id: str = Field("", description="Frame of the events; empty: that of the pictures")
    longest_pause_s: float = Field(
        1.0, ge=0.001, le=60.0, description="Time between two pictures beyond which it begins anew"
    )
    seed: int = Field(0, ge=0, description="Of mismatch and noise")
    pixels: EventCameraSettings = Field(
        EventCameraSettings(), description="The pixels, where there is no preset"
    )


class EventCameraNode(SenseNode[EventCameraNodeSettings]):
    """See the module."""

    input_topic = "image"
    input_kind = Image
    input_type = "sensor_msgs/msg/Image"
    events_topic = "event_camera/events"

    def __init__(self, **options: Any) -> None:
        super().__init__("event_camera", EventCameraNodeSettings, **options)

    def make(self) -> None:
        """The camera is made with the first picture, whose size it has."""
        settings = self.parameters.settings
        self._pixels = PRESETS[settings.preset] if settings.preset else settings.pixels
        self._camera: EventCamera | None = None
        self._last_ns = 0
        self._anew = 0  # pictures one behind the other that each began anew
        self._anew_because = ""

    def sense(self, message: Any) -> tuple[Events, int, str] | None:
        """See `SenseNode.sense`."""
        settings = self.parameters.settings
        picture = image_luminance(
            np.frombuffer(message.data, np.uint8),
            int(message.width),
            int(message.height),
            int(message.step),
            str(message.encoding),
            bool(message.is_bigendian),
        )
        t_ns = messages.time_ns(message.header.stamp)
        if t_ns == self._last_ns and self._camera is not None:
            raise ValueError(f"stamp {t_ns * 1e-9:.6f} s is that of the last picture")
        size = (picture.shape[1], picture.shape[0])
        camera = self._camera
        reason = "" if camera is None else self._begins_anew(camera, size, t_ns)
        if camera is None or reason:
            camera = EventCamera(*size, self._pixels, settings.seed)
        events = camera.expose(picture, t_ns)
        # Only now: a picture that is refused changes nothing.
        self._camera, self._last_ns = camera, t_ns
        self.restarts += bool(reason)
        self._anew = self._anew + 1 if reason else 0
        self._anew_because = reason
        return events, t_ns, settings.frame_id or str(message.header.frame_id)

    def _begins_anew(self, camera: EventCamera, size: tuple[int, int], t_ns: int) -> str:
        """Why a picture is not compared with the one before it, or ""."""
        if (camera.width, camera.height) != size:
            were = f"{camera.width}x{camera.height}"
            return f"it has {size[0]}x{size[1]} pixels, the one before it has {were}"
        pause_ns, longest_s = t_ns - self._last_ns, self.parameters.settings.longest_pause_s
        if pause_ns < 0:
            return "it is stamped before the one before it"
        if pause_ns > longest_s * 1e9:
            return f"it comes more than {longest_s:g} s (longest_pause_s) after the one before it"
        return ""

    def report(self) -> Report:
        """See `SenseNode.report`; and why every picture begins anew, if it does."""
        found = super().report()
        # Where nothing comes any more, that is the reason.
        if self.active and self.came and self._anew > 1:
            reason = f"each of the last {self._anew} pictures began anew: {self._anew_because}"
            found.values["no_data_because"] = reason
            if not found.error:
                found.warning, found.message = True, reason
        return found


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(EventCameraNode, args)


if __name__ == "__main__":
    sys.exit(main())
