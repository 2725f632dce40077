# SPDX-License-Identifier: Apache-2.0
"""netx files spike here as lava-dl's own reader and Lava's fixed-point model make them spike.

`foreign/netx` has files and what `foreign/lava_dl.py` recorded of them; run without arguments by a
Python that has lava-dl, it compares what is recorded with what lava-dl says today. dense, bias,
conv and those called written_ are by `write_netx`; the others are as lava-dl writes them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.network import read_netx

FOREIGN = Path(__file__).parent / "foreign"
NAMES = ["dense", "bias", "conv", "recurrent", "delay", "delay_of_inputs"]
NAMES += ["written_recurrent", "written_delay"]


def ours(path: Path, spikes: np.ndarray) -> np.ndarray:
    runner = CpuRunner(read_netx(path))
    found = np.zeros((len(spikes), runner.output_ports["out"].size), bool)
    for tick, frame in enumerate(spikes):
        found[tick, runner.step(np.flatnonzero(frame).astype(np.int32))] = True
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_spike_is_lava_dls(name: str):
    with np.load(FOREIGN / "netx" / f"{name}.npz") as file:
        spikes, output = file["spikes"], file["output"]
        assert str(file["made_by"]) == "lava-dl 0.6.0, lava-nc 0.10.0"
    assert output.sum() > 30
    np.testing.assert_array_equal(ours(FOREIGN / "netx" / f"{name}.net", spikes), output)
