# SPDX-License-Identifier: Apache-2.0
"""A skin: pressures of taxels in, spikes of three kinds of afferents out.

Each taxel has a slowly adapting afferent that speaks of pressure (SA-I), a rapidly adapting one
that speaks while pressure changes (FA-I), and one that speaks of vibration (FA-II): Johansson and
Flanagan, "Coding and use of tactile signals from the fingertips in object manipulation tasks",
Nature Reviews Neuroscience 10, 2009. They are Izhikevich neurons driven by pressure and its rate,
as in Rongala, Mazzoni, Oddo, "Neuromorphic artificial touch for categorization of naturalistic
textures", IEEE Trans. Neural Networks and Learning Systems 28, 2017; FA-II by what two high-pass
filters leave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.events import Events
from neuro_control.senses import afferent_kernel as kernel

STEP_NS = 250_000
LONGEST_GAP_NS = 1_000_000_000
"""After a longer pause between two samples a skin begins anew with the second."""


class SkinSettings(BaseModel):
    """Gains of the afferents; pressure is in units of full scale. An afferent fires from 4 on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sa1_gain: float = Field(
        40.0, ge=0.0, le=1000.0, description="current of SA-I at full scale (0: none)"
    )
    fa1_gain: float = Field(
        4.0, ge=0.0, le=1000.0, description="current of FA-I at one full scale a second"
    )
    fa2_gain: float = Field(
        2000.0, ge=0.0, le=1e6, description="current of FA-II at a vibration of full scale"
    )
    fa2_cutoff_hz: float = Field(
        60.0, ge=5.0, le=500.0, description="FA-II feels vibration above it"
    )
    mismatch_sigma: float = Field(
        0.0, ge=0.0, le=0.5, description="standard deviation of gains between afferents, relative"
    )
    seed: int = Field(0, ge=0, description="of the mismatch")


class Skin:
    """Taxels in rows and columns with their afferents' state.

    Events: x is the column; y is the row, in three bands of `rows` each: SA-I first, then FA-I,
    then FA-II (width = columns, height = 3 x rows). p is 1, but 0 for an FA-I spike where pressure
    falls or fell last.

    Args:
        rows, columns: of taxels.
        settings: the afferents' gains.

    Raises:
        ValueError: no taxels.
    """

    def __init__(self, rows: int, columns: int, settings: SkinSettings | None = None) -> None:
        if rows < 1 or columns < 1:
            raise ValueError(f"rows is {rows} and columns {columns}; both must be at least 1")
        self.settings = settings = settings or SkinSettings()
        self.rows, self.columns = rows, columns
        rng = np.random.default_rng([0x5C14, settings.seed])
        spread = 1.0 + settings.mismatch_sigma * rng.normal(size=rows * columns)
        self._sensitivity = np.maximum(spread, 0.0)
        step_s = STEP_NS * 1e-9
        tau_s = 1.0 / (2.0 * np.pi * settings.fa2_cutoff_hz)
        self._high_pass = tau_s / (tau_s + step_s)
        self._gains = np.array([settings.sa1_gain, settings.fa1_gain, settings.fa2_gain])
        self.reset()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the events."""
        return self.columns, kernel.KINDS * self.rows

    def reset(self) -> None:
        """Nothing felt, afferents at rest."""
        n = self.rows * self.columns
        self._t_ns: int | None = None
        self._pressure = np.zeros(n)
        self._v = np.full((kernel.KINDS, n), kernel.REST_MV)
        self._u = np.full((kernel.KINDS, n), 0.2 * kernel.REST_MV)
        self._slow = np.zeros((2, 2, n))
        self._rises = np.ones(n, np.uint8)

    def feel(self, pressure: NDArray[np.floating], t_ns: int) -> Events:
        """The events since the last sample, in order of time; the first one gives none.

        Between two samples pressure goes straight; the afferents are stepped every 0.25 ms or
        somewhat sooner.

        Args:
            pressure: [rows, columns], in units of full scale; below 0 and above 1 is clipped.
            t_ns: later than the last sample's.

        Raises:
            ValueError: another shape, values that are no finite numbers, or a time that is not
                later; nothing has then been felt.
        """
        given = np.asarray(pressure, np.float64)
        if given.shape != (self.rows, self.columns):
            raise ValueError(
                f"pressure has the shape {given.shape}; it must be ({self.rows}, {self.columns})"
            )
        if not np.isfinite(given).all():
            taxel = np.argwhere(~np.isfinite(given))[0].tolist()
            raise ValueError(
                f"pressure of taxel {taxel} is {given[tuple(taxel)]}; it must be finite"
            )
        after = np.clip(given.reshape(-1), 0.0, 1.0) * self._sensitivity
        if self._t_ns is None or t_ns - self._t_ns > LONGEST_GAP_NS:
            self.reset()
            self._t_ns, self._pressure = t_ns, after
            self._slow[0, 0] = after
            return Events.empty(*self.size)
        if t_ns <= self._t_ns:
            raise ValueError(f"t_ns is {t_ns}; it must be after the last sample's {self._t_ns}")
        span_ns = t_ns - self._t_ns
        steps = -(-span_ns // STEP_NS)
        room = steps * self.rows * self.columns * kernel.KINDS
        when = np.empty(room, np.int64)
        taxel_of, kind = np.empty((2, room), np.int32)
        sign = np.empty(room, np.uint8)
        n = kernel.feel(
            self._pressure, after, steps, span_ns / steps * 1e-6, self._gains, self._high_pass,
            self._v, self._u, self._slow, self._rises, when, taxel_of, kind, sign,
        )  # fmt: skip
        start_ns = self._t_ns
        self._t_ns, self._pressure = t_ns, after
        times = start_ns + when[:n] * span_ns // steps
        order = np.argsort(times, kind="stable")
        row, column = np.divmod(taxel_of[:n][order], self.columns)
        return Events(
            times[order],
            column.astype(np.uint16),
            (row + kind[:n][order] * self.rows).astype(np.uint16),
            sign[:n][order],
            *self.size,
        )
