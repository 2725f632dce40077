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

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> SilenceReport:
        """The report that `as_json` has given, read again.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(
                int(said["ticks"]),
                tuple(SourceActivity(**source) for source in said["inputs"]),
                tuple(SourceActivity(**source) for source in said["populations"]),
                tuple(_finding(finding) for finding in said["findings"]),
                tuple(_finding(finding) for finding in said["notes"]),
                {name: tuple(by) for name, by in said["silent_because"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"no report of silence: {type(error).__name__}: {error}") from error


def _finding(said: Mapping[str, Any]) -> Finding:
    return Finding(
        str(said["node"]),
        Cause(said["cause"]),
        str(said["text"]),
        str(said["remedy"]),
        dict(said["figures"]),
        tuple(Cause(name) for name in said["also"]),
    )


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


@dataclass(frozen=True)
class Wiring:
    """Who hears whom, and nothing else of a network.

    ``sources``: population -> the inputs and populations that project to it, in order.
    ``driven``: populations that a bias drives.
    """

    inputs: tuple[str, ...]
    sources: Mapping[str, tuple[str, ...]]
    driven: frozenset[str] = frozenset()

    @classmethod
    def of(cls, network: FixedNetwork) -> Wiring:
        """That of a network."""
        sources = {
            p.name: tuple(
                dict.fromkeys(q.source for q in network.projections if q.target == p.name)
            )
            for p in network.populations
        }
        driven = frozenset(p.name for p in network.populations if (p.bias > 0).any())
        return cls(tuple(network.inputs), sources, driven)

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Wiring:
        """That of what a controller publishes as `network/description`; biases are not in it.

        Raises:
            ValueError: it is no such description.
        """
        try:
            rows = [(str(row["name"]), row["role"]) for row in description["rows"]]
            pairs = [(str(q["from"]), str(q["to"])) for q in description["projections"]]
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"not a network description: {type(error).__name__} {error}"
            ) from error
        sources = {
            name: tuple(dict.fromkeys(source for source, target in pairs if target == name))
            for name, role in rows
            if role != "input"
        }
        return cls(tuple(name for name, role in rows if role == "input"), sources)


def silent_front(wiring: Wiring, alive: Set[str]) -> Front:
    """Where activity dies, from who spiked at all.

    Args:
        wiring: of the network.
        alive: names of the inputs and populations that spiked (or, of those that do not spike,
            moved).
    """
    silent = [name for name in wiring.sources if name not in alive]
    first = {
        name
        for name in silent
        if name in wiring.driven or any(source in alive for source in wiring.sources[name])
    }
    dead_inputs = [name for name in wiring.inputs if name not in alive]
    behind: dict[str, set[str]] = {name: set() for name in silent if name not in first}
    roots = [*dead_inputs, *(name for name in wiring.sources if name in first)]
    for root in roots:
        reached, waiting = {root}, [root]
        while waiting:
            source = waiting.pop()
            for name, by in behind.items():
                if name not in reached and source in wiring.sources[name]:
                    reached.add(name)
                    by.add(root)
                    waiting.append(name)
    return Front(
        tuple(dead_inputs),
        tuple(name for name in wiring.sources if name in first),
        tuple(name for name, by in behind.items() if not by),
        {name: tuple(r for r in roots if r in by) for name, by in behind.items() if by},
    )
