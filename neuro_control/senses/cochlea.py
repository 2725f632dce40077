# SPDX-License-Identifier: Apache-2.0
"""A cochlea for each ear: sound in, address events out, as a silicon cochlea gives them.

Gammatone filters, half-wave rectification, compression, the hair cells' low-pass (Dau, Püschel,
Kohlrausch, "A quantitative model of the effective signal processing in the auditory system", JASA
99, 1996), and leaky integrate-and-fire neurons or send-on-delta. Spikes lie between samples where
the threshold is crossed, so that the time differences between the ears survive.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from neuro_control.events import Events
from neuro_control.senses import cochlea_kernel as kernel
from neuro_control.senses.filter_bank import FilterBank, gammatone_bank

_HALVINGS = {"none": 0, "square_root": 1, "fourth_root": 2}
MOST_DELTA_SPIKES = 8
"""Spikes of a channel between two samples at most; send-on-delta jumps beyond them."""


class CochleaSettings(BaseModel):
    """A cochlea's parameters. Sound is in units of full scale (1.0)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample_rate_hz: float = Field(16000.0, ge=8000.0, le=48000.0, description="of the sound")
    channels: int = Field(64, ge=16, le=128, description="filters an ear")
    low_hz: float = Field(100.0, ge=20.0, le=2000.0, description="lowest centre frequency")
    high_hz: float = Field(6000.0, ge=1000.0, le=20000.0, description="highest centre frequency")
    sensitivity: float = Field(
        1.0, gt=0.0, le=1e4, description="factor on the sound: more hears softer sounds"
    )
    compression: Literal["none", "square_root", "fourth_root"] = Field(
        "fourth_root", description="of the rectified filters' output; four roots: 60 dB become 15"
    )
    hair_cell_cutoff_hz: float = Field(
        1000.0, ge=50.0, le=10000.0, description="above it spikes lose the sound's phase"
    )
    spikes: Literal["leaky", "delta"] = Field(
        "leaky", description="leaky integrate-and-fire (ON only), or send-on-delta (ON and OFF)"
    )
    drive: float = Field(
        20.0,
        gt=0.0,
        le=1000.0,
        description="leaky: membrane at rest over its threshold, at level 1",
    )
    tau_s: float = Field(0.01, ge=1e-4, le=1.0, description="leaky: membrane time constant (s)")
    refractory_s: float = Field(0.001, ge=0.0, le=0.1, description="leaky: held after a spike (s)")
    delta: float = Field(0.05, gt=0.0, le=1.0, description="delta: change of level for a spike")

    @model_validator(mode="after")
    def _frequencies_fit(self) -> CochleaSettings:
        gammatone_bank(self.sample_rate_hz, self.channels, self.low_hz, self.high_hz)
        return self


