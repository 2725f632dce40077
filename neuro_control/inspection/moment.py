# SPDX-License-Identifier: Apache-2.0
"""A moment of a run: everything that a debugger needs to go on from it, in memory or in a file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices, RunnerState
from neuro_control.network import FixedNetwork

_STATE = ("current", "membrane", "pending", "adaptation", "refractory")


@dataclass(frozen=True, eq=False)
class TickSpikes:
    """Who was active in a tick: inputs (numbered over all of them), neurons by population."""

    tick: int
    inputs: Indices
    spikes: tuple[Indices, ...]

    @property
    def nbytes(self) -> int:
        """Memory of its arrays."""
        return self.inputs.nbytes + sum(part.nbytes for part in self.spikes)


@dataclass(frozen=True, eq=False)
class Moment:
    """After ``tick`` ticks.

    Attributes:
        tick: ticks that have been done.
        state: of the runner.
        counts: spikes of each population since tick 0, int64[p].
        quiet: ticks since each population's last spike, int64[p].
        recent: the last ticks, oldest first: as many as the longest delay needs.
    """

    tick: int
    state: RunnerState
    counts: NDArray[np.int64]
    quiet: NDArray[np.int64]
    recent: tuple[TickSpikes, ...]

    @property
    def nbytes(self) -> int:
        """Memory that it takes, at most: moments share their recent ticks."""
        arrays = sum(getattr(self.state, name).nbytes for name in _STATE)
        return arrays + sum(tick.nbytes for tick in self.recent)

    def save(self, path: Path) -> None:
        """Write it as .npz (to exactly this path)."""
        arrays: dict[str, NDArray[np.generic]] = {
            "network": np.array(self.state.network),
            "tick": np.array(self.tick, np.int64),
            "counts": self.counts,
            "quiet": self.quiet,
            "recent_tick": np.array([r.tick for r in self.recent], np.int64),
        }
        arrays |= {name: getattr(self.state, name) for name in _STATE}
        for number, tick in enumerate(self.recent):
            parts = [tick.inputs, *tick.spikes]
            arrays[f"recent_{number}"] = np.concatenate(parts)
            arrays[f"recent_{number}_sizes"] = np.array([len(p) for p in parts], np.int64)
        with path.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path, network: FixedNetwork) -> Moment:
        """Read it for a network.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not such a file, or belongs to another network.
        """
        if not path.is_file():
            raise FileNotFoundError(f"{path}: there is no such file")
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            fingerprint = str(arrays["network"])
            state = RunnerState(fingerprint, *(arrays[name] for name in _STATE))
            recent = []
            for number, tick in enumerate(arrays["recent_tick"]):
                cuts = np.cumsum(arrays[f"recent_{number}_sizes"])[:-1]
                inputs, *spikes = np.split(arrays[f"recent_{number}"].astype(np.int32), cuts)
                recent.append(TickSpikes(int(tick), inputs, tuple(spikes)))
            moment = cls(
                int(arrays["tick"]), state, arrays["counts"], arrays["quiet"], tuple(recent)
            )
        except (ValueError, OSError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{path}: not a state that this debugger saved: {type(error).__name__} {error}"
            ) from error
        if fingerprint != network.fingerprint():
            raise ValueError(
                f"{path}: the state belongs to network {fingerprint[:12]}, this is "
                f"{network.fingerprint()[:12]}"
            )
        moment.check(network)
        return moment

    def check(self, network: FixedNetwork) -> None:
        """Raise ValueError where an array does not have the shape that the network gives it."""
        n, p = network.n_neurons, len(network.populations)
        wanted = dict.fromkeys(_STATE, (n,)) | {"pending": (network.longest_delay + 1, n)}
        found = {name: getattr(self.state, name) for name in _STATE}
        found |= {"counts": self.counts, "quiet": self.quiet}
        wanted |= dict.fromkeys(("counts", "quiet"), (p,))
        for name, array in found.items():
            if array.shape != wanted[name] or array.dtype != np.int64:
                raise ValueError(
                    f"{name} is {array.dtype}{array.shape}, it must be int64{wanted[name]}"
                )
        if self.tick < 0 or any(len(tick.spikes) != p for tick in self.recent):
            raise ValueError(f"tick {self.tick} and its recent spikes do not fit {p} populations")
