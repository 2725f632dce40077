# SPDX-License-Identifier: Apache-2.0
"""How well the arm follows its target: `python -m benchmarks.tracking`.

In lockstep, so the figures are the same wherever they are made. Every scene is run with ten seeds
by three controllers side by side: the spiking one as shipped; the ceiling, which is its servo in
float, told the target's true direction; and that servo with the mean position of the events in
place of the network.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks import arm_loop, report
from benchmarks.page import Boxes

HALF_PIXEL_DEG = 60.0 / 128 / 2
ON_TARGET_DEG = 2.0
JUMPED_M = 0.02

SCENES: Mapping[str, Mapping[str, Any]] = {
    "lissajous, 0.3 m/s": {"target": {"kind": "lissajous"}},
    "random walk, 0.3 m/s": {"target": {"kind": "random_walk"}},
    "background contrast x4": {"world": {"background_contrast": 4.0}},
    "ball without spin": {"target": {"spin_rev_s": 0.0}},
}
JUMPS: Mapping[str, Any] = {"target": {"kind": "jump", "jump_deg": 20.0}}


def followed(name: str, kind: arm_loop.Kind, seed: int, seconds: float) -> dict[str, float]:
    """One run of a scene: the figures over all of it, its beginning included."""
    result = arm_loop.run(kind, seconds, {"seed": seed, "renderer": "rays", **SCENES[name]})
    figures = {
        "median_deg": float(np.median(result.error_deg)),
        "p95_deg": float(np.percentile(result.error_deg, 95)),
        "lost": float(result.lost.mean()),
    }
    if kind == "spiking":
        figures |= {
            "tick_us_median": float(np.median(result.tick_us)),
            "tick_us_p99": float(np.percentile(result.tick_us, 99)),
            "spikes_per_second": result.spikes_per_second,
            "events_per_second": result.events_per_second,
            "real_time_factor": seconds / result.wall_s,
        }
    return figures


def reacquired(kind: arm_loop.Kind, seed: int, seconds: float) -> list[float]:
    """For each jump of a run, the time until the error is under 2 degrees [s]; inf if never."""
    result = arm_loop.run(kind, seconds, {"seed": seed, "renderer": "rays", **JUMPS})
    return reacquisition_s(result.error_deg, result.target_m, result.period_s)


def reacquisition_s(
    error_deg: arm_loop.Float, target_m: arm_loop.Float, period_s: float
) -> list[float]:
    """Time from each jump of the target to the first error under 2 degrees.

    error_deg: float64[n]; target_m: float64[n, 3], the target's places at the same times. A jump
    that the run's end or the next jump overtakes before half a second is left out.
    """
    moved = np.linalg.norm(np.diff(target_m, axis=0), axis=1)
    jumps = [*(np.flatnonzero(moved > JUMPED_M) + 1), len(error_deg)]
    times = []
    for begin, end in itertools.pairwise(jumps):
        if (end - begin) * period_s < 0.5:
            continue
        there = np.flatnonzero(error_deg[begin:end] < ON_TARGET_DEG)
        times.append(float(there[0]) * period_s if len(there) else float("inf"))
    return times


def scene_rows(
    name: str, runs: Mapping[arm_loop.Kind, Sequence[Mapping[str, float]]]
) -> list[dict[str, Any]]:
    rows = []
    for kind, figures in runs.items():
        row: dict[str, Any] = {"scene": name, "controller": kind}
        for key in ("median_deg", "p95_deg", "lost"):
            values = [run[key] for run in figures]
            row |= {key: round(float(np.median(values)), 4), f"{key}_worst": round(max(values), 4)}
        rows.append(row)
    return rows


def goals(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was aimed at, seed by seed against the ceiling's median."""
    found = []
    for scene in SCENES:
        spiking, truth, centroid = (
            next(row for row in rows if row["scene"] == scene and row["controller"] == kind)
            for kind in arm_loop.KINDS
        )
        limit = 1.25 * truth["median_deg"] + HALF_PIXEL_DEG
        found.append(
            {
                "scene": scene,
                "median_deg": spiking["median_deg"],
                "1.25 ceiling + half a pixel": round(limit, 3),
                "within": "yes" if spiking["median_deg"] <= limit else "no",
                "centroid / spiking": round(centroid["median_deg"] / spiking["median_deg"], 1),
            }
        )
    return found


