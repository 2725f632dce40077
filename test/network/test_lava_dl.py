# SPDX-License-Identifier: Apache-2.0
"""netx files spike here as lava-dl's own reader and Lava's fixed-point model make them spike.

`foreign/netx` has files and what `foreign/lava_dl.py` recorded of them. dense, bias and conv were
written by `write_netx`; the others hold what it does not write.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.network import read_netx

FOREIGN = Path(__file__).parent / "foreign"
NAMES = ["dense", "bias", "conv", "recurrent", "delay", "delay_of_inputs"]


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


@pytest.mark.parametrize("name", NAMES)
def test_lava_dl_says_today_what_it_said(name: str, tmp_path: Path):
    python = os.environ.get("NEURO_CONTROL_LAVA_DL_PYTHON", "")
    if not python:
        pytest.skip("NEURO_CONTROL_LAVA_DL_PYTHON names no Python with lava-dl: foreign/lava_dl.py")
    data, out = FOREIGN / "netx" / f"{name}.npz", tmp_path / "out.npz"
    command = [python, FOREIGN / "lava_dl.py", data.with_suffix(".net"), data, out]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    with np.load(out) as file, np.load(data) as recorded:
        np.testing.assert_array_equal(file["output"], recorded["output"])
