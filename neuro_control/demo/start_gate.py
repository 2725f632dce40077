# SPDX-License-Identifier: Apache-2.0
"""Simulated time begins only once every node hears the others.

Processes that start together need a second or two to find each other. A simulation that ran on
meanwhile would move its target before an arm that nobody steers yet, or before a monitor that
does not hear it yet.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from neuro_control.nodes import qos

ROBOT_COMMANDS = (
    ("arm_controller/joint_trajectory", JointTrajectory),
    ("arm_position_controller/commands", Float64MultiArray),
    ("arm_velocity_controller/commands", Float64MultiArray),
)

PATIENCE_S = 20.0
# What is kept of the time that a start may take, for the simulator's answer.
ANSWER_S = 10.0


class StartGate(Protocol):
    """Something to wait for before a run."""

    def is_open(self) -> bool:
        """Whether simulated time runs; asks for it as soon as it may. Call it again and again.

        Raises RuntimeError if a node refuses.
        """


class PaceGate:
    """Out of lockstep: simulated time crawls, and runs once a command to the robot was heard.

    Sensor, controller and guard are connected then.
    node: hears the commands and asks the simulator. factor: real-time factor from then on.
    heard: whether all else that the run is watched for is heard; it is waited for `PATIENCE_S` at
    most, for the run itself needs none of it.
    limit_s: how long the start may take, from now on; patience ends `ANSWER_S` before it.
    clock: monotonic wall time in seconds.
    """

    def __init__(
        self,
        node: Node,
        factor: float,
        heard: Callable[[], bool] = lambda: True,
        limit_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._factor = factor
        self._all_heard = heard
        self._clock = clock
        self._patient_until_s = clock() + limit_s - ANSWER_S
        self._connected = False
        self._answer: Future | None = None
        self._heard = [
            node.create_subscription(kind, topic, self._on_command, qos.best_effort(1))
            for topic, kind in ROBOT_COMMANDS
        ]
        self._client = node.create_client(SetParameters, "simulator/set_parameters")

    def _on_command(self, message: object) -> None:
        del message
        if not self._connected:
            self._connected = True
            self._patient_until_s = min(self._patient_until_s, self._clock() + PATIENCE_S)

    def is_open(self) -> bool:
        """See StartGate."""
        if self._may_run() and self._answer is None and self._client.service_is_ready():
            for subscription in self._heard:
                self._node.destroy_subscription(subscription)
            self._answer = self._client.call_async(self._request())
        if self._answer is None or not self._answer.done():
            return False
        result = self._answer.result().results[0]
        if not result.successful:
            raise RuntimeError(f"the simulator refused to run: {result.reason}")
        return True

    def _may_run(self) -> bool:
        return self._connected and (self._all_heard() or self._clock() > self._patient_until_s)

    def _request(self) -> SetParameters.Request:
        kind = ParameterType.PARAMETER_DOUBLE
        value = ParameterValue(type=kind, double_value=float(self._factor))
        return SetParameters.Request(parameters=[Parameter(name="real_time_factor", value=value)])


class GuardGate:
    """In lockstep: the guard is activated once the monitor hears the target.

    Until a command passes the guard, the simulation stands and sends its first pictures again and
    again, so that nothing of the run is missed.
    heard: whether the monitor hears the target.
    """

    STEPS = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)

    def __init__(self, node: Node, heard: Callable[[], bool]) -> None:
        self._heard = heard
        self._done = 0
        self._answer: Future | None = None
        self._client = node.create_client(ChangeState, "guard/change_state")

    def is_open(self) -> bool:
        """See StartGate."""
        if self._answer is not None and self._answer.done():
            if not self._answer.result().success:
                raise RuntimeError("the guard could not be started; its log says why")
            self._answer = None
            self._done += 1
        if self._done == len(self.STEPS):
            return True
        if self._answer is None and self._heard() and self._client.service_is_ready():
            request = ChangeState.Request()
            request.transition.id = self.STEPS[self._done]
            self._answer = self._client.call_async(request)
        return False
