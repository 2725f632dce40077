# SPDX-License-Identifier: Apache-2.0
"""The room needs neither ROS nor a simulator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import neuro_control.reports

SCRIPT = """
import importlib, pkgutil, sys
import neuro_control.reports as room
for module in pkgutil.iter_modules(room.__path__):
    importlib.import_module(f"{room.__name__}.{module.name}")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_no_module_of_it_imports_ros_or_a_simulator() -> None:
    modules = list(Path(neuro_control.reports.__file__).parent.glob("*.py"))
    assert len(modules) > 5
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "matplotlib" in loaded
    assert not loaded & {"rclpy", "mujoco", "viser", "aiohttp", "event_camera_msgs", "torch"}
