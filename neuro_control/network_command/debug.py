# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network debug`: step through a network at a prompt, or by a script."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys

from neuro_control.inspection import Debugger, Units
from neuro_control.network import quantize
from neuro_control.network_command.debug_prompt import DebugPrompt
from neuro_control.network_command.event_spikes import spikes_for
from neuro_control.network_command.files import find_integers, find_network, is_netx


def debug(arguments: argparse.Namespace) -> int:
    """Debug it: 0 in the end, 2 where a script asks for what cannot be."""
    if is_netx(arguments.file):
        network, description = find_integers(arguments.file, arguments.dt_s), None
    else:
        description = find_network(arguments.file, arguments.dt_s)
        network = quantize(description, arguments.bits)
    given = spikes_for(arguments, network)
    debugger = Debugger(network, given.indices, given.offsets)
    units = Units.of(network, description)
    populations = ", ".join(f"{p.name} ({p.size:,})" for p in network.populations)
    print(f"{debugger.ticks} ticks of {given.about}\npopulations: {populations}")
    script = _script(arguments)
    if script is None:
        # Line editing and history, where Python was built with them.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        prompt = DebugPrompt(debugger, units)
        try:
            prompt.cmdloop()
        except KeyboardInterrupt:
            print()
        return 0
    prompt = DebugPrompt(debugger, units, stdin=script, interactive=False)
    prompt.cmdloop()
    return 2 if prompt.failed else 0


def _script(arguments: argparse.Namespace) -> io.StringIO | None:
    """The commands that were given: --commands, or what is piped in; None for a person."""
    if arguments.commands is not None:
        return io.StringIO(arguments.commands.replace(";", "\n") + "\n")
    if sys.stdin is None or sys.stdin.isatty():
        return None
    return io.StringIO(sys.stdin.read())
