# SPDX-License-Identifier: Apache-2.0
"""The replay node: plays the events of a recording as if a camera sent them.

Publishes `event_camera/events` with the recording's timing, divided by `rate`. The packets are
stamped by the node's clock; with `publish_clock` they keep their stamps, and `/clock` follows
them. With `joint_states` an arm at rest in its home position is published beside them, so that
controller and guard have all that they need and can be watched without a robot.
The node ends with the recording; a recording that cannot be read ends it with exit code 1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import rclpy
from event_camera_msgs.msg import EventPacket
from pydantic import BaseModel, ConfigDict, Field
from rclpy.executors import Executor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from neuro_control.events import FileError, Packet, open_file, packets_of, read_packets
from neuro_control.events.files.bag_file import BagFile
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report
from neuro_control.nodes.parameters import Parameters
from neuro_control.nodes.spin import run, spin_for
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf

EVENTS_TOPIC = "event_camera/events"
# Between packets the clock and the joint states go on in steps of this.
STEP_NS = 5_000_000
SETTLE_S = 0.2
# A gap in a recording's stamps beyond this is a clock that was set, not a pause to be waited for.
LONGEST_PAUSE_NS = 10_000_000_000


class ReplaySettings(BaseModel):
    """What the replay node is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        min_length=1, description="The recording: a rosbag2 folder, or any file of events"
    )
    topic: str = Field("", description="Topic in the recording; empty: the only one with events")
    layout: str = Field(
        "", description="Layout of the addresses in AEDAT 1 and 2, where the file does not say it"
    )
    width: int = Field(
        0, ge=0, le=65536, description="Columns, where the file does not say it; 0: as few as fit"
    )
    height: int = Field(
        0, ge=0, le=65536, description="Rows, where the file does not say it; 0: as few as fit"
    )
    rate: float = Field(1.0, gt=0.0, le=100.0, description="Speed; 2.0: in half the time")
    repeat: bool = Field(False, description="Begin anew at the end")
    publish_clock: bool = Field(False, description="Publish /clock from the recording's stamps")
    joint_states: bool = Field(False, description="Publish an arm at rest in its home position")
    robot_description: str = Field(
        "", description="URDF text of that arm; empty: the arm of this package"
    )
    frame_id: str = Field("hand_camera_optical_frame", description="Frame of the packets")
    wait_s: float = Field(
        5.0,
        ge=0.0,
        le=600.0,
        description="Longest wait for somebody to listen before it begins (s)",
    )


class ReplayNode(Node):
    """See the module."""

    def __init__(self, **options: Any) -> None:
        super().__init__("replay", **options)
        self.parameters = Parameters(self, ReplaySettings)
        settings = self.parameters.settings
        self._events = self.create_publisher(
            EventPacket,
            EVENTS_TOPIC,
            qos.best_effort(64),
            qos_overriding_options=qos.OVERRIDABLE,
        )
        self._clock_publisher = None
        if settings.publish_clock:
            self._clock_publisher = self.create_publisher(Clock, "/clock", qos.reliable(10))
        self._joints = None
        if settings.joint_states:
            self._arm = ArmModel.from_urdf(settings.robot_description or arm_urdf())
            self._joints = self.create_publisher(JointState, "joint_states", qos.STATES)
        self.packets = 0
        self.repeats = 0
        self._played_ns = 0
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    def play(self, executor: Executor, goes_on: Callable[[], bool] = rclpy.ok) -> None:
        """Play the recording, again and again if told to. Raises FileError."""
        settings = self.parameters.settings
        self._await_listener(executor, goes_on)
        while goes_on():
            self._play_once(executor, goes_on)
            if not settings.repeat:
                break
            self.repeats += 1

    def _await_listener(self, executor: Executor, goes_on: Callable[[], bool]) -> None:
        end_s = time.monotonic() + self.parameters.settings.wait_s
        while goes_on() and time.monotonic() < end_s and not self._events.get_subscription_count():
            spin_for(executor, 0.02)
        # We know of the listener a moment before it knows of us.
        spin_for(executor, min(SETTLE_S, self.parameters.settings.wait_s))

    def _play_once(self, executor: Executor, goes_on: Callable[[], bool]) -> None:
        settings = self.parameters.settings
        start_s = time.monotonic()
        start_ns = int(self.get_clock().now().nanoseconds)
        played_ns = 0
        last_ns: int | None = None
        for packet in self._packets():
            if not goes_on():
                return
            pause_ns = 0 if last_ns is None else packet.stamp_ns - last_ns
            last_ns = packet.stamp_ns
            if not 0 <= pause_ns <= LONGEST_PAUSE_NS:
                pause_ns = 0
            due_ns = played_ns + pause_ns
            while played_ns < due_ns:
                played_ns = min(played_ns + STEP_NS, due_ns)
                due_s = start_s + played_ns * 1e-9 / settings.rate
                spin_for(executor, due_s - time.monotonic())
                self._tell_time(packet.stamp_ns - due_ns + played_ns)
            self._played_ns = played_ns
            self._publish(packet, start_ns + round(played_ns / settings.rate))

    def _packets(self) -> Iterator[Packet]:
        """A recording's packets as they are; of other files, packets of 4 ms."""
        settings = self.parameters.settings
        size = (settings.width, settings.height)
        said = size if all(size) else None
        try:
            file = open_file(
                settings.path, topic=settings.topic or None, layout=settings.layout, size=said
            )
        except OSError as error:
            raise FileError(str(error)) from error
        if isinstance(file, BagFile):
            return read_packets(settings.path, settings.topic or None)
        size = said or file.smallest_size()
        return packets_of(file.blocks(size), size)

    def _tell_time(self, recorded_ns: int) -> None:
        if self._clock_publisher is not None:
            self._clock_publisher.publish(messages.clock_message(recorded_ns))
        if self._joints is not None:
            now_ns = recorded_ns
            if self._clock_publisher is None:
                now_ns = int(self.get_clock().now().nanoseconds)
            home = self._arm.home
            self._joints.publish(
                messages.joint_state_message(now_ns, self._arm.joint_names, home, 0.0 * home)
            )

    def _publish(self, packet: Packet, now_ns: int) -> None:
        stamp_ns = now_ns if self._clock_publisher is None else packet.stamp_ns
        frame_id = self.parameters.settings.frame_id
        self._events.publish(messages.packet_message(packet, frame_id, stamp_ns))
        self.packets += 1

    def report(self) -> Report:
        """How far it is."""
        return Report(
            values={
                "path": self.parameters.settings.path,
                "packets": self.packets,
                "sim_time_s": self._played_ns * 1e-9,
                "repeats": self.repeats,
            }
        )


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run(ReplayNode, args, work=ReplayNode.play)


if __name__ == "__main__":
    sys.exit(main())
