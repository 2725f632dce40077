# SPDX-License-Identifier: Apache-2.0
"""What is kept of a run: the target's truth, the network's estimate, delays, and diagnostics.

No ROS here: the monitor node fills a record from its topics, tests fill one by hand.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from neuro_control.demo.figures import FloatArray, IntArray, angle_from_axis_deg
from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.events import MonoDecoder
from neuro_control.reports.film_tape import FilmTape

# Packets kept for the picture: the last 40 ms at 500 packets a second.
KEPT_PACKETS = 20
# Commands answer within this many packets, or their delay is not counted.
AWAITED_PACKETS = 256


@dataclass(frozen=True)
class Status:
    """One node's word on /diagnostics, at a simulated time: its values as they were written."""

    simulated_s: float
    level: int
    message: str
    values: Mapping[str, str]

    def number(self, key: str) -> float | None:
        """The value of a key as a finite number; None if it is missing or not one."""
        try:
            number = float(self.values[key])
        except (KeyError, ValueError):
            return None
        return number if math.isfinite(number) else None


@dataclass
class RunRecord:
    """Grows while a run goes on.

    target: (t_ns, x, y, z) of the true target in the camera's optical frame, m.
    estimate: (t_ns, x/z, y/z) of the target as the network sees it.
    delays_ns: from a packet's publication to that of the robot command that answers it.
    statuses: every status of each node, in order of arrival.
    packets: (stamp_ns, width, height, payload) of the latest event packets.
    joints: the latest joint angles by name, rad.
    tape: what a film shows of the run, if one is wanted. network: its spikes, if they are.
    """

    target: list[tuple[int, float, float, float]] = field(default_factory=list)
    estimate: list[tuple[int, float, float]] = field(default_factory=list)
    delays_ns: list[int] = field(default_factory=list)
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    packets: deque[tuple[int, int, int, bytes]] = field(
        default_factory=lambda: deque(maxlen=KEPT_PACKETS)
    )
    joints: dict[str, float] = field(default_factory=dict)
    tape: FilmTape | None = None
    network: NetworkSpikes | None = None
    events_heard: int = 0
    packets_heard: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    first_wall_s: float | None = None
    first_ns: int = 0
    last_wall_s: float | None = None
    _published_ns: dict[int, int] = field(default_factory=dict)

    def add_target(self, t_ns: int, x: float, y: float, z: float, wall_s: float) -> None:
        """Note where the target is in the camera's optical frame (m) at a time."""
        self.target.append((t_ns, x, y, z))
        if self.tape is not None:
            self.tape.note("target", t_ns, (x, y, z))
        if self.first_wall_s is None:
            self.first_wall_s, self.first_ns = wall_s, t_ns
        self.last_wall_s = wall_s

    def restart_clock(self) -> None:
        """Measure the real-time factor from the next sample of the target on."""
        self.first_wall_s = None

    def add_estimate(self, t_ns: int, x: float, y: float) -> None:
        """Note where the network sees the target: x/z and y/z."""
        self.estimate.append((t_ns, x, y))

    def add_packet(
        self, stamp_ns: int, seq: int, size: tuple[int, int], payload: bytes, published_ns: int
    ) -> None:
        """Note an event packet of encoding mono. size: width, height."""
        self.packets.append((stamp_ns, *size, payload))
        if self.tape is not None and self._is_filmed(stamp_ns, payload):
            events = MonoDecoder(*size).decode(np.frombuffer(payload, np.uint8), stamp_ns)
            self.tape.add_events(events)
        self.events_heard += len(payload) // 8
        self.packets_heard += 1
        self.first_seq = seq if self.first_seq is None else self.first_seq
        self.last_seq = seq
        self._published_ns[stamp_ns] = published_ns
        if len(self._published_ns) > AWAITED_PACKETS:
            self._published_ns.pop(next(iter(self._published_ns)))

    def _is_filmed(self, base_ns: int, payload: bytes) -> bool:
        """Whether a frame may show an event of a packet, by the times of its first and last."""
        if self.tape is None or len(payload) < 8:
            return False
        first, last = (int.from_bytes(payload[i : i + 4], "little") for i in (0, len(payload) - 8))
        return self.tape.wants(base_ns + first, base_ns + last)

    def add_joints(self, t_ns: int, joints: Mapping[str, float]) -> None:
        """Note the joints' angles by name, rad."""
        self.joints = dict(joints)
        if self.tape is not None:
            self.tape.note("joints", t_ns, tuple(self.joints.values()))

    def add_command(self, stamp_ns: int, published_ns: int) -> None:
        """Note a robot command; the first one of a packet's stamp or later ends its delay."""
        while self._published_ns and next(iter(self._published_ns)) <= stamp_ns:
            packet_ns = self._published_ns.pop(next(iter(self._published_ns)))
            self.delays_ns.append(published_ns - packet_ns)

    def add_status(self, node: str, status: Status) -> None:
        """Note what a node says on /diagnostics."""
        self.statuses.setdefault(node, []).append(status)

    def latest(self, node: str, key: str) -> float | None:
        """The latest number that a node gave for a diagnostics key."""
        for status in reversed(self.statuses.get(node, [])):
            number = status.number(key)
            if number is not None:
                return number
        return None

    def word(self, node: str, key: str) -> str | None:
        """The latest text that a node gave for a diagnostics key."""
        for status in reversed(self.statuses.get(node, [])):
            if key in status.values:
                return status.values[key]
        return None

    def target_arrays(self, until_ns: int | None = None) -> tuple[IntArray, FloatArray]:
        """Return t_ns int64[n] and position float64[n, 3] up to a time, in order of time.

        A sample that came more than once (in lockstep they are sent again) counts once.
        """
        t_ns = np.array([sample[0] for sample in self.target], np.int64)
        position = np.array([sample[1:] for sample in self.target], np.float64).reshape(-1, 3)
        _, order = np.unique(t_ns, return_index=True)
        if until_ns is not None:
            order = order[t_ns[order] <= until_ns]
        return t_ns[order], position[order]

    @property
    def simulated_s(self) -> float:
        """Simulated time of the latest sample of the target."""
        return self.target[-1][0] * 1e-9 if self.target else 0.0

    def real_time_factor(self) -> float | None:
        """Simulated over wall-clock time since the first sample, or since `restart_clock`."""
        if self.first_wall_s is None or self.last_wall_s is None:
            return None
        wall_s = self.last_wall_s - self.first_wall_s
        simulated_s = (self.target[-1][0] - self.first_ns) * 1e-9
        return simulated_s / wall_s if wall_s > 0 else None

    def recent_error_deg(self, seconds: float = 0.5) -> float | None:
        """Median angle between camera and target over the last simulated moments."""
        if not self.target:
            return None
        since_ns = self.target[-1][0] - round(seconds * 1e9)
        recent = [s[1:] for s in self.target[-1000:] if s[0] >= since_ns]
        return float(np.median(angle_from_axis_deg(np.array(recent))))

    def recent_delay_ms(self, count: int = 500) -> float | None:
        """Median of the latest delays."""
        recent = self.delays_ns[-count:]
        return float(np.median(recent)) * 1e-6 if recent else None
