# SPDX-License-Identifier: Apache-2.0
"""What a run is watched for, and the files that are written of it after its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.plan import DemoPlan, parameters_of_files
from neuro_control.demo.record import RunRecord
from neuro_control.reports.film_file import FPS, LONGEST_S
from neuro_control.reports.film_tape import FilmSchedule, FilmTape

# Parameters that the demo sets to start and to listen, which change nothing of what is run.
_OWN = ("qos_overrides.", "autostart", "use_sim_time", "viewer")


def record_for(options: DemoOptions) -> RunRecord:
    """An empty record with room for what the options want drawn."""
    record = RunRecord()
    speed = 1
    if options.film is not None:
        suffix = options.film.suffix.lower()
        schedule = FilmSchedule.of(options.seconds, FPS[suffix], LONGEST_S[suffix])
        record.tape, speed = FilmTape(schedule), schedule.speed
    if options.pages or options.film is not None:
        from neuro_control.demo.film import raster_pixel_s

        record.network = NetworkSpikes(options.seconds, raster_pixel_s(speed))
    return record


def changed_parameters(plan: DemoPlan) -> dict[str, tuple[Any, Any]]:
    """Parameters that differ from the files: {node.parameter: (in the file, used)}."""
    known = parameters_of_files(plan.bringup)
    used = {node.name: dict(plan.parameters[node.name]) for node in plan.bringup.nodes}
    if "simulator" in used:
        # While nodes look for each other it is another.
        used["simulator"]["real_time_factor"] = plan.real_time_factor
        used["simulator"]["seconds"] = plan.options.seconds
    return {
        f"{node}.{name}": (known.get(node, {}).get(name), value)
        for node, values in used.items()
        for name, value in values.items()
        if not name.startswith(_OWN) and known.get(node, {}).get(name) != value
    }


def write_outputs(
    plan: DemoPlan,
    record: RunRecord,
    report: Mapping[str, Any],
    say: Callable[[str], None],
    hurry: Callable[[], bool],
) -> bool:
    """Write every file that was asked for and say where; in a hurry only the figures.

    Returns whether all were written; which were not for hurry is said.
    """
    from neuro_control.demo.report import write_report

    options = plan.options
    for path in options.reports:
        if path not in options.pages:
            write_report(path, report)
            say(f"  report             {path}")
    left_out = _draw(plan, record, report, say, hurry) if options.draws else []
    if left_out:
        files = ", ".join(str(path) for path in left_out)
        say(f"  not written        {files} (interrupted twice)")
    return not left_out


def _draw(
    plan: DemoPlan,
    record: RunRecord,
    report: Mapping[str, Any],
    say: Callable[[str], None],
    hurry: Callable[[], bool],
) -> list[Path]:
    """Film, picture and pages; returns what was left out in a hurry."""
    options, simulator = plan.options, plan.parameters["simulator"]
    pictures = [path for path in (options.picture, *options.pages) if path is not None]
    if hurry():
        return [*filter(None, [options.film]), *pictures]
    from neuro_control.demo.scene import scene_of

    film = None
    if options.film is not None:
        from neuro_control.demo.film import make_film

        say("  film               is drawn ...")
        try:
            frames = make_film(options.film, record, report, simulator, lambda: not hurry())
        except ValueError as error:
            say(f"  film               none: {error}")
        else:
            film = options.film
            say(f"  film               {film} ({frames} pictures)")
    if hurry():
        return pictures
    scene = scene_of(record, simulator)
    if options.picture is not None:
        from neuro_control.demo.picture import draw_picture

        view_deg = plan.field_of_view_deg
        draw_picture(options.picture, record, report, field_of_view_deg=view_deg, scene=scene)
        say(f"  picture            {options.picture}")
    for path in options.pages:
        from neuro_control.demo.page import write_page

        view_deg = plan.field_of_view_deg
        write_page(path, record, report, field_of_view_deg=view_deg, scene=scene, film=film)
        say(f"  report             {path}")
    return []
