# SPDX-License-Identifier: Apache-2.0
"""Write a shipped network to its file: ``python -m neuro_control.circuits.write NAME FILE``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from neuro_control.circuits.pursuit import PursuitSettings, arm_tracker
from neuro_control.circuits.target_tracker import TargetTrackerSettings
from neuro_control.network import Network, with_provenance, write_nir


def shipped_arm_tracker() -> Network:
    """The network of the arm demo, with the units of its ports in its metadata."""
    tracker, pursuit = TargetTrackerSettings(), PursuitSettings()
    network = arm_tracker(tracker, pursuit)
    described = replace(
        network,
        metadata={
            "description": "Dynamic neural field that tracks a target in events, and the memory"
            " of smooth pursuit",
            "input_events": "polarity, row, column; one spike for each event",
            "input_velocity": "population code of the camera's angular velocity about x, then y",
            "output_target": "row, column of the field",
            "output_pursuit": "as input_velocity, low-pass filtered",
            "velocity_low_rad_s": -pursuit.top_speed_rad_s,
            "velocity_high_rad_s": pursuit.top_speed_rad_s,
            "velocity_rate_hz": pursuit.rate_hz,
            "settings_tracker": tracker.model_dump_json(),
            "settings_pursuit": pursuit.model_dump_json(),
        },
    )
    return with_provenance(
        described,
        "python -m neuro_control.circuits.write arm_tracker config/networks/arm_tracker.nir",
    )


NETWORKS: dict[str, Callable[[], Network]] = {"arm_tracker": shipped_arm_tracker}


def main(argv: Sequence[str] | None = None) -> int:
    """Write the named network."""
    parser = argparse.ArgumentParser(prog="python -m neuro_control.circuits.write")
    parser.add_argument("name", choices=sorted(NETWORKS), help="which network")
    parser.add_argument("file", type=Path, help="NIR file to write")
    arguments = parser.parse_args(argv)
    write_nir(NETWORKS[arguments.name](), arguments.file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
