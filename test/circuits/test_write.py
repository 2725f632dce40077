# SPDX-License-Identifier: Apache-2.0
"""Every shipped network is what the command in its own metadata makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuro_control.circuits.write import NETWORKS, main
from neuro_control.network import quantize, read_nir

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "networks"


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_shipped_file_is_what_its_command_writes(name: str, tmp_path: Path) -> None:
    fresh = tmp_path / f"{name}.nir"
    assert main([name, str(fresh)]) == 0
    shipped = read_nir(SHIPPED / f"{name}.nir")
    assert shipped.metadata == read_nir(fresh).metadata
    assert f"config/networks/{name}.nir" in str(shipped.metadata["command"])
    assert quantize(shipped).fingerprint() == quantize(read_nir(fresh)).fingerprint()


def test_every_shipped_file_is_known() -> None:
    assert {path.stem for path in SHIPPED.glob("*.nir")} == set(NETWORKS)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_weights_survive_the_eight_bits(name: str) -> None:
    report = quantize(read_nir(SHIPPED / f"{name}.nir")).report
    assert max(projection.relative_rms_error for projection in report.projections) < 0.01
    assert max(population.decay_error for population in report.populations) < 0.01
    assert np.isfinite([population.scale for population in report.populations]).all()
