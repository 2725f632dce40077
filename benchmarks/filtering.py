# SPDX-License-Identifier: Apache-2.0
"""How fast events are filtered: `python -m benchmarks.filtering`.

A million events uniform over 640 x 480 pixels, 10 million a second, in one call and in packets of
4,000. Beside it, in the same run, eventcv's filters (Rust) where it is installed, whose definitions
are its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.arguments import positive
from benchmarks.page import Bars
from neuro_control.events import Events
from neuro_control.events.filters import (
    BackgroundActivity,
    Downsample,
    EventFilter,
    HotPixels,
    PixelMask,
    Polarity,
    RefractoryPeriod,
    RegionOfInterest,
)

WIDTH, HEIGHT = 640, 480
EVENTS = 1_000_000
PACKET = 4000
FILTERS: dict[str, EventFilter] = {
    "background activity": BackgroundActivity(10_000_000),
    "refractory": RefractoryPeriod(1_000_000),
    "hot pixels": HotPixels(50_000_000),
    "pixel mask": PixelMask(np.zeros((HEIGHT, WIDTH), bool)),
    "region": RegionOfInterest(100, 100, 300, 200),
    "down-sample": Downsample(2),
    "down-sample, 4 events": Downsample(2, 4),
    "polarity": Polarity("on"),
}


def sample() -> Events:
    rng = np.random.default_rng(0)
    return Events(
        np.cumsum(rng.integers(0, 200, EVENTS)),
        rng.integers(0, WIDTH, EVENTS).astype(np.uint16),
        rng.integers(0, HEIGHT, EVENTS).astype(np.uint16),
        rng.integers(0, 2, EVENTS).astype(np.uint8),
        WIDTH,
        HEIGHT,
    )


def seconds(work: Callable[[], Any], passes: int) -> float:
    """Median time of a pass, the first (compilation) left out."""
    work()
    times = []
    for _ in range(passes):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def peers(events: Events) -> dict[str, Callable[[], Any]]:
    """Eventcv's filters by the name of ours."""
    try:
        import eventcv  # type: ignore[import-not-found]
    except ImportError:
        return {}
    columns = (events.x, events.y, events.t_ns // 1000, events.p)
    table = np.stack([column.astype(np.int64) for column in columns], axis=1)
    stream = eventcv.from_numpy(table, sensor_size=(WIDTH, HEIGHT), time_unit="us")
    return {
        "background activity": lambda: eventcv.background_activity_filter(stream, 10_000),
        "refractory": lambda: eventcv.refractory_filter(stream, 1_000),
        "hot pixels": lambda: eventcv.hot_pixel_filter(stream),
        "region": lambda: eventcv.crop(stream, 100, 100, 300, 200),
        "polarity": lambda: eventcv.filter_polarity(stream, 1),
    }


def main() -> None:
    arguments = report.parser("filtering", "How fast events are filtered.")
    arguments.add_argument(
        "--passes", type=positive(int), default=20, help="passes over the events"
    )
    options = arguments.parse_args()
    events = sample()
    packets = [events[begin : begin + PACKET] for begin in range(0, EVENTS, PACKET)]
    beside = peers(events)
    rows = []
    for name, one in FILTERS.items():

        def whole(one: EventFilter = one) -> None:
            one.apply(events, one.initial_state(WIDTH, HEIGHT))

        def cut(one: EventFilter = one) -> None:
            state = one.initial_state(WIDTH, HEIGHT)
            for packet in packets:
                one.apply(packet, state)

        ours = seconds(whole, options.passes)
        found: dict[str, Any] = {
            "filter": name,
            "Mev/s": round(EVENTS / ours / 1e6, 1),
            "Mev/s in packets": round(EVENTS / seconds(cut, options.passes) / 1e6, 1),
        }
        if name in beside:
            try:
                theirs = seconds(beside[name], max(3, options.passes // 4))
            except (TypeError, ValueError, AttributeError) as error:
                print(f"eventcv, {name}: {error}")
            else:
                found["eventcv Mev/s"] = round(EVENTS / theirs / 1e6, 1)
                found["ratio"] = round(theirs / ours, 1)
        rows.append(found)
    title = f"Filters, a million events, median of {options.passes} passes"
    report.print_table(rows, title)
    versions = report.versions("eventcv")
    report.print_versions(versions)
    report.write_json(options.json, "filtering", rows)
    plots = [
        Bars(
            "Million events a second in one piece; the mark is the peer's, where it has the filter",
            rows,
            ("filter",),
            "Mev/s",
            "million events a second",
            mark="eventcv Mev/s",
            mark_name="eventcv",
        )
    ]
    report.write_page(options, "filtering", __doc__, {title: rows}, versions, plots)


if __name__ == "__main__":
    main()
