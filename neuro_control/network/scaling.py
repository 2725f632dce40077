# SPDX-License-Identifier: Apache-2.0
"""The common scale of a population's weights, thresholds and biases in Loihi's integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.fixed_network import (
    BIAS_EXPONENT_MAX,
    BIAS_MANTISSA_RANGE,
    VTH_MAX,
    WEIGHT_EXPONENT_RANGE,
    SignMode,
)
from neuro_control.network.lowering import Connection
from neuro_control.network.neurons import FloatArray

INTEGERS_PER_VOLT = "integers_per_volt"
"""Metadata of a network that fixes the scale of all its populations."""
LEAST_THRESHOLD = 128
"""Integer steps of a threshold before the scale is chosen finely, which may halve them; more
weight exponent makes room for them, as far as it goes."""
LARGEST_INPUT = 1 << 17
"""Input of one tick at which the current of 24 bits wraps and changes its sign."""
ERROR_AGAINST_WRAP = 0.02
"""Relative error that is accepted to keep a population's largest possible input below that."""
SAMPLED_WEIGHTS = 2048
"""How many weights of a projection the choice of a scale looks at."""
VALUES_AT_ONCE = 1 << 20
"""Numbers that are rounded in one go while scales are compared: 8 MiB."""


def given_scale(metadata: Mapping[str, object]) -> float | None:
    """The scale that a network's metadata fixes, or None.

    Raises:
        ValueError: it is no positive number.
    """
    scale = metadata.get(INTEGERS_PER_VOLT)
    if scale is None:
        return None
    if not isinstance(scale, (int, float)) or not 0 < scale < np.inf:
        raise ValueError(f"metadata {INTEGERS_PER_VOLT!r} must be a positive number, not {scale!r}")
    return float(scale)


@dataclass(frozen=True, eq=False)
class Drive:
    """A projection's weights in membrane voltage per spike."""

    connection: Connection
    weight: FloatArray
    mode: SignMode
    step: int
    limit: int
    num_weight_bits: int
    largest_payload: int = 1
    """Of a spike of its source."""
    only_exponent: int | None = None
    """The one exponent that there is, where weights that are smaller use fewer of its bits."""

    @cached_property
    def full_scale(self) -> float:
        """The scale at which the largest weight fills the range at exponent 0."""
        largest = np.abs(self.weight).max() if len(self.weight) else 0.0
        return self.limit / largest if largest else np.inf

    def exponent(self, scale: float) -> int:
        """The least weight exponent with which the largest weight fits at this scale."""
        if self.only_exponent is not None:
            return self.only_exponent
        ratio = scale / self.full_scale
        # The margin keeps a weight that lies on the limit there in spite of float rounding.
        return int(np.ceil(np.log2(ratio) - 1e-9)) if ratio > 0 else 0

    def integers(self, weight: FloatArray, scale: float) -> NDArray[np.int64]:
        """Weights rounded to integers that the chip can hold, before the exponent."""
        units = weight * (scale * 2.0 ** -self.exponent(scale))
        return (np.rint(units / self.step) * self.step).astype(np.int64)


