# SPDX-License-Identifier: Apache-2.0
"""The memory of pursuit: a low-pass filter of the gaze's velocity that a saccade does not reach."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.circuits.pursuit import PursuitSettings, arm_tracker
from neuro_control.circuits.target_tracker import TargetTrackerSettings
from neuro_control.encoding import PopulationEncoder, PopulationVectorDecoder
from neuro_control.network import quantize

MS = 1_000_000
SETTINGS = PursuitSettings()


class Memory:
    """The circuit with an encoder before it and a decoder behind it."""

    def __init__(self) -> None:
        self.runner = CpuRunner(quantize(arm_tracker(TargetTrackerSettings(), SETTINGS)))
        self.encoder = PopulationEncoder(SETTINGS.code, MS)
        self.decoder = PopulationVectorDecoder(
            SETTINGS.code.preferred[:, None], tau_s=0.02, dt_ns=MS, silence=5.0
        )
        self.pixels: list[int] = []

    def advance(self, velocity: float, ticks: int) -> list[float]:
        """Remembered velocity after every tick; nan while the memory is silent."""
        port = self.runner.input_ports["velocity"]
        out_port = self.runner.output_ports["pursuit"]
        said = []
        for _ in range(ticks):
            active, _ = self.encoder.encode([velocity, 0.0], 1)
            both = np.concatenate([np.array(self.pixels, np.int32), active + port.offset])
            out = self.runner.step(both.astype(np.int32))
            read = self.decoder.decode(out, np.array([0, out.size]), out_port.offset)
            said.append(np.nan if read.value is None else float(read.value[0]))
        return said


@pytest.mark.parametrize("velocity", [-1.2, -0.3, 0.0, 0.7])
def test_a_steady_velocity_is_remembered(velocity: float) -> None:
    said = Memory().advance(velocity, 800)
    assert np.nanmean(said[-200:]) == pytest.approx(velocity, abs=0.05)


def test_a_new_velocity_comes_in_with_the_time_constant() -> None:
    memory = Memory()
    memory.advance(-0.5, 800)
    said = np.array(memory.advance(0.5, 800))
    # A first-order filter crosses the middle after tau ln 2; the decoder adds its own 20 ms.
    crossing = int(np.argmax(said > 0.0))
    expected = SETTINGS.tau_s * np.log(2) * 1e3
    assert expected * 0.7 < crossing < expected + 50


def test_a_saccade_does_not_reach_the_memory() -> None:
    memory = Memory()
    memory.advance(0.2, 600)
    row, column = np.indices((128, 128))
    away = (column - 110) ** 2 + (row - 64) ** 2 < 9**2
    before = memory.runner.counters.spikes
    memory.pixels = np.flatnonzero(away & ((row + column) % 2 == 0)).tolist()
    said = memory.advance(1.9, 120)
    assert memory.runner.counters.spikes > before
    assert np.nanmax(said) < 0.6
    memory_without = Memory()
    memory_without.advance(0.2, 600)
    assert np.nanmax(memory_without.advance(1.9, 120)) > 1.0


def test_before_any_velocity_the_memory_is_silent() -> None:
    memory = Memory()
    assert np.isnan(memory.advance(0.0, 5)).all()
