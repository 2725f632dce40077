# SPDX-License-Identifier: Apache-2.0
"""The dashboard node: one page in a browser that shows what the robot senses, thinks and does.

It subscribes like anybody else, and only while a page is open. Nothing that it does is in the
way from sensor to robot: messages wait for it in the middleware, the oldest falling out, and twenty
times a second it takes what is there, shows a part of it and says which.

Buttons that move or stop a robot: emergency stop and release, which are the guard's services
(`guard/emergency_stop`, `guard/release`). All others act on a simulation, on a replay or on the
page itself (`actions`).
"""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from typing import Any

from rclpy.executors import Executor
from rclpy.node import Node

from neuro_control.dashboard.access import Access, chosen_token
from neuro_control.dashboard.actions import Operator
from neuro_control.dashboard.containment import Containment
from neuro_control.dashboard.panel import FrameParts
from neuro_control.dashboard.recording import Recording
from neuro_control.dashboard.requests import ActionError, check_fields, flag
from neuro_control.dashboard.robot_panels import RobotPanels
from neuro_control.dashboard.scene import Scene
from neuro_control.dashboard.scene_server import SceneAddress
from neuro_control.dashboard.server import PageServer, listening_socket
from neuro_control.dashboard.settings import DashboardSettings
from neuro_control.dashboard.wire import encode_frame
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report
from neuro_control.nodes.parameters import Parameters
from neuro_control.nodes.spin import EndRequest, StartError, run, spin_for
from neuro_control.robots.description import arm_urdf
from neuro_control.robots.urdf import parse_urdf
from neuro_control.worker.priority import (
    session_steps_back,
    take_short_slices,
    this_thread_steps_back,
    threads_step_back,
)

# How often it is looked which topics there are (s).
GRAPH_PERIOD_S = 0.5
BUTTONS_NICENESS = 10


