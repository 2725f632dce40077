# SPDX-License-Identifier: Apache-2.0
"""Bring up the arm: simulated in MuJoCo, or the nodes alone beside a real arm's drivers.

    ros2 launch neuro_control arm.launch.py
    ros2 launch neuro_control arm.launch.py sim:=none params_file:=/path/to/my_arm.yaml

Which nodes there are is in neuro_control/bringup.py, which the command `neuro_control` reads too.
"""

import sys

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

from neuro_control.bringup import CHOICES, LATER, NodeEntry, plan_bringup
from neuro_control.robots.description import share_directory

DESCRIPTIONS = {
    "sim": "where the robot is: mujoco, or none for a real arm",
    "backend": "who steps the network; auto: as the parameter files say",
    "dashboard": "show what goes on in a browser",
}
DEFAULTS = {"sim": "mujoco", "backend": "auto", "dashboard": "false"}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes follow from their values."""
    arguments = [
        DeclareLaunchArgument(
            name, default_value=DEFAULTS[name], description=describe_argument(name)
        )
        for name in DEFAULTS
    ]
    return LaunchDescription(
        [
            *arguments,
            DeclareLaunchArgument(
                "params_file", default_value="", description="yours, laid over the robot's own"
            ),
            DeclareLaunchArgument("namespace", default_value="", description="of every node"),
            DeclareLaunchArgument("log_level", default_value="info", description="of every node"),
            OpaqueFunction(function=bring_up),
        ]
    )


def describe_argument(name: str) -> str:
    """What an argument means, what it may be, and what comes later."""
    words = [f"{v} (in a later release)" if v in LATER[name] else v for v in CHOICES[name]]
    return f"{DESCRIPTIONS[name]}; one of {', '.join(words)}"


def end_together(event: ProcessExited, context: LaunchContext) -> list[Shutdown]:
    """A robot without one of its nodes is no robot: what remains is ended too."""
    return [] if context.is_shutdown else [Shutdown(reason=f"{event.process_name} ended")]


def bring_up(context: LaunchContext) -> list[Node]:
    """Start the nodes that the arguments ask for, or refuse with what would be right."""

    def value(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    plan = plan_bringup(
        "arm", sim=value("sim"), backend=value("backend"), dashboard=value("dashboard")
    )
    share, params_file = share_directory(), value("params_file")

    def action(node: NodeEntry) -> Node:
        kind = LifecycleNode if node.lifecycle else Node
        return kind(
            name=node.name,
            exec_name=node.name,
            namespace=value("namespace"),
            # This interpreter has what the launch file could import; lib/neuro_control, where
            # `ros2 run` looks, does not exist in a virtual environment.
            executable=sys.executable,
            arguments=["-m", node.module],
            ros_arguments=["--log-level", value("log_level")],
            parameters=list(plan.layers_of(node, share, params_file)),
            remappings=list(node.remaps),
            output="screen",
            emulate_tty=True,
            on_exit=end_together,
        )

    return [action(node) for node in plan.nodes]
