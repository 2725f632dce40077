# SPDX-License-Identifier: Apache-2.0
"""Robots as data: descriptions, joint limits and kinematics, all read from the URDF."""

from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf, share_directory
from neuro_control.robots.urdf import Joint, JointLimits, Link, UrdfModel, parse_urdf

__all__ = [
    "ArmModel",
    "Joint",
    "JointLimits",
    "Link",
    "UrdfModel",
    "arm_urdf",
    "parse_urdf",
    "share_directory",
]
