# SPDX-License-Identifier: Apache-2.0
"""`neuro_control backend check`: every spike and voltage of a backend against the engine's."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from neuro_control import __version__
from neuro_control.backends.parity import compare_with_engine, random_network
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.registry import lava_python
from neuro_control.backends.worker_process import RefusedError, worker_command
from neuro_control.network import FixedNetwork, quantize, read_nir
from neuro_control.robots.description import share_directory

SHIPPED_ACTIVITY = 0.01
RANDOM_ACTIVITY = 0.3


def check(arguments: argparse.Namespace) -> int:
    """Compare, print a line for each network, and write the report."""
    for name, least in (("networks", 0), ("ticks", 1)):
        if getattr(arguments, name) < least:
            raise ValueError(f"--{name} must be at least {least}, not {getattr(arguments, name)}")
    command = worker_command(lava_python(arguments.python), arguments.name)
    options = {name: getattr(arguments, name) for name in ("host", "partition", "board")}
    rows: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    for name, network, activity in networks(arguments.networks, arguments.seed):
        try:
            runner = ProcessRunner(network, command, arguments.name, options)
        except RefusedError as error:
            rows.append({"network": name, "refused": str(error)})
            print(f"{name:<24} refused: {error}")
            continue
        try:
            found = compare_with_engine(
                runner, network, arguments.ticks, seed=arguments.seed, activity=activity
            )
            about = dict(runner.process.hello.fields)
            row = {"network": name, **asdict(found), "measured": dict(runner.measurements())}
        finally:
            runner.close()
        rows.append(row)
        print(
            f"{name:<24} {found.ticks} ticks, {found.spikes} spikes, "
            f"{found.spikes_differing} differ; {found.states} states, "
            f"{found.values_differing} values differ; {found.tick_ms:.2f} ms a tick",
            flush=True,
        )
    compared = [row for row in rows if "refused" not in row]
    wrong = [row for row in compared if row["spikes_differing"] or row["values_differing"]]
    print(
        f"{arguments.name}: {len(compared) - len(wrong)} of {len(rows)} networks equal, "
        f"{len(wrong)} not, {len(rows) - len(compared)} refused"
    )
    if arguments.report:
        report = {
            "backend": arguments.name,
            "neuro_control": __version__,
            "machine": platform.platform(),
            "worker": about,
            "networks": rows,
        }
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if compared and not wrong else 1


def networks(random: int, seed: int) -> Iterator[tuple[str, FixedNetwork, float]]:
    """The shipped networks, then random ones: name, network, activity of its input."""
    for path in sorted((share_directory() / "config" / "networks").glob("*.nir")):
        yield path.name, quantize(read_nir(path)), SHIPPED_ACTIVITY
    for number in range(seed, seed + random):
        yield f"random {number}", random_network(number), RANDOM_ACTIVITY
