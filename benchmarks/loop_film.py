# SPDX-License-Identifier: Apache-2.0
"""A film of a closed loop: scene, events and the network's spikes side by side, as the demo's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import arm_loop
from neuro_control.control.arm import ArmController
from neuro_control.control.network_watch import NetworkWatch
from neuro_control.demo.film import make_film, raster_pixel_s
from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.demo.record import RunRecord
from neuro_control.reports.film_file import FPS, LONGEST_S
from neuro_control.reports.film_tape import FilmSchedule, FilmTape
from neuro_control.reports.raster import Population, SpikeRaster
from neuro_control.sim.arm_simulation import ArmSimulationSettings, SensorFrame


class LoopFilm:
    """Looks on while `arm_loop.run` goes on (`heard` is its `after_answer`), and draws it then.

    path: .mp4 or .gif. seconds: of the run.
    """

    def __init__(self, path: Path, seconds: float, simulation: Mapping[str, Any]) -> None:
        suffix = path.suffix.lower()
        schedule = FilmSchedule.of(seconds, FPS[suffix], LONGEST_S[suffix])
        self._path = path
        self._settings = ArmSimulationSettings.model_validate(dict(simulation))
        self._joints: tuple[str, ...] = ()
        network = NetworkSpikes(seconds, raster_pixel_s(schedule.speed))
        self._network = network
        self._record = RunRecord(tape=FilmTape(schedule), network=network)

    def heard(self, frame: SensorFrame, joint_names: tuple[str, ...], arm: ArmController) -> None:
        """What the sensors said of a period, and what the network did with it."""
        tape = self._record.tape
        if tape is not None:
            tape.add_events(frame.events)
            tape.note("target", frame.t_ns, tuple(frame.target_in_camera.tolist()))
        self._record.add_joints(frame.t_ns, dict(zip(joint_names, frame.q.tolist(), strict=True)))
        watch = arm.network_watch
        if self._network.raster is None:
            self._network.raster = SpikeRaster(
                populations(watch), self._network.seconds, self._network.pixel_s
            )
            watch.spikes = True  # from the next period on
            return
        ticks = watch.take()
        for row, (tick, neuron) in enumerate(ticks.spikes):
            self._network.raster.add(ticks.t_ns[tick], neuron, 0 * neuron + row)

    def write(self, task: str) -> int:
        """Draw it; how many pictures it has."""
        settings = self._settings
        simulator = {f"world.{name}": v for name, v in settings.world.model_dump().items()} | {
            "robot_description": "",
            "seed": settings.seed,
            "renderer": settings.renderer,
            "drives.finger_opening_m": settings.drives.finger_opening_m,
        }
        report = {"task": task, "seed": settings.seed}
        return make_film(self._path, self._record, report, simulator)


def populations(watch: NetworkWatch) -> list[Population]:
    """The rows of a raster of a watched network."""
    return [Population(row.name, row.role, row.size, row.size, seen=row.seen) for row in watch.rows]


def film_run(path: Path, seconds: float, simulation: Mapping[str, Any], task: str) -> int:
    """Run the spiking controller once more and film it; how many pictures it has."""
    film = LoopFilm(path, seconds, simulation)
    arm_loop.run("spiking", seconds, simulation, after_answer=film.heard)
    return film.write(task)
