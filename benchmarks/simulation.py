# SPDX-License-Identifier: Apache-2.0
"""How fast the arm's world runs: `python -m benchmarks.simulation`.

Times are of one thread on one core. The whole is `ArmSimulation.advance`: physics, drives,
picture and events of one camera period; its real-time factor is simulated over elapsed time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import mujoco
import numpy as np

from benchmarks import report
from benchmarks.page import Bars
from neuro_control.robots import arm_urdf
from neuro_control.senses.event_camera import EventCamera
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings
from neuro_control.sim.luminance import choose_renderer, gl_platform


def measure(name: str, step: Callable[[], object], calls: int = 400) -> dict[str, object]:
    """Time of each call [ms], after some to warm up, and calls a second at the median."""
    for _ in range(20):
        step()
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        step()
        times.append((time.perf_counter_ns() - start) * 1e-6)
    figures = report.summary(times, digits=4)
    return {"what": name, **figures, "per_second": round(1e3 / figures["median"])}


def simulation(renderer: str, period_us: int = 2000) -> ArmSimulation:
    settings = {"renderer": renderer, "camera_period_us": period_us}
    return ArmSimulation(arm_urdf(), ArmSimulationSettings.model_validate(settings))


def parts() -> list[dict[str, object]]:
    arm = simulation("rays")
    model, data = arm.model, arm.data
    width, height = arm.settings.world.image_width, arm.settings.world.image_height
    rows = [measure("physics step", lambda: mujoco.mj_step(model, data), 4000)]
    for kind in ("rays", "gl"):
        if kind == "gl" and gl_platform() is None:
            print("no OpenGL renders here: its renderer is left out")
            continue
        renderer = choose_renderer(kind, model, width, height)  # type: ignore[arg-type]
        name = f"picture, {kind}" + (f" ({gl_platform()})" if kind == "gl" else "")
        rows.append(measure(name, lambda chosen=renderer: chosen.render(data, arm.world.camera_id)))
        renderer.close()
    rows += event_rows(arm)
    return rows


def event_rows(arm: ArmSimulation) -> list[dict[str, object]]:
    """The pixels alone: nothing moves; the ball spins; the whole picture shifts by a pixel."""
    pictures = []
    for _ in range(8):
        arm.advance()
        pictures.append(arm.luminance.copy())
    height, width = pictures[0].shape
    rows = []
    for name, shown in (
        ("events, still", pictures[:1]),
        ("events, ball", pictures),
        ("events, panning", [np.roll(pictures[0], n, axis=1) for n in range(8)]),
    ):
        camera = EventCamera(width, height)
        clock = iter(range(0, 10**15, 2_000_000))
        counts = []

        def step(camera=camera, shown=shown, clock=clock, counts=counts) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            t_ns = next(clock)
            counts.append(len(camera.expose(shown[t_ns // 2_000_000 % len(shown)], t_ns)))

        row = measure(name, step)
        rows.append({**row, "events": round(float(np.mean(counts)), 1)})
    return rows


def whole(kind: str, period_us: int, moving: bool) -> dict[str, object]:
    arm = simulation(kind, period_us)
    phase = iter(range(10**9))

    def step() -> None:
        if moving:
            swing = np.sin(next(phase) * period_us * 1e-6 * 4.0)
            arm.set_velocities(np.array([0, 0, 0, 0.4 * swing, 0.6 * swing, 0]))
        arm.advance()

    name = f"advance, {kind}, {1_000_000 // period_us} Hz, arm {'moving' if moving else 'still'}"
    row = measure(name, step, 500)
    arm.close()
    mean_factor = period_us * 1e-3 / float(str(row["median"]))
    return {**row, "real_time_factor": round(mean_factor, 2)}


def main() -> None:
    options = report.parser("simulation", "How fast the arm's world runs.").parse_args()
    rows = parts()
    for kind in ("rays", "gl"):
        if kind == "gl" and gl_platform() is None:
            continue
        for period_us, moving in ((2000, False), (2000, True), (1000, True)):
            rows.append(whole(kind, period_us, moving))
    title = "The arm's world at 128 x 128 pixels, times in milliseconds"
    report.print_table(rows, title)
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(options.json, "simulation", rows)
    plots = [
        Bars(
            "Time of a call: median, and p99 as a mark",
            rows,
            ("what",),
            "median",
            "time [ms]",
            mark="p99",
            log=True,
        ),
        Bars(
            "Real-time factor of the whole simulation",
            rows,
            ("what",),
            "real_time_factor",
            "simulated time over computing time",
        ),
    ]
    report.write_page(options, "simulation", __doc__, {title: rows}, versions, plots)


if __name__ == "__main__":
    main()
