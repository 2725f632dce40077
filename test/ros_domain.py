# SPDX-License-Identifier: Apache-2.0
"""The ROS domain of this test process: claimed as demos claim theirs, so that none hears another.

To be imported before rclpy, which reads the environment once.
"""

from __future__ import annotations

import atexit
import os

from neuro_control.demo.domain import DomainClaim

CLAIM = DomainClaim()
"""Held until this process ends."""
atexit.register(CLAIM.close)

os.environ["ROS_DOMAIN_ID"] = str(CLAIM.domain)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
