# SPDX-License-Identifier: Apache-2.0
"""The skin node: what taxels feel in, spikes of afferents out.

Subscribes `taxels` and publishes `skin/events`: rows in three bands, SA-I, FA-I, FA-II. `input`
says what taxels are:

    image    sensor_msgs/Image of encoding 32FC1, a pixel a taxel
    array    std_msgs/Float32MultiArray, row by row; without a stamp, taken for when it comes
    wrench   geometry_msgs/WrenchStamped in the taxels' frame, of a force sensor under the skin or
             of a simulated contact, spread about the point at which it acts
    events   event_camera_msgs/EventPacket, of a skin that makes events: they pass through, decoded,
             checked, counted, in the node's time, ascending from packet to packet unless the
             node's clock begins anew (a restart), and in mono

With `model: fitted` the afferents answer pressures as recorded ones did, and the taxels' unit must
be kPa or Pa.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import WrenchStamped
from pydantic import Field
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray

from neuro_control.events import Events
from neuro_control.nodes import messages
from neuro_control.nodes.diagnostics import Report
from neuro_control.nodes.event_input import Declared, EventInput
from neuro_control.nodes.lifecycle import run_managed
from neuro_control.nodes.sense import SenseNode, SenseSettings
from neuro_control.nodes.sensor_clock import NEW_TIME_NS
from neuro_control.senses.contact_wrench import taxels_of_wrench
from neuro_control.senses.event_skin import pass_through
from neuro_control.senses.fitted_skin import FittedSkin, FittedSkinSettings, FittedSkinState
from neuro_control.senses.skin import LONGEST_GAP_NS, Skin, SkinSettings
from neuro_control.senses.skin_layout import SkinLayout, read_skin_layout

_KPA = {"kPa": 1.0, "Pa": 1e-3}
KINDS: dict[str, tuple[type, str]] = {
    "image": (Image, "sensor_msgs/msg/Image"),
    "array": (Float32MultiArray, "std_msgs/msg/Float32MultiArray"),
    "wrench": (WrenchStamped, "geometry_msgs/msg/WrenchStamped"),
    "events": (EventPacket, "event_camera_msgs/msg/EventPacket"),
}


class SkinNodeSettings(SenseSettings):
    """The node's settings and the afferents'."""

    layout: str = Field(
        "", description="YAML file with the taxels' layout; empty: as the parameters below say"
    )
    rows: int = Field(8, ge=1, le=1024, description="Of taxels")
    columns: int = Field(8, ge=1, le=1024, description="Of taxels")
    full_scale: float = Field(
        1.0, gt=0.0, allow_inf_nan=False, description="Value of a taxel that counts as 1"
    )
    unit: Literal["N", "Pa", "kPa", "raw"] = Field("N", description="Unit of a taxel's value")
    model: Literal["gains", "fitted"] = Field(
        "gains", description="gains: neurons with gains to choose; fitted: fitted to recordings"
    )
    frame_id: str = Field("left_finger_pad_link", min_length=1, description="Frame of the taxels")
    pitch_m: float = Field(0.002, gt=0.0, le=1.0, description="Distance of neighbours (m)")
    input: Literal["image", "array", "wrench", "events"] = Field(
        "image",
        description="image: sensor_msgs/Image 32FC1; array: std_msgs/Float32MultiArray; wrench: "
        "geometry_msgs/WrenchStamped; events: EventPacket of a skin that makes events",
    )
    contact_radius_m: float = Field(
        0.002, gt=0.0, le=1.0, description="Of a wrench's contact, standard deviation (m)"
    )
    outward: Literal["+z", "-z"] = Field(
        "+z", description="Side of the taxels' x-y plane that a wrench presses on"
    )
    afferents: SkinSettings = Field(SkinSettings(), description="The afferents of model gains")
    fitted: FittedSkinSettings = Field(
        FittedSkinSettings(), description="The afferents of model fitted"
    )


class SkinNode(SenseNode[SkinNodeSettings]):
    """See the module."""

    input_topic = "taxels"
    events_topic = "skin/events"

    def __init__(self, **options: Any) -> None:
        super().__init__("skin", SkinNodeSettings, **options)
        self.input_kind, self.input_type = KINDS[self.parameters.settings.input]

    def make(self) -> None:
        """Read the layout; the skin is at rest."""
        settings = self.parameters.settings
        if settings.layout:
            self._layout = read_skin_layout(settings.layout)
        else:
            self._layout = SkinLayout(
                frame_id=settings.frame_id,
                rows=settings.rows,
                columns=settings.columns,
                full_scale=settings.full_scale,
                unit=settings.unit,
                pitch_m=settings.pitch_m,
            )
        if settings.input == "wrench" and self._layout.unit == "raw":
            raise ValueError("unit is 'raw'; input wrench needs N, Pa or kPa")
        self._passed = EventInput(Declared(self._layout.columns, self._layout.rows))
        self._newest_ns = 0  # stamp of what was passed on
        size = (self._layout.rows, self._layout.columns)
        self._skin = Skin(*size, settings.afferents)
        self._fitted: FittedSkin | None = None
        self._state: FittedSkinState | None = None
        if settings.model == "fitted":
            if self._layout.unit not in _KPA:
                raise ValueError(
                    f"unit is {self._layout.unit!r}; model fitted needs pressures in kPa or Pa"
                )
            self._fitted = FittedSkin(*size, settings.fitted)
        self._last_ns: int | None = None
        self._gaps = 0  # samples one behind the other that each came too late for what was before

    @property
    def longest_gap_ns(self) -> int:
        """Time between two samples beyond which the second begins anew."""
        settings = self.parameters.settings
        if settings.model == "fitted":
            return settings.fitted.longest_gap_us * 1000
        return LONGEST_GAP_NS

    def sense(self, message: Any) -> tuple[Events, int, str] | None:
        """See `SenseNode.sense`."""
        rows, columns = self._layout.rows, self._layout.columns
        settings = self.parameters.settings
        if settings.input == "events":
            return self._pass(message)
        if settings.input == "wrench":
            self._check_frame(message.header.frame_id)
            wrench, t_ns = message.wrench, messages.time_ns(message.header.stamp)
            force, torque = (np.array([v.x, v.y, v.z]) for v in (wrench.force, wrench.torque))
            values = taxels_of_wrench(
                force, torque, self._layout, settings.contact_radius_m, settings.outward
            )
        elif settings.input == "array":
            values = np.asarray(message.data, np.float64)
            if len(values) != rows * columns:
                raise ValueError(f"data has {len(values)} values; {rows} x {columns} are needed")
            t_ns = int(self.get_clock().now().nanoseconds)
        else:
            values = self._of_image(message)
            t_ns = messages.time_ns(message.header.stamp)
        since_ns = 0 if self._last_ns is None else t_ns - self._last_ns
        anew = not 0 <= since_ns <= self.longest_gap_ns
        if anew:
            self.restarts += 1
            self._skin.reset()
            self._state = None
        events = self._feel(values.reshape(rows, columns), t_ns)
        self._last_ns = t_ns
        self._gaps = self._gaps + 1 if anew and since_ns > 0 else 0
        return events, t_ns, self._layout.frame_id

    def _check_frame(self, frame_id: str) -> None:
        """A wrench in another frame acts elsewhere; one that says none is taken for the taxels'."""
        if frame_id not in ("", self._layout.frame_id):
            raise ValueError(
                f"frame_id is {frame_id!r}; a wrench must be in the taxels' frame, "
                f"{self._layout.frame_id!r}"
            )

    def _pass(self, message: Any) -> tuple[Events, int, str]:
        packet = messages.packet(message, self.input_topic)
        before = self._passed.restarts
        events = self._passed.decode(packet)
        anew = events is not None and self._newest_ns - packet.stamp_ns > NEW_TIME_NS
        self.restarts += anew or self._passed.restarts != before
        if events is None:
            reason = self._passed.refused or f"a packet is dropped for its {self._passed.last_drop}"
            raise ValueError(reason)
        # A publisher that began anew is no reason to go back: whoever takes events drops those from
        # before others.
        if anew:
            self._passed.begin_anew()
        self._newest_ns = packet.stamp_ns if anew else max(self._newest_ns, packet.stamp_ns)
        events = self._passed.to_node_time(events, packet.stamp_ns)
        frame = message.header.frame_id or self._layout.frame_id
        return pass_through(events, self._layout), packet.stamp_ns, frame

    def report(self) -> Report:
        """See `SenseNode.report`; why all begins anew, and a skin's own packets and clock."""
        found = super().report()
        # Where nothing comes any more, that is the reason.
        if self.active and self.came and self._gaps > 1:
            setting = "fitted.longest_gap_us" if self._fitted is not None else "model gains"
            reason = (
                f"the last {self._gaps} samples each came more than"
                f" {self.longest_gap_ns * 1e-9:g} s after the one before ({setting}) and began anew"
            )
            found.values["no_data_because"] = reason
            if not found.error:
                found.warning, found.message = True, reason
        if self.parameters.settings.input == "events" and self._subscription is not None:
            found.values["packets_lost"] = self._passed.counters.packets_lost
            found.values["sensor_clock_reanchored"] = self._passed.clock_reanchored
        return found

    def _feel(self, values: Any, t_ns: int) -> Events:
        if self._fitted is None:
            return self._skin.feel(values / self._layout.full_scale, t_ns)
        kpa = values * _KPA[self._layout.unit]
        if self._state is None:
            self._state = self._fitted.start(kpa, t_ns)
            return Events.empty(*self._fitted.size)
        events, self._state = self._fitted.advance(self._state, kpa, t_ns)
        return events

    def _of_image(self, message: Any) -> Any:
        rows, columns = self._layout.rows, self._layout.columns
        if message.encoding != "32FC1" or (message.height, message.width) != (rows, columns):
            raise ValueError(
                f"image of {message.height} x {message.width} in {message.encoding!r}; it must be"
                f" {rows} x {columns} in '32FC1'"
            )
        step = int(message.step)
        if step < 4 * columns or len(message.data) < step * rows:
            raise ValueError(f"step is {step} and data has {len(message.data)} bytes: too few")
        data = np.frombuffer(message.data, np.uint8)[: step * rows].reshape(rows, step)
        order = ">" if message.is_bigendian else "<"
        taxels = np.ascontiguousarray(data[:, : 4 * columns]).view(f"{order}f4")
        return taxels.astype(np.float64)


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(SkinNode, args)


if __name__ == "__main__":
    sys.exit(main())
