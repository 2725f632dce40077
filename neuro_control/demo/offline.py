# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control replay --offline`: recorded events, decoded as fast as it goes."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from neuro_control.control.arm import ArmControllerSettings, load_network, make_tracker
from neuro_control.demo.report import write_report
from neuro_control.events import BagError, Replay


def replay_offline(
    path: Path, topic: str | None, report: Path | None, out: TextIO | None = None
) -> int:
    """Decode a recording as fast as it goes; say what was in it and where the activity was.

    Returns 0, or 2 with one line on stderr if the recording cannot be read.
    """
    began_s = time.monotonic()
    out = sys.stdout if out is None else out
    try:
        replay = Replay(path, topic)
        activity = find_activity(replay)
        found: dict[str, Any] = asdict(replay.report())
    except BagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found["drops"] = dict(found["drops"])
    found["activity"] = activity
    print(offline_summary(found, time.monotonic() - began_s), file=out)
    if report is not None:
        write_report(report, found)
        print(f"  {'report':<10} {report}", file=out)
    return 0


def find_activity(replay: Replay) -> dict[str, Any]:
    """Step the arm's tracker through a recording; say where in the image it saw a target.

    Returns {"seen_fraction": part of the packets after which there was a target,
    "column", "row": median place in pixels (None if there never was one),
    "column_range", "row_range": 5th to 95th percentile}. The camera counts as standing still.
    """
    from neuro_control.backends import CpuRunner

    network = load_network(str(ArmControllerSettings.model_fields["network"].default))
    tracker = make_tracker(CpuRunner(network), network, ArmControllerSettings())
    places: list[Any] = []
    packets = 0
    for _packet, events in replay:
        packets += 1
        if len(events) == 0:
            continue
        # The tick that the last event lies in ends after it.
        estimate = tracker.step(events, np.zeros(2), int(events.t_ns[-1]) + 1)
        if estimate.position is not None:
            places.append(estimate.position)
    size = np.array([replay.stream.width, replay.stream.height], np.float64)
    pixels = np.array(places, np.float64).reshape(-1, 2) * size
    ranges = np.percentile(pixels, [5, 50, 95], axis=0) if len(pixels) else None
    return {
        "seen_fraction": len(pixels) / packets if packets else 0.0,
        "column": None if ranges is None else float(ranges[1, 0]),
        "row": None if ranges is None else float(ranges[1, 1]),
        "column_range": None if ranges is None else [float(v) for v in ranges[[0, 2], 0]],
        "row_range": None if ranges is None else [float(v) for v in ranges[[0, 2], 1]],
    }


def offline_summary(found: dict[str, Any], wall_s: float) -> str:
    """The findings as lines to read."""
    events = found["events_on"] + found["events_off"]
    drops = ", ".join(f"{count} {reason}" for reason, count in found["drops"].items())
    again = f", {found['duplicates']:,} sent again" if found["duplicates"] else ""
    activity = found["activity"]
    place = "no target seen"
    if activity["column"] is not None:
        place = (
            f"around column {activity['column']:.0f}, row {activity['row']:.0f}; "
            f"a target in {activity['seen_fraction']:.0%} of the packets"
        )
    rows = [
        ("stream", f"{found['topic']}, {found['encoding']}, {found['width']}x{found['height']}"),
        ("events", f"{found['events_on']:,} on, {found['events_off']:,} off"),
        ("packets", f"{found['packets']:,}, {found['packets_lost']:,} lost{again}"),
        ("errors", f"{found['errors']:,}" + (f" ({drops})" if drops else "")),
        ("duration", f"{found['duration_s']:.3f} s, read in {wall_s:.2f} s"),
        ("activity", place),
    ]
    if found["duration_s"] > 0:
        rows.insert(2, ("rate", f"{events / found['duration_s']:,.0f} events/s"))
    return "\n".join(f"  {name:<10} {text}" for name, text in rows)
