# SPDX-License-Identifier: Apache-2.0
"""Break conditions as they are written at the debugger's prompt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from neuro_control.inspection import BreakCondition, Counted, Fires, Overflows, Reaches, Silent
from neuro_control.network import FixedNetwork
from neuro_control.network_command.debug_views import parse_neurons

BREAK_FORMS = """\
break fires POP[NEURONS]         a neuron of them spikes (any of POP without [..])
break silent POP N               POP has not spiked for N ticks
break count POP N                POP reaches N spikes
break overflow [POP]             a current wraps or a membrane saturates
break membrane POP[NEURONS] X    a membrane is above X times its threshold"""

_WORDS: dict[str, tuple[int, ...]] = {
    "fires": (1,),
    "silent": (2,),
    "count": (2,),
    "overflow": (0, 1),
    "membrane": (2,),
}


def parse_condition(network: FixedNetwork, words: Sequence[str]) -> BreakCondition:
    """The condition that is written in one of the forms above.

    Raises:
        ValueError: it is none of them, or names what the network does not have.
    """
    kind, *rest = words
    if len(rest) not in _WORDS.get(kind, ()):
        raise ValueError(f"break {' '.join(words)}: write one of\n{BREAK_FORMS}")
    if kind == "overflow":
        return Overflows(network.population(rest[0]).name if rest else "")
    population, neurons = parse_neurons(network, rest[0])
    if kind == "fires":
        return Fires(population.name, neurons)
    if kind == "membrane":
        try:
            fraction = float(rest[1])
        except ValueError:
            fraction = math.nan
        if not math.isfinite(fraction):
            raise ValueError(
                f"break membrane: {rest[1]!r} must be a part of the threshold, such as 0.9"
            )
        return Reaches(population.name, neurons, fraction)
    if neurons:
        raise ValueError(f"break {kind} counts a whole population, not {rest[0]}")
    number = number_of(rest[1], None)
    if number < 1:
        raise ValueError(f"break {kind} {rest[0]} {number}: must be at least 1")
    make: Callable[[str, int], BreakCondition] = Silent if kind == "silent" else Counted
    return make(population.name, number)


def number_of(line: str, default: int | None) -> int:
    """A number of ticks; the default where nothing is written, if there is one."""
    if not line.strip() and default is not None:
        return default
    try:
        return int(line)
    except ValueError:
        raise ValueError(f"{line!r} is not a number of ticks") from None
