# SPDX-License-Identifier: Apache-2.0
"""The replay node: plays a recording as if the sensors in it sent it again.

Publishes `event_camera/events` with the recording's timing, divided by `rate`. The packets are
stamped by the node's clock; with `publish_clock` they keep their stamps, `/clock` follows them, and
what else a recording has is played too: what sensors sent under its own name, what the nodes did
below `recorded/` (`recorded_topics`). With `joint_states` an arm at rest in its home position is
published beside, where the recording has no joint states, so that controller and guard have all
that they need and can be watched without a robot.

`replay/pause`, `replay/resume` (std_srvs/Trigger) and `replay/seek` (std_msgs/Float64, seconds from
the start) move it; `replay/status` (std_msgs/String, JSON, latched) says where it is. A seek begins
a little earlier and plays that fast, so that a network is awake where it arrives; paused too.
The node ends with the recording, unless it shall `stay`; a recording that cannot be read ends it
with exit code 1.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.clock import Clock as RclpyClock
from rclpy.clock import ClockType
from rclpy.executors import Executor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import Trigger

from neuro_control.events import BagError, FileError, Packet
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report
from neuro_control.nodes.parameters import Parameters
from neuro_control.nodes.playback import Playback
from neuro_control.nodes.recorded_topics import EVENTS_TOPIC, RECORDED
from neuro_control.nodes.replay_settings import ReplaySettings
from neuro_control.nodes.replay_source import Played, Source, open_source
from neuro_control.nodes.spin import EndRequest, StartError, run, spin_for
from neuro_control.reports.json_text import json_text
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf

# Between packets the clock and the joint states go on in steps of this.
STEP_NS = 5_000_000
SETTLE_S = 0.2
# Between the clock's jump and what follows it, so that the one is heard before the other.
JUMP_S = 0.05
STATUS_S = 0.1
# A number that no packet was lost could explain: whoever counts begins anew.
NEW_SEQ = 1 << 24


class ReplayNode(Node):
    """See the module."""

    def __init__(self, **options: Any) -> None:
        super().__init__("replay", **options)
        self.parameters = Parameters(self, ReplaySettings)
        settings = self.parameters.settings
        self.parameters.on_change = self._on_settings
        self._events = self.create_publisher(
            EventPacket,
            EVENTS_TOPIC,
            qos.best_effort(64),
            qos_overriding_options=qos.OVERRIDABLE,
        )
        self._clock_publisher = None
        if settings.publish_clock:
            self._clock_publisher = self.create_publisher(Clock, "/clock", qos.reliable(10))
        self._joints: Any = None
        if settings.joint_states:
            self._joints = self.create_publisher(JointState, "joint_states", qos.STATES)
        self._arm: ArmModel | None = None
        self._others: dict[str, Any] = {}
        self._status = self.create_publisher(String, "replay/status", qos.LATCHED)
        self.create_service(Trigger, "replay/pause", self._on_pause)
        self.create_service(Trigger, "replay/resume", self._on_resume)
        self.create_subscription(Float64, "replay/seek", self._on_seek, qos.reliable(1))
        self.create_timer(
            STATUS_S, self._tell_status, clock=RclpyClock(clock_type=ClockType.STEADY_TIME)
        )
        self.playback = Playback(settings.rate, time.monotonic(), self._clock_ns)
        self.packets = 0
        self.repeats = 0
        self.ended = False
        self._seq = 0
        self._source: Source | None = None
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    # The loop

    def play(self, executor: Executor, goes_on: Callable[[], bool] = rclpy.ok) -> None:
        """Play the recording, again and again if told to. Raises FileError."""
        settings = self.parameters.settings
        source = self._open()
        self._await_listener(executor, goes_on)
        while goes_on():
            self._play_once(source, executor, goes_on)
            if self.playback.sought:
                continue
            self.ended = True
            if settings.repeat and goes_on():
                self.repeats += 1
                continue
            if not settings.stay:
                break
            self.playback.pause(time.monotonic())
            while goes_on() and not self.playback.sought:
                spin_for(executor, 0.02)
        self._tell_status()

    def _open(self) -> Source:
        settings = self.parameters.settings
        size = (settings.width, settings.height)
        self._source = source = open_source(
            settings.path,
            settings.topic,
            settings.layout,
            size if all(size) else None,
            settings.publish_clock,
        )
        if self._joints is not None and "joint_states" not in source.topics:
            self._arm = ArmModel.from_urdf(settings.robot_description or arm_urdf())
        for name, topic in source.topics.items():
            if name == "joint_states" and self._joints is not None:
                self._others[name] = self._joints
                continue
            shown = RECORDED + name if topic.done else name
            self._others[name] = self.create_publisher(
                messages.message_class(topic.type), shown, topic.profile
            )
        for recorded, why in source.left_out.items():
            self.get_logger().info(f"{recorded} is not played: {why}")
        return source

    def _await_listener(self, executor: Executor, goes_on: Callable[[], bool]) -> None:
        end_s = time.monotonic() + self.parameters.settings.wait_s
        while goes_on() and time.monotonic() < end_s and not self._events.get_subscription_count():
            spin_for(executor, 0.02)
        # We know of the listener a moment before it knows of us.
        spin_for(executor, min(SETTLE_S, self.parameters.settings.wait_s))

    def _play_once(self, source: Source, executor: Executor, goes_on: Callable[[], bool]) -> None:
        """From the place that is sought, or the start, to the end or until another is sought."""
        self.ended = False
        playback = self.playback
        again = playback.seeks + self.repeats > 0
        begin_ns = playback.begin(time.monotonic())
        if again:
            self._seq += NEW_SEQ
            self._tell_time(source.start_ns + begin_ns)
            spin_for(executor, JUMP_S)
            playback.resettle(time.monotonic())
        for played in source.play(begin_ns):
            if not self._await_place(played.place_ns, source, executor, goes_on):
                return
            self._publish(played)

    def _await_place(
        self, place_ns: int, source: Source, executor: Executor, goes_on: Callable[[], bool]
    ) -> bool:
        """Let time pass until a place is due; False where the replay goes elsewhere, or ends."""
        playback = self.playback
        while goes_on() and not playback.sought:
            if playback.place_ns >= place_ns:
                return True
            if playback.standing:
                spin_for(executor, 0.02)
                continue
            step_ns = playback.next_ns(place_ns, STEP_NS)
            wait_s = playback.wait_s(step_ns, time.monotonic())
            spin_for(executor, min(wait_s, 0.05))
            # What came meanwhile may have changed all of it: then it is asked anew.
            if playback.wait_s(step_ns, time.monotonic()) <= 0.0 and playback.moves:
                playback.reach(step_ns, time.monotonic())
                self._tell_time(source.start_ns + step_ns)
        return False

    # What is sent

    def _clock_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _tell_time(self, recorded_ns: int) -> None:
        if self._clock_publisher is not None:
            self._clock_publisher.publish(messages.clock_message(recorded_ns))
        if self._arm is not None:
            now_ns = recorded_ns
            if self._clock_publisher is None:
                now_ns = self._clock_ns()
            home = self._arm.home
            self._joints.publish(
                messages.joint_state_message(now_ns, self._arm.joint_names, home, 0.0 * home)
            )

    def _publish(self, played: Played) -> None:
        if played.packet is None:
            self._others[played.topic].publish(played.data)
            return
        packet: Packet = played.packet
        stamp_ns = packet.stamp_ns
        if self._clock_publisher is None:
            stamp_ns = self.playback.stamp_ns(played.place_ns)
        message = messages.packet_message(packet, self.parameters.settings.frame_id, stamp_ns)
        message.seq += self._seq
        self._events.publish(message)
        self.packets += 1

    # What it is told

    def _on_settings(self, settings: ReplaySettings) -> None:
        self.playback.set_rate(settings.rate, time.monotonic())

    def _on_pause(self, request: Any, response: Trigger.Response) -> Trigger.Response:
        del request
        self.playback.pause(time.monotonic())
        response.success, response.message = True, self._where()
        self._tell_status()
        return response

    def _on_resume(self, request: Any, response: Trigger.Response) -> Trigger.Response:
        del request
        if self.ended:
            response.success, response.message = False, "it is at its end; seek a place first"
            return response
        self.playback.resume(time.monotonic())
        response.success, response.message = True, self._where()
        self._tell_status()
        return response

    def _on_seek(self, message: Float64) -> None:
        wanted_s = float(message.data)
        if not math.isfinite(wanted_s):
            self.get_logger().warning(f"replay/seek: {wanted_s} is no place; it goes on")
            return
        wanted_ns = round(max(wanted_s, 0.0) * 1e9)
        duration_ns = None if self._source is None else self._source.duration_ns
        self.playback.seek(wanted_ns if duration_ns is None else min(wanted_ns, duration_ns))

    def _where(self) -> str:
        return f"at {self.playback.place_ns * 1e-9:.3f} s"

    # What it says

    def _tell_status(self) -> None:
        source, playback = self._source, self.playback
        duration_ns = None if source is None else source.duration_ns
        text = {
            "format": 1,
            "path": self.parameters.settings.path,
            "duration_s": None if duration_ns is None else duration_ns * 1e-9,
            "position_s": playback.place_ns * 1e-9,
            "start_ns": 0 if source is None else source.start_ns,
            "rate": playback.rate,
            "paused": playback.paused,
            "ended": self.ended,
            "seeks": playback.seeks,
            "topics": {} if source is None else {n: t.type for n, t in source.topics.items()},
            "left_out": {} if source is None else dict(source.left_out),
            "refused": {} if source is None else dict(source.refused),
        }
        self._status.publish(String(data=json_text(text)))

    def report(self) -> Report:
        """How far it is, and what of the recording could not be played."""
        source, playback = self._source, self.playback
        duration_ns = None if source is None else source.duration_ns
        refused = {} if source is None else dict(source.refused)
        because = ", ".join(f"{count} of {name}" for name, count in refused.items())
        report = Report(
            values={
                "path": self.parameters.settings.path,
                "packets": self.packets,
                "sim_time_s": playback.place_ns * 1e-9,
                "position_s": playback.place_ns * 1e-9,
                "duration_s": math.nan if duration_ns is None else duration_ns * 1e-9,
                "rate": playback.rate,
                "paused": playback.paused,
                "seeks": playback.seeks,
                "repeats": self.repeats,
                "messages_refused": sum(refused.values()),
                "refused_because": f"cannot be read: {because}" if because else "",
            }
        )
        if because:
            report.warn(f"messages that cannot be read are not played: {because}")
        return report


def _play(node: ReplayNode, executor: Executor, request: EndRequest) -> None:
    """Play; what is wrong with the recording is one line, and no fault of the node's."""
    try:
        node.play(executor, request.goes_on)
    except (FileError, BagError) as error:
        raise StartError(str(error)) from error


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run(ReplayNode, args, work=_play)


if __name__ == "__main__":
    sys.exit(main())
