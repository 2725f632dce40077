# SPDX-License-Identifier: Apache-2.0
"""A skin whose afferents answer pressures in kPa as recorded ones do.

Over every taxel sit one SA-I, one FA-I and one FA-II (`neuro_control.senses.fitted_afferents`),
where `neuro_control.senses.skin` has neurons with gains to choose. Events are addressed alike:
x is the column; y the row, in three bands of `rows`, SA-I first, then FA-I, then FA-II. p is 1
where the pressure rises as the afferent speaks and 0 where it falls; SA-I always says 1.

Between two samples the pressure runs straight. The corners this makes are below the cut-off of
SA-I and FA-I for samples from 200 Hz up; FA-II hears them, and should have samples at 1 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.events import Events
from neuro_control.events.address_events import check_size
from neuro_control.senses import fitted_afferent_kernel as kernel
from neuro_control.senses.afferents import Afferent
from neuro_control.senses.fitted_afferents import (
    FA1,
    FA2,
    HISTORY_STEPS,
    SA1,
    STEP_NS,
    AfferentConstants,
    after_current,
    low_pass,
)

Float = NDArray[np.float64]

_STEPS_AT_ONCE = 500  # bounds the room for events: 100 ms
_MPA_PER_KPA = 1e-3


class FittedSkinSettings(BaseModel):
    """What the afferents of a skin are like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sa1_gain: float = Field(1.0, ge=0.0, le=1000.0, description="of SA-I on pressure; 0: silent")
    fa1_gain: float = Field(1.0, ge=0.0, le=1000.0, description="of FA-I on pressure; 0: silent")
    fa2_gain: float = Field(1.0, ge=0.0, le=1000.0, description="of FA-II on pressure; 0: silent")
    noise: bool = Field(False, description="the membranes' noise, of the fits' strength")
    mismatch_sigma: float = Field(
        0.0, ge=0.0, le=0.5, description="standard deviation of gains between taxels, relative"
    )
    seed: int = Field(0, ge=0, description="of noise and mismatch")
    longest_gap_us: int = Field(
        1_000_000, ge=1000, le=60_000_000, description="most time between two samples [us]"
    )


@dataclass(frozen=True, eq=False)
class FittedSkinState:
    """What a skin remembers between two samples.

    t_ns: of the last sample.
    stress_mpa: float64[taxels], its pressures [MPa].
    afferents: float64[3 * taxels, STATE_SIZE], see `fitted_afferent_kernel`.
    """

    t_ns: int
    stress_mpa: Float
    afferents: Float