def choose_scale(
    name: str,
    threshold: FloatArray,
    bias: FloatArray,
    drives: list[Drive],
    exponents: tuple[int, int] = WEIGHT_EXPONENT_RANGE,
) -> float:
    """Integers per volt. First the octave, by ranges; then the best value within it, by error.

    ``exponents`` is the range that weight exponents may have.
    """
    least, most = exponents
    full = [drive.full_scale for drive in drives if np.isfinite(drive.full_scale)]
    if not full:
        return 1024 / threshold.max() if threshold.max() > 0 else 1.0
    ceiling = VTH_MAX / threshold.max() if threshold.max() > 0 else np.inf
    if bias.any():
        most_bias = (BIAS_MANTISSA_RANGE[1] << BIAS_EXPONENT_MAX) / 64
        ceiling = min(ceiling, most_bias / np.abs(bias).max())
    # The largest weights must fit at the largest exponent.
    ceiling = min(ceiling, min(full) * 2.0**most)
    # With one exponent for all, the largest weights decide; else the smallest fill their bits.
    scale = max(full) if least < most else min(full) * 2.0**most
    positive = threshold[threshold > 0]
    while len(positive) and positive.min() * scale < LEAST_THRESHOLD:
        if 2 * scale > ceiling:
            break
        scale *= 2
    while scale > ceiling:
        scale /= 2
    if least < most and scale < max(full) * 2.0**least:
        raise ValueError(
            f"node {name!r}: thresholds up to {threshold.max():g}, biases up to "
            f"{np.abs(bias).max():g} and weights from {drives[0].limit / max(full):g} to "
            f"{drives[0].limit / min(full):g} have no common scale in Loihi's integers; bring "
            "them closer together"
        )
    if len(positive) and positive.min() * scale < 0.5:
        raise ValueError(
            f"node {name!r}: threshold {positive.min():g} rounds to zero beside weights of "
            f"{drives[0].limit / min(full):g}; raise the threshold or reduce the weights"
        )
    samples = [(drive, _sample(drive.weight)) for drive in drives if len(drive.weight)]
    best, best_error = scale, np.inf
    finest = max(full) if least < most else min(full)
    driver = next(drive for drive in drives if drive.full_scale == finest)
    candidates = scale * np.arange(driver.limit, driver.limit // 2, -driver.step) / driver.limit
    errors = _scale_errors(candidates, threshold, samples)
    for candidate, error in zip(candidates.tolist(), errors.tolist(), strict=True):
        if error < best_error - 1e-9:
            best, best_error = candidate, error
    return _without_wrap(best, threshold, samples, drives, least if least < most else None)


def _without_wrap(
    scale: float,
    threshold: FloatArray,
    samples: list[tuple[Drive, FloatArray]],
    drives: list[Drive],
    least_exponent: int | None,
) -> float:
    """A smaller scale at which no input can wrap, where that costs little; else the scale.

    A current that wraps changes its sign: when every source of a global inhibition fires at
    once, as in a flash of light, it would excite. ``least_exponent`` None: there is one exponent
    only, and weights at a smaller scale use fewer bits.
    """
    finite = [drive.full_scale for drive in drives if np.isfinite(drive.full_scale)]
    lowest = 0.0 if least_exponent is None else max(finite) * 2.0**least_exponent
    accepted = _scale_error(scale, threshold, samples) + ERROR_AGAINST_WRAP
    largest, smaller = largest_input(drives), scale
    while largest * smaller > LARGEST_INPUT:
        smaller /= 2
        if smaller < lowest or _scale_error(smaller, threshold, samples) > accepted:
            return scale
    return smaller


def largest_input(drives: list[Drive]) -> float:
    """The most that all sources together can move a membrane in one tick, either way, volts."""
    size = max(drive.connection.map.n_target for drive in drives)
    up, down = np.zeros(size), np.zeros(size)
    for drive in drives:
        target = drive.connection.map.target
        most = drive.weight * drive.largest_payload
        up += np.bincount(target, np.maximum(most, 0), size)
        down += np.bincount(target, np.maximum(-most, 0), size)
    return float(max(up.max(), down.max()))


def _sample(weight: FloatArray) -> FloatArray:
    distinct = np.unique(weight)
    keep = np.linspace(0, len(distinct) - 1, min(len(distinct), SAMPLED_WEIGHTS)).astype(np.int64)
    return distinct[keep]


def _scale_error(
    scale: float, threshold: FloatArray, samples: list[tuple[Drive, FloatArray]]
) -> float:
    """`_scale_errors` of one scale."""
    return float(_scale_errors(np.array([scale]), threshold, samples)[0])


def _scale_errors(
    scales: FloatArray, threshold: FloatArray, samples: list[tuple[Drive, FloatArray]]
) -> FloatArray:
    """Relative rms error of the weights of every projection plus that of the thresholds, [scale].

    Each is that of the rounding in integers, so that it does not depend on the unit.
    """
    total = _rounding_errors(*np.unique(threshold, return_counts=True), scales, 1)
    for drive, weight in samples:
        exponents = np.array([drive.exponent(scale) for scale in scales])
        ones = np.ones(len(weight), np.int64)
        total = total + _rounding_errors(weight, ones, scales * 2.0**-exponents, drive.step)
    return total


def _rounding_errors(
    values: FloatArray, counts: NDArray[np.int64], scales: FloatArray, step: int
) -> FloatArray:
    """Relative rms error of values, so many of each, that are scaled and rounded to steps."""
    share = counts / counts.sum()
    squares = float(share @ values**2)
    found = np.zeros(len(scales))
    if not squares:
        return found
    together = max(1, VALUES_AT_ONCE // len(values))
    for begin in range(0, len(scales), together):
        part = slice(begin, begin + together)
        units = values * (scales[part] / step)[:, None]
        found[part] = ((np.rint(units) - units) ** 2) @ share
    return np.asarray(np.sqrt(found / squares) * (step / scales), np.float64)


def relative_rms(error: FloatArray, reference: FloatArray) -> float:
    """Root mean square of an error, relative to that of what it is an error of."""
    norm = float(np.sqrt(np.mean(reference**2)))
    return float(np.sqrt(np.mean(error**2))) / norm if norm else 0.0
