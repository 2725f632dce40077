# SPDX-License-Identifier: Apache-2.0
"""The arm's controller: what the hand camera sees becomes joint commands that keep it in view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from neuro_control.backends import Runner, ShadowRunner
from neuro_control.backends.backend_report import BackendReport, report_backend
from neuro_control.backends.registry import BackendSettings, choose_runner
from neuro_control.control.gaze_servo import (
    GazeServo,
    GazeServoSettings,
    GazeServoState,
    GazeState,
)
from neuro_control.control.tracker import TargetTracker, TrackerEstimate
from neuro_control.control.watched_runner import watched
from neuro_control.events import Events
from neuro_control.inspection import RecentSpikes
from neuro_control.network import FixedNetwork, quantize, read_nir
from neuro_control.network.graph import MetadataValue
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import share_directory

Float = NDArray[np.float64]


class ArmControllerSettings(BackendSettings, GazeServoSettings):
    """What the controller of an arm is told: its network, who steps it, its camera, its gains."""

    network: str = Field(
        "arm_tracker.nir",
        description="NIR file of the network: a path, or a name in config/networks",
    )
    horizontal_field_of_view_rad: float = Field(
        math.radians(60.0),
        gt=0.05,
        lt=3.0,
        description="Horizontal field of view of the hand camera; its pixels are square",
    )
    target_tau_s: float = Field(
        0.006, gt=0, le=1, description="Kernel of the target's population vector"
    )
    pursuit_tau_s: float = Field(
        0.02, gt=0, le=1, description="Kernel of the pursuit memory's population vector"
    )
    silence: float = Field(
        1.5, gt=0, description="Recent spikes of the field below which there is no target"
    )


@dataclass(frozen=True)
class JointSample:
    """Measured joints: q float64[n] [rad], qd float64[n] [rad/s], at t_ns."""

    t_ns: int
    q: Float
    qd: Float


@dataclass(frozen=True)
class ArmCommand:
    """Where the arm shall go.

    Attributes:
        t_ns: sensor time that the command answers.
        q, qd: float64[n], joint angles [rad] and velocities [rad/s].
        state: tracking, holding or searching.
        target_direction: (x/z, y/z) of the target in the camera frame; None if unseen.
    """

    t_ns: int
    q: Float
    qd: Float
    state: GazeState
    target_direction: Float | None


@dataclass(frozen=True)
class ControllerStatistics:
    """Totals since the controller was made.

    Attributes:
        ticks, spikes, synaptic_operations: of the network.
        neurons: how many it has.
        gaps: times that the sensor's time jumped and the network began anew.
        tick_us: mean time of a tick in the last step, microseconds.
        events_let_go: events that no tick began for, let go when too many of them waited.
    """

    ticks: int
    spikes: int
    synaptic_operations: int
    neurons: int
    gaps: int
    tick_us: float
    events_let_go: int = 0

    @property
    def active_fraction(self) -> float:
        """Mean share of the neurons that spike in a tick."""
        return self.spikes / (self.ticks * self.neurons) if self.ticks else 0.0


def network_path(name: str) -> Path:
    """The file of that path, or the shipped network of that name.

    Raises:
        FileNotFoundError: there is neither.
    """
    path = Path(name)
    if not path.is_file():
        path = share_directory() / "config" / "networks" / name
    if not path.is_file():
        raise FileNotFoundError(f"network: {name!r} is no file, and {path} does not exist")
    return path


def load_network(name: str) -> FixedNetwork:
    """The named network in Loihi's integers.

    Raises:
        FileNotFoundError: neither a file of that path nor a shipped network of that name.
        ValueError: the file is no network, or does not fit the integers.
    """
    return quantize(read_nir(network_path(name)))


def make_tracker(
    runner: Runner, network: FixedNetwork, settings: ArmControllerSettings
) -> TargetTracker:
    """A tracker around a runner; the code of its ports is read from the network's metadata.

    Raises:
        ValueError: the metadata does not say how velocities are coded, or ports are missing.
    """
    return TargetTracker(
        runner,
        dt_ns=round(network.dt_s * 1e9),
        velocity_range_rad_s=(
            _number(network.metadata, "velocity_low_rad_s"),
            _number(network.metadata, "velocity_high_rad_s"),
        ),
        rate_hz=_number(network.metadata, "velocity_rate_hz"),
        target_tau_s=settings.target_tau_s,
        pursuit_tau_s=settings.pursuit_tau_s,
        silence=settings.silence,
    )


class ArmController:
    """Encoders, network, decoders and the visual servo, advanced by the data.

    `network_watch`: what happens inside the network, for whoever looks (`NetworkWatch`).
    """

    def __init__(
        self,
        settings: ArmControllerSettings,
        model: ArmModel,
        *,
        home: Float | None = None,
        runner: Runner | None = None,
        network: FixedNetwork | None = None,
    ) -> None:
        """Load the network (unless given) and make its backend ready (the settings' unless given).

        Raises:
            FileNotFoundError, ValueError: the network cannot be had, or does not fit.
            BackendError: the backend that the settings ask for cannot be had.
        """
        self.settings = settings
        network = load_network(settings.network) if network is None else network
        self._reason = "given"
        if runner is None:
            chosen = choose_runner(network, settings)
            runner, self._reason = chosen.runner, chosen.reason
        self.backend = runner.name
        try:
            shown = runner.twin if isinstance(runner, ShadowRunner) else runner
            self._recent = RecentSpikes(network, shown, "events")
            runner, self.network_watch = watched(runner, network)
            self.tracker = make_tracker(runner, network, settings)
            self._servo = GazeServo(model, settings, model.home if home is None else home)
        except BaseException:
            close_runner(runner)
            raise
        self._neurons = sum(population.size for population in network.populations)
        self._state: GazeServoState | None = None
        self._tick_us = 0.0
        self._totals = np.zeros(3, np.int64)
        self.estimate: TrackerEstimate | None = None

    def reset(self) -> None:
        """Forget what was seen and where the arm was sent."""
        self._totals += self._counted()
        self.tracker.reset()
        self._state = None
        self.estimate = None

    def close(self) -> None:
        """Give back what the backend holds; the controller is of no use after."""
        self._recent.close()
        close_runner(self.tracker.runner)

    @property
    def backend_report(self) -> BackendReport:
        """Who steps the network, why, and how it goes."""
        return report_backend(self.tracker.runner, self._reason)

    def step(self, events: Events, joints: JointSample, t_ns: int) -> ArmCommand:
        """Take the events up to t_ns and the newest joint state; say where to go.

        Without events it advances the network through silence, which is how time passes when the
        sensor says nothing.

        Args:
            events: since the last step, in order of time.
            joints: newest measured.
            t_ns: sensor time up to which the events are complete.

        Raises:
            ValueError: a joint value is not finite or of another size.
        """
        n = self._servo.home.size
        for name, values in (("q", joints.q), ("qd", joints.qd)):
            if values.shape != (n,) or not np.isfinite(values).all():
                raise ValueError(f"joints.{name}: {values} must be {n} finite numbers")
        gaps, before = self.tracker.gaps, self._counted()
        velocity = self._servo.camera_velocity(joints.q, joints.qd)
        estimate = self.tracker.step(events, velocity[:2], t_ns)
        if self.tracker.gaps != gaps:
            # The reset took the runner's counters with it, and the arm begins where it stands.
            self._totals += before
            self._state = None
        if estimate.ticks:
            self._tick_us = estimate.tick_us
            self._recent.stepped(len(events))
            if self.network_watch.on:
                self.network_watch.stamp(estimate.t_ns, self.tracker.dt_ns)
        self.estimate = estimate
        direction = self._direction(estimate, events)
        if self._state is None:
            self._state = self._servo.begin(joints.q, t_ns - self.tracker.dt_ns)
        self._state = self._servo.step(
            self._state, joints.q, direction, estimate.pursuit_rad_s, t_ns
        )
        state = self._state
        return ArmCommand(t_ns, state.q, state.velocity_rad_s, state.mode, direction)

    @property
    def statistics(self) -> ControllerStatistics:
        """Totals up to now."""
        ticks, spikes, operations = (int(total) for total in self._totals + self._counted())
        tracker = self.tracker
        return ControllerStatistics(
            ticks,
            spikes,
            operations,
            self._neurons,
            tracker.gaps,
            self._tick_us,
            tracker.events_let_go,
        )

    def where_activity_dies(self) -> str:
        """Where spikes end on their way through the network, and why; see `RecentSpikes`.

        Never waits: what is silent now is told when it has been searched for.
        """
        return self._recent.where_activity_dies()

    def _counted(self) -> NDArray[np.int64]:
        counters = self.tracker.runner.counters
        return np.array([counters.ticks, counters.spikes, counters.synaptic_operations])

    def _direction(self, estimate: TrackerEstimate, events: Events) -> Float | None:
        if estimate.position is None:
            return None
        return direction_of(
            estimate.position,
            self.settings.horizontal_field_of_view_rad,
            events.height / events.width,
        )


def close_runner(runner: Runner) -> None:
    """Close a runner that can be closed: those with a process of their own."""
    close = getattr(runner, "close", None)
    if close is not None:
        close()


def direction_of(position: Float, horizontal_field_of_view_rad: float, aspect: float) -> Float:
    """(x/z, y/z) in the camera frame of a position from 0 to 1 in the image.

    aspect: height / width of the sensor, whose pixels are square.
    """
    half = math.tan(horizontal_field_of_view_rad / 2)
    return np.array([(2 * position[0] - 1) * half, (2 * position[1] - 1) * half * aspect])


def _number(metadata: Mapping[str, MetadataValue], key: str) -> float:
    value = metadata.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"network: its metadata must hold the number {key!r}, not {value!r}")
    return float(value)
