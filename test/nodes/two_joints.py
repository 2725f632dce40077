# SPDX-License-Identifier: Apache-2.0
"""The smallest arm that the tests of controller and guard need."""

from __future__ import annotations

import numpy as np

URDF = """<robot name="two"><link name="base_link"/><link name="a"/><link name="tip"/>
<joint name="j1" type="revolute"><parent link="base_link"/><child link="a"/><axis xyz="0 0 1"/>
<limit lower="-1" upper="1" velocity="2" effort="10"/></joint>
<joint name="j2" type="revolute"><parent link="a"/><child link="tip"/><axis xyz="0 1 0"/>
<limit lower="-1" upper="1" velocity="2" effort="10"/></joint></robot>"""
NAMES = ["j1", "j2"]
HERE = np.array([0.1, 0.2])
ARM = {"robot_description": URDF, "tip_link": "tip"}
"""Parameters by which a node is one of this arm."""
