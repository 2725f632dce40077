# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control`. Whatever is heavy is imported by the subcommand that needs it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from neuro_control import __version__
from neuro_control.backend_command.options import add_backend, backend_command
from neuro_control.bringup import (
    BACKENDS,
    ROBOTS,
    RUNNABLE,
    BringupError,
    check_argument,
    runnable,
)
from neuro_control.events_command.options import add_events, events_command
from neuro_control.network_command.options import add_network, network_command

EXAMPLES = """\
start here:
  neuro_control doctor                      what is installed, what is missing, what mends it
  neuro_control demo arm                    a simulated arm follows a moving target, 30 s,
                                            with a page in the browser
  neuro_control demo arm --headless --report out.html --film out.mp4

try things:
  neuro_control demo arm --set simulator.target.kind=jump --seconds 10
  neuro_control demo arm --lockstep --seed 3 --headless --report seed3.json
  neuro_control replay recording.mcap --offline

look into a network:
  neuro_control network show arm_tracker.nir

see who can step a network, on a chip or its model:
  neuro_control backend list

look into a file of events:
  neuro_control events info recording.raw

run a node by itself:
  neuro_control run guard --ros-args -p max_jump_rad:=0.2

`neuro_control COMMAND --help` tells more of each.
"""

DEMO_EXAMPLES = """\
examples:
  neuro_control demo arm --seconds 60 --seed 4
      another path of the target, for a minute; Ctrl-C ends it sooner and still reports
  neuro_control demo arm --headless --report out.html --report out.json --bag out.mcap
      no window; the report as a page and as JSON, and a recording of every topic
  neuro_control demo arm --headless --picture out.png --film out.mp4
      one picture, and a film of scene, events and the network's spikes (or a .gif)
  neuro_control demo arm --set simulator.target.kind=random_walk --set controller.gaze_gain=10
      other parameters; config/ has them all: arm.yaml, senses.yaml, dashboard.yaml
  neuro_control demo arm --lockstep --headless --report out.json
      simulated time waits for the controller: the same figures every time, on any machine

While it runs, `ROS_DOMAIN_ID=N neuro_control demo arm` lets your own nodes (same N) listen in.
"""

RUN_EXAMPLES = """\
examples:
  neuro_control run simulator
  neuro_control run controller --ros-args -p autostart:=false
  neuro_control run guard --ros-args --params-file my_arm.yaml

Parameters come from config/arm.yaml (senses: config/senses.yaml) unless --params-file names
another file.
"""

