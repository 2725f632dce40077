# SPDX-License-Identifier: Apache-2.0
"""Which backend steps a network: chosen by name, with the reason said.

``cpu``, ``lava`` and ``loihi`` come with the package; others are found by the entry-point group
``neuro_control.backends`` of any installed distribution (see docs/backends.md).
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.primary import Primary
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.runner import Runner
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import (
    BackendError,
    RefusedError,
    StartError,
    worker_command,
)
from neuro_control.network import FixedNetwork

_log = logging.getLogger(__name__)

OURS = ("auto", "cpu", "lava", "loihi")
GROUP = "neuro_control.backends"
RUNNER = (
    *("name", "input_ports", "output_ports", "counters"),
    *("step", "run", "reset", "state", "restore", "membrane"),
)
"""What of `runner.Runner` a backend has to have."""
PRIMARY = ("begin", "poll", "begin_restore", "poll_done", "close")
"""What of `primary.Primary` one has to have besides that has the first of them."""


class BackendSettings(BaseModel):
    """Who steps the network, and what happens when it does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str = Field(
        "auto",
        description="Who steps the network: cpu, lava, loihi, the name of an installed backend, or "
        "auto, a chip where there is one and else cpu",
    )
    backend_python: str = Field(
        "",
        description="Interpreter that has Lava; empty: that of `neuro_control backend setup lava`",
    )
    shadow: bool = Field(
        True,
        description="Step a twin on the CPU beside any other backend, compare, and take over",
    )
    backend_deadline_s: float = Field(
        # A controller that waits longer is silent for longer than its guard and its arm can bear.
        0.002,
        ge=0,
        le=0.02,
        description="How long a step waits for a shadowed backend (s)",
    )
    backend_hang_s: float = Field(
        # Beyond the deadline: to be late is no reason to be ended.
        1.0,
        ge=0.05,
        le=60,
        description="Silence after which a shadowed backend is started anew (s)",
    )
    backend_tolerance_spikes: int = Field(
        0, ge=0, le=1_000_000, description="Spikes of a step that may differ from the twin's"
    )
    loihi_host: str = Field("", description="Address of a Loihi host on the network; empty: slurm")
    loihi_partition: str = Field("", description="Partition of slurm; empty: any")
    loihi_board: str = Field("", description="Board, a node of slurm; empty: any")
    loihi_generation: str = Field(
        "", description="Generation of the chip: N3B3, N3C1, ...; empty: N3B3, Lava's default"
    )


@dataclass(frozen=True)
class Chosen:
    """A runner, and why it is this one."""

    runner: Runner
    reason: str


def cache_directory() -> Path:
    """Where the backends' environments lie: below XDG_CACHE_HOME, or ~/.cache.

    BackendError where there is no home either.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(home) if home else Path.home() / ".cache") / "neuro_control" / "backends"
    except RuntimeError as error:
        raise BackendError(f"no place for Lava ({error}); set HOME or XDG_CACHE_HOME") from error


def lava_python(given: str = "", argument: str = "backend_python") -> Path:
    """The interpreter that has Lava, absolute. BackendError where there is none.

    given: its path; that of `neuro_control backend setup lava` if empty. argument: how whoever
    reads the error gave it.
    """
    path = Path(given) if given else cache_directory() / "lava" / "bin" / "python"
    try:
        # A bare name would be looked for on the path. Links stay: the python of a virtual
        # environment is one.
        path = path.expanduser().absolute()
        there = path.is_file()
    except (OSError, RuntimeError) as error:
        raise BackendError(f"{path} cannot be looked at: {error}") from error
    if there:
        return path
    if given:
        raise BackendError(
            f"{argument} {given} is no file; it must be the path of an interpreter that has Lava "
            "(`neuro_control backend setup lava` makes one)"
        )
    raise BackendError(
        f"Lava is not set up ({path} does not exist); `neuro_control backend setup lava` does it"
    )


def installed() -> dict[str, str]:
    """Other people's backends: name and what the entry point refers to."""
    return {point.name: point.value for point in entry_points(group=GROUP)}


