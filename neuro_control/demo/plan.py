# SPDX-License-Identifier: Apache-2.0
"""From what the user asks to what is started: commands and the parameter file they share."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuro_control.bringup import COCHLEA, DASHBOARD, SKIN, BringupPlan, NodeEntry, plan_bringup
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.parameters import (
    Parameters,
    override,
    read_parameter_file,
    write_parameter_file,
)

# Nodes that are not always started.
STARTED_WITH = {
    SKIN.name: "--senses",
    COCHLEA.name: "--senses",
    DASHBOARD.name: "a page (without --headless, or with --dashboard)",
}
# Simulated time beyond what was asked for, so that its last sample is not the last one sent.
MARGIN_S = 0.1
# Real-time factor until every node hears the others (see start_gate): a picture in 100 ms.
CRAWL_FACTOR = 0.02
# The monitor may fall behind by this many samples of the target without losing one.
TARGET_DEPTH = 100_000


@dataclass(frozen=True)
class DemoPlan:
    """What to start, and with which parameters.

    parameters: of every node, as its parameter file will say.
    real_time_factor: of the simulation once every node hears the others.
    """

    options: DemoOptions
    bringup: BringupPlan
    parameters: Parameters
    real_time_factor: float

    @property
    def field_of_view_deg(self) -> float:
        """Angle of view of the simulated camera."""
        return float(self.parameters["simulator"]["world.field_of_view_deg"])

    @property
    def lockstep(self) -> bool:
        """Whether simulated time waits for the controller."""
        return bool(self.parameters["simulator"]["lockstep"])

    @property
    def camera_period_ns(self) -> int:
        """Simulated time between two pictures; the first one is taken then."""
        return int(self.parameters["simulator"]["camera_period_us"]) * 1000

    @property
    def truth_period_ns(self) -> int:
        """Simulated time between two samples of the target: a whole number of pictures."""
        simulator = self.parameters["simulator"]
        camera_ns = self.camera_period_ns
        if self.lockstep:
            return camera_ns
        wanted_ns = round(float(simulator["truth_period_s"]) * 1e9)
        return max(1, -(-wanted_ns // camera_ns)) * camera_ns

    def commands(self, folder: Path) -> dict[str, list[str]]:
        """Write the parameter file into `folder`; return each node's command by its name."""
        path = folder / "parameters.yaml"
        write_parameter_file(path, self.parameters)
        return {node.name: node_command(node, path) for node in self.bringup.nodes}


def node_command(node: NodeEntry, parameter_file: Path) -> list[str]:
    """The command that runs a node with a parameter file."""
    remaps = [word for pair in node.remaps for word in ("-r", f"{pair[0]}:={pair[1]}")]
    return [
        sys.executable,
        "-m",
        node.module,
        "--ros-args",
        "--params-file",
        str(parameter_file),
        *remaps,
    ]


def plan_demo(options: DemoOptions) -> DemoPlan:
    """Say what to start for a demo.

    Raises BringupError or ParameterFileError on what cannot be, before anything has started.
    """
    bringup = plan_bringup(
        options.robot,
        sim="mujoco",
        backend=options.backend,
        dashboard="true" if options.dashboard else "false",
        senses=options.senses,
    )
    wanted = {name: dict(values) for name, values in parameters_of_files(bringup).items()}
    for name, values in _own_parameters(options).items():
        if name in wanted:
            wanted[name].update(values)
    for node in bringup.nodes:
        if node.takes_backend:
            wanted[node.name]["backend"] = options.backend
    parameters = override(wanted, options.overrides, STARTED_WITH)
    for node in bringup.nodes:
        parameters[node.name]["use_sim_time"] = bringup.parameters_of(node)["use_sim_time"]
    depth = "qos_overrides./simulation/target.publisher.depth"
    parameters["simulator"][depth] = TARGET_DEPTH
    factor = float(parameters["simulator"]["real_time_factor"])
    if not parameters["simulator"]["lockstep"]:
        parameters["simulator"]["real_time_factor"] = CRAWL_FACTOR
    else:
        parameters["guard"]["autostart"] = False  # the demo starts it (see start_gate)
    return DemoPlan(options, bringup, parameters, factor)


def parameters_of_files(bringup: BringupPlan) -> Parameters:
    """What the parameter files say of every node: the robot's, else the node's own."""
    from neuro_control.robots.description import share_directory

    known = read_parameter_file(share_directory() / bringup.robot.parameter_file)
    for node in bringup.nodes:
        if node.name not in known:
            own = read_parameter_file(share_directory() / node.parameter_file)
            known[node.name] = own[node.name]
    return known


def _own_parameters(options: DemoOptions) -> Parameters:
    """Parameters that follow from the options; `--set` can override them all."""
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    viewer = not options.headless and bool(desktop)
    simulator: dict[str, Any] = {
        "seed": options.seed,
        "seconds": options.seconds + MARGIN_S,
        "lockstep": options.lockstep,
        "viewer": viewer,
        "senses.touch": options.senses,
        "senses.sound": options.senses,
    }
    if options.lockstep and not viewer and not options.dashboard:
        simulator["real_time_factor"] = 0.0  # nobody watches: as fast as it goes
    return {
        "simulator": simulator,
        "controller": {"lockstep": options.lockstep},
        "guard": {},
        "dashboard": {"open_browser": viewer},
    }
