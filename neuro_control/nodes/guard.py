# SPDX-License-Identifier: Apache-2.0
"""The guard node: stands between the controller and the robot, in a process of its own.

A controller that hangs, dies or goes mad takes nothing of the guard with it. If the guard itself
dies, the robot hears no more commands: its own controller holds the end of the last trajectory.
Velocities go on where the robot's controller has no time-out, as ros2_control's have none.

Subscribes `desired_trajectory`, `joint_states`. Publishes one of
`arm_controller/joint_trajectory`, `arm_position_controller/commands`,
`arm_velocity_controller/commands`, by the parameter `command_interface`. Serves
`guard/emergency_stop` and `guard/release` (std_srvs/Trigger). Deactivated, or ended by Ctrl-C,
SIGTERM or SIGHUP, it sends one hold and lets nothing through. Arrays of positions or velocities are
in the order of the joints from `base_link` to `tip_link`.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
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
# than the guard watches, unless its joints need it (ns).
SHORTEST_NS = 1_000_000
LONGEST_NS = 100_000_000

# A clock that stands, as of a simulator that died, hides silence from the guard; an operator is
# told after this time of the wall's clock.
SILENT_S = 1.0


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
        0.005, ge=0.001, le=0.05, description="How often silence is looked for (s, wall)"
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
        self._latched: tuple[Reason, ...] = ()
        self._heard_s: dict[str, float] = {}
        self._diagnostics = DiagnosticsPublisher(self, self.report)

    # Lifecycle

    def configure(self) -> None:
        """Read the limits, make the topics and services."""
        settings = self.parameters.settings
        arm = ArmModel.from_urdf(
            settings.robot_description or arm_urdf(), settings.base_link, settings.tip_link
        )
        guard = Guard(arm.joint_names, arm.limits, settings, self._latched)
        joints = ", ".join(arm.joint_names)
        self.get_logger().info(f"joints, in the order of arrays of commands: {joints}")
        if not np.all(guard.limits.watched):
            self.get_logger().warning(
                "no effort limit, and so no watch over how hard they push: "
                + ", ".join(np.array(arm.joint_names)[~guard.limits.watched])
            )
        self._heard_s.clear()
        self._stop_ns = round(settings.stop_time_s * 1e9)
        topic, kind = {
            "joint_trajectory": ("arm_controller/joint_trajectory", JointTrajectory),
            "position": ("arm_position_controller/commands", Float64MultiArray),
            "velocity": ("arm_velocity_controller/commands", Float64MultiArray),
        }[settings.command_interface]
        self._publisher = self.add_publisher(kind, topic, qos.COMMANDS)
        self._commands = self.add_subscription(
            JointTrajectory,
            "desired_trajectory",
            self._on_command,
            qos.COMMANDS,
            watch_qos=True,
        )
        self.add_subscription(JointState, "joint_states", self._on_joints, qos.best_effort(10))
        self.add_service(Trigger, "guard/emergency_stop", self._on_stop)
        self.add_service(Trigger, "guard/release", self._on_release)
        # On the wall's steady clock: timers of one that was set back stand still for as long, and
        # a stopped robot must hear the hold even if simulated time stands.
        self.add_timer(settings.watchdog_period_s, self._on_watchdog, wall=True)
        self.add_timer(settings.repeat_period_s, self._on_repeat, wall=True)
        self._guard = guard

    def activate(self) -> None:
        """Let commands through."""
        # A simulation may wait for its controller's first command; a robot may still move.
        simulated = bool(self.get_parameter("use_sim_time").value)
        self._send(self.guard.activate(self._now_ns(), at_rest=not simulated), self._stop_ns)

    def deactivate(self) -> None:
        """Hold the arm and let nothing through."""
        self._send(self.guard.deactivate(self._now_ns()), self._stop_ns)

    def release(self) -> None:
        """Forget the guard. A latched stop stays one until it is released."""
        if self._guard is not None:
            self._latched = self._guard.latched
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
        self._heard_s["command"] = time.monotonic()
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
        self._heard_s["joint state"] = time.monotonic()
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
        was_latched = Reason.EMERGENCY_STOP in self.guard.latched
        hold = self.guard.emergency_stop(self._now_ns())
        self._send(hold, self._stop_ns)
        self.get_logger().error("emergency stop")
        response.success = Reason.EMERGENCY_STOP in self.guard.latched
        response.message = "stopped; guard/release lets commands through again"
        if hold is None and not was_latched:
            why = "without the arm's position" if self.guard.active else "not active"
            response.message += f"; the guard is {why}, and sent no hold"
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
                max(time_from_start_ns, out.least_time_ns),
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
        stopped = ",".join(reason.value for reason in guard.stopped)
        report.values |= {
            "stopped_because": stopped,
            "commands": guard.commands,
            "commands_passed": guard.passed,
            "interventions": guard.interventions,
            "effort_watched": guard.arm.effort_watched,
            "command_age_s": self._age_s("command"),
            "joint_states_age_s": self._age_s("joint state"),
            **self._latency.values(),
        }
        self._latency.next_slice()
        report.values |= {reason_key(reason): n for reason, n in guard.counts.items()}
        if guard.latched:
            report.fail(f"stopped until released: {stopped}")
        elif stopped:
            report.warn(f"no command passes: {stopped}")
        elif unheard := self._unheard():
            report.warn(unheard)
        for topic in (self._commands.topic_name, self._publisher.topic_name):
            if (found := self.count_publishers(topic)) > 1:
                report.warn(f"{found} nodes publish {topic}, obeyed in turn: end all but one")
        return report

    def _age_s(self, kind: str) -> float:
        heard_s = self._heard_s.get(kind)
        return math.nan if heard_s is None else time.monotonic() - heard_s

    def _unheard(self) -> str:
        """What an active guard does not hear, though its clock does not show it."""
        if self.incompatible_qos:
            topic = self._commands.topic_name
            return f"a publisher on {topic} offers another QoS: {self.incompatible_qos}"
        if "command" not in self._heard_s:
            return "no command has come yet"
        silent = [kind for kind in self._heard_s if self._age_s(kind) > SILENT_S]
        return ", ".join(f"no {kind} for {self._age_s(kind):.1f} s" for kind in silent)


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(GuardNode, args)


if __name__ == "__main__":
    sys.exit(main())
