# SPDX-License-Identifier: Apache-2.0
"""What the emulated ear costs, and how exactly it keeps time: `python -m benchmarks.ear`.

Two ears of 64 channels at 16 kHz hear noise in blocks of 5 ms: the share of a core is the time that
a block takes over its length. Then the time difference between the ears is read from the spikes for
clicks and for noise with the spectrum and the rhythm of speech.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy import signal

from benchmarks import report
from benchmarks.page import Bars
from neuro_control.senses.cochlea import Cochlea, CochleaSettings
from neuro_control.senses.interaural import interaural_time_difference_ns

RATE = 16000
BLOCK = 80


def cost(seconds: float, **said: Any) -> dict[str, Any]:
    cochlea = Cochlea(CochleaSettings(**said))
    sound = np.random.default_rng(0).normal(0, 0.1, (int(RATE * seconds), 2))
    cochlea.hear(sound[:BLOCK])
    times, events = [], 0
    for begin in range(BLOCK, len(sound) - BLOCK, BLOCK):
        start = time.perf_counter()
        events += len(cochlea.hear(sound[begin : begin + BLOCK]))
        times.append(time.perf_counter() - start)
    median, p99 = np.percentile(times, [50, 99])
    settings = cochlea.settings
    return {
        "channels": f"2 x {settings.channels}",
        "spikes": settings.spikes,
        "block ms": 1e3 * BLOCK / RATE,
        "median ms": round(float(median) * 1e3, 3),
        "p99 ms": round(float(p99) * 1e3, 3),
        "% of a core": round(float(median) * RATE / BLOCK * 100, 1),
        "spikes/s": round(events / seconds),
    }


def delayed(sound: np.ndarray, delay_s: float) -> np.ndarray:
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    return np.fft.irfft(spectrum * np.exp(-2j * np.pi * frequency * delay_s), len(sound))


def clicks() -> np.ndarray:
    sound = np.zeros(RATE)
    sound[800::1600] = 0.8
    return signal.sosfiltfilt(signal.butter(4, 5000.0, fs=RATE, output="sos"), sound)


def speech_like(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=RATE)
    bands = signal.butter(2, [200.0, 4000.0], "bandpass", fs=RATE, output="sos")
    rhythm = 0.5 * (1 - np.cos(2 * np.pi * 4 * np.arange(RATE) / RATE))
    return 0.1 * signal.sosfilt(bands, noise) * rhythm


def errors(name: str, sounds: list[np.ndarray]) -> dict[str, Any]:
    found = []
    missing = 0
    for sound in sounds:
        for itd_us in range(-700, 701, 100):
            both = np.stack([delayed(sound, itd_us * 1e-6), sound], axis=1)
            said = interaural_time_difference_ns(Cochlea().hear(both))
            if said is None:
                missing += 1
            else:
                found.append(abs(said / 1000 - itd_us))
    return {
        "sound": name,
        "differences": len(found) + missing,
        "error us, median": round(float(np.median(found)), 1),
        "worst": round(float(np.max(found)), 1),
        "not found": missing,
    }


def main() -> None:
    arguments = report.parser("ear", "What the emulated ear costs, and how exactly it keeps time.")
    options = arguments.parse_args()
    rows = [cost(4.0), cost(4.0, spikes="delta"), cost(4.0, channels=128)]
    noise = f"Noise at {RATE} Hz"
    report.print_table(rows, noise)
    table = [
        errors("clicks", [clicks()]),
        errors("speech-like noise, 3 seeds", [speech_like(seed) for seed in range(3)]),
    ]
    between = "Time difference between the ears, -700 to 700 us, a second of sound"
    report.print_table(table, between)
    found = report.versions("scipy")
    report.print_versions(found)
    report.write_json(options.json, "ear", rows, {"interaural": table})
    plots = [
        Bars(
            "Time of a block of sound, which must be less than the block is long",
            rows,
            ("channels", "spikes"),
            "median ms",
            "time of a block [ms]",
            mark="p99 ms",
        ),
        Bars(
            "Error of the time difference between the ears",
            table,
            ("sound",),
            "error us, median",
            "error [µs]",
            mark="worst",
            mark_name="worst",
        ),
    ]
    report.write_page(options, "ear", __doc__, {noise: rows, between: table}, found, plots)


if __name__ == "__main__":
    main()