def jump_row(kind: arm_loop.Kind, times_s: Sequence[float]) -> dict[str, Any]:
    """How many jumps there were, how many the arm followed, and how fast; None: it did not."""
    median, worst = (
        (float(np.median(times_s)), max(times_s)) if times_s else (float("inf"), float("inf"))
    )
    return {
        "controller": kind,
        "jumps": len(times_s),
        "reacquired": int(np.isfinite(times_s).sum()),
        "median_s": round(median, 3) if np.isfinite(median) else None,
        "worst_s": round(worst, 3) if np.isfinite(worst) else None,
    }


def network_row(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The network's work in the first scene: the median over the seeds."""
    keys = (
        "tick_us_median",
        "tick_us_p99",
        "spikes_per_second",
        "events_per_second",
        "real_time_factor",
    )
    return {key: round(float(np.median([run[key] for run in figures])), 2) for key in keys}


def main() -> None:
    parser = report.parser("tracking", (__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a run (default: 10)")
    parser.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes at once"
    )
    parser.add_argument(
        "--film",
        type=report.film_file,
        metavar="FILE.mp4|FILE.gif",
        help="also film the spiking controller in the first scene, seed 0: scene, events, spikes",
    )
    arguments = parser.parse_args()
    seeds, seconds = range(arguments.seeds), arguments.seconds
    with ProcessPoolExecutor(arguments.workers) as pool:
        scenes = {
            name: {
                kind: [pool.submit(followed, name, kind, seed, seconds) for seed in seeds]
                for kind in arm_loop.KINDS
            }
            for name in SCENES
        }
        jumps = {
            kind: [pool.submit(reacquired, kind, seed, seconds) for seed in seeds]
            for kind in arm_loop.KINDS
        }
        rows: list[dict[str, Any]] = []
        by_scene: dict[str, dict[arm_loop.Kind, list[dict[str, float]]]] = {}
        for name, runs in scenes.items():
            done = {kind: [future.result() for future in runs[kind]] for kind in runs}
            rows += scene_rows(name, done)
            by_scene[name] = done
            if name == next(iter(SCENES)):
                network = network_row(done["spiking"])
        jump_rows = [
            jump_row(kind, [time for future in futures for time in future.result()])
            for kind, futures in jumps.items()
        ]
    found = goals(rows)
    tables: dict[str, list[dict[str, Any]]] = {
        f"angle between camera and target: {len(seeds)} seeds, {seconds:g} s each": rows,
        "against the ceiling and the centroid: medians over the seeds": found,
        "20 degree jumps: time until the error is under 2 degrees": jump_rows,
        f"the network, {next(iter(SCENES))}, with its simulation beside it": [network],
    }
    for title, lines in tables.items():
        report.print_table(lines, title)
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(
        arguments.json,
        "tracking",
        rows,
        {"goals": found, "jumps": jump_rows, "network": network, "seconds": seconds},
    )
    plots = [
        Boxes(
            f"{scene}: median error of each seed; quartiles and median over the seeds",
            {kind: [run["median_deg"] for run in figures] for kind, figures in kinds.items()},
            "angle to the target [deg]",
            log=True,
        )
        for scene, kinds in by_scene.items()
    ]
    if arguments.film is not None:
        from benchmarks.loop_film import film_run

        scene, settings = next(iter(SCENES.items()))
        simulation = {"seed": 0, "renderer": "rays", **settings}
        pictures = film_run(arguments.film, seconds, simulation, f"tracking: {scene}")
        print(f"\nfilm: {arguments.film} ({pictures} pictures)")
    report.write_page(arguments, "tracking", __doc__, tables, versions, plots, film=arguments.film)


if __name__ == "__main__":
    main()
