# SPDX-License-Identifier: Apache-2.0
"""From spikes to a decision or a rate: exponential kernel, first spike, winner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.encoding.code import Float, at_least, dense, positive


class RateDecoder:
    """Rates by an exponential kernel: every spike adds 1 / tau, and all of it decays with tau.

    Dayan and Abbott, "Theoretical Neuroscience", MIT Press, 2001, section 1.2.

    Args:
        neurons: how many.
        tau_s: time constant, above 0.
        dt_ns: length of a tick, at least 1.

    Raises:
        ValueError: naming the parameter that is not right.
    """

    def __init__(self, neurons: int, tau_s: float, dt_ns: int) -> None:
        at_least("neurons", neurons, 1)
        at_least("dt_ns", dt_ns, 1)
        positive("tau_s", tau_s)
        self.neurons = neurons
        self._keep = float(np.exp(-dt_ns * 1e-9 / tau_s))
        # A steady train of one spike a tick reads as 1 / dt.
        self._gain_hz = (1.0 - self._keep) / (dt_ns * 1e-9)
        self.reset()

    def reset(self) -> None:
        """No spikes yet."""
        self._rate_hz = np.zeros(self.neurons)

    def decode(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Float:
        """Rates after each tick, float64[ticks, neurons], Hz."""
        spikes = dense(indices, offsets, self.neurons)
        rates = np.empty(spikes.shape)
        for tick, fired in enumerate(spikes):
            self._rate_hz = self._rate_hz * self._keep + self._gain_hz * fired
            rates[tick] = self._rate_hz
        return rates


@dataclass(frozen=True)
class Decision:
    """Which neuron it is. tick: since the reset, when it was decided."""

    neuron: int
    tick: int


class FirstSpikeDecoder:
    """The neuron that spikes first; of those in one tick the one with the lowest number.

    Args:
        neurons: how many.
    """

    def __init__(self, neurons: int) -> None:
        at_least("neurons", neurons, 1)
        self.neurons = neurons
        self.reset()

    def reset(self) -> None:
        """Nobody has spiked."""
        self._ticks = 0
        self._decision: Decision | None = None

    def decode(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Decision | None:
        """The decision, or None while nobody has spiked."""
        spikes = dense(indices, offsets, self.neurons)
        active = np.flatnonzero(spikes.any(axis=1))
        if self._decision is None and len(active):
            first = int(active[0])
            self._decision = Decision(int(spikes[first].argmax()), self._ticks + first)
        self._ticks += len(spikes)
        return self._decision


class WinnerDecoder:
    """The neuron with the most spikes over the last ticks, if it leads by enough.

    Args:
        neurons: how many.
        window: ticks that count.
        lead: spikes by which the winner must be ahead of all others, at least 1.
    """

    def __init__(self, neurons: int, window: int, lead: int = 1) -> None:
        at_least("neurons", neurons, 1)
        at_least("window", window, 1)
        at_least("lead", lead, 1)
        self.neurons, self.window, self.lead = neurons, window, lead
        self.reset()

    def reset(self) -> None:
        """Nobody has spiked."""
        self._past = np.zeros((0, self.neurons), np.bool_)

    def decode(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> int | None:
        """The winner after the last tick, or None where nobody leads by enough."""
        spikes = dense(indices, offsets, self.neurons)
        self._past = np.concatenate([self._past, spikes])[-self.window :]
        counts = self._past.sum(axis=0)
        winner = int(counts.argmax())
        others = np.delete(counts, winner)
        second = int(others.max()) if len(others) else 0
        return winner if counts[winner] - second >= self.lead else None
