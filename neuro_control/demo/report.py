# SPDX-License-Identifier: Apache-2.0
"""The report of a run: figures with their definitions, as JSON."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import neuro_control
from neuro_control.demo.energy import energy_estimate
from neuro_control.demo.figures import (
    angle_from_axis_deg,
    in_view,
    percentiles,
)
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.record import RunRecord
from neuro_control.reports.files import write_text
from neuro_control.reports.json_text import json_text
from neuro_control.reports.provenance import cores, versions

DEFINITIONS: Mapping[str, str] = {
    "seconds": "simulated time that the figures cover, s",
    "seconds_asked": "simulated time that was asked for, s",
    "target_samples_every": "of so many samples of simulation/target the figures take one: 1, all, "
    "up to 2,097,152 samples; then every second, fourth and so on, evenly over the run",
    "tracking_error_deg": "angle between the camera's optical axis and the direction to the true "
    "centre of the target, over all samples of simulation/target from the start on, degrees",
    "lost_fraction": "part of those samples in which the target's centre is outside the image",
    "real_time_factor": "simulated time over wall-clock time, first to last sample",
    "latency_ms": "from the publication of an event packet to the publication of the first guarded "
    "command that takes it in, wall clock, in this run, ms",
    "tick_us": "time that one step of the network takes in the controller, µs",
    "events_per_second": "events of the camera per simulated second",
    "spikes_per_second": "spikes of all neurons of the network per simulated second",
    "active_fraction": "mean part of the neurons that spike in one step",
    "guard_interventions": "commands that the guard changed, refused or stopped",
    "packets_lost": "event packets that the controller missed, by gaps in their sequence",
    "packets_dropped": "event packets that came and were not used, such as those behind which too "
    "many others waited; without those that were sent again",
    "target_samples_missing": "samples of simulation/target that should be there and are not",
    "heard": "simulated time whose samples of simulation/target were heard, s, and of_s, the time "
    "up to the end of which they should have been",
    "synaptic_operations_per_second": "weights that are not zero with an active source, added up "
    "over the network's steps, per simulated second",
    "energy_estimate": "estimate, not measured: synaptic operations (effective: those of active "
    "sources; dense: every position of the weights in every step, zero or not), neuron updates "
    "(every neuron in every step) and spikes, each times a published energy of one; without idle "
    "power, memory beyond what the constant includes, host and input",
}

# Below this part of the speed that was asked for, the simulation could not keep up.
_SLOW = 0.97


def make_report(
    record: RunRecord,
    options: DemoOptions,
    *,
    task: str,
    field_of_view_deg: float,
    interrupted: bool,
    missing: int,
    totals: Mapping[str, float | None],
    simulated_s: float | None = None,
    failure: str | None = None,
    changed: Mapping[str, tuple[Any, Any]] | None = None,
) -> dict[str, Any]:
    """Return the report of a run, ready for JSON; what is not known is None.

    totals: the controller's counters `events`, `spikes`, `ticks`, `synaptic_operations`, its
    `neurons`, and the simulated `seconds` that they cover.
    changed: parameters that differ from the file's, by name: what the file says, what was used.
    missing: samples of the target that should be there, up to the end, and are not.
    simulated_s: where the end is; None: where the last sample is.
    """
    t_ns, position = record.target_arrays(round(options.seconds * 1e9))
    error_deg = angle_from_axis_deg(position)
    seconds = float(t_ns[-1]) * 1e-9 if len(t_ns) else 0.0
    lost = float(1.0 - in_view(position, field_of_view_deg).mean()) if len(t_ns) else None
    spikes, ticks, neurons = (totals.get(name) for name in ("spikes", "ticks", "neurons"))
    operations = totals.get("synaptic_operations")
    report: dict[str, Any] = {
        "version": neuro_control.__version__,
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(options.command) if options.command else None,
        "task": f"{options.robot}: {task}",
        "backend": record.word("controller", "backend"),
        "seed": options.seed,
        "seconds": round(seconds, 6),
        "seconds_asked": options.seconds,
        "target_samples_every": record.target.stride,
        "interrupted": interrupted,
        "lockstep": options.lockstep,
        "tracking_error_deg": percentiles(error_deg, median=50, p95=95),
        "lost_fraction": lost,
        "real_time_factor": record.real_time_factor(),
        "latency_ms": {
            name: record.latest("simulator", f"latency_ms_{name}")
            for name in ("median", "p99", "max")
        },
        "tick_us": {
            "median": record.latest("controller", "tick_us_median"),
            "p99": record.latest("controller", "tick_us_p99"),
        },
        "events_per_second": _per(totals.get("events"), totals.get("seconds")),
        "spikes_per_second": _per(spikes, totals.get("seconds")),
        "active_fraction": (
            spikes / (ticks * neurons)
            if spikes is not None and ticks and neurons
            else record.latest("controller", "active_fraction")
        ),
        "guard_interventions": _whole(record.latest("guard", "interventions")),
        "packets_lost": _whole(record.latest("controller", "packets_lost")),
        "packets_dropped": _dropped(record),
        "target_samples_missing": missing,
        "heard": _heard(len(t_ns), missing, seconds if simulated_s is None else simulated_s),
        "guard_reasons": _reasons(record),
        "renderer": record.word("simulator", "renderer"),
        "synaptic_operations_per_second": _per(operations, totals.get("seconds")),
        "energy_estimate": energy_estimate(totals),
        "network": network_figures(record),
        "overrides": list(options.overrides),
        "parameters_changed": {
            name: {"file": file, "used": used} for name, (file, used) in (changed or {}).items()
        },
        "machine": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cores": cores(),
        },
        "versions": versions(),
        "definitions": dict(DEFINITIONS),
    }
    if failure is not None:
        report["failure"] = failure
    return report


def network_figures(record: RunRecord) -> dict[str, Any] | None:
    """What was heard of the network's spikes; None if they were not listened to."""
    network = record.network
    if network is None or network.raster is None:
        return None
    raster = network.raster
    first_ns = raster.last_ns if raster.first_ns is None else raster.first_ns
    seconds = (raster.last_ns - first_ns) * 1e-9
    populations = [
        {
            "name": population.name,
            "role": population.role,
            "neurons": population.size,
            "shown": population.shown,
            "spikes": int(spikes) if population.seen else None,
            "rate_hz": (
                float(spikes) / (seconds * population.shown)
                if population.seen and seconds > 0 and population.shown
                else None
            ),
        }
        for population, spikes in zip(raster.populations, raster.totals(), strict=True)
    ]
    return {
        **(network.facts or {}),
        "seconds": seconds,
        "packets_lost": network.packets_lost,
        "populations": populations,
    }


