# SPDX-License-Identifier: Apache-2.0
"""What a controller publishes of its network, and what is kept of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.events import Events, encode_mono

DESCRIPTION = json.dumps(
    {
        "format": 1,
        "file": "arm_tracker.nir",
        "neurons": 12,
        "synapses": 99,
        "dt_s": 0.001,
        "rows": [
            {"name": "in", "role": "input", "size": 4, "shown": 4},
            {"name": "out", "role": "output", "size": 8, "shown": 8},
        ],
    }
)


def packet(t_ns: list[int], x: list[int], y: list[int]) -> tuple[np.ndarray, int]:
    events = Events(
        np.array(t_ns, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.ones(len(t_ns), np.uint8),
        8,
        2,
    )
    return encode_mono(events)


def test_spikes_are_counted_by_population_once_there_is_a_description() -> None:
    network = NetworkSpikes(seconds=1.0, pixel_s=0.01)
    payload, base_ns = packet([1_000_000, 2_000_000, 2_000_000], [0, 7, 3], [0, 1, 1])
    network.add_packet(0, (8, 2), base_ns, payload)
    assert network.raster is None
    network.describe(DESCRIPTION)
    network.add_packet(1, (8, 2), base_ns, payload)
    assert network.raster is not None
    assert network.raster.totals().tolist() == [1, 2]
    network.describe(DESCRIPTION)  # the same again changes nothing
    assert network.raster.totals().tolist() == [1, 2]
    assert network.facts == {
        "file": "arm_tracker.nir",
        "neurons": 12,
        "synapses": 99,
        "dt_s": 0.001,
    }


def test_gaps_in_the_sequence_are_losses_and_a_new_start_is_none() -> None:
    network = NetworkSpikes(seconds=1.0, pixel_s=0.01)
    for seq in (5, 6, 9, 0, 1):
        network.add_packet(seq, (8, 2), 0, np.empty(0, np.uint8))
    assert network.packets_lost == 2
    assert network.packets == 5


def test_another_description_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format is 2"):
        NetworkSpikes(1.0, 0.01).describe('{"format": 2}')
