# SPDX-License-Identifier: Apache-2.0
"""Which nodes make up a robot: the one table that the command and the launch files both read.

Nothing here imports ROS, a simulator or a node, so that a wrong argument is refused in
milliseconds and the table can be read, and tested, anywhere.

    plan = plan_bringup("arm", sim="mujoco")
    for node in plan.nodes:
        print(node.name, node.module, plan.parameters_of(node))
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

SIMULATORS = ("mujoco", "gazebo", "none")
BACKENDS = ("auto", "cpu", "lava", "loihi")
# Entry points of backends that others have installed (docs/backends.md).
BACKEND_GROUP = "neuro_control.backends"
DASHBOARDS = ("false", "true")

# Values that the interface already names and that this release does not have yet.
LATER = MappingProxyType(
    {
        "sim": frozenset({"gazebo"}),
        "backend": frozenset(),
        "dashboard": frozenset(),
    }
)
CHOICES = MappingProxyType({"sim": SIMULATORS, "backend": BACKENDS, "dashboard": DASHBOARDS})


class BringupError(ValueError):
    """A robot or an argument that cannot be brought up; the message says what would be right."""


@dataclass(frozen=True)
class NodeEntry:
    """One node of a robot.

    name: the node's ROS name, and its section in the robot's parameter file.
    module: what to run, as ``python -m MODULE``. settings: ``MODULE:CLASS`` of what it is told.
    parameter_file: what `neuro_control run` reads, below share/.
    lifecycle: whether it is a managed node (configure, activate, ...).
    owns_clock: it publishes /clock, so its own time must not wait for /clock.
    takes_backend: it has the parameter ``backend``.
    remaps: (from, to) topic names, for robots whose drivers use other names than ours.
    """

    name: str
    module: str
    settings: str
    purpose: str
    lifecycle: bool = False
    parameter_file: str = "config/arm.yaml"
    owns_clock: bool = False
    takes_backend: bool = False
    remaps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RobotEntry:
    """A robot: its nodes by what they need, and the parameter file they share.

    real_parameter_file: what differs where the robot is not simulated.
    """

    name: str
    task: str
    parameter_file: str
    real_parameter_file: str
    nodes: tuple[NodeEntry, ...]
    simulators: tuple[tuple[str, tuple[NodeEntry, ...]], ...]


SIMULATOR = NodeEntry(
    name="simulator",
    module="neuro_control.nodes.simulator",
    settings="neuro_control.nodes.simulator_settings:SimulatorNodeSettings",
    purpose="MuJoCo world, motors and event camera: publishes what the hardware would",
    owns_clock=True,
)
CONTROLLER = NodeEntry(
    name="controller",
    module="neuro_control.nodes.controller",
    settings="neuro_control.nodes.controller_settings:ControllerNodeSettings",
    purpose="events in, spiking network, desired trajectory out",
    lifecycle=True,
    takes_backend=True,
)
GUARD = NodeEntry(
    name="guard",
    module="neuro_control.nodes.guard",
    settings="neuro_control.nodes.guard:GuardNodeSettings",
    purpose="lets through only what the robot may do; emergency stop",
    lifecycle=True,
)
REPLAY = NodeEntry(
    name="replay",
    module="neuro_control.nodes.replay",
    settings="neuro_control.nodes.replay_settings:ReplaySettings",
    purpose="plays the events of a recording onto event_camera/events",
)

DASHBOARD = NodeEntry(
    name="dashboard",
    module="neuro_control.dashboard.node",
    settings="neuro_control.dashboard.settings:DashboardSettings",
    parameter_file="config/dashboard.yaml",
    purpose="a page in a browser: senses, network, commands and guard, live",
)

EVENT_CAMERA = NodeEntry(
    name="event_camera",
    module="neuro_control.nodes.event_camera",
    settings="neuro_control.nodes.event_camera:EventCameraNodeSettings",
    parameter_file="config/senses.yaml",
    purpose="pictures in, events out: an event camera where there is an ordinary one",
    lifecycle=True,
)
COCHLEA = NodeEntry(
    name="cochlea",
    module="neuro_control.nodes.cochlea",
    settings="neuro_control.nodes.cochlea:CochleaNodeSettings",
    parameter_file="config/senses.yaml",
    purpose="sound in, events out: a silicon cochlea where there are two microphones",
    lifecycle=True,
)
SKIN = NodeEntry(
    name="skin",
    module="neuro_control.nodes.skin",
    settings="neuro_control.nodes.skin:SkinNodeSettings",
    parameter_file="config/senses.yaml",
    purpose="pressures of taxels in, spikes of afferents out",
    lifecycle=True,
)

ROBOTS = MappingProxyType(
    {
        "arm": RobotEntry(
            name="arm",
            task="track a moving target with the event camera in the hand",
            parameter_file="config/arm.yaml",
            real_parameter_file="config/real_arm.yaml",
            nodes=(CONTROLLER, GUARD),
            simulators=(("mujoco", (SIMULATOR,)), ("none", ())),
        )
    }
)

# Stand-ins for sensors, for any robot.
SENSES = (EVENT_CAMERA, COCHLEA, SKIN)

# Every node that `neuro_control run NODE` knows; the robots' own first.
RUNNABLE = MappingProxyType(
    {n.name: n for n in (SIMULATOR, CONTROLLER, GUARD, REPLAY, DASHBOARD, *SENSES)}
)


@dataclass(frozen=True)
class BringupPlan:
    """What to start, in order: the simulator first, so that its world is up when the rest asks."""

    robot: RobotEntry
    nodes: tuple[NodeEntry, ...]
    sim: str
    backend: str

    @property
    def use_sim_time(self) -> bool:
        """Whether the nodes follow /clock: yes with a simulator, no with real hardware."""
        return self.sim != "none"

    @property
    def parameter_files(self) -> tuple[str, ...]:
        """The robot's files, below share/, later ones over earlier ones."""
        robot = self.robot
        real = (robot.real_parameter_file,) if self.sim == "none" else ()
        return (robot.parameter_file, *real)

    def parameters_of(self, node: NodeEntry) -> dict[str, Any]:
        """Parameters that follow from the arguments and override the parameter files'."""
        parameters: dict[str, Any] = {
            "use_sim_time": self.use_sim_time and not node.owns_clock,
        }
        # "auto" is what nobody has said: a file that names a backend is heard then.
        if node.takes_backend and self.backend != "auto":
            parameters["backend"] = self.backend
        return parameters

    def layers_of(
        self, node: NodeEntry, share: Path, params_file: str = ""
    ) -> tuple[str | dict[str, Any], ...]:
        """A node's parameter files and parameters, as launch takes them: later over earlier.

        share: the folder that holds ``config/``.
        params_file: the user's file, or "". It is laid over the robot's files and never replaces
            them: a real arm stays slow, and waits to be told to move, where it does not say
            otherwise.
        Raises BringupError if the user's file is not there: launch would only warn, and start a
        robot with the limits of another.
        """
        user: tuple[str, ...] = ()
        if params_file:
            path = Path(params_file).expanduser()
            if not path.is_file():
                raise BringupError(f"params_file:={params_file}: there is no such file")
            user = (str(path),)
        ours = dict.fromkeys((node.parameter_file, *self.parameter_files))
        return (*(str(share / file) for file in ours), *user, self.parameters_of(node))


