# SPDX-License-Identifier: Apache-2.0
"""What a runner says of itself, for diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.backends.runner import Runner
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.shadowed import ShadowState


@dataclass(frozen=True)
class BackendReport:
    """Values for a status, and what is wrong ('': nothing)."""

    values: dict[str, int | str]
    warning: str = ""


def report_backend(runner: Runner, reason: str) -> BackendReport:
    """Name, reason, and, of a shadowed backend, where it stands and what went wrong."""
    values: dict[str, int | str] = {"backend": runner.name, "backend_reason": reason}
    if not isinstance(runner, ShadowRunner):
        return BackendReport(values)
    totals, status = runner.totals, runner.status
    values |= {
        "backend_state": status.value,
        "backend_ticks_compared": totals.ticks_compared,
        "backend_spikes_differing": totals.spikes_differing,
        "backend_cycles_of_twin": totals.cycles_of_twin,
        "backend_restarts": totals.restarts,
        "backend_rejoined": totals.rejoined,
    }
    values |= {f"backend_faults_{kind.value}": n for kind, n in totals.faults.items()}
    last = str(runner.faults[-1]) if runner.faults else ""
    if last:
        values["backend_last_fault"] = last
    if status is ShadowState.IN_STEP:
        return BackendReport(values)
    why = f" ({last})" if last else ""
    return BackendReport(
        values, f"the backend is {status.value}, its twin on the CPU has taken over{why}"
    )
