# SPDX-License-Identifier: Apache-2.0
"""The monitor node: listens to a run and fills its record. It publishes nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PointStamped, Vector3Stamped
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from neuro_control.demo.record import RunRecord, Status
from neuro_control.nodes import qos
from neuro_control.nodes.bag_recorder import RECORDED_TOPICS, BagRecorder, Sent, recording
from neuro_control.nodes.messages import message_class, time_ns
from neuro_control.nodes.spin import MessageWithInfo, make_executor, spin_for

# Nothing may be missed of what the figures are made of, however busy the machine is.
DEEP = 100_000


class Monitor(Node):
    """Listens to the topics of a run.

    record: filled while the node is spun.
    for_picture: also keep what is only drawn (events, estimates, delays, joints), and the
    network's spikes if the record has a place for them. Then the controller sends them, which it
    does not do unasked.
    recorder: also write every topic of the run into it.
    """

    def __init__(
        self, record: RunRecord, for_picture: bool = False, recorder: BagRecorder | None = None
    ) -> None:
        super().__init__("monitor")
        self._record = record
        self._recorder = recorder
        # The last command's number: whether others were sent before the next that never came.
        self._sequence: int | None = None
        self.create_subscription(
            PointStamped, "simulation/target", self._on_target, qos.reliable(DEEP)
        )
        self.create_subscription(
            DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.reliable(100)
        )
        if for_picture:
            self._listen_for_picture()
        if recorder is not None:
            for topic, kind, sent in RECORDED_TOPICS:
                self._record_topic(topic, kind, sent)

    def _listen_for_picture(self) -> None:
        for kind, topic, callback in (
            (EventPacket, "event_camera/events", self._on_packet),
            (JointTrajectory, "arm_controller/joint_trajectory", self._on_command),
        ):
            self.create_subscription(kind, topic, MessageWithInfo(callback), qos.best_effort(256))
        self.create_subscription(
            Vector3Stamped, "target_direction", self._on_estimate, qos.best_effort(64)
        )
        if self._record.network is not None:
            self.create_subscription(
                String, "network/description", self._on_description, qos.LATCHED
            )
            self.create_subscription(
                EventPacket, "network/spikes", self._on_spikes, qos.best_effort(256)
            )
        # Only the last one is looked at; a queue of one leaves most of them undelivered.
        self.create_subscription(JointState, "joint_states", self._on_joints, qos.best_effort(1))

    def _record_topic(self, topic: str, kind: str, sent: Sent) -> None:
        def write(data: bytes) -> None:
            if self._recorder is not None:
                last = self._record.target.last
                t_ns = 0 if last is None else last[0]
                self._recorder.write(topic, t_ns, data)

        self.create_subscription(message_class(kind), topic, write, qos.of(sent, 1000), raw=True)

    def stop_recording(self) -> None:
        """Write nothing more into the recorder; it may be closed."""
        self._recorder = None

    def _on_target(self, message: PointStamped) -> None:
        point = message.point
        self._record.add_target(
            time_ns(message.header.stamp), point.x, point.y, point.z, time.monotonic()
        )

    def _on_estimate(self, message: Vector3Stamped) -> None:
        vector = message.vector
        if vector.z > 0.0:
            self._record.add_estimate(
                time_ns(message.header.stamp), vector.x / vector.z, vector.y / vector.z
            )

    def _on_packet(self, message: EventPacket, info: dict[str, Any]) -> None:
        self._record.add_packet(
            time_ns(message.header.stamp),
            message.seq,
            (message.width, message.height),
            bytes(message.events),
            int(info["source_timestamp"]),
        )

    def _on_command(self, message: JointTrajectory, info: dict[str, Any]) -> None:
        sequence: int | None = info.get("publication_sequence_number")
        before, self._sequence = self._sequence, sequence
        missed = sequence is not None and before is not None and sequence != before + 1
        stamp_ns = time_ns(message.header.stamp)
        self._record.add_command(stamp_ns, int(info["source_timestamp"]), missed)

    def _on_joints(self, message: JointState) -> None:
        self._record.add_joints(
            time_ns(message.header.stamp), dict(zip(message.name, message.position, strict=False))
        )

    def _on_description(self, message: String) -> None:
        if self._record.network is not None:
            try:
                self._record.network.describe(message.data)
            except ValueError as error:
                self.get_logger().warning(  # type: ignore[no-untyped-call]
                    f"network/description: {error}; no raster is drawn"
                )

    def _on_spikes(self, message: EventPacket) -> None:
        if self._record.network is not None:
            self._record.network.add_packet(
                message.seq,
                (message.width, message.height),
                message.time_base,
                np.frombuffer(message.events, np.uint8),
            )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            name = str(status.hardware_id) or str(status.name)
            self._record.add_status(
                name,
                Status(
                    simulated_s=self._record.simulated_s,
                    level=status.level[0] if isinstance(status.level, bytes) else status.level,
                    message=str(status.message),
                    values={entry.key: entry.value for entry in status.values},
                ),
            )


@contextlib.contextmanager
def listening(
    record: RunRecord, for_picture: bool = False, bag: Path | None = None
) -> Iterator[tuple[Node, Callable[[float], None]]]:
    """A monitor that fills `record`, and the function that spins it for some seconds.

    bag: where to record the topics, if anywhere; the recording is complete on leaving.
    Signals are left to the caller.
    """
    with contextlib.ExitStack() as stack:
        recorder = None if bag is None else stack.enter_context(recording(bag))
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown)
        node = Monitor(record, for_picture, recorder)
        stack.callback(node.destroy_node)
        stack.callback(node.stop_recording)
        executor = make_executor("events")
        executor.add_node(node)
        stack.callback(executor.remove_node, node)
        yield node, lambda seconds: spin_for(executor, seconds)