class FittedSkin:
    """The parameters of one skin's afferents, and what they do; it keeps no state of its own.

    Args:
        rows, columns: of taxels.
        settings: gains, mismatch and noise.

    Raises:
        ValueError: no taxels, or more than an event's 16 bits can name.
    """

    def __init__(self, rows: int, columns: int, settings: FittedSkinSettings | None = None) -> None:
        if rows < 1 or columns < 1:
            raise ValueError(f"rows is {rows} and columns {columns}; both must be at least 1")
        check_size(columns, len(Afferent) * rows)
        self.rows, self.columns = rows, columns
        self.settings = settings = settings or FittedSkinSettings()
        kinds = (
            SA1.with_gain(settings.sa1_gain),
            FA1.with_gain(settings.fa1_gain),
            FA2.with_gain(settings.fa2_gain),
        )
        rng = np.random.default_rng([0xF17, settings.seed])
        of_taxels = np.maximum(rng.normal(1.0, settings.mismatch_sigma, rows * columns), 0.0)
        self._constants = np.stack([_packed(kind) for kind in kinds])
        self._after = np.stack([after_current(kind) for kind in kinds])
        self._gains = np.outer([kind.gain for kind in kinds], of_taxels)
        self._seed = np.uint64(rng.integers(1 << 63))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the events."""
        return self.columns, len(Afferent) * self.rows

    def start(self, pressure_kpa: ArrayLike, t_ns: int) -> FittedSkinState:
        """Every afferent at rest under these pressures, as if they had been there for long.

        Args:
            pressure_kpa: [rows, columns], kPa; below 0 counts as 0, as a tared sensor's offset.
            t_ns: their time, 0 or later.

        Raises:
            ValueError: naming `pressure_kpa` or `t_ns`, and what is wrong with it.
        """
        if t_ns < 0:
            raise ValueError(f"t_ns: {t_ns} must be 0 or more")
        stress = self._stress(pressure_kpa)
        s = (self._gains * stress).reshape(-1)
        afferents = np.zeros((s.size, kernel.STATE_SIZE))
        # The filter's memory after a constant input: z3 = (b3 - a3) s, z2 = (b2 - a2) s + z3, ...
        b_minus_a = self._constants[:, 1:4] - self._constants[:, 4:7]
        memory = np.cumsum(b_minus_a[:, ::-1], axis=1)[:, ::-1]
        per_afferent = np.repeat(memory, stress.size, axis=0)
        afferents[:, kernel.Z1 : kernel.Z3 + 1] = per_afferent * s[:, None]
        afferents[:, kernel.FILTERED] = s
        afferents[:, kernel.SINCE] = HISTORY_STEPS
        return FittedSkinState(int(t_ns), stress, afferents)

    def advance(
        self, state: FittedSkinState, pressure_kpa: ArrayLike, t_ns: int
    ) -> tuple[Events, FittedSkinState]:
        """Spikes between the last sample and this one, and what to remember.

        Args:
            state: after the last sample; it is not changed.
            pressure_kpa: [rows, columns], kPa; below 0 counts as 0, as a tared sensor's offset.
            t_ns: their time, after the last sample's.

        Returns:
            Events with last < t_ns <= this sample's time, ascending, and the next state.

        Raises:
            ValueError: naming `pressure_kpa` or `t_ns`, and what is wrong with it.
        """
        t_ns = int(t_ns)
        if t_ns <= state.t_ns:
            raise ValueError(f"t_ns: {t_ns} is not after the last sample's {state.t_ns}")
        longest_ns = self.settings.longest_gap_us * 1000
        if t_ns - state.t_ns > longest_ns:
            raise ValueError(
                f"t_ns: {t_ns} is {(t_ns - state.t_ns) * 1e-9:g} s after the last sample's;"
                f" at most {longest_ns * 1e-9:g} s (longest_gap_us) are filled: start anew"
            )
        next_stress = self._stress(pressure_kpa)
        afferents = state.afferents.copy()
        step, last = state.t_ns // STEP_NS + 1, t_ns // STEP_NS
        parts = []
        while step <= last:
            steps = min(last - step + 1, _STEPS_AT_ONCE)
            most = afferents.shape[0] * (steps // kernel.REFRACTORY_STEPS + 1)
            t = np.empty(most, np.int64)
            address, polarity = np.empty(most, np.int32), np.empty(most, np.uint8)
            count = kernel.integrate(
                afferents, self._constants, self._after, self._gains, state.stress_mpa,
                next_stress, state.t_ns, t_ns, step, steps, STEP_NS, self.settings.noise,
                self._seed, t, address, polarity,
            )  # fmt: skip
            parts.append(self._collect(t[:count], address[:count], polarity[:count]))
            step += steps
        events = Events.concatenate(parts or [Events.empty(*self.size)])
        return events, FittedSkinState(t_ns, next_stress, afferents)

    def run(
        self, pressure_kpa: ArrayLike, t_ns: ArrayLike, state: FittedSkinState | None = None
    ) -> tuple[Events, FittedSkinState]:
        """Spikes of a recording; without a state the first sample is where it starts.

        Args:
            pressure_kpa: [n, rows, columns], kPa; below 0 counts as 0.
            t_ns: int64[n], ascending.
            state: from the recording's earlier part.

        Raises:
            ValueError: as `advance`; also no samples, or not as many times as samples.
        """
        samples, times = np.asarray(pressure_kpa), np.asarray(t_ns, np.int64)
        if samples.ndim != 3 or times.shape != samples.shape[:1] or len(times) == 0:
            raise ValueError(
                f"pressure_kpa, t_ns: shapes {samples.shape} and {times.shape};"
                f" give (n, {self.rows}, {self.columns}) and (n,), n at least 1"
            )
        parts = [Events.empty(*self.size)]
        for sample, t in zip(samples, times.tolist(), strict=True):
            if state is None:
                state = self.start(sample, t)
                continue
            events, state = self.advance(state, sample, t)
            parts.append(events)
        assert state is not None  # there was a sample
        return Events.concatenate(parts), state

    def _stress(self, pressure_kpa: ArrayLike) -> Float:
        array = np.asarray(pressure_kpa, dtype=np.float64)
        if array.shape != (self.rows, self.columns):
            raise ValueError(
                f"pressure_kpa: shape {array.shape}, expected ({self.rows}, {self.columns})"
            )
        finite = np.isfinite(array)
        if not finite.all():
            taxel = np.argwhere(~finite)[0].tolist()
            raise ValueError(
                f"pressure_kpa: taxel {taxel} has {array[tuple(taxel)]}; it must be finite"
            )
        return np.maximum(array.reshape(-1), 0.0) * _MPA_PER_KPA

    def _collect(
        self, t_ns: NDArray[np.int64], address: NDArray[np.int32], polarity: NDArray[np.uint8]
    ) -> Events:
        order = np.argsort(t_ns, kind="stable")
        row, column = np.divmod(address[order], self.columns)
        return Events(
            t_ns[order],
            column.astype(np.uint16),
            row.astype(np.uint16),
            polarity[order],
            *self.size,
        )


def _packed(constants: AfferentConstants) -> Float:
    """One row for the kernel: float64[kernel.CONSTANTS_SIZE]."""
    return np.array(
        [
            *low_pass(constants.cut_off_hz),
            *constants.pressure,
            *constants.rate,
            *constants.change,
            constants.saturation,
            constants.noise_std,
            1.0 / constants.tau_steps,
        ]
    )
