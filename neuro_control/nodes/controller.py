# SPDX-License-Identifier: Apache-2.0
"""The controller node: event packets and joint states in, joint commands out.

Subscribes `event_camera/events`, `joint_states`. Publishes `desired_trajectory`, whose stamp is
that of the packet that it answers, or that of the command before where that is later; and
`target_direction`, the target in the camera's frame; and what happens inside its network
(`network_activity`), while somebody listens.
The packets advance the network; while none come, a timer does, by the node's clock, and the arm is
held or searches, as the controller decides. Nothing is answered by a joint state that is too old.
When the clock is set, controller and stamps begin anew by it. Commands go out only while the node
is active.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from event_camera_msgs.msg import EventPacket
from rclpy.clock import JumpHandle, TimeJump
from sensor_msgs.msg import JointState

from neuro_control.control.arm import ArmController, ArmControllerSettings, JointSample
from neuro_control.events import Events, Packet
from neuro_control.nodes import messages, qos
from neuro_control.nodes.clock_watch import TIME_BEGINS_ANEW, ClockWatch
from neuro_control.nodes.controller_core import Controller
from neuro_control.nodes.controller_outputs import ControllerOutputs
from neuro_control.nodes.controller_report import ControllerTally, report, unready
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report
from neuro_control.nodes.event_input import Declared
from neuro_control.nodes.input_health import InputFacts
from neuro_control.nodes.joint_samples import JointSamples
from neuro_control.nodes.lifecycle import ManagedNode, run_managed
from neuro_control.nodes.network_activity import NetworkActivity
from neuro_control.nodes.packet_gathering import PacketGathering
from neuro_control.nodes.packet_intake import NEW_TIME_NS, PacketIntake
from neuro_control.nodes.parameters import Parameters
from neuro_control.robots.arm_model import ArmModel

EVENTS_TOPIC = "event_camera/events"
PACKET_TYPE = "event_camera_msgs/msg/EventPacket"


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
        self.parameters.on_change = self._on_settings
        self.tally = ControllerTally()
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    # Lifecycle

    def configure(self) -> None:
        """Load the network, make the topics."""
        settings = self.parameters.settings
        arm = settings.arm()
        # At once: whatever fails below, `release` closes it, and its backend's process with it.
        controller = self._controller = self._make_controller(settings.core(), arm)
        self._joints = JointSamples(
            arm.joint_names, arm.limits.velocity, settings.joint_states_timeout_s
        )
        self._outputs = ControllerOutputs(self, arm.joint_names, settings)
        self._forget()
        # A simulation in lockstep waits for the answer to each packet: none may be lost.
        transport = qos.reliable if settings.lockstep else qos.best_effort
        self._events = self.add_subscription(
            EventPacket,
            EVENTS_TOPIC,
            self._on_packet,
            transport(settings.events_depth),
            watch_qos=True,
        )
        self.add_subscription(JointState, "joint_states", self._on_joints, transport(10))
        simulated = bool(self.get_parameter("use_sim_time").value)
        if not settings.lockstep:
            # A timer on the system's clock would stand still for as long as that is set back.
            self.add_timer(settings.idle_period_s, self._on_idle, wall=not simulated)
            self._gathering = PacketGathering(
                self, self._answer_held, lambda: self._intake.held, settings.events_depth
            )
        # ROS tells when a simulation's clock jumps, and of no other.
        self._clock_watch = None if simulated else ClockWatch(self._now_ns)
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
        declared = Declared(settings.sensor_width, settings.sensor_height, settings.encoding)
        most_events = 0 if settings.lockstep else settings.most_events
        self._intake = PacketIntake(declared, most_events, self.tally)
        self._joints.forget()
        self._outputs.forget()
        self._pending: deque[tuple[Packet, int]] = deque(maxlen=1000)
        self._answered_ns = -1
        self._heard_ns: int | None = None

    @property
    def controller(self) -> Controller:
        """The core; there is one from configure to clean-up."""
        if self._controller is None:
            raise RuntimeError("the controller is not configured")
        return self._controller

    # Topics

    def _on_joints(self, message: JointState, info: dict[str, Any]) -> None:
        del info
        stamp_ns = messages.time_ns(message.header.stamp)
        taken = self._joints.take(
            message.name, message.position, message.velocity, stamp_ns, time.monotonic_ns()
        )
        while taken is not None and self._pending and self._pending[0][0].stamp_ns <= stamp_ns:
            self._answer_in_lockstep(*self._pending.popleft())

    def _on_packet(self, message: EventPacket, info: dict[str, Any]) -> None:
        if not self.active:
            return
        packet = messages.packet(message, EVENTS_TOPIC)
        published_ns = int(info["source_timestamp"])
        if self.parameters.settings.lockstep:
            joints = self._joints.newest
            if joints is None or joints.t_ns < packet.stamp_ns:
                self._pending.append((packet, published_ns))
            else:
                self._answer_in_lockstep(packet, published_ns)
            return
        self._intake.hold(packet, published_ns)
        self._gathering.came(int(info.get("received_timestamp", 0)))

    def _answer_in_lockstep(self, packet: Packet, published_ns: int) -> None:
        taken = self._intake.input.taken
        self._intake.hold(packet, published_ns)
        self._answer_held()
        if taken == self._intake.input.taken and packet.stamp_ns == self._answered_ns:
            # A simulation that has missed the answer sends its packet once more.
            self._outputs.publish_again()

    def _answer_held(self) -> None:
        if not self.active or not len(self._intake):
            return
        known = self._intake.input.taken
        taken = self._intake.take(self._answered_ns)
        if self._intake.input.taken != known:
            self._heard_ns = self._now_ns()
        if taken is None:
            return
        if taken.begins_anew:
            self._begin_anew()
        joints = self._joints.at(taken.stamp_ns)
        if joints is None:
            self.tally.packets_without_joints += len(taken.published_ns)
            return
        # The first packet after a silence is stamped before the last step that was taken without
        # the sensor: every packet takes some time to come. The network cannot go back, nor can
        # the guard, and so it is answered at that step's time; its events are taken in late by
        # that much. To let the time without the sensor trail instead would need a bound on how
        # long a packet may take, and hold the arm later by as much.
        self._step(taken.events, joints, max(taken.stamp_ns, self._answered_ns))
        now_ns = time.time_ns()
        for published_ns in taken.published_ns:
            self.tally.latency.add(now_ns - published_ns)

    def _on_idle(self) -> None:
        set_by_ns = self._clock_watch.set_by_ns() if self._clock_watch else 0
        if not self.active:
            return
        if set_by_ns:
            self._on_clock_set(set_by_ns)
        now_ns = self._now_ns()
        if len(self._intake):
            self._answer_held()  # rather than let time pass without what has come
            return
        if self._heard_ns is None:
            return
        self._heard_ns = min(self._heard_ns, now_ns)  # the clock may have been set back
        if now_ns - self._heard_ns < self.parameters.settings.idle_after_s * 1e9:
            return
        if self._answered_ns - now_ns > NEW_TIME_NS:
            self._begin_anew()  # that answer's stamp was wrong, or of a time before the clock's
        joints = self._joints.at(now_ns)
        if joints is not None and now_ns > self._answered_ns:
            self._step(Events.empty(*self._intake.input.size), joints, now_ns)

    def _step(self, events: Events, joints: JointSample, t_ns: int) -> None:
        command = self.controller.step(events, joints, t_ns)
        self._answered_ns = t_ns
        self._outputs.publish(command, t_ns)
        self.tally.count(command, self.controller.statistics)
        if self._activity is not None:
            self._activity.publish()

    def _begin_anew(self) -> None:
        """A new time: neither what was seen nor what was answered has a place in it."""
        self._answered_ns = -1
        self._outputs.forget()
        self.controller.reset()
        if self._activity is not None:
            self._activity.rest()

    def _on_time_jump(self, jump: TimeJump) -> None:
        """A recording that is played from elsewhere, or a simulation that was started anew."""
        del jump
        if self.active:
            self._begin_anew()
            self._forget()

    def _on_clock_set(self, by_ns: int) -> None:
        """Sensor and arm go on, with other stamps; so does what passes without the sensor."""
        self.get_logger().warning(f"the clock was set by {by_ns * 1e-9:.3f} s: it begins anew")
        self._begin_anew()
        self._intake.begin_anew()
        self._joints.forget()
        if self._heard_ns is not None:
            self._heard_ns = self._now_ns()

    def _on_settings(self, settings: ControllerNodeSettings) -> None:
        if self._activity is not None:
            self._activity.choose(settings.probe_neurons)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    # Diagnostics

    def report(self) -> Report:
        """What came in, what was done with it, and why nothing is done if so."""
        if self._controller is None:
            return unready(self.lifecycle_state, self.failure)
        topic = self._events.topic_name
        publishers = [p.topic_type for p in self.get_publishers_info_by_topic(topic)]
        waiting = len(self._pending)
        facts = InputFacts(topic, PACKET_TYPE, publishers, self.incompatible_qos, waiting=waiting)
        joints = self._joints.findings(time.monotonic_ns())
        found = report(
            self.lifecycle_state, facts, self._intake, self._controller, self.tally, joints
        )
        if self._activity is not None:
            found.values |= self._activity.report()
        return found


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(ControllerNode, args)


if __name__ == "__main__":
    sys.exit(main())
