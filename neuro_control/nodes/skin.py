# SPDX-License-Identifier: Apache-2.0
"""The skin node: pressures of taxels in, spikes of afferents out.

Subscribes `taxels` (sensor_msgs/Image of encoding 32FC1, a pixel a taxel; or, with `input: array`,
std_msgs/Float32MultiArray, row by row), publishes `skin/events`: rows in three bands, SA-I, FA-I,
FA-II. An array has no stamp: it is taken for the moment at which it comes. With `model: fitted` the
afferents answer pressures as recorded ones did, and the taxels' unit must be kPa or Pa.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray

from neuro_control.events import Events
from neuro_control.nodes import messages
from neuro_control.nodes.sense import SenseNode, SenseSettings, started
from neuro_control.nodes.spin import run
from neuro_control.senses.fitted_skin import FittedSkin, FittedSkinSettings, FittedSkinState
from neuro_control.senses.skin import LONGEST_GAP_NS, Skin, SkinSettings
from neuro_control.senses.skin_layout import SkinLayout, read_skin_layout

_KPA = {"kPa": 1.0, "Pa": 1e-3}
KINDS: dict[str, tuple[type, str]] = {
    "image": (Image, "sensor_msgs/msg/Image"),
    "array": (Float32MultiArray, "std_msgs/msg/Float32MultiArray"),
}


class SkinNodeSettings(SenseSettings):
    """The node's settings and the afferents'."""

    layout: str = Field(
        "", description="YAML file with the taxels' layout; empty: as the parameters below say"
    )
    rows: int = Field(8, ge=1, le=1024, description="Of taxels")
    columns: int = Field(8, ge=1, le=1024, description="Of taxels")
    full_scale: float = Field(1.0, gt=0.0, description="Value of a taxel that counts as 1")
    unit: Literal["N", "Pa", "kPa", "raw"] = Field("N", description="Unit of a taxel's value")
    model: Literal["gains", "fitted"] = Field(
        "gains", description="gains: neurons with gains to choose; fitted: fitted to recordings"
    )
    frame_id: str = Field("left_finger_pad_link", min_length=1, description="Frame of the taxels")
    input: Literal["image", "array"] = Field(
        "image", description="image: sensor_msgs/Image 32FC1; array: std_msgs/Float32MultiArray"
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
            )
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

    def sense(self, message: Any) -> tuple[Events, int, str] | None:
        """See `SenseNode.sense`."""
        rows, columns = self._layout.rows, self._layout.columns
        if self.parameters.settings.input == "array":
            values = np.asarray(message.data, np.float64)
            if len(values) != rows * columns:
                raise ValueError(f"data has {len(values)} values; {rows} x {columns} are needed")
            t_ns = int(self.get_clock().now().nanoseconds)
        else:
            values = self._of_image(message)
            t_ns = messages.time_ns(message.header.stamp)
        last_ns = self._last_ns
        if last_ns is not None and not 0 <= t_ns - last_ns <= LONGEST_GAP_NS:
            self.restarts += 1
            self._skin.reset()
            self._state = None
        events = self._feel(values.reshape(rows, columns), t_ns)
        self._last_ns = t_ns
        return events, t_ns, self._layout.frame_id

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
    return run(lambda: started(SkinNode()), args, end=SkinNode.end)


if __name__ == "__main__":
    sys.exit(main())