def choose_runner(network: FixedNetwork, settings: BackendSettings) -> Chosen:
    """The runner that the settings ask for, ready.

    ``auto`` takes a chip where one answers and takes this network, and the CPU otherwise; the
    reason says what was missing.

    Raises:
        BackendError: the backend cannot be had; the message says what is missing.
        RefusedError: it cannot step this network; the message says what of it, and why.
        ValueError: there is no backend of that name.
    """
    name = settings.backend
    if name == "auto":
        try:
            return Chosen(_other("loihi", network, settings), "a chip answers")
        except BackendError as error:
            return Chosen(_cpu(network), f"no chip: {error}")
    if name == "cpu":
        return Chosen(_cpu(network), "asked for")
    if name in ("lava", "loihi"):
        return Chosen(_other(name, network, settings), "asked for")
    return Chosen(_foreign(name, network, settings), "asked for")


def _cpu(network: FixedNetwork) -> CpuRunner:
    runner = CpuRunner(network)
    runner.warm()
    return runner


def _other(name: str, network: FixedNetwork, settings: BackendSettings) -> Runner:
    command = worker_command(lava_python(settings.backend_python), name)
    options = {
        "host": settings.loihi_host,
        "partition": settings.loihi_partition,
        "board": settings.loihi_board,
        "generation": settings.loihi_generation,
    }

    def make() -> ProcessRunner:
        try:
            return ProcessRunner(network, command, name, options)
        except StartError as error:
            given = settings.backend_python
            where = f"backend_python {given}: " if given else ""
            raise StartError(f"backend {name}: {where}{error}") from error
        except BackendError as error:
            raise type(error)(f"backend {name}: {error}") from error

    return _shadowed(name, network, make, settings) if settings.shadow else make()


def _shadowed(
    name: str, network: FixedNetwork, make: Callable[[], Primary], settings: BackendSettings
) -> ShadowRunner:
    trust = ShadowSettings(
        deadline_s=settings.backend_deadline_s,
        tolerance_spikes=settings.backend_tolerance_spikes,
        hang_s=settings.backend_hang_s,
    )
    return ShadowRunner(network, make, name, trust)


def _foreign(name: str, network: FixedNetwork, settings: BackendSettings) -> Runner:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        known = [*OURS, *points]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"backend: {name!r} is not known{hint}; there are {', '.join(known)}")
    point = points[name]
    try:
        factory = point.load()
    except Exception as error:
        raise BackendError(
            f"backend {name}: {point.value} cannot be loaded: {_raised(error)}"
        ) from error
    options: dict[str, Any] = settings.model_dump()

    def make() -> Runner:
        try:
            made = factory(network, options)
            missing = _missing(made, settings.shadow)
        except BackendError as error:
            kind = RefusedError if isinstance(error, RefusedError) else BackendError
            raise kind(f"backend {name}: {error}") from error
        except Exception as error:
            raise BackendError(f"backend {name}: {point.value}: {_raised(error)}") from error
        if missing:
            _ended(made)
            raise BackendError(
                f"backend {name}: what {point.value} returns, {type(made).__name__}, has no "
                f"{', '.join(missing)}; see the last section of docs/backends.md"
            )
        return cast(Runner, made)

    runner = make()
    if not settings.shadow or not hasattr(runner, "begin"):
        return runner
    ready = [runner]
    return _shadowed(
        name, network, lambda: cast(Primary, ready.pop() if ready else make()), settings
    )


def _ended(made: object) -> None:
    """Close what is not taken: it may hold a process or a board."""
    close = getattr(made, "close", None)
    if close is not None:
        try:
            close()
        except Exception:  # noqa: BLE001 - told; what is wrong with it is raised next
            _log.warning("%s cannot be closed", type(made).__name__, exc_info=True)


def _missing(made: object, shadow: bool) -> list[str]:
    """What somebody's runner lacks; one that can be asked ahead is shadowed, and needs more."""
    wanted = RUNNER + (PRIMARY if shadow and hasattr(made, "begin") else ())
    return [name for name in wanted if not hasattr(made, name)]


def _raised(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
