# SPDX-License-Identifier: Apache-2.0
"""What it costs a controller to be looked into: `python -m benchmarks.network_watch`.

The arm's controller answers the pictures of a simulated run, in turn with itself: as it would be
without the watch, with the watch and nobody listening, with a listener to the network's spikes, and
with one to the membranes of 16 neurons beside. `step` is what the command waits for; `after` is
what is done once it is out, of which a message each 50 ms is a part. Time is that of the processor
(this thread's), which other programs on the machine change little; `wall` is the clock's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rclpy
from event_camera_msgs.msg import EventPacket
from std_msgs.msg import Float64MultiArray

from benchmarks import report
from benchmarks.page import Bars
from neuro_control.control.arm import ArmController, ArmControllerSettings, JointSample
from neuro_control.control.watched_runner import WatchedRunner
from neuro_control.nodes import qos
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.lifecycle import ManagedNode
from neuro_control.nodes.network_activity import NetworkActivity
from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings, SensorFrame

PROBES = ", ".join(f"field:{n}" for n in range(400, 416))
KINDS = ("no watch", "nobody listens", "spikes", "spikes and membranes")
# So many pictures each in turn, so that what the machine does hits all alike.
TURN = 50


@dataclass
class Contender:
    """A controller in one of the ways to be looked into, and what its steps took (us)."""

    kind: str
    controller: ArmController
    publish: Callable[[], None]
    node: ManagedNode | None = None
    step_us: list[float] = field(default_factory=list)
    wall_us: list[float] = field(default_factory=list)
    after_us: list[float] = field(default_factory=list)

    def answer(self, frame: SensorFrame) -> None:
        """One picture."""
        joints = JointSample(frame.t_ns, frame.q, frame.qd)
        times = [(time.thread_time_ns(), time.perf_counter_ns())]
        self.controller.step(frame.events, joints, frame.t_ns)
        times.append((time.thread_time_ns(), time.perf_counter_ns()))
        self.publish()
        times.append((time.thread_time_ns(), time.perf_counter_ns()))
        self.step_us.append((times[1][0] - times[0][0]) * 1e-3)
        self.wall_us.append((times[1][1] - times[0][1]) * 1e-3)
        self.after_us.append((times[2][0] - times[1][0]) * 1e-3)

    def check(self) -> None:
        """Raise RuntimeError if it was not looked into as it should have been."""
        watch = self.controller.network_watch
        wanted = (self.kind.startswith("spikes"), "membranes" in self.kind)
        if (watch.spikes, watch.membranes) != wanted:
            raise RuntimeError(f"{self.kind}: it was not looked into as it should have been")

    def row(self) -> dict[str, Any]:
        """Medians and 99th percentiles."""
        row: dict[str, Any] = {"watched": self.kind}
        for name in ("step_us", "wall_us", "after_us"):
            found = report.summary(getattr(self, name), 1)
            row |= {name: found["median"], f"{name}_p99": found["p99"]}
        row["after_us_mean"] = round(float(np.mean(self.after_us)), 1)
        return row


def contender(kind: str, namespace: str) -> Contender:
    """One way to be looked into; needs rclpy to be up."""
    settings = ControllerNodeSettings(backend="cpu")
    plain = ArmControllerSettings(backend="cpu")
    controller = ArmController(plain, ArmModel.from_urdf(arm_urdf()))
    if kind == "no watch":
        runner = controller.tracker.runner
        if not isinstance(runner, WatchedRunner):
            raise TypeError(f"the controller's runner is a {type(runner).__name__}")
        controller.tracker.runner = runner.runner
        return Contender(kind, controller, lambda: None)
    if "membranes" in kind:
        settings = settings.model_copy(update={"probe_neurons": PROBES})
    node = ManagedNode("controller", namespace=namespace)
    activity = NetworkActivity(node, controller.network_watch, settings, {})
    topics: dict[str, type] = {}
    if kind != "nobody listens":
        topics["network/spikes"] = EventPacket
    if "membranes" in kind:
        topics["network/membranes"] = Float64MultiArray
    for topic, message in topics.items():
        node.create_subscription(message, topic, print, qos.best_effort(16))
        while not node.count_subscribers(topic):
            time.sleep(0.01)
    return Contender(kind, controller, activity.publish, node)


def pictures(count: int) -> list[SensorFrame]:
    """What the sensors say of an arm that is swung, so that the whole picture has events."""
    simulation = ArmSimulation(arm_urdf(), ArmSimulationSettings(renderer="rays"))
    frames = []
    for number in range(count):
        simulation.set_velocities(np.full(6, 0.15 * np.sin(number / 60)))
        frames.append(simulation.advance())
    return frames


def measure(count: int) -> list[Contender]:
    """Let each answer the pictures, in turn."""
    rclpy.init(args=[])
    try:
        found = [contender(kind, f"/watch_{number}") for number, kind in enumerate(KINDS)]
        frames = pictures(count)
        for begin in range(0, count, TURN):
            for one in found:
                for frame in frames[begin : begin + TURN]:
                    one.answer(frame)
        for one in found:
            one.check()
    finally:
        rclpy.try_shutdown()
    return found


def table(found: Sequence[Contender]) -> list[dict[str, Any]]:
    """A row each, with how many times the first one's step theirs is."""
    rows = [one.row() for one in found]
    for row in rows:
        row["step_ratio"] = round(row["step_us"] / rows[0]["step_us"], 3)
    return rows


def main() -> None:
    arguments = report.parser("network_watch", (__doc__ or "").partition("\n\n")[0])
    arguments.add_argument("--pictures", type=int, default=3000, help="of 2 ms (default: 3000)")
    options = arguments.parse_args()
    rows = table(measure(options.pictures))
    title = f"a controller's answer to a picture, us of the processor; {options.pictures} pictures"
    report.print_table(rows, title)
    found = report.versions()
    report.print_versions(found)
    report.write_json(options.json, "network_watch", rows)
    plots = [
        Bars(
            "Processor time of an answer", rows, ("watched",), "step_us", "time [us]", "step_us_p99"
        )
    ]
    report.write_page(options, "network_watch", __doc__, {title: rows}, found, plots)


if __name__ == "__main__":
    main()