REPLAY_EXAMPLES = """\
examples:
  neuro_control replay recording.db3 --offline --report out.json
      decode as fast as it goes: events, losses, errors, and where the tracker sees activity
  neuro_control replay recording.mcap --rate 0.5
      through the real nodes, at half speed
  neuro_control replay recording.mcap --dashboard --set dashboard.port=9000
      with the page, and its time slider

Exit code 2: the recording cannot be read, or has no event packets.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="neuro_control",
        description="Run a robot on spikes: event sensors in, a spiking network in the loop, "
        "joint commands out.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"neuro_control {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_run(commands)
    _add_replay(commands)
    add_network(commands)
    add_events(commands)
    add_backend(commands)
    doctor = commands.add_parser("doctor", help="say what is missing and what mends it")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="start a simulated robot, watch it, report",
        description="Start a simulated robot's nodes, watch them, and report with figures.",
        epilog=DEMO_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    robots = ", ".join(f"{name} ({robot.task})" for name, robot in ROBOTS.items())
    demo.add_argument("robot", choices=list(ROBOTS), help=robots)
    demo.add_argument("--seconds", type=float, default=30.0, help="simulated time (default: 30)")
    demo.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    demo.add_argument(
        "--headless", action="store_true", help="no window, even on a desktop, and no page"
    )
    demo.add_argument(
        "--dashboard",
        action=argparse.BooleanOptionalAction,
        help="the page in a browser; its address is printed (default: unless --headless)",
    )
    demo.add_argument(
        "--lockstep",
        action="store_true",
        help="simulated time advances only when the controller has answered: reproducible figures",
    )
    demo.add_argument(
        "--backend",
        default="auto",
        metavar="|".join(BACKENDS),
        help="who steps the network (`neuro_control backend list`: installed ones too)",
    )
    demo.add_argument(
        "--senses", action="store_true", help="with skin and ears beside the eye: skin, cochlea"
    )
    demo.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        dest="reports",
        metavar="FILE.html|FILE.json",
        help="write figures with plots and versions as a page, or the figures alone (may be given "
        "again)",
    )
    demo.add_argument("--picture", type=Path, metavar="FILE.png", help="draw the run (.svg, .pdf)")
    demo.add_argument(
        "--film",
        type=Path,
        metavar="FILE.mp4|FILE.gif",
        help="film the run: scene, events and spikes side by side",
    )
    demo.add_argument("--bag", type=Path, metavar="FILE.mcap", help="record the topics")
    demo.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="NODE.PARAMETER=VALUE",
        help="change a parameter (may be given again)",
    )


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="run one node",
        description="Run one node in this process:\n"
        + "".join(f"  {node.name:<14}{node.purpose}\n" for node in RUNNABLE.values()),
        epilog=RUN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("node", metavar="NODE", help=", ".join(RUNNABLE))
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on: --ros-args ...")


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replay = commands.add_parser(
        "replay",
        help="play recorded events through the nodes, or decode them offline",
        epilog=REPLAY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("bag", type=Path, metavar="BAG", help="rosbag2 folder, .db3 or .mcap file")
    replay.add_argument("--offline", action="store_true", help="no ROS: as fast as it goes")
    replay.add_argument("--topic", help="which topic, if several have events")
    replay.add_argument("--rate", type=float, default=1.0, help="speed (default: 1)")
    replay.add_argument("--report", type=Path, metavar="FILE.json", help="write the figures")
    replay.add_argument(
        "--dashboard", action="store_true", help="with the page in a browser, and its time slider"
    )
    replay.add_argument(
        "--stay", action="store_true", help="wait at the end for replay/seek (with --dashboard too)"
    )
    replay.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="NODE.PARAMETER=VALUE",
        help="change a parameter of replay, controller, guard or dashboard (may be given again)",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser().parse_args(words)
    arguments.words = ("neuro_control", *words)
    try:
        if arguments.command == "demo":
            return _demo(arguments)
        if arguments.command == "run":
            return _run(arguments)
        if arguments.command == "replay":
            return _replay(arguments)
        if arguments.command == "network":
            return network_command(arguments)
        if arguments.command == "backend":
            return backend_command(arguments)
        if arguments.command == "events":
            return events_command(arguments)
        from neuro_control import doctor

        return doctor.main(["--json"] if arguments.json else [])
    except BringupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _demo(arguments: argparse.Namespace) -> int:
    from neuro_control.demo.options import DemoOptions

    check_argument("backend", arguments.backend)
    try:
        options = DemoOptions(
            robot=arguments.robot,
            seconds=arguments.seconds,
            seed=arguments.seed,
            headless=arguments.headless,
            dashboard=not arguments.headless
            if arguments.dashboard is None
            else arguments.dashboard,
            lockstep=arguments.lockstep,
            backend=arguments.backend,
            senses=arguments.senses,
            reports=tuple(arguments.reports),
            film=arguments.film,
            command=arguments.words,
            picture=arguments.picture,
            bag=arguments.bag,
            overrides=tuple(arguments.overrides),
        )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    from neuro_control.demo.run import run_demo

    return run_demo(options)


def _run(arguments: argparse.Namespace) -> int:
    import importlib

    node = runnable(arguments.node)
    words = list(arguments.arguments)
    if "--params-file" not in words:
        words = with_default_parameters(words, node.parameter_file)
    # The index of installed packages, where a virtual environment and not a ROS set-up has it.
    os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    # Nodes read the command line as rclpy gives it: the program's name first.
    program = [node.name, *words]
    return int(importlib.import_module(node.module).main(program))


def with_default_parameters(words: list[str], file: str = "config/arm.yaml") -> list[str]:
    """Put a parameter file of ours before all other parameters of a node's arguments."""
    from neuro_control.robots.description import share_directory

    path = str(share_directory() / file)
    at = words.index("--ros-args") if "--ros-args" in words else len(words)
    return [*words[:at], "--ros-args", "--params-file", path, *words[at + 1 :]]


def _replay(arguments: argparse.Namespace) -> int:
    if arguments.offline:
        from neuro_control.demo.offline import replay_offline

        if arguments.overrides:
            raise BringupError("--set changes parameters of nodes, and --offline starts none")
        return replay_offline(arguments.bag, arguments.topic, arguments.report)
    from neuro_control.demo.replay import replay_online

    return replay_online(
        arguments.bag,
        arguments.topic,
        arguments.rate,
        arguments.report,
        stay=arguments.stay or arguments.dashboard,
        dashboard=arguments.dashboard,
        overrides=tuple(arguments.overrides),
    )


if __name__ == "__main__":
    sys.exit(main())
