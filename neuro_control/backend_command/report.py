# SPDX-License-Identifier: Apache-2.0
"""What `neuro_control backend check` found, row by row: in lines for people, and as JSON.

A row has the name of its ``network`` and either what was compared, as `backends.parity.Parity` has
it and ``exact``, or one of `NOT_COMPARED` and why.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuro_control import __version__
from neuro_control.reports.json_text import json_text

NOT_COMPARED = ("refused", "failed", "interrupted")
COUNTS = ("ticks", "spikes", "spikes_differing", "membranes", "membranes_differing")
NAMED = 8  # networks, at most, of those without a spike


def passed(row: Mapping[str, Any]) -> bool:
    """Whether nothing of a row speaks against the backend: it is equal, or refused."""
    return "refused" in row or bool(row.get("exact"))


def verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many were equal, and what was compared, in one line."""
    compared = [row for row in rows if "exact" in row]
    equal = sum(row["exact"] for row in compared)
    count = {kind: sum(kind in row for row in rows) for kind in NOT_COMPARED}
    cut = f", {count['interrupted']} interrupted" if count["interrupted"] else ""
    total = {name: sum(row[name] for row in compared) for name in COUNTS}
    return (
        f"{equal} of {len(rows)} networks equal, {len(compared) - equal} not, "
        f"{count['refused']} refused, {count['failed']} failed{cut}; {total['ticks']} ticks, "
        f"{total['spikes']} spikes and {total['membranes']} membranes compared, "
        f"{total['spikes_differing']} and {total['membranes_differing']} differ"
    )


def reservations(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of the verdict proves less than it seems to, a line each."""
    compared = [row for row in rows if "exact" in row]
    found = []
    if silent := [row["network"] for row in compared if not row["spikes"]]:
        more = f" and {len(silent) - NAMED} more" if len(silent) > NAMED else ""
        found.append(
            f"no output spiked in {len(silent)} of them, so that equal spikes prove little there: "
            f"{', '.join(silent[:NAMED])}{more}"
        )
    if compared and not any(row["membranes"] for row in compared):
        found.append(
            "no membrane was compared tick by tick, for this backend records none: only those of "
            f"{sum(row['states'] for row in compared)} states"
        )
    return found


def line(row: Mapping[str, Any]) -> str:
    """A row for people."""
    for kind in ("refused", "failed"):
        if kind in row:
            return f"{row['network']:<24} {kind}: {row[kind]}"
    text = (
        f"{row['network']:<24} {row['ticks']} ticks, {row['spikes']} spikes, "
        f"{row['spikes_differing']} differ; {row['membranes']} membranes, "
        f"{row['membranes_differing']} differ; {row['states']} states, "
        f"{row['values_differing']} values differ; {row['tick_ms']:.2f} ms a tick"
    )
    return text + (f"\n  first: {row['first_difference']}" if row["first_difference"] else "")


def check_writable(path: Path) -> None:
    """Raise ValueError where no report can be written there; what lies there stays."""
    there = path.exists()
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise unwritable(path, error) from error
    if not there:
        path.unlink()


def unwritable(path: Path, error: OSError) -> ValueError:
    """What to say of it."""
    return ValueError(
        f"--report {path} cannot be written ({error.strerror}); name a file in a folder that is "
        "there, may be written to and has room"
    )


def write_report(
    path: Path, backend: str, worker: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """What was found so far, as JSON. worker: its hello."""
    report = {
        "backend": backend,
        "neuro_control": __version__,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "worker": worker,
        "networks": rows,
    }
    try:
        path.write_text(json_text(report, indent=1) + "\n")
    except OSError as error:
        raise unwritable(path, error) from error
