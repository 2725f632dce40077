# SPDX-License-Identifier: Apache-2.0
"""MuJoCo's own viewer window beside a running simulation, where there is a desktop."""

from __future__ import annotations

import threading
import time
from typing import Any

import mujoco

from neuro_control.sim.overview import View, lit_model

PICTURE_S = 1.0 / 30.0
CLOSING_S = 5.0


class Viewer:
    """A window on a model and its data; it runs in a thread of its own.

    Args:
        model: the scene.
        data: the state, shown as it is at each `show`.
        view: from where.

    Raises:
        RuntimeError: no window can be opened here.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, view: View | None = None
    ) -> None:
        import glfw
        import mujoco.viewer

        # The viewer's thread would fail by itself, and its caller would wait for ever.
        if not glfw.init():
            raise RuntimeError("no window can be opened here: GLFW does not start")
        before = set(threading.enumerate())
        self._window: Any = mujoco.viewer.launch_passive(
            lit_model(model), data, show_left_ui=False, show_right_ui=False
        )
        self._threads = [thread for thread in threading.enumerate() if thread not in before]
        self._shown_s = 0.0
        view = view or View()
        with self._window.lock():
            camera = self._window.cam
            camera.lookat[:] = view.look_at
            camera.distance, camera.azimuth = view.distance, view.azimuth
            camera.elevation = view.elevation

    @property
    def is_open(self) -> bool:
        """False once the person has closed the window."""
        return bool(self._window.is_running())

    def show(self) -> None:
        """Show the present state, 30 times a second at most; from the simulation's thread."""
        now_s = time.monotonic()
        if now_s - self._shown_s > PICTURE_S and self.is_open:
            self._shown_s = now_s
            self._window.sync()

    def close(self) -> None:
        """Close the window, and wait until its thread has given everything back.

        A process that ends before that is ended by a segmentation fault in GLFW.
        """
        self._window.close()
        for thread in self._threads:
            thread.join(CLOSING_S)
