# SPDX-License-Identifier: Apache-2.0
"""What is kept of a run: the target's truth, the network's estimate, delays, and diagnostics.

No ROS here: the monitor node fills a record from its topics, tests fill one by hand.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from neuro_control.demo.figures import FloatArray, IntArray, angle_from_axis_deg
from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.demo.samples import Samples
from neuro_control.events import MonoDecoder
from neuro_control.reports.film_tape import FilmTape

# Packets kept for the picture: the last 40 ms at 500 packets a second.
KEPT_PACKETS = 20
# Statuses of a node that are kept: its last words, in case the very last lacks one.
KEPT_STATUSES = 16
# What the controller counts and a plot shows over time.
COUNTERS = ("events", "spikes")
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
    """Grows while a run goes on, up to a bound (`Samples`).

    target: x, y, z of the true target in the camera's optical frame, m.
    estimate: x/z, y/z of the target as the network sees it.
    delays: from a packet's publication to that of the robot command that answers it, ns, by the
        packet's stamp; since `restart_clock`.
    statuses: the last statuses of each node, in order of arrival; heard: how many there were.
    counters: what the controller counted, by name, at simulated times.
    packets: (stamp_ns, width, height, payload) of the latest event packets.
    joints: the latest joint angles by name, rad.
    tape: what a film shows of the run, if one is wanted. network: its spikes, if they are.
    """

    target: Samples = field(default_factory=lambda: Samples(3))
    estimate: Samples = field(default_factory=lambda: Samples(2))
    delays: Samples = field(default_factory=lambda: Samples(1))
    statuses: dict[str, deque[Status]] = field(default_factory=dict)
    heard: Counter[str] = field(default_factory=Counter)
    counters: dict[str, Samples] = field(
        default_factory=lambda: {name: Samples(1) for name in COUNTERS}
    )
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
        if self.target.last is None or self.target.last[0] != t_ns:  # in lockstep some come twice
            self.target.add(t_ns, x, y, z)
        if self.tape is not None:
            self.tape.note("target", t_ns, (x, y, z))
        if self.first_wall_s is None:
            self.first_wall_s, self.first_ns = wall_s, t_ns
        self.last_wall_s = wall_s

    def restart_clock(self) -> None:
        """Measure pace and delays from the next sample of the target on.

        Before it nodes looked for each other and time crawled; the simulator forgets its delays of
        then too.
        """
        self.first_wall_s = None
        self.delays = Samples(1)
        self._published_ns.clear()

    def add_estimate(self, t_ns: int, x: float, y: float) -> None:
        """Note where the network sees the target: x/z and y/z."""
        self.estimate.add(t_ns, x, y)

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

    def add_command(self, stamp_ns: int, published_ns: int, missed: bool = False) -> None:
        """Note a robot command; the first one of a packet's stamp or later ends its delay.

        missed: others were sent before it that were not heard. The packets before its own may have
        had their answer from those: how late that was is not known.
        """
        while self._published_ns and next(iter(self._published_ns)) <= stamp_ns:
            answered_ns = next(iter(self._published_ns))
            sent_ns = self._published_ns.pop(answered_ns)
            if not missed or answered_ns == stamp_ns:
                self.delays.add(answered_ns, published_ns - sent_ns)

    def add_status(self, node: str, status: Status) -> None:
        """Note what a node says on /diagnostics."""
        self.statuses.setdefault(node, deque(maxlen=KEPT_STATUSES)).append(status)
        self.heard[node] += 1
        if node != "controller":
            return
        for name, samples in self.counters.items():
            if (number := status.number(name)) is not None:
                samples.add(round(status.simulated_s * 1e9), number)

    def latest(self, node: str, key: str) -> float | None:
        """The latest number that a node gave for a diagnostics key."""
        for status in reversed(self.statuses.get(node, ())):
            number = status.number(key)
            if number is not None:
                return number
        return None

    def word(self, node: str, key: str) -> str | None:
        """The latest text that a node gave for a diagnostics key."""
        for status in reversed(self.statuses.get(node, ())):
            if key in status.values:
                return status.values[key]
        return None

    def target_arrays(self, until_ns: int | None = None) -> tuple[IntArray, FloatArray]:
        """Return t_ns int64[n] and position float64[n, 3] up to a time, in order of time.

        A sample that came more than once (in lockstep they are sent again) counts once.
        """
        t_ns, position = self.target.t_ns, self.target.values
        _, order = np.unique(t_ns, return_index=True)
        if until_ns is not None:
            order = order[t_ns[order] <= until_ns]
        return t_ns[order], position[order]

    def recent_rate(self, counter: str) -> float | None:
        """What one of `COUNTERS` grew by a simulated second, last; None before two readings."""
        t_ns, total = self.counters[counter].newest(KEPT_STATUSES)
        earlier = np.flatnonzero(t_ns < t_ns[-1]) if len(t_ns) else t_ns
        if not len(earlier):
            return None
        grown, span_ns = total[-1] - total[earlier[-1]], t_ns[-1] - t_ns[earlier[-1]]
        # A controller that was started anew counts from nothing.
        return max(float(grown[0]), 0.0) / float(span_ns * 1e-9)

    @property
    def simulated_s(self) -> float:
        """Simulated time of the latest sample of the target."""
        return 0.0 if self.target.last is None else self.target.last[0] * 1e-9

    def real_time_factor(self) -> float | None:
        """Simulated over wall-clock time since the first sample, or since `restart_clock`."""
        if self.first_wall_s is None or self.last_wall_s is None:
            return None
        wall_s = self.last_wall_s - self.first_wall_s
        simulated_s = self.simulated_s - self.first_ns * 1e-9
        return simulated_s / wall_s if wall_s > 0 else None

    def recent_error_deg(self, seconds: float = 0.5) -> float | None:
        """Median angle between camera and target over the last simulated moments."""
        t_ns, position = self.target.newest(1000)
        if not len(t_ns):
            return None
        recent = position[t_ns >= t_ns[-1] - round(seconds * 1e9)]
        return float(np.median(angle_from_axis_deg(recent)))
