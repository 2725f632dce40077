# SPDX-License-Identifier: Apache-2.0
"""What becomes of a shadowed backend is on the status, with tick, neuron and both values."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from neuro_control.backends import ProcessRunner, ShadowRunner, ShadowSettings
from neuro_control.backends.backend_report import report_backend
from neuro_control.backends.random_networks import random_network

EMULATOR = Path(__file__).with_name("board_emulator.py")


def test_a_divergence_is_reported_and_so_is_the_return() -> None:
    network = random_network(1)
    command = [sys.executable, str(EMULATOR), "--dense", "--fault", "wrong", "--at", "2"]
    shadow = ShadowRunner(
        network,
        lambda: ProcessRunner(network, command, "board"),
        "board",
        ShadowSettings(deadline_s=30.0, hang_s=60.0),
    )
    nothing = np.zeros(0, np.int32)
    shadow.step(nothing)
    assert report_backend(shadow, "asked for").warning == ""
    shadow.step(nothing)
    report = report_backend(shadow, "asked for")
    name, port = list(network.outputs.items())[-1]
    said = f"tick 1: divergence: neuron {port.size - 1} of {name!r} spikes, the twin's is silent"
    assert report.values["backend_last_fault"].startswith(said)
    assert report.values["backend_faults_divergence"] == 1
    assert report.values["backend_state"] == "behind"
    assert said in report.warning
    assert "its twin on the CPU has taken over" in report.warning
    limit = time.monotonic() + 60
    while report.values["backend_state"] != "in step":
        assert time.monotonic() < limit, report.values
        shadow.step(nothing)
        report = report_backend(shadow, "asked for")
        # Asked for more ticks than it can step, no board would catch up.
        time.sleep(0.002)
    assert report.values["backend_rejoined"] == 1
    assert report.warning == ""
    shadow.close()
