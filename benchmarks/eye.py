# SPDX-License-Identifier: Apache-2.0
"""How fast the emulated eye is: `python -m benchmarks.eye`.

A textured surface moves past a sensor of 346 x 260 pixels at a quarter of a pixel a picture, 1,000
pictures a second. Beside it, in the same run, eventcv's model (Rust, after v2e) with davis346's
parameters, where it is installed; v2e itself is not on PyPI. eventcv takes pictures for sRGB and
makes light of them, so it is given the light's sRGB values: both eyes see the same light. (Given
the light itself it sees 2.4 times the contrast, and says three times as much.)

A second table has the terms of the model one at a time, in both: events that the moving surface or
a still grey one gives. Where both models mean the same, they say the same; the refractory period
they do not mean the same by. Ours memorises the light when a pixel hears again, as the circuit does
whose amplifier is held in reset; eventcv's pixel is silent for that time and then says what it
missed.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks import report
from benchmarks.arguments import positive
from benchmarks.page import Bars
from neuro_control.senses.event_camera import EventCamera
from neuro_control.senses.event_camera_presets import PRESETS

WIDTH, HEIGHT, PICTURES = 346, 260, 240
PERIOD_NS = 1_000_000


def pictures() -> np.ndarray:
    """float32[PICTURES, HEIGHT, WIDTH], 0 to 1."""
    rng = np.random.default_rng(0)
    wide = gaussian_filter(rng.uniform(0, 1, (HEIGHT, WIDTH + PICTURES)), 3)
    wide = (wide - wide.min()) / (wide.max() - wide.min())
    columns = np.arange(WIDTH)
    made = []
    for k in range(PICTURES):
        whole, part = divmod(k / 4, 1)
        left = wide[:, columns + int(whole)]
        right = wide[:, columns + int(whole) + 1]
        made.append((1 - part) * left + part * right)
    return np.array(made, np.float32)


def ours(frames: np.ndarray, preset: str) -> dict[str, Any]:
    camera = EventCamera(WIDTH, HEIGHT, PRESETS[preset])
    times, events = [], 0
    for k, frame in enumerate(frames):
        start = time.perf_counter()
        events += len(camera.expose(frame, (k + 1) * PERIOD_NS))
        times.append(time.perf_counter() - start)
    median, p99 = np.percentile(times[20:] or times, [50, 99])
    return {
        "who": f"neuro_control, {preset}",
        "pictures/s": round(1 / float(median)),
        "p99 ms": round(float(p99) * 1e3, 2),
        "events/picture": round(events / len(frames)),
    }


DAVIS346 = {
    "sigma_thres": 0.03,
    "refractory_us": 500,
    "cutoff_hz": 300.0,
    "leak_rate_hz": 0.01,
    "shot_noise_rate_hz": 0.001,
}
NOTHING = dict.fromkeys(DAVIS346, 0)
OURS = {
    "sigma_thres": "threshold_sigma",
    "refractory_us": "refractory_us",
    "cutoff_hz": "cutoff_hz",
    "leak_rate_hz": "leak_rate_hz",
    "shot_noise_rate_hz": "shot_rate_hz",
}
"""A parameter of eventcv's, and ours of the same meaning."""


def srgb(light: np.ndarray) -> np.ndarray:
    """The values that stand for a light from 0 to 1 in an sRGB picture (IEC 61966-2-1)."""
    curve = 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, curve).astype(np.float32)


def eventcv_model(frames: np.ndarray, passes: int) -> dict[str, Any] | None:
    try:
        import eventcv  # type: ignore[import-not-found]
    except ImportError:
        return None
    shown = srgb(frames)
    times, events = [], 0
    for _ in range(passes):
        start = time.perf_counter()
        events = len(eventcv.simulate(shown, fps=1000, max_events_per_pixel=100.0, **DAVIS346))
        times.append(time.perf_counter() - start)
    return {
        "who": "eventcv, the same parameters",
        "pictures/s": round(len(frames) / float(np.median(times))),
        "events/picture": round(events / len(frames)),
    }


def term(name: str, frames: np.ndarray, **values: float) -> dict[str, Any]:
    """Events a picture of both models with these parameters and without all others."""
    import eventcv

    both = NOTHING | values
    settings = {OURS[key]: value for key, value in both.items()}
    camera = EventCamera(
        WIDTH, HEIGHT, PRESETS["davis346"].model_copy(update=settings | {"leak_sigma": 0.0})
    )
    events = [len(camera.expose(f, (k + 1) * PERIOD_NS)) for k, f in enumerate(frames)]
    theirs = len(eventcv.simulate(srgb(frames), fps=1000, max_events_per_pixel=100.0, **both))
    return {
        "term": name,
        "neuro_control": round(sum(events) / len(frames), 1),
        "eventcv": round(theirs / len(frames), 1),
        "ratio": round(sum(events) / theirs, 3) if theirs else None,
    }


def terms(frames: np.ndarray) -> list[dict[str, Any]]:
    """The terms of the model one at a time, where eventcv is installed."""
    grey = [np.full((60, HEIGHT, WIDTH), light, np.float32) for light in (0.0, 0.5, 1.0)]
    return [
        term("thresholds alone", frames),
        term("their spread, 0.03", frames, sigma_thres=0.03),
        term("cut-off, 300 Hz", frames, cutoff_hz=300.0),
        term("cut-off, 30 Hz", frames, cutoff_hz=30.0),
        term("refractory period, 0.5 ms", frames, refractory_us=500),
        # eventcv's pixels all begin their first way at its beginning, ours somewhere on it.
        term("leak, 100 Hz, still", np.tile(grey[1], (4, 1, 1)), leak_rate_hz=100.0),
        term("noise, 10 Hz, still, dark", grey[0], shot_noise_rate_hz=10.0),
        term("noise, 10 Hz, still, grey", grey[1], shot_noise_rate_hz=10.0),
        term("noise, 10 Hz, still, bright", grey[2], shot_noise_rate_hz=10.0),
    ]


def main() -> None:
    arguments = report.parser("eye", "How fast the emulated eye is.")
    arguments.add_argument(
        "--passes", type=positive(int), default=3, help="rounds of ours and the peer"
    )
    options = arguments.parse_args()
    frames = pictures()
    ours(frames[:3], "davis346")
    rows: list[dict[str, Any]] = []
    for preset in ("davis346", "noisy", "clean"):
        rounds = [ours(frames, preset) for _ in range(options.passes)]
        rows.append(sorted(rounds, key=lambda found: found["pictures/s"])[len(rounds) // 2])
    peer = eventcv_model(frames, options.passes)
    if peer is not None:
        peer["ratio"] = round(rows[0]["pictures/s"] / peer["pictures/s"], 1)
        rows.append(peer)
    title = f"{WIDTH} x {HEIGHT} pixels, {PICTURES} pictures"
    report.print_table(rows, title)
    tables = {title: rows}
    if peer is not None:
        term_title = "Events a picture, one term of the model at a time"
        tables[term_title] = terms(frames)
        report.print_table(tables[term_title], term_title)
    versions = report.versions("scipy", "eventcv")
    report.print_versions(versions)
    report.write_json(options.json, "eye", rows, {"terms": list(tables.values())[1:]})
    plots = [
        Bars(
            "Pictures a second, and how many times ours (davis346) that is",
            rows,
            ("who",),
            "pictures/s",
            "pictures a second",
            reference="neuro_control, davis346",
        ),
        Bars("The slowest pictures", rows, ("who",), "p99 ms", "time of a picture, p99 [ms]"),
    ]
    report.write_page(options, "eye", __doc__, tables, versions, plots)


if __name__ == "__main__":
    main()
