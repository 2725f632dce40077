# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a robot's sensors, and with what they send."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.events import Events
from neuro_control.sim.target_paths import DYNAMIC

Float = NDArray[np.float64]


class SensorFaultSettings(BaseModel):
    """Which faults there are; none by default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    camera_blackout: bool = Field(
        False,
        description="the camera's lens is covered: the picture is black",
        json_schema_extra=DYNAMIC,
    )
    hot_pixels: int = Field(
        0,
        ge=0,
        le=1000,
        description="pixels that send ON events whatever they see",
        json_schema_extra=DYNAMIC,
    )
    hot_pixel_rate_hz: float = Field(
        500.0,
        ge=0.0,
        le=2000.0,
        description="events a second of a hot pixel",
        json_schema_extra=DYNAMIC,
    )
    noise_events_per_s: float = Field(
        0.0,
        ge=0.0,
        le=1e7,
        description="events a second of the whole sensor that nothing has caused: a storm",
        json_schema_extra=DYNAMIC,
    )
    packets_lost: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="part of the event packets that are lost on their way",
        json_schema_extra=DYNAMIC,
    )
    joint_states_lost: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="part of the joint states that are lost on their way; 0 in lockstep",
        json_schema_extra=DYNAMIC,
    )
    joint_states_delay_s: float = Field(
        0.0,
        ge=0.0,
        le=0.5,
        description="time that joint states take on their way [s]; 0 in lockstep",
        json_schema_extra=DYNAMIC,
    )
    seed: int | None = Field(
        None, ge=0, description="seed of the faults; by default that of the simulation"
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The faults that there are now."""
        there = {
            "camera_blackout": self.camera_blackout,
            "hot_pixels": self.hot_pixels > 0 and self.hot_pixel_rate_hz > 0.0,
            "noise_events_per_s": self.noise_events_per_s > 0.0,
            "packets_lost": self.packets_lost > 0.0,
            "joint_states_lost": self.joint_states_lost > 0.0,
            "joint_states_delay_s": self.joint_states_delay_s > 0.0,
        }
        return tuple(name for name, is_there in there.items() if is_there)


@dataclass(frozen=True, eq=False)
class JointReading:
    """Measured joints at t_ns: q [rad], qd [rad/s], effort [N m], float64[n] each."""

    t_ns: int
    q: Float
    qd: Float
    effort: Float


class SensorFaults:
    """Spoils what the sensors say; without faults it gives back what it is given.

    Args:
        width, height: of the camera.
        settings: to begin with; `settings` can be replaced at any time.
        seed: used where the settings name none. Equal seeds and calls give equal faults.
    """

    def __init__(self, width: int, height: int, settings: SensorFaultSettings, seed: int) -> None:
        self.settings = settings
        entropy = seed if settings.seed is None else settings.seed
        self._rng = np.random.default_rng([0xFA17, entropy])
        # More hot pixels are those that there were and others.
        self._pixels = np.random.default_rng([0x407, entropy]).permutation(width * height)
        self._size = (width, height)
        self._waiting: deque[tuple[int, JointReading]] = deque()
        self.events_added = 0
        self.packets_lost = 0
        self.joint_states_lost = 0

    @property
    def joint_states_waiting(self) -> int:
        """How many are on their way."""
        return len(self._waiting)

    def picture(self, luminance: NDArray[np.float32]) -> NDArray[np.float32]:
        """What falls onto the sensor."""
        return np.zeros_like(luminance) if self.settings.camera_blackout else luminance

    def events(self, events: Events, start_ns: int, end_ns: int) -> Events:
        """The events of a period, with those that faults add."""
        settings = self.settings
        if not (settings.hot_pixels or settings.noise_events_per_s):
            return events
        span_s = (end_ns - start_ns) * 1e-9
        width, height = self._size
        rng = self._rng
        hot = self._pixels[: settings.hot_pixels]
        n_hot = int(rng.poisson(len(hot) * settings.hot_pixel_rate_hz * span_s))
        n_noise = int(rng.poisson(settings.noise_events_per_s * span_s))
        pixel = np.concatenate(
            [rng.choice(hot, n_hot) if len(hot) else hot, rng.integers(0, width * height, n_noise)]
        )
        p = np.ones(len(pixel), np.uint8)
        p[n_hot:] = rng.integers(0, 2, n_noise)
        t_ns = rng.integers(start_ns, end_ns, len(pixel)) + 1
        self.events_added += len(pixel)
        t_ns = np.concatenate([events.t_ns, t_ns])
        order = np.argsort(t_ns, kind="stable")
        return Events(
            t_ns[order],
            np.concatenate([events.x, (pixel % width).astype(np.uint16)])[order],
            np.concatenate([events.y, (pixel // width).astype(np.uint16)])[order],
            np.concatenate([events.p, p])[order],
            events.width,
            events.height,
        )

    def packet_arrives(self) -> bool:
        """Whether the packet of this period is not lost."""
        lost = self._happens(self.settings.packets_lost)
        self.packets_lost += lost
        return not lost

    def joint_states(self, reading: JointReading) -> tuple[JointReading, ...]:
        """The readings that arrive now, given the one that is made now; in order."""
        if self._happens(self.settings.joint_states_lost):
            self.joint_states_lost += 1
        else:
            delay_ns = round(self.settings.joint_states_delay_s * 1e9)
            self._waiting.append((reading.t_ns + delay_ns, reading))
        arrived = []
        # One way: none overtakes another, when the delay becomes shorter.
        while self._waiting and self._waiting[0][0] <= reading.t_ns:
            arrived.append(self._waiting.popleft()[1])
        return tuple(arrived)

    def _happens(self, probability: float) -> bool:
        return probability > 0.0 and bool(self._rng.random() < probability)
