# SPDX-License-Identifier: Apache-2.0
"""An event camera: pictures of luminance in, address events out.

The pixel is that of Lichtsteiner et al. (2008) as v2e (Hu et al., 2021) and ESIM (Rebecq et al.,
2018) model it. It watches the logarithm of the light, straight between two pictures; whenever
that has moved by the pixel's own threshold from where it last spoke, it speaks, and is deaf for
the refractory period, after which it compares with the light of that moment. Its photoreceptor
follows the light with a bandwidth that grows with the light; its threshold is not quite its
neighbours'; it leaks, which makes slow ON events; and it makes noise, most of it in the dark.
"""

from __future__ import annotations

import operator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.events import Events
from neuro_control.events.address_events import check_size
from neuro_control.senses.event_pixels import (
    SIGN_BITS,
    TIME_BITS,
    compare,
    in_order,
    linear_log_luminance,
    log_luminance,
    speak,
)

Image = NDArray[np.float32]


class EventCameraSettings(BaseModel):
    """The sensor's pixels. Defaults after v2e, with a threshold of a real sensor's usual bias."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold_on: float = Field(0.25, ge=0.02, le=2.0, description="log contrast of an ON event")
    threshold_off: float = Field(0.25, ge=0.02, le=2.0, description="log contrast of an OFF event")
    threshold_sigma: float = Field(
        0.03, ge=0.0, le=0.5, description="standard deviation of thresholds between pixels"
    )
    refractory_us: float = Field(500.0, ge=0.0, le=1e5, description="deaf time after an event")
    leak_rate_hz: float = Field(0.01, ge=0.0, le=100.0, description="ON events by leak, a pixel")
    shot_rate_hz: float = Field(0.001, ge=0.0, le=100.0, description="noise events, a pixel")
    floor_luminance: float = Field(
        0.01, ge=1e-4, le=1.0, description="added to luminance (0 to 1): the dark current"
    )
    response: Literal["log", "linear_log"] = Field(
        "log",
        description="log: ln(luminance + floor_luminance); linear_log: linear below 20/255 (v2e)",
    )
    cutoff_hz: float = Field(
        0.0,
        ge=0.0,
        le=1e6,
        description="bandwidth of the photoreceptor at full scale, less in the dark; 0: no limit",
    )
    leak_sigma: float = Field(
        0.0, ge=0.0, le=1.0, description="standard deviation of leak rates between pixels, relative"
    )
    shot_bright_factor: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        description="noise rate at full scale over that in the dark (v2e: 0.25)",
    )
    seed: int | None = Field(
        None, ge=0, description="seed of mismatch and noise; by default the simulation's"
    )


class EventCamera:
    """One sensor of width x height pixels, with its state.

    Args:
        width, height: pixels.
        settings: the pixels' parameters.
        seed: used where the settings name none. Equal seeds and pictures give equal events.

    Raises:
        ValueError: a size whose pixels an event's 16 bits cannot name.
    """

    def __init__(
        self, width: int, height: int, settings: EventCameraSettings | None = None, seed: int = 0
    ) -> None:
        check_size(width, height)
        self.settings = settings = settings or EventCameraSettings()
        self.width, self.height = width, height
        self._rng = np.random.default_rng([0xE7E, seed if settings.seed is None else settings.seed])
        pixels = width * height
        mismatch = self._rng.normal(0.0, settings.threshold_sigma, (2, pixels))
        thresholds = np.array([[settings.threshold_on], [settings.threshold_off]]) + mismatch
        # As v2e: no pixel is so sensitive that noise of its own would drive it.
        thresholds = np.maximum(thresholds, 0.01)
        self.thresholds_on: Image = thresholds[0].astype(np.float32)
        self.thresholds_off: Image = thresholds[1].astype(np.float32)
        self._light = np.zeros(pixels, np.float32)
        self._level = np.zeros(pixels, np.float32)
        self._change = np.zeros(pixels, np.float32)
        self._gap = np.zeros(pixels, np.float32)
        self._deaf_until_ns = np.zeros(pixels, np.int64)
        self._deaf = np.zeros(0, np.int32)
        # Whole words, so that eight pixels with nothing to say are passed at once.
        self._marks = np.zeros(-(-pixels // 8) * 8, np.uint8)
        self._active = np.zeros(pixels, np.int32)
        # Leaks of different pixels must not fall together: each starts somewhere on its way.
        self._head_start = self._rng.uniform(0.0, 1.0, pixels).astype(np.float32)
        self._leak_rates: Image = np.full(pixels, settings.leak_rate_hz, np.float32)
        if settings.leak_sigma > 0.0:
            spread = 1.0 + settings.leak_sigma * self._rng.normal(size=pixels)
            self._leak_rates *= np.maximum(spread, 0.0).astype(np.float32)
        self._leaks: Image = self._leak_rates * self.thresholds_on  # ln/s
        self._t_ns: int | None = None
        self._offset = np.zeros(pixels, np.int64)
        self._said = np.zeros(pixels, np.int64)

    def expose(self, luminance: ArrayLike, t_ns: int) -> Events:
        """Events since the last picture, in order of time; the first picture gives none.

        Args:
            luminance: [height, width], linear, about 0 to 1; float32 is taken without a copy.
            t_ns: when the picture was taken; later than the last one.

        Raises:
            ValueError: the picture has another size or holds no numbers; the time is no whole
                number, or not later than the last. Nothing has then been seen.
        """
        luminance, t_ns = _picture(luminance), _whole("t_ns", t_ns)
        if luminance.shape != (self.height, self.width):
            raise ValueError(
                f"luminance: shape {luminance.shape}, expected ({self.height}, {self.width})"
            )
        picture = np.ascontiguousarray(luminance).reshape(-1)
        if self._t_ns is None:
            self._see(picture, self._light)
            if self.settings.leak_rate_hz > 0.0:
                self._gap[:] = self._head_start * self.thresholds_on
            self._deaf_until_ns[:] = t_ns
            self._t_ns = t_ns
            return Events.empty(self.width, self.height)
        if t_ns <= self._t_ns:
            raise ValueError(f"t_ns: {t_ns} is not after the last picture's {self._t_ns}")
        self._see(picture, self._level)
        events = self._react(picture, self._t_ns, t_ns - self._t_ns)
        self._t_ns = t_ns
        return events

    def _see(self, picture: Image, light: Image) -> None:
        if self.settings.response == "log":
            log_luminance(picture, np.float32(self.settings.floor_luminance), light)
        else:
            linear_log_luminance(picture, light)

    def _react(self, picture: Image, start_ns: int, dt_ns: int) -> Events:
        settings, dt_s = self.settings, dt_ns * 1e-9
        noise = self._noise(picture, dt_s)
        deaf = self._deaf
        n = compare(
            picture, self._level, 2.0 * np.pi * settings.cutoff_hz * dt_s, dt_s, self._leaks,
            self.thresholds_on, self.thresholds_off, self._light, self._gap, self._change,
            self._marks, self._marks.view(np.uint64), deaf, noise, self._active,
        )  # fmt: skip
        progress = np.zeros(4, np.int64)
        now_deaf = np.empty(n, np.int32)
        while not speak(
            self._active[:n], noise, self._gap, self._change, self.thresholds_on,
            self.thresholds_off, self._deaf_until_ns, start_ns, dt_ns,
            round(settings.refractory_us * 1e3), progress, now_deaf, self._offset, self._said,
        ):  # fmt: skip
            self._offset = np.append(self._offset, np.zeros_like(self._offset))
            self._said = np.append(self._said, np.zeros_like(self._said))
        self._deaf = now_deaf[: progress[2]]
        count = int(progress[3])
        t_ns, p = np.empty(count, np.int64), np.empty(count, np.uint8)
        x, y = np.empty(count, np.uint16), np.empty(count, np.uint16)
        in_order(
            self._offset[:count], self._said[:count], start_ns, dt_ns, self.width, t_ns, x, y, p
        )
        return Events(t_ns, x, y, p, self.width, self.height)

    def _noise(self, picture: Image, dt_s: float) -> NDArray[np.int64]:
        """Keys of the noise events that come unless their pixel is deaf, by pixel and time."""
        settings, pixels = self.settings, picture.size
        shots = int(self._rng.poisson(settings.shot_rate_hz * dt_s * pixels))
        if shots == 0:
            return np.empty(0, np.int64)
        keys = self._rng.integers(0, pixels, shots) << TIME_BITS
        keys |= self._rng.integers(0, 1 << TIME_BITS, shots)
        keys = (keys << SIGN_BITS) | self._rng.integers(0, 2, shots)
        if settings.shot_bright_factor < 1.0:
            # Thinned to each pixel's own rate, they are Poisson's again.
            bright = np.clip(picture[keys >> (TIME_BITS + SIGN_BITS)], 0.0, 1.0)
            rate = 1.0 - (1.0 - settings.shot_bright_factor) * bright
            keys = keys[self._rng.random(shots) < rate]
        keys.sort()
        return keys


def _picture(luminance: ArrayLike) -> Image:
    try:
        return np.asarray(luminance).astype(np.float32, casting="same_kind", copy=False)
    except (TypeError, ValueError) as error:  # no number, and rows of different lengths
        raise ValueError(f"luminance: {error}; give float32[height, width]") from error


def _whole(name: str, value: int) -> int:
    try:
        return operator.index(value)
    except TypeError as error:
        raise ValueError(f"{name}: {value!r} must be a whole number (nanoseconds)") from error
