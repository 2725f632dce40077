# SPDX-License-Identifier: Apache-2.0
"""How fast the emulated eye is: `python -m benchmarks.eye`.

A textured surface moves past a sensor of 346 x 260 pixels at a quarter of a pixel a picture, 1,000
pictures a second. Beside it, in the same run, eventcv's model (Rust, after v2e) with davis346's
parameters on the same pictures, where it is installed; it takes them for sRGB, and v2e itself is
not on PyPI.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks import report
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


def eventcv_model(frames: np.ndarray, passes: int) -> dict[str, Any] | None:
    try:
        import eventcv  # type: ignore[import-not-found]
    except ImportError:
        return None
    times, events = [], 0
    for _ in range(passes):
        start = time.perf_counter()
        events = len(
            eventcv.simulate(
                frames,
                fps=1000,
                sigma_thres=0.03,
                refractory_us=500,
                cutoff_hz=300.0,
                leak_rate_hz=0.01,
                shot_noise_rate_hz=0.001,
                max_events_per_pixel=100.0,
            )
        )
        times.append(time.perf_counter() - start)
    return {
        "who": "eventcv, the same parameters",
        "pictures/s": round(len(frames) / float(np.median(times))),
        "events/picture": round(events / len(frames)),
    }


def main() -> None:
    arguments = report.parser("eye", "How fast the emulated eye is.")
    arguments.add_argument("--passes", type=int, default=3, help="rounds of ours and the peer")
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
    versions = report.versions("scipy", "eventcv")
    report.print_versions(versions)
    report.write_json(options.json, "eye", rows)
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
    report.write_html(options.html, "eye", __doc__, {title: rows}, versions, plots)


if __name__ == "__main__":
    main()
