# SPDX-License-Identifier: Apache-2.0
"""The figures of a run as a few lines to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuro_control.demo.figures import GOAL_MEDIAN_DEG, GOAL_P95_DEG

# Of the guard's reasons so many are said here; the report has all.
_REASONS = 3


def summary(report: Mapping[str, Any]) -> str:
    """Return the figures as lines to read; of what nothing is known there is no line."""
    rows = [(name, text) for name, text in _summary_rows(report) if text is not None]
    return "\n".join(f"  {name:<18} {text}" for name, text in rows)


def _summary_rows(report: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    error, latency = report["tracking_error_deg"], report["latency_ms"]
    events = report["events_per_second"]
    interrupted = " (interrupted)" if report["interrupted"] else ""
    followed = error["median"] is not None
    rows = [
        (
            "tracking error",
            f"{_show(error['median'], '.2f')}° median, {_show(error['p95'], '.2f')}° p95"
            f"   (goal: {GOAL_MEDIAN_DEG:g}° and {GOAL_P95_DEG:g}°)"
            if followed
            else None,
        ),
        ("target lost", f"{report['lost_fraction']:.2%} of the time" if followed else None),
        (
            "sensor to command",
            f"{_show(latency['median'], '.2f')} ms median, {_show(latency['p99'], '.2f')} ms p99"
            if latency["median"] is not None
            else None,
        ),
        ("network", _network_words(report)),
        ("camera", f"{events:,.0f} events/s" if events is not None else None),
        ("guard", _guard_words(report)),
        ("packets", _packets_words(report)),
    ]
    if followed:
        pace = report["real_time_factor"]
        simulated = f"{_simulated(report)} at {_show(pace, '.2f')} x real time"
    elif any(text is not None for _, text in rows):
        simulated = "nothing was heard of the target: no tracking error"
    else:
        simulated = "nothing was heard of the run: no figures"
    return [*rows, ("simulated", simulated + interrupted)]


def _network_words(report: Mapping[str, Any]) -> str | None:
    """What of the network is known; None where its spikes were not counted."""
    spikes, active = report["spikes_per_second"], report["active_fraction"]
    tick_us, backend = report["tick_us"]["median"], report["backend"]
    if spikes is None:
        return None
    words = [f"{spikes:,.0f} spikes/s"]
    words += [f"{active:.2%} of the neurons active"] if active is not None else []
    words += [f"step {tick_us:.0f} µs"] if tick_us is not None else []
    words += [f"on {backend}"] if backend else []
    return ", ".join(words)


def _guard_words(report: Mapping[str, Any]) -> str | None:
    """How often the guard stepped in, and the reasons that came most."""
    count = report["guard_interventions"]
    if count is None:
        return None
    by_count = sorted(report["guard_reasons"].items(), key=lambda item: -item[1])
    reasons = [f"{reason.replace('_', ' ')} {times:,}" for reason, times in by_count[:_REASONS]]
    if len(by_count) > _REASONS:
        reasons.append("others")
    return f"{count:,} interventions" + (f" ({', '.join(reasons)})" if count and reasons else "")


def _packets_words(report: Mapping[str, Any]) -> str | None:
    lost, dropped = report["packets_lost"], report["packets_dropped"]
    if lost is None:
        return None
    return f"{lost:,} lost" + (f", {dropped:,} dropped" if dropped is not None else "")


def _show(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _simulated(report: Mapping[str, Any]) -> str:
    """How much was simulated, and where not all of it was heard, how much was."""
    if not report["target_samples_missing"]:
        return f"{report['seconds']:g} s"
    heard_s, of_s = report["heard"]["seconds"], report["heard"]["of_s"]
    missed = 1.0 - heard_s / of_s if of_s else 1.0
    not_heard = f"{100 * missed:.2g} % was not: the machine was busy"
    return f"{round(heard_s, 2):g} of {of_s:g} s heard ({not_heard})"
