# SPDX-License-Identifier: Apache-2.0
"""Neurons that are chosen to be looked at, as people write them."""

from __future__ import annotations

from dataclasses import dataclass

MOST_PROBES = 32
"""Neurons whose membranes can be watched at once: each population of theirs is copied a tick."""


@dataclass(frozen=True)
class Probe:
    """A neuron whose membrane is watched: its number in a population."""

    population: str
    neuron: int

    def __str__(self) -> str:
        return f"{self.population}:{self.neuron}"


def parse_probes(text: str) -> tuple[Probe, ...]:
    """Probes written as "field:528, retina:10"; none for an empty text.

    Raises:
        ValueError: a part is not of the form population:neuron, or comes twice.
    """
    probes: list[Probe] = []
    for part in (word.strip() for word in text.split(",")):
        if not part:
            continue
        population, _, number = part.rpartition(":")
        if not (population and number.isdecimal()):
            raise ValueError(f"{part!r} is not of the form population:neuron, as in field:528")
        probe = Probe(population, int(number))
        if probe in probes:
            raise ValueError(f"{probe} is chosen twice")
        probes.append(probe)
    return tuple(probes)
