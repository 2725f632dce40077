# SPDX-License-Identifier: Apache-2.0
"""What the nodes say on /diagnostics: the keys, and the publisher.

Every node publishes one status a second of wall-clock time. Wall, because a simulation that has
stopped is exactly what an operator must be told about, and its clock would not tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from neuro_control.control.guard_settings import Reason
from neuro_control.events import DropReason

Value = float | int | str | bool

PERIOD_S = 1.0

# Where a key says "recent", the last ten seconds count; otherwise a rate is that since the last
# status and a count is that since the node was started.
KEYS: Mapping[str, str] = {
    # Every node
    "lifecycle_state": "unconfigured, inactive, active or finalized",
    # Controller: what comes in
    "no_data_because": "why no events come in or go through; empty while they do",
    "packets": "event packets received",
    "packets_lost": "gaps in the packets' sequence numbers",
    "packets_dropped": "packets received and not used, for any reason",
    "packets_late": "packets older than the last one taken in",
    "packets_shed": "packets let go, oldest first, because more came than could be answered",
    "events_shed": "events let go of packets that were taken, oldest first, for the same reason",
    "packets_without_joints": "packets not answered, for no joint state was there, or none young "
    "enough",
    "joint_velocities": "where the joints' velocities come from: measured, or from positions, "
    "where joint states have none; empty before the first",
    "joint_states_refused": "joint states without all of the arm's joints, or with a position that "
    "is no number",
    "joint_states_late": "joint states older than the newest, and so ignored",
    "events_let_go": "events let go, oldest first, because no tick of the network began for them",
    "malformed": "events or words in the packets that could not be read",
    "sensor_clock_reanchored": "times that the sensor's clock, over 50 ms off, was set anew to the "
    "node's; its events stay in order",
    "outside_sensor": "events with coordinates outside the sensor",
    "packets_per_second": "event packets, 1/s",
    "events_per_second": "events, 1/s",
    "events": "events taken in",
    # Controller: what it does
    "backend": "what steps the network",
    "backend_reason": "why it is this backend",
    "backend_state": "of a shadowed backend: in step, behind, starting or given up",
    "backend_ticks_compared": "ticks whose spikes were compared with the twin's",
    "backend_spikes_differing": "spikes that differed",
    "backend_cycles_of_twin": "steps that the twin answered",
    "backend_restarts": "times that its process was started anew",
    "backend_rejoined": "times that it came in step again",
    "backend_faults_deadline": "times that it fell behind",
    "backend_faults_divergence": "steps in which too many spikes differed",
    "backend_faults_crash": "times that its process ended or broke",
    "backend_faults_hang": "times that it said nothing for too long",
    "backend_last_fault": "tick and text of the last of them",
    "controller_state": "tracking, holding or searching",
    "ticks": "steps of the network",
    "neurons": "neurons of the network",
    "spikes": "spikes in the network",
    "synaptic_operations": "synaptic operations",
    "spikes_per_second": "spikes in the network, 1/s of wall-clock time",
    "synaptic_operations_per_second": "synaptic operations, 1/s of wall-clock time",
    "active_fraction": "part of the neurons that spike in a tick",
    "activity_dies_at": "first populations that do not spike although what they hear does, and "
    "why, by sample; silence of a map of targets may only mean that there is none",
    "tick_us_median": "time of one step of the network, recent median, us",
    "tick_us_p99": "the same, 99th percentile, us",
    "activity_watched": "whether somebody listens to what happens inside the network",
    "activity_spikes_left_out": "spikes that network/spikes passed over, to keep messages small",
    "commands": "commands published (controller), received (guard, simulator)",
    "latency_ms_median": "delay, whole run, median, ms (controller: packet published -> its "
    "command published; guard: its command received -> published; simulator: packet published -> "
    "first guarded command that takes it in published)",
    "latency_ms_p99": "the same, 99th percentile, ms",
    "latency_ms_max": "the same, largest, ms",
    "latency_recent_ms_median": "the same delay, recent median, ms",
    "latency_recent_ms_p99": "the same, recent 99th percentile, ms",
    "latency_recent_ms_max": "the same, recent largest, ms",
    # Guard
    "stopped_because": "why no command passes now, comma-separated; empty while they pass",
    "commands_passed": "commands let through, clamped or not",
    "effort_watched": "whether joint states tell the effort of each joint that has a limit",
    "command_age_s": "time since the last command came, s of the wall's clock; nan: none came",
    "joint_states_age_s": "the same of joint states",
    "interventions": "everything changed, refused or stopped once active and the arm's place known",
    # Simulator and replay
    "sim_time_s": "simulated (replay: recorded) time since the start, s",
    "real_time_factor": "simulated time over wall-clock time since the last status",
    "real_time_factor_run": "the same since the start, the wait for the first command left out",
    "lockstep_waiting_s": "time spent in the present wait for a command, s; 0 outside lockstep",
    "lockstep_timeouts": "waits for a command that took longer than lockstep_timeout_s",
    "packets_unanswered": "packets for which no command has come yet",
    "commands_refused": "commands that the robot did not take, for any reason",
    "tracking_error_deg": "angle between the camera's axis and the target, now, deg",
    "renderer": "what makes the camera's picture",
    "target_kind": "shape of the target's path",
    "target_speed_m_s": "its peak speed, m/s",
    "payload_kg": "mass held in the hand, kg",
    "wind_force_n": "force of wind and gusts on the hand, now, N",
    "faults": "faults of the sensors that are on, comma-separated; empty: none",
    "fault_events_added": "events that hot pixels and noise added",
    "fault_packets_lost": "event packets that were not sent",
    "fault_joint_states_lost": "joint states that were not sent",
    "fault_joint_states_waiting": "joint states that are on their way, delayed",
    "path": "the recording",
    "position_s": "where in the recording it is, s from its start",
    "duration_s": "length of the recording, s; nan: not known yet",
    "rate": "speed of the replay",
    "paused": "whether it waits",
    "seeks": "times it was sent to another place",
    # Emulated sensors
    "messages": "messages of the sense's input received",
    "messages_refused": "messages that could not be used, for any reason",
    "refused_because": "why the last of them was refused; empty if none was",
    "restarts": "times the input's clock began anew or paused",
    "busy_ms_median": "time that one message takes, recent median, ms",
    "busy_ms_p99": "the same, 99th percentile, ms",
    "repeats": "times the recording began anew",
    # Dashboard
    "address": "where the page is served",
    "pages": "open pages",
    "frames": "frames made for the pages",
    "frame_ms": "time that a frame takes, recent mean, ms",
}


def reason_key(reason: Reason) -> str:
    """The guard's counter for a reason."""
    return f"guard_{reason.value}"