def nearest(word: str, known: tuple[str, ...] | list[str], count: int = 3) -> str:
    """Return ' (did you mean ...?)' with the known words nearest to `word`, or ''."""
    matches = difflib.get_close_matches(word, known, n=count, cutoff=0.5)
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""


def check_argument(name: str, value: str) -> str:
    """Return `value` if argument `name` may take it in this release.

    Raises BringupError: an argument that does not exist, a value it never takes, or one that
    comes in a later release, each with the values that work.
    """
    if name not in CHOICES:
        raise BringupError(
            f"no argument {name!r}{nearest(name, list(CHOICES))}; there are {', '.join(CHOICES)}"
        )
    working = [choice for choice in CHOICES[name] if choice not in LATER[name]]
    if name == "backend":
        working += [point.name for point in entry_points(group=BACKEND_GROUP)]
    if value in LATER[name]:
        raise BringupError(
            f"{name}:={value} comes in a later release; this one has {' and '.join(working)}"
        )
    if value not in working:
        raise BringupError(
            f"{name}:={value} is not known{nearest(value, working)}; "
            f"{name} is one of {', '.join(working)}"
        )
    return value


def plan_bringup(
    robot: str,
    sim: str = "mujoco",
    backend: str = "auto",
    dashboard: str = "false",
    senses: bool = False,
) -> BringupPlan:
    """Say which nodes to start for `robot`, or raise BringupError saying what would be right.

    senses: with the nodes that make events of what its simulated skin and ears send.
    """
    if robot not in ROBOTS:
        raise BringupError(
            f"no robot {robot!r}{nearest(robot, list(ROBOTS))}; there is {', '.join(ROBOTS)}"
        )
    check_argument("sim", sim)
    check_argument("backend", backend)
    check_argument("dashboard", dashboard)
    entry = ROBOTS[robot]
    worlds = dict(entry.simulators)
    if sim not in worlds:
        raise BringupError(f"{robot} has no world in {sim}; it has {', '.join(worlds)}")
    seen = (DASHBOARD,) if dashboard == "true" else ()
    felt = (SKIN, COCHLEA) if senses else ()
    nodes = worlds[sim] + entry.nodes + felt + seen
    return BringupPlan(robot=entry, nodes=nodes, sim=sim, backend=backend)


def runnable(name: str) -> NodeEntry:
    """Return the node that `neuro_control run NAME` starts, or raise BringupError."""
    if name not in RUNNABLE:
        raise BringupError(
            f"no node {name!r}{nearest(name, list(RUNNABLE))}; there are {', '.join(RUNNABLE)}"
        )
    return RUNNABLE[name]
