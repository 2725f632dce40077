# SPDX-License-Identifier: Apache-2.0
"""Compile ahead what the demo needs, so that its first start moves as soon as every other.

    python -m neuro_control.warm

A few steps of the closed loop, without ROS, go through everything that numba compiles; the
result is cached beside the sources (or in NUMBA_CACHE_DIR).
"""

from __future__ import annotations

import time

import numpy as np

from neuro_control.control.arm import ArmController, ArmControllerSettings, JointSample
from neuro_control.events import decoder, encode_mono
from neuro_control.robots.description import arm_urdf
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings
from neuro_control.sim.joint_commands import TrajectoryPoint

FRAMES = 5


def warm() -> float:
    """Run the loop for a few frames; return how long it took [s]."""
    start = time.perf_counter()
    simulation = ArmSimulation(arm_urdf(), ArmSimulationSettings(renderer="rays"))
    controller = ArmController(ArmControllerSettings(), simulation.arm)
    for _ in range(FRAMES):
        frame = simulation.advance()
        payload, base_ns = encode_mono(frame.events)
        width, height = frame.events.width, frame.events.height
        events = decoder("mono", width, height).decode(payload, base_ns)
        joints = JointSample(frame.t_ns, frame.q, frame.qd)
        command = controller.step(events, joints, frame.t_ns)
        point = TrajectoryPoint(simulation.settings.camera_period_us * 1000, command.q, command.qd)
        simulation.set_trajectory([point], frame.t_ns)
    decoder("evt3", width, height).decode(np.zeros(8, np.uint8))
    simulation.close()
    return time.perf_counter() - start


if __name__ == "__main__":
    print(f"compiled code is ready ({warm():.0f} s)")
