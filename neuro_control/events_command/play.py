# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events play`: publish a file's events as a camera would."""

from __future__ import annotations

import argparse
import os
import sys

from neuro_control.events_command.files import opened
from neuro_control.nodes.replay_settings import LARGEST_RATE, LEAST_RATE
from neuro_control.ros_domain import check_domain


def play(arguments: argparse.Namespace) -> int:
    """Run the replay node on it until it ends."""
    if not LEAST_RATE <= arguments.rate <= LARGEST_RATE:
        raise ValueError(
            f"--rate is {arguments.rate:g}; it must be {LEAST_RATE:g} to {LARGEST_RATE:g}"
        )
    check_domain()
    opened(arguments)  # what cannot be read is said before ROS starts
    os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    from neuro_control.nodes import replay

    said = {
        "path": arguments.file,
        "topic": arguments.topic or "",
        "layout": arguments.layout,
        "width": arguments.width or 0,
        "height": arguments.height or 0,
        "rate": float(arguments.rate),
    }
    words = [word for name, value in said.items() for word in ("-p", f"{name}:={value!r}")]
    return replay.main(["replay", "--ros-args", *words])
