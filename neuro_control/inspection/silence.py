# SPDX-License-Identifier: Apache-2.0
"""Where the activity of a network dies, and why.

Activity dies in the first population on a path from an input that does not spike although what
comes before it does; what follows is silent because of it. A population without spikes (an
integrator) is silent when its membrane never leaves 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from neuro_control.network import FixedNetwork


class Cause(str, Enum):
    """Why a population is silent, or what else is wrong with a network; the value is its name."""

    DOES_NOT_FIT = "does not fit the integers"
    INPUT_DOES_NOT_FIT = "input does not fit"
    NO_INPUT = "no input"
    INPUT_NOT_CONNECTED = "input not connected"
    NO_PATH = "no path from an input"
    NO_SYNAPSES = "no synapses"
    ROUNDED_TO_ZERO = "weights rounded to zero"
    DEAD_KERNELS = "dead kernels"
    WRONG_CHANNELS = "active channels have no synapses"
    TOO_LATE = "arrives after the end"
    ONLY_INHIBITION = "only inhibition"
    CURRENT_WRAPS = "current wraps"
    NEGATIVE_BIAS = "negative bias"
    INHIBITED = "inhibition outweighs"
    REFRACTORY = "sources refractory"
    QUANTIZATION = "lost in quantisation"
    SMALL_SCALE = "scale too small"
    DECAY = "decay too fast"
    OUT_OF_REACH = "threshold out of reach"
    WEIGHTS_MISS = "weights miss the threshold"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        node: the population, input or node of the description.
        cause: what.
        text: a sentence with the figures.
        remedy: what would mend it.
        figures: what the text says, by name, for programs.
        also: other causes that hold; mending one of them alone would bring a spike as well.
    """

    node: str
    cause: Cause
    text: str
    remedy: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class SourceActivity:
    """What an input or a population did: spikes, those of its channels that were active."""

    name: str
    size: int
    spikes: int
    active: int
    first_tick: int | None = None


@dataclass(frozen=True)
class SilenceReport:
    """What was found; nothing in ``findings`` for a network that is well.

    ``notes`` are of silent populations that only inhibit and are no output: nothing dies of their
    silence, which may be what they are for (a gain control in the dark). ``silent_because`` says
    of each silent population behind a finding which nodes silence it.
    """

    ticks: int
    inputs: tuple[SourceActivity, ...]
    populations: tuple[SourceActivity, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...] = ()
    silent_because: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The same for `json.dumps`."""
        found = dataclasses.asdict(self)
        for finding in (*found["findings"], *found["notes"]):
            finding["cause"] = finding["cause"].value
            finding["also"] = [cause.value for cause in finding["also"]]
        return found | {"healthy": self.healthy}


@dataclass(frozen=True)
class Front:
    """Where activity dies.

    Attributes:
        inputs: those that nothing is given to.
        populations: the first silent ones on their paths.
        cut_off: silent ones that no input reaches.
        behind: silent ones behind those -> the nodes above that silence them.
    """

    inputs: tuple[str, ...]
    populations: tuple[str, ...]
    cut_off: tuple[str, ...]
    behind: Mapping[str, tuple[str, ...]]


def only_inhibits(network: FixedNetwork, name: str) -> bool:
    """Whether a population can only silence others: it is no output, and excites nobody."""
    leaving = [q for q in network.projections if q.source == name and q.target != name]
    shown = name in network.output_populations.values()
    return bool(leaving) and not shown and not any((q.weight > 0).any() for q in leaving)


def silent_front(network: FixedNetwork, alive: Set[str]) -> Front:
    """Where activity dies, from who spiked at all.

    Args:
        network: the network.
        alive: names of the inputs and populations that spiked (or, of those that do not spike,
            moved).
    """
    names = [population.name for population in network.populations]
    sources = {
        name: list(dict.fromkeys(q.source for q in network.projections if q.target == name))
        for name in names
    }
    silent = [name for name in names if name not in alive]
    first = [name for name in silent if any(source in alive for source in sources[name])]
    biased = {p.name for p in network.populations if (p.bias > 0).any()}
    first += [name for name in silent if name in biased and name not in first]
    dead_inputs = [name for name in network.inputs if name not in alive]
    behind: dict[str, set[str]] = {name: set() for name in silent if name not in first}
    roots = [*dead_inputs, *first]
    for root in roots:
        reached, waiting = {root}, [root]
        while waiting:
            source = waiting.pop()
            for name, by in behind.items():
                if name not in reached and source in sources[name]:
                    reached.add(name)
                    by.add(root)
                    waiting.append(name)
    return Front(
        tuple(dead_inputs),
        tuple(name for name in names if name in first),
        tuple(name for name in behind if not behind[name]),
        {name: tuple(r for r in roots if r in by) for name, by in behind.items() if by},
    )
