# SPDX-License-Identifier: Apache-2.0
"""Encode, step, decode: from events and the gaze's velocity to where the target is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.backends.runner import Runner
from neuro_control.circuits.target_tracker import cell_centres
from neuro_control.encoding import (
    EventMapEncoder,
    PopulationCode,
    PopulationEncoder,
    PopulationVectorDecoder,
)
from neuro_control.events import Events
from neuro_control.network import Port

Float = NDArray[np.float64]

# A gap longer than this is not caught up tick by tick: what the network knew is stale.
LONGEST_GAP_NS = 200_000_000
LEAST_PURSUIT_SPIKES = 5.0
# Kept until a tick begins; far more than a sensor sends in one. Where the packets' stamps do not
# advance none ever begins.
MOST_WAITING_EVENTS = 1_000_000
MOST_WAITING_STEPS = 10_000


@dataclass(frozen=True)
class TrackerEstimate:
    """What the network says after a step.

    Attributes:
        t_ns: end of the last tick that it knows of, sensor time.
        position: float64[2], (column, row) of the target from 0 to 1; None if it sees none.
        activity: recent spikes of the field, weighted by the decoder's kernel.
        pursuit_rad_s: float64[2], remembered velocity of the gaze about the camera's x and y
            axes; zero while the memory is empty.
        ticks: that this step advanced the network by.
        tick_us: mean time of one tick of the backend, microseconds; 0.0 for no tick.
    """

    t_ns: int
    position: Float | None
    activity: float
    pursuit_rad_s: Float
    ticks: int
    tick_us: float


class TargetTracker:
    """The spiking network of `circuits.pursuit.arm_tracker` between an encoder and a decoder.

    Time is the sensor's. A step advances the network to the tick that its time lies in, through
    empty ticks where nothing happened; events of the tick that has only begun wait for the next
    step. Each synapse, the input's too, delivers in the tick after the spike, so an event reaches
    the output three ticks after its own.

    gaps: times that it began anew. events_let_go: oldest first, for no tick began for them.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        dt_ns: int,
        velocity_range_rad_s: tuple[float, float],
        rate_hz: float,
        target_tau_s: float,
        pursuit_tau_s: float,
        silence: float,
    ) -> None:
        """Wrap a runner whose network has the ports that `arm_tracker` gives it.

        Args:
            runner: inputs events (2, h, w) and velocity (2 n,), outputs target (1, c, c) and
                pursuit (2 n,).
            dt_ns: tick.
            velocity_range_rad_s: lowest and highest velocity of the code.
            rate_hz: highest rate of the code.
            target_tau_s: kernel of the target's decoder.
            pursuit_tau_s: kernel of the pursuit memory's decoder.
            silence: kernel-weighted field spikes below which there is no target.

        Raises:
            ValueError: the network has other ports.
        """
        self.runner = runner
        self.dt_ns = dt_ns
        events = _port(runner.input_ports, "events", 3)
        self._velocity = _port(runner.input_ports, "velocity", 1)
        self._target = _port(runner.output_ports, "target", 3)
        self._pursuit = _port(runner.output_ports, "pursuit", 1)
        if events.offset != 0:
            raise ValueError("network: its first input must be 'events'")
        self.map = EventMapEncoder(events.shape[1], events.shape[2], dt_ns)
        neurons = self._velocity.size // 2
        low, high = velocity_range_rad_s
        code = PopulationCode(2, neurons, low, high, rate_hz)
        self._velocity_encoder = PopulationEncoder(code, dt_ns)
        self._target_decoder = PopulationVectorDecoder(
            cell_centres(self._target.shape[1]), tau_s=target_tau_s, dt_ns=dt_ns, silence=silence
        )
        self._pursuit_decoders = [
            PopulationVectorDecoder(
                code.preferred[:, None],
                tau_s=pursuit_tau_s,
                dt_ns=dt_ns,
                silence=LEAST_PURSUIT_SPIKES,
            )
            for _ in range(2)
        ]
        self.gaps = 0
        self.events_let_go = 0
        self._next_tick: int | None = None
        self._waiting: deque[Events] = deque()
        self._waiting_events = 0

    def reset(self) -> None:
        """Forget everything that was seen."""
        self.runner.reset()
        self._velocity_encoder.reset()
        self._target_decoder.reset()
        for decoder in self._pursuit_decoders:
            decoder.reset()
        self._next_tick = None
        self._keep()

    def step(self, events: Events, velocity_rad_s: ArrayLike, t_ns: int) -> TrackerEstimate:
        """Advance to t_ns.

        Args:
            events: since the last step, in order of time.
            velocity_rad_s: float64[2], the gaze's measured velocity about the camera's x and y.
            t_ns: sensor time up to which events are complete.
        """
        tick = t_ns // self.dt_ns
        if self._next_tick is not None:
            gap_ns = (tick - self._next_tick) * self.dt_ns
            # Time that runs back is a sensor that was started anew.
            if gap_ns > LONGEST_GAP_NS or gap_ns < -self.dt_ns:
                self.reset()
                self.gaps += 1
        if self._next_tick is None:
            first_ns = int(events.t_ns[0]) if len(events) else t_ns
            oldest = (t_ns - LONGEST_GAP_NS) // self.dt_ns
            self._next_tick = min(max(first_ns // self.dt_ns, oldest), tick)
        if len(events):
            self._waiting.append(events)
            self._waiting_events += len(events)
        ticks = tick - self._next_tick
        if ticks < 1:
            self._let_go()
            return self._estimate(0, 0.0)
        mine, rest = self._take_waiting(tick, events)
        indices, offsets = self._merge(
            self.map.encode(mine, self._next_tick, ticks),
            self._velocity_encoder.encode(velocity_rad_s, ticks),
        )
        before = time.perf_counter_ns()
        out, out_offsets = self.runner.run(indices, offsets)
        tick_us = (time.perf_counter_ns() - before) * 1e-3 / ticks
        self._next_tick = tick
        self._keep(rest)
        self._target_decoder.decode(out, out_offsets, self._target.offset)
        half = self._pursuit.size // 2
        for axis, decoder in enumerate(self._pursuit_decoders):
            decoder.decode(out, out_offsets, self._pursuit.offset + axis * half)
        return self._estimate(ticks, tick_us)

    def _keep(self, *events: Events) -> None:
        self._waiting = deque(each for each in events if len(each))
        self._waiting_events = sum(map(len, self._waiting))

    def _let_go(self) -> None:
        """Of too much that waits, the oldest."""
        waiting = self._waiting
        while len(waiting) > 1 and (
            self._waiting_events > MOST_WAITING_EVENTS or len(waiting) > MOST_WAITING_STEPS
        ):
            oldest = len(waiting.popleft())
            self._waiting_events -= oldest
            self.events_let_go += oldest

    def _take_waiting(self, tick: int, events: Events) -> tuple[Events, Events]:
        """What belongs before `tick`, and what must wait for it to end."""
        if not self._waiting:
            return events, Events.empty(events.width, events.height)
        together = self._waiting[0]
        if len(self._waiting) > 1:
            together = Events.concatenate(list(self._waiting))
        end_ns = tick * self.dt_ns
        cut = int(np.searchsorted(together.t_ns, end_ns))
        return _slice(together, 0, cut), _slice(together, cut, len(together))

    def _merge(
        self,
        events: tuple[NDArray[np.int32], NDArray[np.int64]],
        velocity: tuple[NDArray[np.int32], NDArray[np.int64]],
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Both inputs' spikes tick by tick, the velocity's at their port."""
        shifted = velocity[0] + np.int32(self._velocity.offset)
        parts = []
        for tick in range(events[1].size - 1):
            parts.append(events[0][events[1][tick] : events[1][tick + 1]])
            parts.append(shifted[velocity[1][tick] : velocity[1][tick + 1]])
        return np.concatenate(parts), events[1] + velocity[1]

    def _estimate(self, ticks: int, tick_us: float) -> TrackerEstimate:
        target = self._target_decoder.read()
        pursuit = [decoder.read().value for decoder in self._pursuit_decoders]
        return TrackerEstimate(
            t_ns=(self._next_tick or 0) * self.dt_ns,
            position=target.value,
            activity=target.activity,
            pursuit_rad_s=np.array([0.0 if v is None else v[0] for v in pursuit]),
            ticks=ticks,
            tick_us=tick_us,
        )


def _slice(events: Events, start: int, stop: int) -> Events:
    part = slice(start, stop)
    return Events(
        events.t_ns[part],
        events.x[part],
        events.y[part],
        events.p[part],
        events.width,
        events.height,
    )


def _port(ports: Mapping[str, Port], name: str, axes: int) -> Port:
    port = ports.get(name)
    if port is None:
        raise ValueError(f"network: has no port {name!r}, only {', '.join(ports)}")
    if len(port.shape) != axes:
        raise ValueError(f"network: port {name!r} has shape {port.shape}, expected {axes} axes")
    return port
