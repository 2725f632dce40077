# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network why --silent --running`: where the controller's network dies.

The controller publishes its network (`network/description`) and its spikes (`network/spikes`) to
whoever listens; both are listened to for a while, and spikes counted by row. The network's file is
read where it is found here under the name that the controller gives, and if its rows are the
same: then causes that its structure shows are named. Where that does not tell the cause, the
controller is asked for it (`network/profile`): it goes through its last input again, and finds by
what factor weights or thresholds miss.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from neuro_control.events import MonoDecoder, Packet
from neuro_control.inspection import (
    Cause,
    Finding,
    SilenceReport,
    SourceActivity,
    Wiring,
    silent_front,
    why_silent_now,
)
from neuro_control.network import FixedNetwork
from neuro_control.network_command.files import find_integers
from neuro_control.network_command.running_network import running_network
from neuro_control.network_command.silence_text import text
from neuro_control.reports.json_text import json_text
from neuro_control.ros_domain import check_domain

UNEXPLAINED = (Cause.WEIGHTS_MISS, Cause.OUT_OF_REACH)
"""Causes that are found without going through an input again, and so without factors."""


def why_running(arguments: argparse.Namespace) -> int:
    """Listen, and print where activity dies: 0 if it does not, 1 if it does."""
    if not 0 < arguments.seconds <= 3600:
        raise ValueError(f"--seconds {arguments.seconds}: must be above 0 and at most 3600")
    check_domain()
    with running_network() as running:
        description = running.description()
        report, name = seen(arguments.file, description, running.packets(arguments.seconds))
        if any(finding.cause in UNEXPLAINED for finding in report.findings):
            print("the controller is asked for causes, which may take a minute", file=sys.stderr)
            found, why_not = running.causes()
            if found is None:
                print(f"no factors: {why_not}", file=sys.stderr)
            else:
                report = explained(report, found)
                print_unfound(report, found)
    about = f"the running network {name}"
    print(json_text(report.as_json(), indent=2) if arguments.json else text(report, about))
    return 0 if report.healthy else 1


def seen(
    file: str | None, description: Mapping[str, Any], packets: list[Packet]
) -> tuple[SilenceReport, str]:
    """What the spikes, and the network's file if it is here, say; and the network's name."""
    names = [str(row["name"]) for row in description["rows"]]
    unseen = [str(row["name"]) for row in description["rows"] if not row.get("seen", True)]
    spikes = count_spikes(packets, names, unseen)
    ticks = ticks_of(packets, float(description["dt_s"]))
    name = file or str(description.get("file", ""))
    network = load_same(name, description)
    if network is None:
        print(f"network {name!r} is not here: the spikes tell the place only", file=sys.stderr)
        return place(Wiring.from_description(description), ticks, spikes, description), name
    return why_silent_now(network, ticks, spikes), name


def explained(report: SilenceReport, found: SilenceReport) -> SilenceReport:
    """What was seen to be silent, with the causes that the controller has found for it.

    What it takes for no harm becomes a note. What it has found of others is left out: they are
    not silent now.
    """
    causes = {finding.node: finding for finding in (*found.notes, *found.findings)}
    harmless = {note.node for note in found.notes}
    findings = [
        causes.get(finding.node, finding) if finding.cause in UNEXPLAINED else finding
        for finding in report.findings
    ]
    noted = tuple(
        finding
        for finding, before in zip(findings, report.findings, strict=True)
        if before.cause in UNEXPLAINED and finding.node in harmless
    )
    harmless = {finding.node for finding in (*report.notes, *noted)}
    return replace(
        report,
        findings=tuple(finding for finding in findings if finding not in noted),
        notes=(*report.notes, *noted),
        silent_because={
            name: by for name, by in report.silent_because.items() if not harmless.issuperset(by)
        },
    )


def print_unfound(report: SilenceReport, found: SilenceReport) -> None:
    """Tell of whom the controller has found no cause."""
    known = {finding.node for finding in (*found.findings, *found.notes)}
    for finding in report.findings:
        if finding.cause in UNEXPLAINED and finding.node not in known:
            print(
                f"no factors of {finding.node}: stepped from rest on its last input, the network "
                "is not silent there",
                file=sys.stderr,
            )


def load_same(name: str, description: Mapping[str, Any]) -> FixedNetwork | None:
    """The network of that name, if it is here and has the rows that are described."""
    try:
        network = find_integers(name, description.get("dt_s"))
    except (OSError, ValueError):
        return None
    here = [(n, port.size) for n, port in network.inputs.items()]
    here += [(p.name, p.size) for p in network.populations]
    there = [(str(row["name"]), int(row["size"])) for row in description["rows"]]
    return network if here == there else None


def count_spikes(packets: list[Packet], names: list[str], unseen: list[str]) -> dict[str, int]:
    """Spikes of each row that can be seen; every row of a packet is a source."""
    counts = np.zeros(len(names), np.int64)
    for packet in packets:
        payload = np.frombuffer(packet.payload, np.uint8)
        events = MonoDecoder(packet.width, packet.height).decode(payload, packet.time_base_ns)
        counts += np.bincount(events.y, minlength=len(names))[: len(names)]
    found = dict(zip(names, counts.tolist(), strict=True))
    return {name: n for name, n in found.items() if name not in unseen}


def ticks_of(packets: list[Packet], dt_s: float) -> int:
    """Ticks between the first message and the last, by their stamps."""
    if len(packets) < 2:
        return 0
    return round((packets[-1].stamp_ns - packets[0].stamp_ns) / (dt_s * 1e9))


def place(
    wiring: Wiring, ticks: int, spikes: Mapping[str, int], description: Mapping[str, Any]
) -> SilenceReport:
    """Where activity dies by the wiring alone."""
    mute = {str(r["name"]) for r in description["rows"] if r.get("spiking") is False}
    known = {name: n for name, n in spikes.items() if name not in mute}
    every = (*wiring.inputs, *wiring.sources)
    front = silent_front(wiring, {name for name in every if known.get(name, 1)})
    sizes = {str(row["name"]): int(row["size"]) for row in description["rows"]}
    findings = [
        Finding(name, Cause.NO_INPUT, f"input {name} was given no spike") for name in front.inputs
    ]
    findings += [
        Finding(
            name,
            Cause.WEIGHTS_MISS,
            f"{name} is silent although {', '.join(wiring.sources[name])} spikes",
            "its file, for the cause: `network why FILE --silent`",
        )
        for name in front.populations
    ]
    return SilenceReport(
        ticks,
        tuple(SourceActivity(n, sizes[n], known[n], 0) for n in wiring.inputs if n in known),
        tuple(SourceActivity(n, sizes[n], known[n], 0) for n in wiring.sources if n in known),
        tuple(findings),
        (),
        front.behind,
    )
