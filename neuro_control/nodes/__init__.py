# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes: thin shells of parameters, topics and lifecycle around the core.

`python -m neuro_control.nodes.NAME` runs one: simulator, controller, guard, replay, event_camera,
cochlea, skin or recorder.
"""

from __future__ import annotations

import os

# The control path does many small products; threads in the linear algebra only add waiting (a
# p99 of milliseconds). It is read when numpy is loaded, so it is set before any node imports it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
