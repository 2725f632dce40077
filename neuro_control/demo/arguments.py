# SPDX-License-Identifier: Apache-2.0
"""What `neuro_control demo` and `replay` can be asked. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from neuro_control.bringup import BACKENDS, ROBOTS, BringupError, check_argument
from neuro_control.ros_domain import check_domain

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


def add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand `demo`."""
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
    demo.add_argument(
        "--bag",
        type=Path,
        metavar="FILE.mcap|FOLDER",
        help="record the topics, as one file or as the folder of a rosbag2",
    )
    _add_set(demo, "a parameter")


def add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand `replay`."""
    replay = commands.add_parser(
        "replay",
        help="play recorded events through the nodes, or decode them offline",
        epilog=REPLAY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("bag", type=Path, metavar="BAG", help="rosbag2 folder, .db3 or .mcap file")
    replay.add_argument("--offline", action="store_true", help="no ROS: as fast as it goes")
    replay.add_argument("--topic", help="which topic, if several have events")
    replay.add_argument("--rate", type=float, help="speed (default: 1)")
    replay.add_argument("--report", type=Path, metavar="FILE.json", help="write the figures")
    replay.add_argument(
        "--dashboard", action="store_true", help="with the page in a browser, and its time slider"
    )
    replay.add_argument(
        "--stay", action="store_true", help="wait at the end for replay/seek (with --dashboard too)"
    )
    _add_set(replay, "a parameter of replay, controller, guard or dashboard")


def _add_set(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="NODE.PARAMETER=VALUE",
        help=f"change {what} (may be given again)",
    )


def demo_command(arguments: argparse.Namespace) -> int:
    """Carry it out; return the exit code."""
    from neuro_control.demo.options import DemoOptions

    check_argument("backend", arguments.backend)
    check_domain()
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


def replay_command(arguments: argparse.Namespace) -> int:
    """Carry it out; return the exit code."""
    if arguments.report is not None:
        from neuro_control.reports.files import check_output

        try:
            check_output("--report", arguments.report, (".json",))
        except ValueError as error:
            raise BringupError(str(error)) from error
    if arguments.offline:
        if arguments.overrides:
            raise BringupError("--set changes parameters of nodes, and --offline starts none")
        given = {
            "--rate": arguments.rate is not None,
            "--stay": arguments.stay,
            "--dashboard": arguments.dashboard,
        }
        option = next((option for option, is_given in given.items() if is_given), None)
        if option is not None:
            raise BringupError(
                f"{option} is for nodes, and --offline starts none; leave one of the two out"
            )
        from neuro_control.demo.offline import replay_offline

        return replay_offline(arguments.bag, arguments.topic, arguments.report)
    check_domain()
    from neuro_control.demo.replay import replay_online

    return replay_online(
        arguments.bag,
        arguments.topic,
        1.0 if arguments.rate is None else arguments.rate,
        arguments.report,
        stay=arguments.stay or arguments.dashboard,
        dashboard=arguments.dashboard,
        overrides=tuple(arguments.overrides),
    )
