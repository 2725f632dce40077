# SPDX-License-Identifier: Apache-2.0
"""What a code makes of its spikes: `python -m benchmarks.codes [--picture FILE.png]`.

Two signals of 0 to 1, a thousand samples a second (codes of change and Ben's spiker) or as many as
fit a thousand ticks a second (codes with a window): noise below 4 Hz, and steps to random levels
every 0.25 s. Each code at several settings: spikes a second, and the root mean square error of its
reconstruction, which is smoothed over 20 ms where the code has no level of its own. The error of a
code that says nothing would be the signal's own standard deviation.

Two codes need more than one neuron a value or more than one value: a population with Gaussian
receptive fields, read by the population vector; and rank order, which keeps no more than the order
of several signals (the same, shifted in time), so that its error is that after the straight line
that fits best.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import signal

from benchmarks import report
from benchmarks.page import Curves
from neuro_control.encoding import (
    BensSpiker,
    BurstCode,
    FirstSpikeLatency,
    MovingWindow,
    PhaseCode,
    PoissonRate,
    PopulationCode,
    PopulationRate,
    RankOrder,
    RegularRate,
    SendOnDelta,
    StepForward,
)

RATE, SECONDS = 1000, 20


def population(neurons: int, rate_hz: float) -> PopulationRate:
    """One value from 0 to 1, 20 ticks of 1 ms a sample."""
    return PopulationRate(PopulationCode(1, neurons, 0.0, 1.0, rate_hz), 1_000_000, 20, 0.01)


def measure_rank_order(values: int, given: np.ndarray) -> tuple[float, float]:
    """Spikes a second and signal, and the error after the best straight line."""
    shifted = np.stack([np.roll(given, k * len(given) // values) for k in range(values)], axis=1)
    code = RankOrder(values)
    samples = shifted[:: code.ticks_per_sample]
    indices, offsets = code.encode(samples)
    found = code.reconstruct(indices, offsets)[: len(samples)]
    line = np.polyfit(found.ravel(), samples.ravel(), 1)
    error = np.polyval(line, found) - samples
    return len(indices) / SECONDS / values, float(np.sqrt(np.mean(error**2)))


KERNEL = signal.windows.hann(41)[1:-1]
MOST = (0.1, 0.2, 0.5, 1.0)
# By name, and then by setting.
CODES: dict[str, dict[str, Callable[[], Any]]] = {
    "send on delta": {
        f"threshold {d:g}": lambda d=d: SendOnDelta(1, d) for d in (0.2, 0.1, 0.05, 0.02, 0.01)
    },
    "step forward": {
        f"threshold {d:g}": lambda d=d: StepForward(1, d) for d in (0.2, 0.1, 0.05, 0.02, 0.01)
    },
    "moving window": {
        f"threshold {d:g}, 5 samples": lambda d=d: MovingWindow(1, d, 5) for d in (0.05, 0.02, 0.01)
    },
    "Ben's spiker": {
        f"kernel's sum {n}, threshold {0.955 * n:g}": lambda n=n: BensSpiker(
            1, KERNEL / KERNEL.sum() * n, 0.955 * n
        )
        for n in (16, 8, 4, 2)
    },
    "regular rate": {
        f"20 ticks, {n:g} of them at most": lambda n=n: RegularRate(1, 20, n) for n in MOST
    },
    "Poisson rate": {
        f"20 ticks, {n:g} of them at most": lambda n=n: PoissonRate(1, 20, n) for n in MOST
    },
    "latency": {f"{n} ticks": lambda n=n: FirstSpikeLatency(1, n) for n in (40, 20, 10, 5)},
    "phase": {f"{n} binary digits": lambda n=n: PhaseCode(1, n) for n in (2, 4, 6, 8)},
    "burst": {
        f"{4 * n} ticks, {n} spikes at most": lambda n=n: BurstCode(1, 4 * n, n, 4)
        for n in (2, 4, 8)
    },
    "population": {
        f"{n} neurons, {r} Hz at most": lambda n=n, r=r: population(n, r)
        for n, r in ((6, 50), (6, 200), (12, 200))
    },
    "rank order": {f"{n} values": lambda n=n: RankOrder(n) for n in (4, 8, 16)},
}
NOTES = (
    "No figure here is a time, and none varies with the machine's load. The table names each "
    "setting in the code's own terms (see neuro_control.encoding).",
)


def band_limited(rng: np.random.Generator) -> np.ndarray:
    low = signal.butter(4, 4.0, fs=RATE, output="sos")
    noise = signal.sosfiltfilt(low, rng.normal(size=SECONDS * RATE))
    return (noise - noise.min()) / (noise.max() - noise.min())


def steps(rng: np.random.Generator) -> np.ndarray:
    return np.repeat(rng.uniform(0, 1, 4 * SECONDS), RATE // 4)


def measure(code: Any, given: np.ndarray) -> tuple[float, float]:
    """Spikes a second, and the error of the reconstruction."""
    if isinstance(code, RankOrder):
        return measure_rank_order(code.values, given)
    ticks = code.ticks_per_sample
    samples = given[::ticks]
    indices, offsets = code.encode(samples[:, None])
    found = np.repeat(code.reconstruct(indices, offsets)[:, 0], ticks)[: len(given)]
    found = found[getattr(code, "delay", 0) :]
    if isinstance(code, (MovingWindow, PoissonRate)):
        found = np.convolve(found, np.ones(20) / 20, mode="same")
    error = found - given[: len(found)]
    if isinstance(code, (MovingWindow, SendOnDelta)):
        error -= np.median(error)  # these say change, and not from where
    return len(indices) / SECONDS, float(np.sqrt(np.mean(error**2)))


def curves(rows: list[dict[str, Any]], signal: str) -> Curves:
    """Error over spikes of every code, for one signal."""
    found = {}
    for code in CODES:
        mine = [row for row in rows if row["code"] == code and row["signal"] == signal]
        found[code] = ([row["spikes/s"] for row in mine], [row["error"] for row in mine])
    return Curves(
        f"{signal}: what a code makes of its spikes",
        found,
        "spikes a second [1/s]",
        "rms error, of the signal's range",
    )


def main() -> None:
    arguments = report.parser("codes", "What a code makes of its spikes.")
    options = arguments.parse_args()
    rng = np.random.default_rng(0)
    rows = []
    for name, given in (("noise below 4 Hz", band_limited(rng)), ("steps", steps(rng))):
        for code, settings in CODES.items():
            for setting, make in settings.items():
                spikes, error = measure(make(), given)
                rows.append(
                    {
                        "signal": name,
                        "code": code,
                        "setting": setting,
                        "spikes/s": round(spikes, 1),
                        "error": round(error, 4),
                    }
                )
        print(f"{name}: standard deviation {given.std():.3f}")
    title = f"{SECONDS} s of each signal"
    report.print_table(rows, title)
    versions = report.versions("scipy")
    report.print_versions(versions)
    report.write_json(options.json, "codes", rows)
    plots = [curves(rows, name) for name in dict.fromkeys(row["signal"] for row in rows)]
    report.write_page(options, "codes", __doc__, {title: rows}, versions, plots, NOTES)


if __name__ == "__main__":
    main()
