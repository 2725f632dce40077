# SPDX-License-Identifier: Apache-2.0
"""Spikes in .npz files: `tick` int64[n] ascending, `channel` int32[n], `ticks` how many."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import Indices, Recording

MOST_TICKS = 100_000_000

Trains = tuple[Indices, NDArray[np.int64]]


def read_spikes(path: Path, channels: int) -> Trains:
    """Active indices int32[n] and offsets int64[ticks + 1] of a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: naming the array that is missing or does not fit.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--input {path}: there is no such file")
    arrays = _arrays(path)
    for name, array in arrays.items():
        if array.dtype.kind not in "iu" or array.ndim != (0 if name == "ticks" else 1):
            raise ValueError(
                f"--input {path}: {name!r} is {array.dtype}{array.shape}, not integers"
            )
    ticks = int(arrays["ticks"])
    if not 1 <= ticks <= MOST_TICKS:
        raise ValueError(f"--input {path}: 'ticks' is {ticks}; it must be 1 to {MOST_TICKS}")
    # Signed: differences of unsigned numbers wrap round.
    tick, channel = arrays["tick"].astype(np.int64), arrays["channel"].astype(np.int64)
    if tick.shape != channel.shape:
        raise ValueError(f"--input {path}: {tick.size} ticks for {channel.size} channels")
    if tick.size and ((np.diff(tick) < 0).any() or tick[0] < 0 or tick[-1] >= ticks):
        raise ValueError(f"--input {path}: 'tick' must ascend from 0 to less than {ticks}")
    if channel.size and not 0 <= channel.min() <= channel.max() < channels:
        raise ValueError(f"--input {path}: 'channel' must be from 0 to {channels - 1}")
    offsets = np.searchsorted(tick, np.arange(ticks + 1)).astype(np.int64)
    return channel.astype(np.int32), offsets


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """The three arrays of a file. ValueError where it is no such file."""
    found = {}
    try:
        with path.open("rb") as opened:
            # numpy takes any other file for a pickle, and its words for an advice to open it.
            if not opened.peek(6).startswith((b"\x93NUMPY", b"PK")):
                raise ValueError("it is no .npz file (arrays that numpy.savez writes)")
            file = np.load(opened, allow_pickle=False)
            if isinstance(file, np.ndarray):
                raise ValueError("it holds one array; write 'tick', 'channel' and 'ticks' to .npz")
            for name in ("tick", "channel", "ticks"):
                if name not in file:
                    raise ValueError(f"it has no array {name!r}, only {sorted(file)}")
                found[name] = file[name]
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"--input {path}: not a file of spikes: {error}") from error
    return found


def given_spikes(arguments: argparse.Namespace, channels: int, dt_s: float) -> Trains:
    """Those of --input, or random ones by --rate-hz, --ticks and --seed."""
    if arguments.input is not None:
        return read_spikes(arguments.input, channels)
    if not 0.0 <= arguments.rate_hz * dt_s <= 1.0:
        raise ValueError(
            f"--rate-hz {arguments.rate_hz:g}: must be from 0 to {1.0 / dt_s:g}, a spike in every "
            f"tick of {dt_s:g} s"
        )
    return random_spikes(channels, arguments.ticks, arguments.rate_hz * dt_s, arguments.seed)


def random_spikes(channels: int, ticks: int, probability: float, seed: int) -> Trains:
    """Every channel spikes in every tick with this probability.

    Raises:
        ValueError: a number that cannot be.
    """
    if not 1 <= ticks <= MOST_TICKS:
        raise ValueError(f"--ticks {ticks}: must be 1 to {MOST_TICKS}")
    if not 0.0 <= probability <= 1.0:
        raise ValueError(
            f"probability {probability:g} of a channel's spike in a tick: must be from 0 to 1"
        )
    if seed < 0:
        raise ValueError(f"--seed {seed}: must be at least 0")
    rng = np.random.default_rng(seed)
    counts = rng.binomial(channels, probability, ticks)
    parts = [np.sort(rng.choice(channels, n, replace=False)) for n in counts]
    indices = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int32)
    return indices, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def write_spikes(path: Path, recording: Recording) -> None:
    """Write the spikes of every population of a recording."""
    arrays: dict[str, NDArray[np.int64] | NDArray[np.int32]] = {}
    for name, train in recording.spikes.items():
        arrays[f"{name}.tick"], arrays[f"{name}.channel"] = train.tick, train.neuron
    np.savez(path, ticks=np.int64(recording.n_ticks), **arrays)  # type: ignore[arg-type]
