# SPDX-License-Identifier: Apache-2.0
"""What `neuro_control network` can be asked. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLES = """\
examples:
  neuro_control network show arm_tracker.nir
      nodes, sizes, metadata, and what Loihi's integers lose of it
  neuro_control network run arm_tracker.nir --rate-hz 5 --ticks 1000 --picture raster.png
      random input; spikes by population, and a raster
  neuro_control network run my_network.nir --input spikes.npz --output out.npz
  neuro_control network run my_network.nir --rate-hz 50 --cost
      footprint, sparsity, operations as NeuroBench counts them; energy, estimated from them
  neuro_control network bench my_network.nir
  neuro_control network quantize my_network.nir --bits 4
      what 4 bits lose, and how rates change against the float equations
  neuro_control network convert my_network.nir my_network.net
      for lava-dl (netx); its files become NIR the same way
  neuro_control network convert theirs.nir ours.nir --dialect norse --dt-s 0.001
      a file of Norse, sinabs or Rockpool that steps as it does there
  neuro_control network convert my_network.nir my_network.onnx
      one tick in whole numbers, with its state, for any ONNX runtime
  neuro_control network compare my_network.nir my_network.net
      whether the two spike the same, and where they part
  neuro_control network debug my_network.nir --input spikes.npz
      tick by tick, forwards and back; `help` at its prompt. --commands "break fires out; run"
  neuro_control network why my_network.nir --silent --bag recording.mcap
      where activity dies, and by what factor weights or thresholds miss (0: nothing is wrong,
      1: a cause was found, 2: it could not be asked); --running asks the controller that runs
  neuro_control network profile my_network.nir --picture profile.png
      time, spikes and synaptic operations by node

FILE is a NIR file, a netx file (.net, .netx, .h5, .hdf5; not for quantize), or the
name of a network that comes with the package. --dt-s gives the time step
where the file does not say it.

Spikes in .npz: `tick` int64[n], ascending, `channel` int32[n], and `ticks`, how many there are. A
channel counts over all inputs of the network in order (`show` lists them). --output has the same
for every population, as NAME.tick and NAME.channel, channels counting within the population.
"""


def add_network(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand `network` and its own."""
    network = commands.add_parser(
        "network",
        help="look at a network file, run it, time it, convert it, compare two",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = network.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="nodes, sizes, metadata, loss in Loihi's integers")
    show.add_argument("--json", action="store_true", help="print it as JSON")
    run = actions.add_parser("run", help="step it over given or random spikes")
    run.add_argument("--output", type=Path, metavar="OUT.npz", help="write all spikes")
    run.add_argument("--picture", type=Path, metavar="OUT.png", help="draw a raster (.svg, .pdf)")
    run.add_argument(
        "--cost",
        action="store_true",
        help="NeuroBench's figures, and estimates of energy with their sources",
    )
    bench = actions.add_parser("bench", help="time of a step on this machine")
    bench.add_argument("--activity", type=float, default=0.05, help="of its inputs (default: 0.05)")
    bench.add_argument("--seed", type=int, default=0, help="of the input (default: 0)")
    convert = actions.add_parser("convert", help="write it as NIR, as ONNX, or for lava-dl (netx)")
    quantize = actions.add_parser("quantize", help="loss in the integers, and change of rates")
    compare = actions.add_parser("compare", help="whether two networks spike the same")
    debug = actions.add_parser("debug", help="step through it tick by tick, forwards and back")
    debug.add_argument("--commands", metavar="TEXT", help="instead of a prompt; split by ;")
    why = actions.add_parser("why", help="where its activity dies, and what would mend it")
    why.add_argument(
        "--silent",
        action="store_true",
        help="why it is silent: the one question so far, and so what is asked without it",
    )
    why.add_argument("--json", action="store_true", help="print it as JSON")
    why.add_argument("--running", action="store_true", help="ask the controller that runs")
    why.add_argument("--seconds", type=float, default=2.0, help="--running: how long to look (2)")
    profile = actions.add_parser("profile", help="time, spikes and operations by node")
    profile.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures")
    profile.add_argument("--picture", type=Path, metavar="OUT.png", help="draw them (.svg, .pdf)")
    inspections = (debug, why, profile)
    for action in inspections:
        action.add_argument(
            "--bag",
            type=Path,
            metavar="BAG",
            help="events into its first input of shape (2, rows, columns): a rosbag2 recording or "
            "another file of events; at most --ticks, from the first event on",
        )
        action.add_argument("--topic", help="of the recording, if several have events")
    for action in (run, quantize, compare, *inspections):
        action.add_argument("--input", type=Path, metavar="SPIKES.npz", help="spikes of its inputs")
        action.add_argument("--rate-hz", type=float, help="of random input (10)")
        action.add_argument("--ticks", type=int, help="of random input (1000)")
        action.add_argument("--seed", type=int, help="of random input (0)")
    for action in (show, run, bench, convert, quantize, compare, debug, profile):
        action.add_argument(
            "file", metavar="FILE", help="NIR or netx file, or a shipped network's name"
        )
    why.add_argument("file", metavar="FILE", nargs="?", help="as above; not for --running")
    convert.add_argument("out", metavar="OUT", help="what to write, .nir, .onnx or .net")
    convert.add_argument(
        "--dialect",
        default="nir",
        help="what wrote FILE, if its numbers mean something else than NIR's equations: norse, "
        "sinabs, rockpool, snntorch (default: nir)",
    )
    compare.add_argument("other", metavar="OTHER", help="the network to compare it with")
    for action in (show, run, bench, convert, quantize, compare, *inspections):
        action.add_argument("--dt-s", type=float, help="time step; the file's own by default")
        action.add_argument("--bits", type=int, default=8, help="of a weight (default: 8)")


def network_command(arguments: argparse.Namespace) -> int:
    """Carry it out; return the exit code: 2 and one line for input that cannot be."""
    from neuro_control.network_command import (
        bench,
        compare,
        convert,
        debug,
        profile,
        run,
        show,
        why,
    )
    from neuro_control.network_command.arguments import checked

    actions = {
        "show": show.show,
        "run": run.run,
        "bench": bench.bench,
        "convert": convert.convert,
        "quantize": convert.quantize_file,
        "compare": compare.compare,
        "debug": debug.debug,
        "why": why.why,
        "profile": profile.profile_network,
    }
    try:
        return actions[arguments.action](checked(arguments))
    except MemoryError as error:
        print(f"error: it needs more memory than there is: {error}", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
