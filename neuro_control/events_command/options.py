# SPDX-License-Identifier: Apache-2.0
"""What `neuro_control events` can be asked. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import sys

EXAMPLES = """\
examples:
  neuro_control events info recording.raw
      kind, size, duration, events by polarity, rate, busiest pixels, what could not be used
  neuro_control events convert recording.raw recording.mcap
      .raw (EVT 3.0; --encoding evt2; with external triggers), .npz, .h5, .mcap, .db3
  neuro_control events render recording.aedat4 picture.png --start 1.5 --duration 0.02
  neuro_control events render recording.dat film.gif --duration 2
      ON orange, OFF blue; a film has a picture every --frame seconds
  neuro_control events play recording.raw
      publish it on event_camera/events as a camera would
  neuro_control events recover cut.mcap whole.mcap
      what is whole of a recording whose recorder was killed, of all its topics

FILE is Prophesee RAW or DAT, AEDAT 1, 2, 3.1 or 4, N-MNIST .bin, ST-MNIST .mat, HDF5, .npz, or a
rosbag2 recording.
"""


def add_events(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand `events` and its own."""
    events = commands.add_parser(
        "events",
        help="look at a file of events, convert it, draw it, play it, recover it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = events.add_subparsers(dest="action", metavar="ACTION", required=True)
    info = actions.add_parser("info", help="what is in it")
    info.add_argument("--json", action="store_true", help="print it as JSON")
    convert = actions.add_parser("convert", help="write it in another form")
    render = actions.add_parser("render", help="draw a picture or a film of it")
    play = actions.add_parser("play", help="publish it as a camera would")
    for action in (info, convert, render, play):
        action.add_argument("file", metavar="FILE", help="what to read")
        action.add_argument("--topic", help="of a recording that has several")
        action.add_argument("--layout", default="", help="of AEDAT addresses: dvs128, nas, ...")
        action.add_argument("--width", type=int, help="columns, where the file does not say it")
        action.add_argument("--height", type=int, help="rows, where the file does not say it")
    recover = actions.add_parser("recover", help="what is whole of a recording that was cut off")
    recover.add_argument("file", metavar="FILE", help="the .mcap file that was cut off")
    recover.add_argument("out", metavar="OUT", help="the .mcap file to write")
    convert.add_argument("out", metavar="OUT", help="what to write: .raw .npz .h5 .mcap .db3")
    convert.add_argument("--encoding", help="evt3 or evt2 (.raw); mono, evt3 or evt2 (recordings)")
    render.add_argument("out", metavar="OUT", help="picture .png, or film .gif")
    render.add_argument("--start", type=float, default=0.0, help="s after the first event (0)")
    render.add_argument("--duration", type=float, help="s (0.02 of a picture, all of a film)")
    render.add_argument("--frame", type=float, default=0.02, help="s a picture of a film (0.02)")
    play.add_argument("--rate", type=float, default=1.0, help="speed (1)")


def events_command(arguments: argparse.Namespace) -> int:
    """Carry it out; return the exit code: 2 and one line for input that cannot be."""
    from neuro_control.events_command import convert, info, play, recover, render

    actions = {
        "info": info.info,
        "convert": convert.convert,
        "render": render.render,
        "play": play.play,
        "recover": recover.recover,
    }
    try:
        return actions[arguments.action](arguments)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
