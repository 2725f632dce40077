# SPDX-License-Identifier: Apache-2.0
"""MuJoCo's own viewer window beside a running simulation, where there is a desktop."""

from __future__ import annotations

import os
import sys
from typing import Any

import mujoco


def has_desktop() -> bool:
    """Whether a window can be expected to open here."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Viewer:
    """A window on a model and its data; it runs in a thread of its own.

    The simulation should make the sensor's pictures with rays meanwhile: OpenGL contexts of two
    kinds in one process do not mix well.

    Args:
        model: the scene.
        data: the state, shown as it is at each `sync`.

    Raises:
        RuntimeError: no desktop, or the window did not open.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        if not has_desktop():
            raise RuntimeError("viewer: neither DISPLAY nor WAYLAND_DISPLAY is set")
        import mujoco.viewer

        self._window: Any = mujoco.viewer.launch_passive(
            model, data, show_left_ui=False, show_right_ui=False
        )
        with self._window.lock():
            camera = self._window.cam
            camera.lookat[:] = (0.46, 0.08, 0.36)
            camera.distance, camera.azimuth, camera.elevation = 1.75, 118.0, -14.0

    @property
    def is_open(self) -> bool:
        """False once the person has closed the window."""
        return bool(self._window.is_running())

    def sync(self) -> None:
        """Show the present state; call it some 30 times a second from the simulation's thread."""
        if self.is_open:
            self._window.sync()

    def close(self) -> None:
        """Close the window."""
        self._window.close()
