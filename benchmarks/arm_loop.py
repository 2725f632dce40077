# SPDX-License-Identifier: Apache-2.0
"""The arm and a controller in one process, in lockstep: what the tracking benchmark runs.

The same simulation and the same controller as the nodes', without the middleware between them:
each picture's events are answered before simulated time goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import Runner
from neuro_control.control.arm import (
    ArmController,
    ArmControllerSettings,
    JointSample,
    direction_of,
)
from neuro_control.control.gaze_servo import GazeServo
from neuro_control.events import Events
from neuro_control.robots import arm_urdf
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings, SensorFrame
from neuro_control.sim.joint_commands import TrajectoryPoint

Float = NDArray[np.float64]
Kind = Literal["spiking", "truth", "centroid"]
KINDS: tuple[Kind, ...] = ("spiking", "truth", "centroid")

COMMAND_TIME_NS = 4_000_000  # as the controller node's command_time_s
# The float servos' memory of the gaze's velocity: as long as the spiking one takes to learn it,
# and forgotten when the target is far from the middle, as a jump's velocity is not the target's.
PURSUIT_TAU_S = 0.12
PURSUIT_FIELD = 0.18
CENTROID_TAU_S = 0.006
CENTROID_EVENTS = 20.0


@dataclass(frozen=True, eq=False)
class LoopResult:
    """What a run left.

    Attributes:
        error_deg: float64[n], angle between camera axis and target after each camera period.
        lost: bool[n], the target's centre is outside the image.
        target_m: float64[n, 3], the target's path in the base frame.
        period_s: simulated time between two samples.
        tick_us: float64[n] of the network; empty for the servos without one.
        answer_ms: float64[n], time that each command took.
        spikes_per_second: of the whole network; 0 for the servos without one.
        events_per_second: of the camera.
        wall_s: how long it took.
    """

    error_deg: Float
    lost: NDArray[np.bool_]
    target_m: Float
    period_s: float
    tick_us: Float
    answer_ms: Float
    spikes_per_second: float
    events_per_second: float
    wall_s: float


class _FloatServo:
    """The controller's own servo, told where the target is by another than the network."""

    def __init__(self, arm: ArmSimulation, settings: ArmControllerSettings) -> None:
        self._servo = GazeServo(arm.arm, settings, arm.arm.home)
        self._state = self._servo.begin(arm.arm.home, 0)
        self._pursuit = np.zeros(2)
        self._period_s = arm.settings.camera_period_us * 1e-6

    def step(self, frame: SensorFrame, direction: Float | None) -> tuple[Float, Float]:
        velocity = self._servo.camera_velocity(frame.q, frame.qd)[:2]
        self._pursuit += (velocity - self._pursuit) * (self._period_s / PURSUIT_TAU_S)
        if direction is not None and float(np.hypot(*direction)) > PURSUIT_FIELD:
            self._pursuit *= 0.98
        self._state = self._servo.step(self._state, frame.q, direction, self._pursuit, frame.t_ns)
        return self._state.q, self._state.velocity_rad_s


class _Centroid:
    """Where the mean of all recent events is: a camera frame's direction, or None if too few."""

    def __init__(self, field_of_view_rad: float, period_s: float) -> None:
        self._field_of_view_rad = field_of_view_rad
        self._keep = math.exp(-period_s / CENTROID_TAU_S)
        self._sums = np.zeros(3)

    def step(self, events: Events) -> Float | None:
        half = 0.5 * len(events)
        self._sums *= self._keep
        self._sums += [events.x.sum() + half, events.y.sum() + half, len(events)]
        if self._sums[2] < CENTROID_EVENTS:
            return None
        place = self._sums[:2] / self._sums[2] / [events.width, events.height]
        return direction_of(place, self._field_of_view_rad, events.height / events.width)


def run(
    kind: Kind,
    seconds: float,
    simulation: Mapping[str, Any],
    controller: Mapping[str, Any] | None = None,
    runner: Runner | None = None,
    before_answer: Callable[[int], None] | None = None,
    after_answer: Callable[[SensorFrame, tuple[str, ...], ArmController], None] | None = None,
) -> LoopResult:
    """Run the loop for so much simulated time.

    Args:
        kind: spiking is the controller as shipped. truth is its servo in float, told the
            target's true direction: the ceiling. centroid is the same servo with the mean of the
            events in place of the network.
        seconds: simulated.
        simulation: of ArmSimulationSettings.
        controller: of ArmControllerSettings.
        runner: steps the spiking controller's network; the settings' backend unless given.
        before_answer: called with the period's number before each answer.
        after_answer: called after each answer of the spiking controller with what the sensors
            said, the joints' names and the controller; not part of the answer's time.
    """
    arm = ArmSimulation(arm_urdf(), ArmSimulationSettings.model_validate(dict(simulation)))
    settings = ArmControllerSettings.model_validate(dict(controller or {}))
    period_s = arm.settings.camera_period_us * 1e-6
    periods = round(seconds / period_s)
    spiking = ArmController(settings, arm.arm, runner=runner) if kind == "spiking" else None
    answer = _answers(kind, arm, settings, spiking)
    places = np.zeros((periods, 3))
    target_m = np.zeros((periods, 3))
    ticks_us = np.zeros(periods if spiking else 0)
    answer_ms = np.zeros(periods)
    events = 0
    start = time.perf_counter()
    for period in range(periods):
        frame = arm.advance()
        if before_answer is not None:
            before_answer(period)
        asked = time.perf_counter()
        q, qd = answer(frame)
        answer_ms[period] = (time.perf_counter() - asked) * 1e3
        arm.set_trajectory([TrajectoryPoint(COMMAND_TIME_NS, q, qd)], frame.t_ns)
        places[period] = frame.target_in_camera
        target_m[period] = arm.data.mocap_pos[0]
        events += len(frame.events)
        if spiking:
            ticks_us[period] = spiking.statistics.tick_us
            if after_answer is not None:
                after_answer(frame, arm.joint_names, spiking)
    wall_s = time.perf_counter() - start
    arm.close()
    reach = math.tan(settings.horizontal_field_of_view_rad / 2)
    sideways = places[:, :2] / places[:, 2:]
    return LoopResult(
        error_deg=np.degrees(np.arctan2(np.hypot(places[:, 0], places[:, 1]), places[:, 2])),
        lost=(np.abs(sideways) > reach).any(axis=1) | (places[:, 2] <= 0),
        target_m=target_m,
        period_s=period_s,
        tick_us=ticks_us,
        answer_ms=answer_ms,
        spikes_per_second=spiking.statistics.spikes / seconds if spiking else 0.0,
        events_per_second=events / seconds,
        wall_s=wall_s,
    )


def _answers(
    kind: Kind, arm: ArmSimulation, settings: ArmControllerSettings, spiking: ArmController | None
) -> Callable[[SensorFrame], tuple[Float, Float]]:
    if spiking is not None:

        def by_network(frame: SensorFrame) -> tuple[Float, Float]:
            command = spiking.step(
                frame.events, JointSample(frame.t_ns, frame.q, frame.qd), frame.t_ns
            )
            return command.q, command.qd

        return by_network
    servo = _FloatServo(arm, settings)
    if kind == "truth":
        return lambda frame: servo.step(
            frame, frame.target_in_camera[:2] / frame.target_in_camera[2]
        )
    centroid = _Centroid(
        settings.horizontal_field_of_view_rad, arm.settings.camera_period_us * 1e-6
    )
    return lambda frame: servo.step(frame, centroid.step(frame.events))