class Cochlea:
    """Ears with their state; where the sound is cut into blocks changes no spike.

    Events: x is the channel (0 has the lowest frequency), y the ear (0 left, 1 right), p 1 (delta:
    1 where the level rises, 0 where it falls).

    Args:
        settings: the parameters.
        ears: 1 or 2.
        start_ns: time of the first sample.
    """

    def __init__(
        self, settings: CochleaSettings | None = None, ears: int = 2, start_ns: int = 0
    ) -> None:
        self.settings = settings = settings or CochleaSettings()
        if ears not in (1, 2):
            raise ValueError(f"ears is {ears}; it must be 1 or 2")
        self.ears = ears
        self.bank: FilterBank = gammatone_bank(
            settings.sample_rate_hz, settings.channels, settings.low_hz, settings.high_hz
        )
        self._real = np.ascontiguousarray(self.bank.pole.real)
        self._imaginary = np.ascontiguousarray(self.bank.pole.imag)
        rate = settings.sample_rate_hz
        self._smoothing = 1.0 - float(np.exp(-2 * np.pi * settings.hair_cell_cutoff_hz / rate))
        self._keep = float(np.exp(-1.0 / (settings.tau_s * rate)))
        self.reset(start_ns)

    @property
    def samples(self) -> int:
        """How many samples have been heard since the start."""
        return self._samples

    @property
    def now_ns(self) -> int:
        """Time of the next sample."""
        return self._time_ns(np.array([float(self._samples)]))[0].item()

    def reset(self, start_ns: int = 0) -> None:
        """Silence before the first sample, which is at start_ns."""
        channels, ears = self.settings.channels, self.ears
        self._start_ns = start_ns
        self._samples = 0
        self._z = np.zeros((2, ears, 4, channels))
        self._smooth = np.zeros((ears, channels))
        self._membrane = np.zeros((ears, channels))
        self._held_until = np.full((ears, channels), -1.0)
        self._last = np.zeros((ears, channels))
        self._reference = np.zeros((ears, channels))

    def hear(self, sound: NDArray[np.floating] | NDArray[np.integer]) -> Events:
        """The events of a block of sound, in order of time.

        Args:
            sound: [n, ears], or [n] for one ear; floating point in units of full scale, or int16 or
                int32 whose largest value is full scale. Louder than full scale is clipped.

        Raises:
            ValueError: another shape or type, or values that are no finite numbers; nothing has
                then been heard.
        """
        block = self._as_float(np.asarray(sound))
        parts = [self._hear_with(ear, block[:, ear]) for ear in range(self.ears)]
        self._samples += len(block)
        when, x, y, p = (np.concatenate(column) for column in zip(*parts, strict=True))
        t_ns = self._time_ns(when)
        order = np.argsort(t_ns, kind="stable")
        size = (self.settings.channels, self.ears)
        return Events(t_ns[order], x[order], y[order], p[order], *size)

    def _time_ns(self, samples: NDArray[np.float64]) -> NDArray[np.int64]:
        since_ns = np.rint(samples * (1e9 / self.settings.sample_rate_hz)).astype(np.int64)
        return self._start_ns + np.maximum(since_ns, 0)

    def _as_float(self, sound: NDArray[np.generic]) -> NDArray[np.float64]:
        if sound.ndim == 1 and self.ears == 1:
            sound = sound[:, None]
        if sound.ndim != 2 or sound.shape[1] != self.ears:
            raise ValueError(f"sound has the shape {sound.shape}; it must be (n, {self.ears})")
        if sound.dtype in (np.int16, np.int32):
            scaled = sound.astype(np.float64) * 2.0 ** (1 - 8 * sound.dtype.itemsize)
        elif sound.dtype.kind == "f":
            scaled = sound.astype(np.float64)
            if not np.isfinite(scaled).all():
                raise ValueError("sound has values that are no finite numbers; full scale is 1.0")
        else:
            raise ValueError(f"sound is {sound.dtype}; it must be int16, int32 or floating point")
        return np.clip(scaled, -1.0, 1.0) * self.settings.sensitivity

    def _hear_with(
        self, ear: int, pcm: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]:
        settings = self.settings
        level = np.empty((len(pcm), settings.channels))
        kernel.hair_cells(
            np.ascontiguousarray(pcm), self._real, self._imaginary, self.bank.gain,
            self._z[0, ear], self._z[1, ear], _HALVINGS[settings.compression], self._smoothing,
            self._smooth[ear], level,
        )  # fmt: skip
        most = 1 if settings.spikes == "leaky" else MOST_DELTA_SPIKES
        when = np.empty(most * level.size)
        channel = np.empty(most * level.size, np.uint16)
        polarity = np.ones(most * level.size if most > 1 else 0, np.uint8)
        if settings.spikes == "leaky":
            n = kernel.leaky_spikes(
                level, self._samples, settings.drive, self._keep,
                settings.refractory_s * settings.sample_rate_hz, self._membrane[ear],
                self._held_until[ear], when, channel,
            )  # fmt: skip
            polarity = np.ones(n, np.uint8)
        else:
            n = kernel.delta_spikes(
                level, self._samples, settings.delta, most, self._last[ear], self._reference[ear],
                when, channel, polarity,
            )  # fmt: skip
        return when[:n], channel[:n], np.full(n, ear, np.uint16), polarity[:n]
