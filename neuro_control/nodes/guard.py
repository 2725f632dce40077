# SPDX-License-Identifier: Apache-2.0
"""The guard node: stands between the controller and the robot, in a process of its own.

A controller that hangs, dies or goes mad takes nothing of the guard with it. If the guard itself
dies, the robot hears no more commands: its own controller holds the end of the last trajectory,
and stops velocities that are not renewed.

Subscribes `desired_trajectory`, `joint_states`. Publishes one of
`arm_controller/joint_trajectory`, `arm_position_controller/commands`,
`arm_velocity_controller/commands`, by the parameter `command_interface`. Serves
`guard/emergency_stop` and `guard/release` (std_srvs/Trigger). Deactivated, or ended by Ctrl-C or
SIGTERM, it sends one hold and lets nothing through.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from pydantic import Field
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardedCommand, GuardSettings, Reason
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import DiagnosticsPublisher, Report, reason_key
from neuro_control.nodes.latency import LatencyHistogram
from neuro_control.nodes.lifecycle import ManagedNode, run_managed
from neuro_control.nodes.managed_settings import ManagedNodeSettings
from neuro_control.nodes.parameters import Parameters
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf

# A point may be reached in this time; less is a jump, more would leave the arm moving for longer
# than the guard watches (ns).
SHORTEST_NS = 1_000_000
LONGEST_NS = 100_000_000


class GuardNodeSettings(ManagedNodeSettings, GuardSettings):
    """The guard's settings and those of its node."""

    robot_description: str = Field(
        "", description="URDF text with the joints' limits; empty: the arm of this package"
    )
    base_link: str = Field("base_link", description="Link at the foot of the arm")
    tip_link: str = Field(
        "hand_camera_optical_frame", description="Link at the end of the arm's guarded joints"
    )
    watchdog_period_s: float = Field(
        0.005, ge=0.001, le=0.05, description="How often silence is looked for (s, node's clock)"
    )
    repeat_period_s: float = Field(
        0.1, ge=0.01, le=10.0, description="How often a hold is sent again while stopped (s, wall)"
    )
    stop_time_s: float = Field(
        0.02, ge=0.001, le=0.1, description="Time that a hold gives the arm to come to rest (s)"
    )
    start_now: bool = Field(
        False,
        description="Send trajectories with stamp 0, to begin as they come, and not with the stamp "
        "of the data that they answer; ros2_control refuses those whose end has passed",
    )
    end_velocity: bool = Field(
        True,
        description="Send the velocity at a trajectory's end too; ros2_control refuses it without "
        "its allow_nonzero_velocity_at_trajectory_end",
    )