class DashboardNode(Node):
    """See the module."""

    def __init__(self, **options: Any) -> None:
        super().__init__("dashboard", **options)
        self.parameters = Parameters(self, DashboardSettings)
        settings = self.parameters.settings
        self._urdf = settings.robot_description or arm_urdf()
        model = parse_urdf(self._urdf)
        # Nobody spins this one: see `taps`.
        self._listener = Node("_dashboard_listener", context=self.context, namespace=self._space)
        self._arm = tuple(
            j.name for j in model.joints.values() if j.moves and j.kind != "prismatic"
        )
        self._panels: RobotPanels | None = None
        self._containment = Containment(self._log_failure)
        self._about = {
            "robot": model.name,
            "namespace": self._space,
            "frames_per_s": settings.frames_per_second,
            "joints": [
                {
                    "name": name,
                    "lower": model.joints[name].lower,
                    "upper": model.joints[name].upper,
                }
                for name in self._arm
            ],
            "scene": settings.scene and importlib.util.find_spec("viser") is not None,
        }
        self._scene: Scene | None = None
        self._scene_lock = threading.Lock()
        self._seq = 0
        self._alone_s = 0.0
        self._graph_due_s = 0.0
        self._frame_s = 0.0
        self._serve()
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    @property
    def _space(self) -> str:
        return str(self.get_namespace())

    def _serve(self) -> None:
        settings = self.parameters.settings
        try:
            listener = listening_socket(settings.host, settings.port)
        except OSError as error:
            raise StartError(str(error)) from error
        port = int(listener.getsockname()[1])
        self.access = Access(settings.host, port, chosen_token(settings.host, settings.token))
        self._recording = Recording(settings.record_folder, self._space, self._log_failure)
        self._operator = Operator(self.context, namespace=self._space)
        self._server = PageServer(
            listener,
            self.access,
            {
                "stop": self._operator.stop,
                "release": self._operator.release,
                "set": self._operator.set,
                "probe": self._operator.probe,
                "controls": self._operator.controls,
                "replay": self._operator.replay,
                "record": self._record,
            },
            self._scene_address,
        )

    def _record(self, wanted: dict[str, Any]) -> dict[str, Any]:
        check_fields(wanted, "on")
        on = flag(wanted, "on")
        try:
            return self._recording.set(on)
        except (OSError, RuntimeError) as error:
            raise ActionError(f"cannot record: {error}") from error

    def _scene_address(self) -> SceneAddress | None:
        """Where the scene is served; it is made when the first page asks for it."""
        settings = self.parameters.settings
        with self._scene_lock:
            if self._scene is None and self._about["scene"]:
                self._scene = Scene(
                    self._urdf, settings.camera_link, settings.horizontal_field_of_view_rad
                )
            return None if self._scene is None else self._scene.address

    # The loop

    def show(self, executor: Executor, request: EndRequest) -> None:
        """Tell where the page is, and serve frames until it shall not go on."""
        print(f"dashboard: {self.access.address}", flush=True)
        if self.parameters.settings.open_browser:
            webbrowser.open(self.access.address)
        self._step_back()
        period_s = 1.0 / self.parameters.settings.frames_per_second
        due_s = time.monotonic()
        while request.goes_on():
            due_s = max(due_s + period_s, time.monotonic())
            spin_for(executor, due_s - time.monotonic())
            self.frame(time.monotonic())

    def _step_back(self) -> None:
        """The robot's nodes come first; then the buttons, for a stop must go out; then drawing."""
        niceness = self.parameters.settings.niceness
        buttons = min(niceness, BUTTONS_NICENESS)
        threads_step_back(buttons)
        session_steps_back(buttons)
        take_short_slices()
        this_thread_steps_back(niceness)

    def frame(self, now_s: float) -> None:
        """Look at the robot, and show what there is to whoever looks at the page.

        Raises nothing: the stop button lives in this process.
        """
        with self._containment.contained("page", now_s):
            self._draw(now_s)

    def _draw(self, now_s: float) -> None:
        panels = self._looking(now_s)
        if panels is None:
            return
        if now_s >= self._graph_due_s:
            self._graph_due_s = now_s + GRAPH_PERIOD_S
            panels.follow_graph(now_s)
        parts = FrameParts(texts={"about": self._about})
        panels.draw(now_s, parts)
        self._seq += 1
        parts.texts["recording"] = self._recording.says()
        if failures := self._containment.says(now_s):
            parts.texts["undrawable"] = failures
        parts.state |= {
            "seq": self._seq,
            "wall_s": round(time.time(), 3),
            "pages": self._server.pages,
            "busy_ms": round(self._frame_s * 1e3, 2),
        }
        self._server.publish(encode_frame(parts.state, parts.arrays), parts.texts)
        if self._scene is not None and self._scene.viewers:
            panels.show(self._scene, now_s)
        self._frame_s += 0.1 * (time.monotonic() - now_s - self._frame_s)

    def _log_failure(self, text: str) -> None:
        if self.context.ok():  # at the end everything fails
            self.get_logger().error(text)  # type: ignore[no-untyped-call]

    def _looking(self, now_s: float) -> RobotPanels | None:
        """The panels while somebody looks, and a moment longer; they begin empty each time."""
        settings = self.parameters.settings
        if self._server.pages:
            self._alone_s = now_s
            if self._panels is None:
                self._graph_due_s = now_s
                self._panels = RobotPanels(
                    self._listener, self._arm, settings.events_per_frame, self._containment
                )
        elif self._panels is not None and now_s - self._alone_s > settings.linger_s:
            self._close_panels()
        return self._panels

    def _close_panels(self) -> None:
        if self._panels is not None:
            self._panels.close()
        self._panels = None

    def report(self) -> Report:
        """How many look, and what it costs."""
        return Report(
            values={
                "address": self.access.address.partition("?")[0],
                "pages": self._server.pages,
                "frames": self._seq,
                "frame_ms": self._frame_s * 1e3,
            }
        )

    def destroy_node(self) -> None:
        """End the server and everything beside this node."""
        self._recording.close()
        self._server.close()
        self._operator.close()
        if self._scene is not None:
            self._scene.close()
        self._close_panels()
        self._listener.destroy_node()  # type: ignore[no-untyped-call]
        super().destroy_node()  # type: ignore[no-untyped-call]


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run(DashboardNode, args, work=DashboardNode.show, kind="single_threaded")


if __name__ == "__main__":
    sys.exit(main())
