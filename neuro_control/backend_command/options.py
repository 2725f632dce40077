# SPDX-License-Identifier: Apache-2.0
"""What `neuro_control backend` can be asked. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLES = """\
examples:
  neuro_control backend list
      what can step a network on this machine, and what the rest lacks
  neuro_control backend setup lava
      an environment of its own for Lava, below ~/.cache/neuro_control
  neuro_control backend check lava
      step shipped and random networks there and here; every spike and membrane must be equal
  neuro_control backend check lava --networks 500 --ticks 1000 --jobs 2
      the whole of it: dense, recurrent, delayed, convolutional, all sign modes
  neuro_control backend check loihi --networks 500 --ticks 1000 --report board.json
      for owners of a board

Exit code of check: 0 equal, 1 not equal or failed, 2 it cannot be had, 130 interrupted.
"""


def add_backend(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand `backend` and its own."""
    backend = commands.add_parser(
        "backend",
        help="set up what steps the network, prove that it spikes as the engine does",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = backend.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="what there is on this machine")
    setup = actions.add_parser("setup", help="make the environment of a backend")
    setup.add_argument("name", choices=("lava",))
    setup.add_argument("--python", default="", help="3.10, 3.11 or 3.12 (default: the first found)")
    setup.add_argument("--folder", type=Path, help="where (default: below ~/.cache/neuro_control)")
    check = actions.add_parser("check", help="compare a backend with the engine")
    check.add_argument("name", choices=("lava", "loihi"))
    check.add_argument("--python", default="", help="an interpreter that has Lava")
    check.add_argument("--networks", type=int, default=20, help="random ones (default: 20)")
    check.add_argument("--ticks", type=int, default=200, help="of each (default: 200)")
    check.add_argument("--seed", type=int, default=0, help="of the first random one (default: 0)")
    check.add_argument("--jobs", type=int, default=1, help="networks at a time (default: 1)")
    check.add_argument("--report", type=Path, metavar="FILE.json", help="write what was found")
    for name, what in (
        ("host", "address of a Loihi host on the network"),
        ("partition", "partition of slurm"),
        ("board", "board, a node of slurm"),
        ("generation", "of the chip: N3B3, N3C1, ..."),
    ):
        check.add_argument(f"--{name}", default="", help=what)
    check.add_argument(
        "--no-probes", action="store_true", help="on a board, do not measure power and time"
    )


def backend_command(arguments: argparse.Namespace) -> int:
    """Carry it out; return the exit code."""
    from neuro_control.backend_command import check, listing, setup

    actions = {"list": listing.listing, "setup": setup.setup, "check": check.check}
    try:
        return actions[arguments.action](arguments)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