def drop_key(reason: DropReason) -> str:
    """The controller's counter of packets dropped for a reason."""
    return f"dropped_{reason.value}"


def documented(key: str) -> bool:
    """Whether a key is one of those above, or a counter of one reason."""
    counters = {reason_key(r) for r in Reason} | {drop_key(r) for r in DropReason}
    return key in KEYS or key in counters or key.startswith("refused_")


@dataclass
class Report:
    """One status: is it well, in a word; and the values."""

    message: str = "ok"
    warning: bool = False
    error: bool = False
    values: dict[str, Value] = field(default_factory=dict)

    def warn(self, message: str) -> None:
        """Something an operator should look at; the first one said is the one shown."""
        if not (self.warning or self.error):
            self.message = message
        self.warning = True

    def fail(self, message: str) -> None:
        """Something that keeps the robot from working; shown before any warning."""
        if not self.error:
            self.message = message
        self.error = True


def text(value: Value) -> str:
    """A value as it is written on /diagnostics; a number that is not known is "nan"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.6g}"
    return str(value)


def status_message(node_name: str, report: Report) -> DiagnosticStatus:
    """A report as a message."""
    level = DiagnosticStatus.OK
    if report.error:
        level = DiagnosticStatus.ERROR
    elif report.warning:
        level = DiagnosticStatus.WARN
    return DiagnosticStatus(
        level=level,
        name=f"neuro_control: {node_name}",
        message=report.message,
        hardware_id=node_name,
        values=[KeyValue(key=str(k), value=text(v)) for k, v in report.values.items()],
    )


class DiagnosticsPublisher:
    """Publishes a node's report once a second, stamped by the node's clock."""

    def __init__(self, node: Node, collect: Callable[[], Report]) -> None:
        self._node = node
        self._collect = collect
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.create_timer(
            PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def publish(self) -> None:
        """Publish now."""
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        # With its namespace, for /diagnostics is the same topic for every robot.
        name = self._node.get_fully_qualified_name().removeprefix("/")
        message.status = [status_message(name, self._collect())]
        self._publisher.publish(message)


class Rates:
    """Turns counts into rates: the change since the last time it was asked, over that time."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s
        self._counts: dict[str, float] = {}

    def update(self, now_s: float, **counts: float) -> dict[str, float]:
        """Rates (1/s) of the counts; NaN before any time has passed."""
        elapsed_s = now_s - self._now_s
        before, self._now_s, self._counts = self._counts, now_s, dict(counts)
        if elapsed_s <= 0.0:
            return dict.fromkeys(counts, math.nan)
        return {name: (count - before.get(name, 0)) / elapsed_s for name, count in counts.items()}
