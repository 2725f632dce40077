# SPDX-License-Identifier: Apache-2.0
"""The simulator node: publishes what the hardware would, and obeys what the hardware would.

Publishes `joint_states` and `event_camera/events` once each period of the camera, `/clock` and
`simulation/target` less often (in lockstep: as often); with skin and ears also `taxels`, `audio`.
Obeys `arm_controller/joint_trajectory`, `arm_position_controller/commands` and
`arm_velocity_controller/commands`. Target, disturbances and faults are parameters that change it
as it runs. Its own time is the simulation's; `use_sim_time` is of no use to it. A second publisher
of `/clock`, which has no namespace, is told in the log and in its report.

In lockstep, simulated time advances only when a command has come whose stamp is that of the last
packet or later. While it waits it sends the packet again from time to time, so that a controller
that starts late, or an answer that was lost, does not end it.

The delay it reports is from the moment that a packet was published to the moment that the first
guarded command with the packet's stamp or a later one was published, as the middleware stamped
that moment in the publishing process: the whole way from sensor to robot, less the last delivery.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PointStamped
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from neuro_control.events import Packet, encode_mono
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report
from neuro_control.nodes.latency import LatencyHistogram
from neuro_control.nodes.pace import Pace
from neuro_control.nodes.parameters import Parameters
from neuro_control.nodes.robot_commands import RobotCommands
from neuro_control.nodes.sense_topics import SenseTopics
from neuro_control.nodes.simulated_clock import SimulatedClock
from neuro_control.nodes.simulated_world import Frame, World, tracking_error_deg
from neuro_control.nodes.simulator_settings import SimulatorNodeSettings
from neuro_control.nodes.spin import EndRequest, MessageWithInfo, run, spin_for
from neuro_control.robots.description import arm_urdf
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings
from neuro_control.sim.joint_commands import TrajectoryPoint
from neuro_control.sim.viewer import Viewer

EVENTS_TOPIC = "event_camera/events"
CAMERA_FRAME = "hand_camera_optical_frame"
RETRY_S = 0.5
KEPT_STAMPS = 1000


class SimulatorNode(Node):
    """See the module. make_world: for other worlds, and for tests."""

    def __init__(
        self,
        make_world: Callable[[str, ArmSimulationSettings], World] = ArmSimulation,
        **options: Any,
    ) -> None:
        super().__init__("simulator", **options)
        self.parameters = Parameters(self, SimulatorNodeSettings)
        settings = self.parameters.settings
        self._simulation = settings.simulation
        self.world = make_world(settings.robot_description or arm_urdf(), self._simulation)
        self.commands = RobotCommands(self.world, TrajectoryPoint)
        self._pace = Pace(settings.real_time_factor, settings.catch_up_s)
        self.parameters.on_change = self._on_settings
        override: dict[str, Any] = {"qos_overriding_options": qos.OVERRIDABLE}
        # Best effort is what a camera offers; lockstep must not lose a packet.
        events_qos = qos.reliable(64) if settings.lockstep else qos.best_effort(64)
        self._simulated_clock = SimulatedClock(self)
        self._joints = self.create_publisher(JointState, "joint_states", qos.STATES, **override)
        self._events = self.create_publisher(EventPacket, EVENTS_TOPIC, events_qos, **override)
        self._target = self.create_publisher(
            PointStamped, "simulation/target", qos.STATES, **override
        )
        self.senses = SenseTopics(self, settings.senses)
        for kind, topic, callback in (
            (JointTrajectory, "arm_controller/joint_trajectory", self._on_trajectory),
            (Float64MultiArray, "arm_position_controller/commands", self._on_positions),
            (Float64MultiArray, "arm_velocity_controller/commands", self._on_velocities),
        ):
            self.create_subscription(
                kind, topic, MessageWithInfo(callback), qos.COMMANDS, **override
            )
        self.latency = LatencyHistogram()
        self._published_ns: dict[int, int] = {}
        self._seq = 0
        self._clock_due_ns = 0
        self._truth_due_ns = 0
        self._awaited_ns = 0
        self._answer: Future | None = None
        self._waiting_since_s: float | None = None
        self._lockstep_timeouts = 0
        self._frame: Frame | None = None
        self._first_answer: tuple[float, float] | None = None
        self._reported = (time.monotonic(), 0.0)
        self._viewer: Viewer | None = None
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    def _on_settings(self, settings: SimulatorNodeSettings) -> None:
        """Change the world, or the pace. ValueError for what the world does not take."""
        simulation = settings.simulation
        if simulation != self._simulation:
            self.world.change(simulation)
            self._simulation = simulation
        if settings.real_time_factor != self.parameters.settings.real_time_factor:
            # A new pace begins a new run: the delays until now were those of another.
            self._pace.set_factor(settings.real_time_factor)
            self.latency = LatencyHistogram()
            self._published_ns.clear()

    # The loop

    def simulate(self, executor: Executor, goes_on: Callable[[], bool] = rclpy.ok) -> None:
        """Advance, publish, wait; until `seconds` have been simulated or it shall not go on."""
        settings = self.parameters.settings
        if settings.viewer:
            self._open_viewer()
        while goes_on():
            frame = self.world.advance()
            self._frame = frame
            self._seq += 1
            self._publish(frame)
            self.senses.publish(frame)
            if settings.lockstep and frame.packet_arrives:
                self._await_answer(executor, frame, goes_on)
            wait_s = self._pace.wait_s(frame.t_ns * 1e-9, time.monotonic())
            spin_for(executor, wait_s)
            if self._viewer is not None:
                self._viewer.show()
            if 0.0 < settings.seconds <= frame.t_ns * 1e-9:
                break

    def _open_viewer(self) -> None:
        world: Any = self.world
        try:
            self._viewer = Viewer(world.model, world.data)
        except RuntimeError as error:
            self.get_logger().warning(f"{error}; it goes on without")

    def _publish(self, frame: Frame) -> None:
        t_ns = int(frame.t_ns)
        settings = self.parameters.settings
        # Each message costs a tenth of a millisecond here and as much wherever it is heard.
        if settings.lockstep or t_ns >= self._clock_due_ns:
            self._clock_due_ns = t_ns + round(settings.clock_period_s * 1e9)
            self._simulated_clock.publish(t_ns)
        names = self.world.joint_names
        for reading in frame.joint_states:
            self._joints.publish(
                messages.joint_state_message(
                    int(reading.t_ns), names, reading.q, reading.qd, reading.effort
                )
            )
        if frame.packet_arrives:
            self._publish_events(frame)
        if settings.lockstep or t_ns >= self._truth_due_ns:
            self._truth_due_ns = t_ns + round(settings.truth_period_s * 1e9)
            self._target.publish(messages.point_message(t_ns, CAMERA_FRAME, frame.target_in_camera))

    def _publish_events(self, frame: Frame) -> None:
        t_ns = int(frame.t_ns)
        payload, time_base_ns = encode_mono(frame.events)
        packet = Packet(
            topic=EVENTS_TOPIC,
            seq=self._seq,
            time_base_ns=time_base_ns,
            stamp_ns=t_ns,
            encoding="mono",
            width=frame.events.width,
            height=frame.events.height,
            is_bigendian=False,
            payload=payload,
        )
        message = messages.packet_message(packet, CAMERA_FRAME)
        # A packet that is sent again keeps its first moment.
        self._published_ns.setdefault(t_ns, time.time_ns())
        self._events.publish(message)
        if len(self._published_ns) > KEPT_STAMPS:
            del self._published_ns[next(iter(self._published_ns))]

    def _await_answer(self, executor: Executor, frame: Frame, goes_on: Callable[[], bool]) -> None:
        self._awaited_ns = int(frame.t_ns)
        self._answer = Future()
        self._waiting_since_s = time.monotonic()
        waited_s, again_s = 0.0, RETRY_S
        late_s = self.parameters.settings.lockstep_timeout_s
        while goes_on():
            spin_for(executor, min(again_s, late_s) - waited_s, self._answer)
            waited_s = time.monotonic() - self._waiting_since_s
            if late := waited_s >= late_s:
                self._lockstep_timeouts += 1
                late_s = float("inf")  # once for each
            if self._answer.done():
                break
            if late:
                self.get_logger().error(
                    f"lockstep: no command for time {frame.t_ns * 1e-9:.3f} s after "
                    f"{waited_s:.1f} s; are the controller and the guard active, and in lockstep?"
                )
            if waited_s >= again_s:
                self._publish(frame)
                again_s = waited_s + RETRY_S
        self._waiting_since_s = self._answer = None

    # Commands

    def _on_trajectory(self, message: JointTrajectory, info: dict[str, Any]) -> None:
        stamp_ns = messages.time_ns(message.header.stamp)
        if self.commands.trajectory(message):
            self._heard(stamp_ns, int(info["source_timestamp"]))

    def _on_positions(self, message: Float64MultiArray, info: dict[str, Any]) -> None:
        del info
        if self.commands.positions(message):
            self._heard(self._awaited_ns, None)

    def _on_velocities(self, message: Float64MultiArray, info: dict[str, Any]) -> None:
        del info
        if self.commands.velocities(message):
            self._heard(self._awaited_ns, None)

    def _heard(self, stamp_ns: int, published_ns: int | None) -> None:
        if self._first_answer is None and self._frame is not None:
            self._first_answer = (time.monotonic(), self._frame.t_ns * 1e-9)
        # A command answers the packet of its stamp and all before it that had no answer.
        while self._published_ns and next(iter(self._published_ns)) <= stamp_ns:
            packet_ns = self._published_ns.pop(next(iter(self._published_ns)))
            if published_ns is not None:
                self.latency.add(published_ns - packet_ns)
        answer = self._answer
        if answer is not None and stamp_ns >= self._awaited_ns and not answer.done():
            answer.set_result(None)

    # Diagnostics

    def report(self) -> Report:
        """Time, pace, delay and commands."""
        now_s = time.monotonic()
        frame = self._frame
        sim_s = 0.0 if frame is None else frame.t_ns * 1e-9
        (before_s, before_sim_s), self._reported = self._reported, (now_s, sim_s)
        elapsed_s = now_s - before_s
        factor_run = math.nan
        if self._first_answer is not None and now_s > self._first_answer[0]:
            factor_run = (sim_s - self._first_answer[1]) / (now_s - self._first_answer[0])
        waiting_s = 0.0 if self._waiting_since_s is None else now_s - self._waiting_since_s
        report = Report(
            values={
                "sim_time_s": sim_s,
                "real_time_factor": (sim_s - before_sim_s) / elapsed_s if elapsed_s else math.nan,
                "real_time_factor_run": factor_run,
                "lockstep_waiting_s": waiting_s,
                "lockstep_timeouts": self._lockstep_timeouts,
                "packets": self._seq,
                "packets_unanswered": len(self._published_ns),
                "commands": self.commands.taken,
                "commands_refused": sum(self.commands.refused.values()),
                "tracking_error_deg": tracking_error_deg(frame),
                **self.latency.values(),
                "renderer": str(getattr(getattr(self.world, "renderer", None), "name", "")),
            }
        )
        self.latency.next_slice()
        report.values |= self.world.conditions
        report.values |= {f"refused_{reason}": n for reason, n in self.commands.refused.items()}
        if waiting_s > self.parameters.settings.lockstep_timeout_s:
            report.fail(f"lockstep: no command for {waiting_s:.0f} s")
        if two_clocks := self._simulated_clock.look():
            report.warn(two_clocks)
        if self.commands.taken == 0:
            report.warn("no command has come yet")
        return report

    def destroy_node(self) -> None:
        """Give back the window and the world too."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None
        self.world.close()
        super().destroy_node()


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""

    def work(node: SimulatorNode, executor: Executor, request: EndRequest) -> None:
        node.simulate(executor, request.goes_on)

    return run(SimulatorNode, args, work=work)


if __name__ == "__main__":
    sys.exit(main())