def notices(report: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing the figures; empty after a run as it should be."""
    found = []
    if report.get("failure"):
        found.append(f"The run failed: {report['failure']}.")
    if report["interrupted"]:
        found.append(
            f"The run was interrupted after {report['seconds']:g} of "
            f"{report['seconds_asked']:g} s; the figures cover what there was."
        )
    factor = report["real_time_factor"]
    changed = report["parameters_changed"].get("simulator.real_time_factor", {"used": 1.0})
    asked = changed["used"]
    if factor is not None and factor < _SLOW * asked and not report["lockstep"]:
        found.append(
            f"The machine could not keep up: {factor:.2f} simulated seconds a second instead of "
            f"{asked:g}. Delays are those of an overloaded machine."
        )
    for key, what in (
        ("guard_interventions", "commands were changed, refused or stopped by the guard"),
        ("packets_lost", "event packets did not reach the controller"),
        ("packets_dropped", "event packets reached the controller and were not used"),
        ("target_samples_missing", "samples of the target are missing from the figures"),
    ):
        if report[key]:
            found.append(f"{report[key]:,} {what}.")
    network = report["network"]
    if network and network["packets_lost"]:
        found.append(
            f"{network['packets_lost']:,} messages of spikes were not heard: raster and rates by "
            "population are too low by their part."
        )
    return found


def _per(total: float | None, seconds: float | None) -> float | None:
    return total / seconds if total is not None and seconds else None


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def _dropped(record: RunRecord) -> int | None:
    """As the page counts them: what was sent again, or had been counted as lost, is none."""
    dropped = record.latest("controller", "packets_dropped")
    if dropped is None:
        return None
    again = ("dropped_duplicate", "dropped_out_of_order")
    return round(dropped - sum(record.latest("controller", key) or 0.0 for key in again))


def _heard(samples: int, missing: int, of_s: float) -> dict[str, float]:
    share = samples / (samples + missing) if samples else 0.0
    return {"seconds": of_s * share, "of_s": of_s}


def _reasons(record: RunRecord) -> dict[str, int]:
    """Why the guard stepped in, and how often: reason -> count."""
    statuses = record.statuses.get("guard")
    if not statuses:
        return {}
    last = statuses[-1]
    counts = {
        key.removeprefix("guard_"): round(number)
        for key in last.values
        if key.startswith("guard_") and (number := last.number(key)) is not None
    }
    return {reason: count for reason, count in counts.items() if count}


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write the report as JSON, whole or not at all."""
    write_text(path, json_text(report, indent=2) + "\n")
