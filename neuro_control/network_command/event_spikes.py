# SPDX-License-Identifier: Apache-2.0
"""What a command is given for a network's inputs: spikes of a file, of recorded events, random."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import Indices
from neuro_control.encoding import EventMapEncoder
from neuro_control.events import Events
from neuro_control.events.bag import event_topics
from neuro_control.events.files import read_chunks
from neuro_control.network import FixedNetwork
from neuro_control.network_command.spike_file import MOST_TICKS, given_spikes, read_spikes

_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, eq=False)
class GivenSpikes:
    """Active indices and offsets as `Runner.run` takes them, and the inputs they are meant for."""

    indices: Indices
    offsets: NDArray[np.int64]
    fed: tuple[str, ...]
    about: str


def spikes_for(
    arguments: argparse.Namespace, network: FixedNetwork, *, check_channels: bool = True
) -> GivenSpikes:
    """What the arguments ask for.

    Args:
        arguments: with ``input``, ``bag``, ``topic``, ``rate_hz``, ``ticks`` and ``seed``.
        network: whose inputs.
        check_channels: refuse channels that the network does not have.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: a file or a number does not fit.
    """
    every = tuple(network.inputs)
    channels = sum(port.size for port in network.inputs.values())
    if arguments.bag is not None:
        if arguments.input is not None:
            raise ValueError("--input and --bag: give one of them")
        name, indices, offsets = event_spikes(
            arguments.bag, arguments.topic, network, arguments.ticks
        )
        return GivenSpikes(indices, offsets, (name,), f"{arguments.bag}, into {name}")
    if arguments.input is not None:
        limit = channels if check_channels else _NO_LIMIT
        return GivenSpikes(
            *read_spikes(arguments.input, limit), fed=every, about=str(arguments.input)
        )
    about = f"random spikes, {arguments.rate_hz:g} Hz a channel, seed {arguments.seed}"
    return GivenSpikes(*given_spikes(arguments, channels, network.dt_s), fed=every, about=about)


def event_spikes(
    path: Path, topic: str | None, network: FixedNetwork, ticks: int
) -> tuple[str, Indices, NDArray[np.int64]]:
    """The spikes that recorded events give a network's first image-shaped input.

    Args:
        path: of a file of events (see `neuro_control.events.files`).
        topic: of a recording that has several; the camera's by default.
        network: whose input, shape (2, rows, columns), the events are scaled onto.
        ticks: that are read at most, from the first event on.

    Returns:
        Name of the input, active indices, offsets. Shorter than ``ticks`` where the file is.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read or has no events, or the network has no such input.
    """
    if not 1 <= ticks <= MOST_TICKS:
        raise ValueError(f"--ticks {ticks}: must be 1 to {MOST_TICKS}")
    images = {n: p for n, p in network.inputs.items() if len(p.shape) == 3 and p.shape[0] == 2}
    if not images:
        shapes = ", ".join(f"{name} {port.shape}" for name, port in network.inputs.items())
        raise ValueError(
            f"--bag: events need an input of shape (2, rows, columns); the network has "
            f"{shapes or 'none'}"
        )
    name, port = next(iter(images.items()))
    encoder = EventMapEncoder(port.shape[1], port.shape[2], round(network.dt_s * 1e9))
    first: int | None = None
    found: list[tuple[NDArray[np.int64], Indices]] = []
    for events in read_chunks(path, topic=topic or _cameras_topic(path)):
        if not len(events):
            continue
        if first is None:
            first = int(events.t_ns[0]) // encoder.dt_ns
        found.append(_encoded(encoder, events, first, ticks))
        if int(events.t_ns[-1]) // encoder.dt_ns >= first + ticks:
            break
    if not found:
        raise ValueError(f"--bag {path}: there are no events in it")
    tick = np.concatenate([t for t, _ in found])
    channel = np.concatenate([c for _, c in found]) + np.int32(port.offset)
    order = np.lexsort((channel, tick))
    length = min(int(tick.max()) + 1, ticks)
    offsets = np.searchsorted(tick[order], np.arange(length + 1)).astype(np.int64)
    return name, channel[order].astype(np.int32)[: offsets[-1]], offsets


def _cameras_topic(path: Path) -> str | None:
    """The camera's topic, where a recording has events of other things beside it."""
    if path.suffix not in (".mcap", ".db3") and not path.is_dir():
        return None
    topics = event_topics(path)
    cameras = [topic for topic in topics if topic.endswith("event_camera/events")]
    return cameras[0] if len(topics) > 1 and len(cameras) == 1 else None


def _encoded(
    encoder: EventMapEncoder, events: Events, first: int, ticks: int
) -> tuple[NDArray[np.int64], Indices]:
    """Tick and channel of every event, those from behind the last tick left out."""
    kept = int(np.searchsorted(events.t_ns, (first + ticks) * encoder.dt_ns))
    begin = max(int(events.t_ns[0]) // encoder.dt_ns, first)
    if not kept:
        return np.zeros(0, np.int64), np.zeros(0, np.int32)
    part = Events(
        events.t_ns[:kept],
        events.x[:kept],
        events.y[:kept],
        events.p[:kept],
        events.width,
        events.height,
    )
    length = max(int(part.t_ns[-1]) // encoder.dt_ns - begin + 1, 1)
    indices, offsets = encoder.encode(part, begin, length)
    counts = [end - start for start, end in pairwise(offsets)]
    return np.repeat(np.arange(length, dtype=np.int64), counts) + (begin - first), indices
