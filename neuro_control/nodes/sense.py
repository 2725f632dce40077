# SPDX-License-Identifier: Apache-2.0
"""The base of the emulated senses: a message in, event packets out, and an account of both."""

from __future__ import annotations

import time
from typing import Any, Generic, TypeVar

from event_camera_msgs.msg import EventPacket
from pydantic import Field
from rclpy.qos import QoSProfile

from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Rates, Report
from neuro_control.nodes.input_health import InputFacts, no_data_because
from neuro_control.nodes.latency import LatencyHistogram
from neuro_control.nodes.lifecycle import ManagedNode
from neuro_control.nodes.managed_settings import ManagedNodeSettings
from neuro_control.nodes.parameters import Parameters

# A reason is logged again after this long, however many messages are refused for it.
TELL_AGAIN_S = 10.0


class SenseSettings(ManagedNodeSettings):
    """What every emulated sense is told."""

    queue_depth: int = Field(
        8, ge=1, le=1000, description="Input messages that wait at most; the oldest are dropped"
    )


Settings = TypeVar("Settings", bound=SenseSettings)


class SenseNode(ManagedNode, Generic[Settings]):
    """A node that turns one kind of message into event packets.

    A subclass names its topics, and has `sense`, which raises ValueError with the reason for a
    message that cannot be used: it is counted, told in the log now and then, and nothing is
    published. `events_topic` is relative; packets have encoding `mono` and count up in `seq`.
    """

    input_topic: str
    input_kind: type
    input_type: str
    events_topic: str

    def __init__(self, name: str, model: type[Settings], **options: Any) -> None:
        super().__init__(name, **options)
        self.parameters = Parameters(self, model)
        self._publisher: Any = None
        self._subscription: Any = None
        self._forget()
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    def _forget(self) -> None:
        self._seq = 0
        self.received = 0
        self.came = 0  # of these, between the last two reports
        self.refused = 0
        self.refused_because = ""
        self.events = 0
        self.restarts = 0
        self._told: dict[str, float] = {}
        self._busy = LatencyHistogram()
        self._rates = Rates(time.monotonic())
        self._seen = (0, 0, 0)

    # What a sense does

    def make(self) -> None:
        """Make the core objects. Raises ValueError with the reason."""

    def sense(self, message: Any) -> tuple[Events, int, str] | None:
        """Events of a message, their stamp (ns, node's clock) and frame; None for nothing yet."""
        raise NotImplementedError

    def profile(self) -> QoSProfile:
        """How the input is heard."""
        return qos.best_effort(self.parameters.settings.queue_depth)

    # Lifecycle

    def configure(self) -> None:
        """Make the topics and the core objects."""
        self._forget()
        self.make()
        self._publisher = self.add_publisher(EventPacket, self.events_topic, qos.best_effort(64))
        self._subscription = self.add_subscription(
            self.input_kind,
            self.input_topic,
            self._on_message,
            self.profile(),
            watch_qos=True,
        )

    def release(self) -> None:
        """The topics are gone."""
        self._publisher = self._subscription = None

    def _on_message(self, message: Any, info: dict[str, Any]) -> None:
        del info
        if self.active:
            self.take(message)

    def take(self, message: Any) -> None:
        """Sense a message and publish its events; count it if it cannot be used."""
        self.received += 1
        start_ns = time.perf_counter_ns()
        try:
            sensed = self.sense(message)
            if sensed is not None:
                self._publish(*sensed)  # which refuses events that no packet can hold
        except ValueError as error:
            self._refuse(str(error))
            return
        self._busy.add(time.perf_counter_ns() - start_ns)

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self.refused_because = reason
        now_s = time.monotonic()
        # Values differ from message to message; the beginning says what it is about.
        kind = reason[:24]
        if now_s - self._told.get(kind, -TELL_AGAIN_S) >= TELL_AGAIN_S:
            self._told[kind] = now_s
            self.get_logger().warning(f"{self.input_topic}: refused: {reason}")

    def _publish(self, events: Events, stamp_ns: int, frame_id: str) -> None:
        payload, base_ns = encode_mono(events)
        size = (events.width, events.height)
        packet = Packet(
            self.events_topic, self._seq, base_ns, stamp_ns, "mono", *size, False, payload
        )
        self._publisher.publish(messages.packet_message(packet, frame_id))
        self._seq += 1
        self.events += len(events)

    # Diagnostics

    def report(self) -> Report:
        """What came in, what came of it, and why nothing does if so."""
        report = Report(values={"lifecycle_state": self.lifecycle_state})
        if self._subscription is None:
            report.warn(self.failure or "not configured")
            return report
        topic = self._subscription.topic_name
        counts = (self.received, self.received - self.refused, self.events)
        since = [max(now - before, 0) for now, before in zip(counts, self._seen, strict=True)]
        self._seen, self.came = counts, since[0]
        facts = InputFacts(
            topic=topic,
            wanted_type=self.input_type,
            publisher_types=[p.topic_type for p in self.get_publishers_info_by_topic(topic)],
            incompatible_qos=self.incompatible_qos,
            refused=self.refused_because if since[0] and not since[1] else "",
            packets=since[0],
            taken=since[1],
            events=since[2],
        )
        because = no_data_because(facts)
        rates = self._rates.update(time.monotonic(), events=self.events, packets=self._seq)
        busy = self._busy.window()
        self._busy.next_slice()
        report.values |= {
            "no_data_because": because,
            "messages": self.received,
            "messages_refused": self.refused,
            "refused_because": self.refused_because,
            "packets": self._seq,
            "events": self.events,
            "events_per_second": rates["events"],
            "packets_per_second": rates["packets"],
            "restarts": self.restarts,
            "busy_ms_median": busy.median_ms,
            "busy_ms_p99": busy.p99_ms,
        }
        if because and self.active:
            report.warn(because)
        return report
