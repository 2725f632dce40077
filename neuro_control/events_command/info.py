# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events info`: what is in a file of events."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import EventFile, Triggers
from neuro_control.events.files.bag_file import BagFile
from neuro_control.events_command.files import opened
from neuro_control.reports.json_text import json_text

_WRONG = ("outside_sensor", "malformed", "unreferenced", "time_reversals")
WINDOW_NS = 10_000_000
CHANNELS = 32
"""External trigger inputs that the encodings can name."""


def info(arguments: argparse.Namespace) -> int:
    """Print it; 0, or 1 if something in the file could not be used."""
    file, size = opened(arguments)
    found = facts(file, size)
    print(json_text(found, indent=2) if arguments.json else text(found))
    return 1 if found["errors"] else 0


def facts(file: EventFile, size: tuple[int, int]) -> dict[str, Any]:
    """Everything about a file, ready for JSON."""
    width, height = size
    pixels = np.zeros(width * height, np.int64)
    first_ns = last_ns = None
    busiest, window, in_window = 0, None, 0
    edges = np.zeros((CHANNELS, 2), np.int64)
    for events, triggers in file.parts(size):
        edges += _edges(triggers)
        if not len(events):
            continue
        pixels += np.bincount(
            events.y.astype(np.int64) * width + events.x, minlength=width * height
        )
        first_ns = int(events.t_ns[0]) if first_ns is None else first_ns
        last_ns = int(events.t_ns[-1])
        windows, counts = np.unique(events.t_ns // WINDOW_NS, return_counts=True)
        if window == int(windows[0]):
            counts[0] += in_window
        window, in_window = int(windows[-1]), int(counts[-1])
        busiest = max(busiest, int(counts.max()))
    counters = file.counters
    duration_s = 0.0 if first_ns is None or last_ns is None else (last_ns - first_ns) * 1e-9
    hottest = int(pixels.argmax())
    found = {
        "file": str(file.path),
        "format": file.format,
        "bytes": _bytes(file.path),
        "width": width,
        "height": height,
        "events_on": counters.events_on,
        "events_off": counters.events_off,
        "triggers": counters.triggers,
        "trigger_channels": {
            channel: {"rising": rising, "falling": falling}
            for channel, (falling, rising) in enumerate(edges.tolist())
            if rising or falling
        },
        "first_s": None if first_ns is None else first_ns * 1e-9,
        "duration_s": duration_s,
        "events_per_second": counters.events / duration_s if duration_s else None,
        "busiest_10ms_events_per_second": busiest / (WINDOW_NS * 1e-9),
        "active_pixels": int(np.count_nonzero(pixels)),
        "busiest_pixel": [hottest % width, hottest // width, int(pixels[hottest])],
        "errors": errors(file),
    }
    if isinstance(file, BagFile):
        report = file.report
        found |= {
            "topic": report.topic,
            "packets": report.packets,
            "packets_lost": report.packets_lost,
            "duplicates": report.duplicates,
            "restarts": report.restarts,
        }
    return found


def errors(file: EventFile) -> dict[str, int]:
    """What the last iteration over a file could not use: reason -> how many, of those that are."""
    if isinstance(file, BagFile):
        return dict(file.report.drops)
    return {name: n for name in _WRONG if (n := getattr(file.counters, name))}


def named(errors: Mapping[str, int]) -> str:
    """The reasons and their numbers, as a line has them."""
    return ", ".join(f"{name} {n:,}" for name, n in errors.items())


def _edges(triggers: Triggers) -> NDArray[np.int64]:
    """How many edges there are of each channel, falling and rising: int64[CHANNELS, 2]."""
    code = 2 * triggers.channel.astype(np.int64) + triggers.value
    return np.bincount(code, minlength=2 * CHANNELS).reshape(CHANNELS, 2)


def _bytes(path: Path) -> int:
    parts = path.rglob("*") if path.is_dir() else [path]
    return sum(part.stat().st_size for part in parts if part.is_file())


def text(found: dict[str, Any]) -> str:
    """The facts as lines to read."""
    events = found["events_on"] + found["events_off"]
    lines = [
        f"{found['file']}: {found['format']}, {found['bytes']:,} bytes",
        f"  sensor    {found['width']} x {found['height']}",
        f"  events    {events:,} ({found['events_on']:,} ON, {found['events_off']:,} OFF)",
    ]
    if events:
        lines.append(f"  time      {found['duration_s']:.6f} s, from {found['first_s']:.6f} s on")
        rate = found["events_per_second"]
        if rate is not None:
            peak = found["busiest_10ms_events_per_second"]
            lines.append(
                f"  rate      {rate:,.0f} events/s, {peak:,.0f} events/s in the busiest 10 ms"
            )
        x, y, n = found["busiest_pixel"]
        total = found["width"] * found["height"]
        lines.append(
            f"  pixels    {found['active_pixels']:,} of {total:,} active; busiest ({x}, {y}): {n:,}"
        )
    if found["triggers"]:
        channels = (
            f"channel {channel}: {edges['rising']:,} rising, {edges['falling']:,} falling"
            for channel, edges in found["trigger_channels"].items()
        )
        lines.append(f"  triggers  {found['triggers']:,} ({'; '.join(channels)})")
    if "packets" in found:
        again = found["duplicates"]
        lines.append(
            f"  packets   {found['packets']:,} on {found['topic']}, {found['packets_lost']:,} lost"
            + (f", {again:,} sent again" if again else "")
        )
    lines.append(f"  unusable  {named(found['errors']) or 'nothing'}")
    return "\n".join(lines)
