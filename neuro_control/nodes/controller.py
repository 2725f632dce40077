# SPDX-License-Identifier: Apache-2.0
"""The controller node: event packets and joint states in, joint commands out.

Subscribes `event_camera/events`, `joint_states`. Publishes `desired_trajectory`, whose stamp is
that of the packet that it answers, or that of the command before where that is later; and
`target_direction`, the target in the camera's frame; and what happens inside its network
(`network_activity`), while somebody listens.
The packets advance the network; while none come, a timer on the node's clock does, and the arm is
held or searches, as the controller decides. Commands go out only while the node is active.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import Vector3Stamped
from rclpy.clock import JumpHandle, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import qos_policy_name_from_kind
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_control.control.arm import ArmController, ArmControllerSettings, JointSample
from neuro_control.events import Events, Packet
from neuro_control.nodes import messages, qos
from neuro_control.nodes.backlog import LATE_NS
from neuro_control.nodes.controller_core import Controller
from neuro_control.nodes.controller_report import ControllerTally, report
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report
from neuro_control.nodes.event_input import Declared
from neuro_control.nodes.input_health import InputFacts
from neuro_control.nodes.lifecycle import ManagedNode, run_managed
from neuro_control.nodes.network_activity import NetworkActivity
from neuro_control.nodes.packet_intake import NEW_TIME_NS, PacketIntake
from neuro_control.nodes.parameters import Parameters
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf

EVENTS_TOPIC = "event_camera/events"
PACKET_TYPE = "event_camera_msgs/msg/EventPacket"
CAMERA_FRAME = "hand_camera_optical_frame"
# The clock of a simulation or a recording that leaps so far, or goes back, begins a new time too.
TIME_BEGINS_ANEW = JumpThreshold(
    min_forward=Duration(nanoseconds=NEW_TIME_NS),
    min_backward=Duration(nanoseconds=-10_000_000),
    on_clock_change=False,
)


class ControllerNode(ManagedNode):
    """See the module. make_controller: for other controllers, and for tests."""

    def __init__(
        self,
        make_controller: Callable[[ArmControllerSettings, ArmModel], Controller] = ArmController,
        **options: Any,
    ) -> None:
        super().__init__("controller", **options)
        self.parameters = Parameters(self, ControllerNodeSettings)
        self._make_controller = make_controller
        self._controller: Controller | None = None
        self._activity: NetworkActivity | None = None
        self._jumps: JumpHandle | None = None
        self._incompatible_qos = ""
        self.parameters.on_change = self._on_settings
        self.tally = ControllerTally()
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    # Lifecycle

    def configure(self) -> None:
        """Load the network, make the topics."""
        settings = self.parameters.settings
        arm = ArmModel.from_urdf(
            settings.robot_description or arm_urdf(), settings.base_link, settings.tip_link
        )
        plain = ArmControllerSettings.model_validate(
            settings.model_dump(include=set(ArmControllerSettings.model_fields))
        )
        # At once: whatever fails below, `release` closes it, and its backend's process with it.
        controller = self._controller = self._make_controller(plain, arm)
        self._arm = arm
        self._forget()
        self._command_time_ns = round(settings.command_time_s * 1e9)
        self._command = self.add_publisher(JointTrajectory, "desired_trajectory", qos.COMMANDS)
        self._target = self.add_publisher(Vector3Stamped, "target_direction", qos.best_effort(1))
        # A simulation in lockstep waits for the answer to each packet: none may be lost.
        transport = qos.reliable if settings.lockstep else qos.best_effort
        self._events = self.add_subscription(
            EventPacket,
            EVENTS_TOPIC,
            self._on_packet,
            transport(settings.events_depth),
            SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos),
        )
        self.add_subscription(JointState, "joint_states", self._on_joints, transport(10))
        if not settings.lockstep:
            self.add_timer(settings.idle_period_s, self._on_idle)
            self._look_timer = self.add_timer(0.0, self._look, wall=True)
            self._look_timer.cancel()
        self._jumps = self.get_clock().create_jump_callback(
            TIME_BEGINS_ANEW, post_callback=self._on_time_jump
        )
        self._activity = None
        if controller.network_watch is not None:
            self._activity = NetworkActivity(
                self, controller.network_watch, settings, controller.backend_report.values
            )
        about = controller.backend_report.values
        self.get_logger().info(f"backend: {about['backend']} ({about['backend_reason']})")

    def activate(self) -> None:
        """Begin anew: what was seen long ago is no ground for a command."""
        self.controller.reset()
        self._forget()

    def deactivate(self) -> None:
        """No network is stepped from now on: nothing runs beside it either."""
        if self._activity is not None:
            self._activity.rest()

    def release(self) -> None:
        """Forget the network."""
        controller, self._controller = self._controller, None
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.close()
        if self._jumps is not None:
            self._jumps.unregister()
            self._jumps = None
        if controller is not None:
            controller.close()

    def _forget(self) -> None:
        settings = self.parameters.settings
        self._intake = PacketIntake(
            Declared(settings.sensor_width, settings.sensor_height, settings.encoding),
            0 if settings.lockstep else settings.most_events,
            self.tally,
        )
        self._last: JointTrajectory | None = None
        self._joints: JointSample | None = None
        self._pending: deque[tuple[Packet, int]] = deque(maxlen=1000)
        self._looked_at = 0
        self._newest_waited_ns = 0
        self._answered_ns = -1
        self._direction_due_ns = 0
        self._heard_ns: int | None = None
        self._size = (0, 0)

    @property
    def controller(self) -> Controller:
        """The core; there is one from configure to clean-up."""
        if self._controller is None:
            raise RuntimeError("the controller is not configured")
        return self._controller

    # Topics

    def _on_joints(self, message: JointState, info: dict[str, Any]) -> None:
        del info
        names = self._arm.joint_names
        q = messages.ordered(message.name, message.position, names)
        qd = messages.ordered(message.name, message.velocity, names)
        qd = np.zeros(len(names)) if qd is None else qd
        if q is None or not (np.isfinite(q).all() and np.isfinite(qd).all()):
            return
        t_ns = messages.time_ns(message.header.stamp)
        self._joints = JointSample(t_ns, q, qd)
        while self._pending and self._pending[0][0].stamp_ns <= t_ns:
            self._answer_in_lockstep(*self._pending.popleft())

    def _on_packet(self, message: EventPacket, info: dict[str, Any]) -> None:
        if not self.active:
            return
        packet = messages.packet(message, EVENTS_TOPIC)
        published_ns = int(info["source_timestamp"])
        if self.parameters.settings.lockstep:
            joints = self._joints
            if joints is None or joints.t_ns < packet.stamp_ns:
                self._pending.append((packet, published_ns))
            else:
                self._answer_in_lockstep(packet, published_ns)
            return
        self._intake.hold(packet, published_ns)
        # Not every middleware knows when it came.
        received_ns = int(info.get("received_timestamp", 0))
        self._newest_waited_ns = time.time_ns() - received_ns if received_ns > 0 else 0
        if self._intake.held > 1:
            return  # it is looked at already
        if received_ns > 0 and self._newest_waited_ns <= LATE_NS:
            self._answer_held()
        else:
            self._looked_at = 1
            self._look_later()

    def _look_later(self) -> None:
        """Look at what waits after all that the executor has on its list, other packets first."""
        # Not as a task: rclpy's EventsExecutor falls over one that raises.
        self._look_timer.reset()

    def _look(self) -> None:
        self._look_timer.cancel()
        held, most = self._intake.held, self.parameters.settings.events_depth
        # An executor that takes one message a round has not come to them all yet.
        more = self._looked_at < held < most and self._newest_waited_ns > LATE_NS
        self._looked_at = held
        if more:
            self._look_later()
        else:
            self._answer_held()

    def _answer_in_lockstep(self, packet: Packet, published_ns: int) -> None:
        taken = self._intake.input.taken
        self._intake.hold(packet, published_ns)
        self._answer_held()
        again = packet.stamp_ns == self._answered_ns and self._last is not None
        if taken == self._intake.input.taken and again:
            # A simulation that has missed the answer sends its packet once more.
            self._command.publish(self._last)

    def _answer_held(self) -> None:
        if not self.active or not len(self._intake):
            return
        known = self._intake.input.taken
        if self._joints is None:
            self.tally.packets_without_joints += self._intake.forget_held()
            taken = None
        else:
            taken = self._intake.take(self._answered_ns)
        if self._intake.input.taken != known:
            self._heard_ns = self._now_ns()
        if taken is None or self._joints is None:
            return
        if taken.begins_anew:
            self._direction_due_ns = 0
            self._answered_ns = -1
            self.controller.reset()
            if self._activity is not None:
                self._activity.rest()
        self._size = (taken.events.width, taken.events.height)
        # The first packet after a silence is stamped before the last step that was taken without
        # the sensor: every packet takes some time to come. The network cannot go back, nor can
        # the guard, and so it is answered at that step's time; its events are taken in late by
        # that much. To let the time without the sensor trail instead would need a bound on how
        # long a packet may take, and hold the arm later by as much.
        self._step(taken.events, self._joints, max(taken.stamp_ns, self._answered_ns))
        now_ns = time.time_ns()
        for published_ns in taken.published_ns:
            self.tally.latency.add(now_ns - published_ns)

    def _on_idle(self) -> None:
        settings = self.parameters.settings
        now_ns = self._now_ns()
        if not self.active or self._joints is None:
            return
        if len(self._intake):
            self._answer_held()  # rather than let time pass without what has come
            return
        if self._heard_ns is None:
            return
        self._heard_ns = min(self._heard_ns, now_ns)  # the clock may have been set back
        if now_ns - self._heard_ns < settings.idle_after_s * 1e9 or now_ns <= self._answered_ns:
            return
        self._step(Events.empty(*self._size), self._joints, now_ns)

    def _step(self, events: Events, joints: JointSample, t_ns: int) -> None:
        command = self.controller.step(events, joints, t_ns)
        self._answered_ns = t_ns
        self._last = messages.trajectory_message(
            t_ns, self._arm.joint_names, command.q, command.qd, self._command_time_ns
        )
        self._command.publish(self._last)
        settings = self.parameters.settings
        due = settings.lockstep or t_ns >= self._direction_due_ns
        if command.target_direction is not None and due:
            self._direction_due_ns = t_ns + round(settings.direction_period_s * 1e9)
            self._target.publish(
                messages.direction_message(t_ns, CAMERA_FRAME, command.target_direction)
            )
        self.tally.count(command, self.controller.statistics)
        if self._activity is not None:
            self._activity.publish()

    def _on_time_jump(self, jump: TimeJump) -> None:
        """A recording that is played from elsewhere, or a simulation that was started anew."""
        del jump
        if self.active:
            self.controller.reset()
            self._forget()
            if self._activity is not None:
                self._activity.rest()

    def _on_settings(self, settings: ControllerNodeSettings) -> None:
        if self._activity is not None:
            self._activity.choose(settings.probe_neurons)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_incompatible_qos(self, event: Any) -> None:
        self._incompatible_qos = str(qos_policy_name_from_kind(event.last_policy_kind))

    # Diagnostics

    def report(self) -> Report:
        """What came in, what was done with it, and why nothing is done if so."""
        if self._controller is None:
            unready = Report(values={"lifecycle_state": self.lifecycle_state})
            unready.warn(self.failure or "not configured")
            return unready
        topic = self._events.topic_name
        facts = InputFacts(
            topic=topic,
            wanted_type=PACKET_TYPE,
            publisher_types=[p.topic_type for p in self.get_publishers_info_by_topic(topic)],
            incompatible_qos=self._incompatible_qos,
            refused=self._intake.input.refused,
            last_drop=self._intake.input.last_drop,
            has_joints=self._joints is not None,
        )
        found = report(
            self.lifecycle_state, facts, self._intake.input, self._controller, self.tally
        )
        if self._activity is not None:
            found.values |= self._activity.report()
        return found


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(ControllerNode, args)


if __name__ == "__main__":
    sys.exit(main())
