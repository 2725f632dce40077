# SPDX-License-Identifier: Apache-2.0
"""A report of where activity dies, as lines to read."""

from __future__ import annotations

import textwrap

from neuro_control.inspection import SilenceReport, SourceActivity


def text(report: SilenceReport, about: str = "") -> str:
    """The report as lines to read."""
    lines = [f"{report.ticks} ticks{f' of {about}' if about else ''}"] if report.ticks else []
    seen = (*report.inputs, *report.populations)
    width = max((len(source.name) for source in seen), default=0)
    lines += [f"  {source.name:<{width}}  {_did(source)}" for source in seen]
    for finding in report.findings:
        lines += [f"{finding.node}: {finding.cause.value}", _wrapped(finding.text)]
        if finding.remedy and finding.remedy not in finding.text:
            lines.append(_wrapped(f"mend it by: {finding.remedy}"))
        if finding.also:
            lines.append(f"    besides: {', '.join(cause.value for cause in finding.also)}")
    for note in report.notes:
        lines += [f"note: {note.node}: {note.cause.value}", _wrapped(note.text)]
    for name, because in report.silent_because.items():
        lines.append(f"{name} is silent because of {', '.join(because)}")
    if report.healthy:
        lines.append("nothing is wrong: activity gets wherever what was given should take it")
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text, 96, initial_indent=" " * 4, subsequent_indent=" " * 4, break_on_hyphens=False
    )


def _did(source: SourceActivity) -> str:
    if not source.spikes:
        return f"{'0':>10} spikes of {source.size:,}"
    since = "" if source.first_tick is None else f", first in tick {source.first_tick}"
    active = f", {source.active:,} active" if source.active else ""
    return f"{source.spikes:>10,} spikes of {source.size:,}{active}{since}"