class GuardNode(ManagedNode):
    """See the module."""

    def __init__(self, **options: Any) -> None:
        super().__init__("guard", **options)
        self.parameters = Parameters(self, GuardNodeSettings)
        self._guard: Guard | None = None
        self._latency = LatencyHistogram()
        self._stop_again = False
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    # Lifecycle

    def configure(self) -> None:
        """Read the limits, make the topics and services."""
        settings = self.parameters.settings
        arm = ArmModel.from_urdf(
            settings.robot_description or arm_urdf(), settings.base_link, settings.tip_link
        )
        guard = Guard(arm.joint_names, arm.limits, settings)
        if self._stop_again:
            guard.emergency_stop(self._now_ns())
        self._stop_ns = round(settings.stop_time_s * 1e9)
        topic, kind = {
            "joint_trajectory": ("arm_controller/joint_trajectory", JointTrajectory),
            "position": ("arm_position_controller/commands", Float64MultiArray),
            "velocity": ("arm_velocity_controller/commands", Float64MultiArray),
        }[settings.command_interface]
        self._publisher = self.add_publisher(kind, topic, qos.COMMANDS)
        self.add_subscription(JointTrajectory, "desired_trajectory", self._on_command, qos.COMMANDS)
        self.add_subscription(JointState, "joint_states", self._on_joints, qos.best_effort(10))
        self.add_service(Trigger, "guard/emergency_stop", self._on_stop)
        self.add_service(Trigger, "guard/release", self._on_release)
        self.add_timer(settings.watchdog_period_s, self._on_watchdog)
        # On the wall clock: a stopped robot must hear the hold even if simulated time stands.
        self.add_timer(settings.repeat_period_s, self._on_repeat, wall=True)
        self._guard = guard

    def activate(self) -> None:
        """Let commands through."""
        self.guard.activate(self._now_ns())

    def deactivate(self) -> None:
        """Hold the arm and let nothing through."""
        self._send(self.guard.deactivate(self._now_ns()), self._stop_ns)

    def release(self) -> None:
        """Forget the guard. An emergency stop stays one until it is released."""
        if self._guard is not None:
            self._stop_again = Reason.EMERGENCY_STOP in self._guard.latched
        self._guard = None

    @property
    def guard(self) -> Guard:
        """The core; there is one from configure to clean-up."""
        if self._guard is None:
            raise RuntimeError("the guard is not configured")
        return self._guard

    # Topics and services

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_command(self, message: JointTrajectory, info: dict[str, Any]) -> None:
        # One point is all that can be answered for: later ones would be reached unwatched.
        point = message.points[0] if len(message.points) == 1 else None
        out = self.guard.command(
            message.joint_names,
            () if point is None else point.positions,
            () if point is None else point.velocities,
            messages.time_ns(message.header.stamp),
            self._now_ns(),
        )
        if out is None or point is None or not out.passed:
            self._send(out, self._stop_ns)
            return
        wanted_ns = messages.duration_ns(point.time_from_start)
        self._send(out, min(max(wanted_ns, SHORTEST_NS), LONGEST_NS))
        self._latency.add(time.time_ns() - int(info["source_timestamp"]))

    def _on_joints(self, message: JointState, info: dict[str, Any]) -> None:
        del info
        out = self.guard.joints(
            message.name,
            message.position,
            message.effort,
            messages.time_ns(message.header.stamp),
            self._now_ns(),
        )
        self._send(out, self._stop_ns)

    def _on_watchdog(self) -> None:
        self._send(self.guard.tick(self._now_ns()), self._stop_ns)

    def _on_repeat(self) -> None:
        self._send(self.guard.repeat(self._now_ns()), self._stop_ns)

    def _on_stop(self, response: Trigger.Response) -> Trigger.Response:
        self._send(self.guard.emergency_stop(self._now_ns()), self._stop_ns)
        self.get_logger().error("emergency stop")
        response.success = True
        response.message = "stopped; guard/release lets commands through again"
        return response

    def _on_release(self, response: Trigger.Response) -> Trigger.Response:
        released = self.guard.release()
        response.success = bool(released)
        names = ", ".join(reason.value for reason in released)
        response.message = f"released: {names}" if released else "there was no stop to release"
        self.get_logger().warning(response.message)
        return response

    def _send(self, out: GuardedCommand | None, time_from_start_ns: int) -> None:
        if out is None:
            return
        settings = self.parameters.settings
        interface = settings.command_interface
        if interface == "joint_trajectory":
            message = messages.trajectory_message(
                0 if settings.start_now else out.stamp_ns,
                self.guard.joint_names,
                out.q,
                out.qd if settings.end_velocity else None,
                time_from_start_ns,
            )
        else:
            message = messages.array_message(out.q if interface == "position" else out.qd)
        self._publisher.publish(message)

    # Diagnostics

    def report(self) -> Report:
        """What the guard has done."""
        report = Report(values={"lifecycle_state": self.lifecycle_state})
        guard = self._guard
        if guard is None:
            report.warn("not configured: nothing passes")
            return report
        run_, recent = self._latency.run(), self._latency.window()
        self._latency.next_slice()
        stopped = ",".join(reason.value for reason in guard.stopped)
        report.values |= {
            "stopped_because": stopped,
            "commands": guard.commands,
            "commands_passed": guard.passed,
            "interventions": guard.interventions,
            "latency_ms_median": run_.median_ms,
            "latency_ms_p99": run_.p99_ms,
            "latency_ms_max": run_.max_ms,
            "latency_recent_ms_median": recent.median_ms,
            "latency_recent_ms_p99": recent.p99_ms,
            "latency_recent_ms_max": recent.max_ms,
        }
        report.values |= {reason_key(reason): n for reason, n in guard.counts.items()}
        if guard.latched:
            report.fail(f"stopped until released: {stopped}")
        elif stopped:
            report.warn(f"no command passes: {stopped}")
        return report


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(GuardNode, args)


if __name__ == "__main__":
    sys.exit(main())
