# SPDX-License-Identifier: Apache-2.0
"""Where a Loihi board is, what is missing for one, and what it measures of itself.

Lava's part of this is light and is imported when it is asked for; Intel's extension
(``lava-loihi``) is not public. What the extension offers is looked for, never relied on: the names
are those of Lava's tutorials, and no board has confirmed them (see docs/backends.md).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .protocol import RefusalError

PROBES = {"power": "Loihi2Power", "time": "Loihi2ExecutionTime"}
"""What can be measured, and the extension's class in ``lava.utils.loihi2_profiler``."""
PROBE_STEPS = 1 << 16


def missing() -> str:
    """What this interpreter lacks for a chip, or ''. Never raises, whatever is installed."""
    try:
        from lava.utils import loihi

        if not loihi.is_installed():
            return (
                "Intel's extension of Lava for Loihi (lava-loihi) is not installed in "
                "this interpreter; members of Intel's research community get it from Intel"
            )
    except Exception as error:
        # The extension's own detection fails in ways of its own.
        return f"Lava's detection of its Loihi extension failed: {type(error).__name__}: {error}"
    return ""


def choose(options: Mapping[str, Any]) -> str:
    """Let Lava use the board that is asked for; returns how it is reached.

    options: ``host``, an address on the network; or ``partition`` or ``board``, of slurm (a board
    is a node there); with none of them slurm where it is, and else what the environment says.
    ``generation`` is N3B3, N3C1, ...

    Raises:
        RefusalError: it cannot be had; the text says why.
    """
    names = ("host", "partition", "board", "generation")
    host, partition, board, wanted = (str(options.get(name) or "") or None for name in names)
    if host and (partition or board):
        raise RefusalError("a Loihi host on the network and one of slurm exclude each other")
    try:
        from lava.utils import loihi, slurm

        _mend(slurm)
        known = [generation.value for generation in loihi.ChipGeneration]
        if wanted and wanted not in known:
            raise RefusalError(f"generation {wanted!r} is none of {', '.join(known)}")
        which = {"loihi_gen": loihi.ChipGeneration(wanted)} if wanted else {}
        if host:
            loihi.use_ethernet_host(host_address=host, **which)
            return f"host {host}"
        if partition or board:
            if not shutil.which("sinfo"):
                raise RefusalError("slurm is not on this machine (no sinfo on the path)")
            loihi.use_slurm_host(partition=partition, board=board, **which)
            return f"slurm, board {board}" if board else f"slurm, partition {partition}"
        if shutil.which("sinfo"):
            loihi.use_slurm_host(**which)
            return "slurm"
    except RefusalError:
        raise
    except Exception as error:
        # Lava raises what it comes upon: ImportError, ValueError, OSError, IndexError, ...
        raise RefusalError(f"the board cannot be had: {type(error).__name__}: {error}") from error
    return "as the environment says"


def _mend(slurm: Any) -> None:
    """Let Lava run commands that may be missing, and read what they print.

    lava-nc 0.10 fails on a program that is not there, and on the end of the last line of every
    list of boards or partitions.
    """
    run = slurm.try_run_command
    if getattr(run, "mended", False):
        return

    def lines(command: list[str]) -> list[str]:
        try:
            return [line for line in run(command) if line.strip()]
        except OSError:
            return []

    lines.mended = True  # type: ignore[attr-defined]
    slurm.try_run_command = lines


def probes(names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The extension's probes of those names, by name, and remarks on what it does not offer."""
    found: dict[str, Any] = {}
    notes = []
    for name in names:
        if name not in PROBES:
            raise RefusalError(f"probe {name!r} is none of {', '.join(PROBES)}")
        try:
            from lava.utils import loihi2_profiler

            make = getattr(loihi2_profiler, PROBES[name])
            try:
                found[name] = make()
            except TypeError:
                # Earlier releases want to know for how long.
                found[name] = make(num_steps=PROBE_STEPS)
        except Exception as error:
            notes.append(f"no probe of {name}: {type(error).__name__}: {error}")
    return found, notes


def measured(found: Mapping[str, Any]) -> dict[str, Any]:
    """What probes say: of each public number or series of numbers its mean, largest and length."""
    said: dict[str, Any] = {}
    for name, probe in found.items():
        values: dict[str, Any] = {}
        for key in dir(probe):
            if key.startswith("_"):
                continue
            try:
                value = getattr(probe, key)
                if callable(value) or isinstance(value, (str, bytes, bool)):
                    continue
                numbers = np.asarray(value, float).ravel()
            except Exception as error:
                values[key] = f"{type(error).__name__}: {error}"
                continue
            if numbers.size:
                mean, most = float(np.nanmean(numbers)), float(np.nanmax(numbers))
                values[key] = {"mean": mean, "max": most, "n": int(numbers.size)}
        said[name] = values
    return said
