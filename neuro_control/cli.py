# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control`. Whatever is heavy is imported by the subcommand that needs it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from neuro_control import __version__
from neuro_control.backend_command.options import add_backend, backend_command
from neuro_control.bringup import RUNNABLE, BringupError, runnable
from neuro_control.demo.arguments import add_demo, add_replay, demo_command, replay_command
from neuro_control.events_command.options import add_events, events_command
from neuro_control.network_command.options import add_network, network_command
from neuro_control.ros_domain import check_domain

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

RUN_EXAMPLES = """\
examples:
  neuro_control run simulator
  neuro_control run controller --ros-args -p autostart:=false
  neuro_control run guard --ros-args --params-file my_arm.yaml

Parameters come from config/arm.yaml (senses: config/senses.yaml) unless --params-file names
another file.
"""


class Parser(argparse.ArgumentParser):
    """The parser of the command and of each subcommand.

    What it does not know is refused with its own usage, where argparse gives that of the whole
    command. Without a word it shows which subcommands there are.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """See argparse; there is nothing left over."""
        words = list(sys.argv[1:] if args is None else args)
        if not words and any(isinstance(a, argparse._SubParsersAction) for a in self._actions):
            self.print_help(sys.stderr)
            self.exit(2)
        found, rest = super().parse_known_args(words, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser: argparse.ArgumentParser = Parser(
        prog="neuro_control",
        description="Run a robot on spikes: event sensors in, a spiking network in the loop, "
        "joint commands out.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"neuro_control {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add_demo(commands)
    _add_run(commands)
    add_replay(commands)
    add_network(commands)
    add_events(commands)
    add_backend(commands)
    doctor = commands.add_parser("doctor", help="say what is missing and what mends it")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


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
    rest = run.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on: --ros-args ...")
    rest.required = False  # there may be none, and argparse would ask for them with the node


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    _replace_what_cannot_be_written()
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser().parse_args(words)
    arguments.words = ("neuro_control", *words)
    try:
        if arguments.command == "demo":
            return demo_command(arguments)
        if arguments.command == "run":
            return _run(arguments)
        if arguments.command == "replay":
            return replay_command(arguments)
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


def _replace_what_cannot_be_written() -> None:
    """Where the terminal's encoding has no ° or –, write a ? and go on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and _may_raise(stream):
            stream.reconfigure(errors="replace")


def _may_raise(stream: io.TextIOWrapper) -> bool:
    # In the locale C errors are "surrogateescape", which writes the bytes of any file's name, and
    # stays for them where the encoding has all else.
    if stream.errors != "surrogateescape":
        return stream.errors == "strict"
    try:
        "°–…µ".encode(stream.encoding)
    except UnicodeEncodeError:
        return True
    return False


def _run(arguments: argparse.Namespace) -> int:
    import importlib

    node = runnable(arguments.node)
    check_domain()
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


if __name__ == "__main__":
    sys.exit(main())
