# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network why [--silent]`: where the activity of a network dies, and why."""

from __future__ import annotations

import argparse

from neuro_control.inspection import Cause, Finding, SilenceReport, find_silence
from neuro_control.network import FixedNetwork, Network, quantize
from neuro_control.network_command.event_spikes import spikes_for
from neuro_control.network_command.files import find_integers, find_network, is_netx
from neuro_control.network_command.silence_text import text
from neuro_control.reports.json_text import json_text


def why(arguments: argparse.Namespace) -> int:
    """Print what was found: 0 if the network is well, 1 if a cause was found."""
    if arguments.running:
        from neuro_control.network_command.running import why_running

        return why_running(arguments)
    if arguments.file is None:
        raise ValueError("FILE is missing: name a network, or ask --running for the controller's")
    network, description, misfit = load(arguments)
    if network is None:
        report = SilenceReport(0, (), (), () if misfit is None else (misfit,))
        about = ""
    else:
        given = spikes_for(arguments, network, check_channels=False)
        about = given.about
        report = find_silence(network, given.indices, given.offsets, description, given.fed)
    print(json_text(report.as_json(), indent=2) if arguments.json else text(report, about))
    return 0 if report.healthy else 1


def load(
    arguments: argparse.Namespace,
) -> tuple[FixedNetwork | None, Network | None, Finding | None]:
    """A network and its description; or, where it does not fit the integers, why."""
    if is_netx(arguments.file):
        return find_integers(arguments.file, arguments.dt_s), None, None
    description = find_network(arguments.file, arguments.dt_s)
    try:
        return quantize(description, arguments.bits), description, None
    except ValueError as error:
        found = Finding(
            arguments.file, Cause.DOES_NOT_FIT, str(error), "what the message says of the node"
        )
        return None, description, found
