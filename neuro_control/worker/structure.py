# SPDX-License-Identifier: Apache-2.0
"""What Lava asks of a network's structure."""

from __future__ import annotations

import numpy as np

from .protocol import RefusalError
from .wire_network import WireNetwork, WirePopulation, WireProjection


def place(population: WirePopulation) -> slice:
    """Where a population lies among all neurons."""
    return slice(population.offset, population.offset + len(population.du))


def one_of_each(population: WirePopulation) -> bool:
    """Whether all neurons have the same decays and threshold."""
    return all(
        (array == array[0]).all() for array in (population.du, population.dv, population.vth)
    )


def strays(network: WireNetwork) -> list[str]:
    """A population of each part of the network that no path, of any direction, ties to an input."""
    links = [(q.source, q.target) for q in network.projections if len(q.weight)]
    reached, found = set(network.inputs), []

    def spread() -> None:
        grown = True
        while grown:
            grown = False
            for source, target in links:
                if (source in reached) != (target in reached):
                    reached.update((source, target))
                    grown = True

    spread()
    for population in network.populations:
        if population.name not in reached:
            found.append(population.name)
            reached.add(population.name)
            spread()
    return found


def nothing(network: WireNetwork, target: str, n_inputs: int) -> WireProjection:
    """A projection from all inputs to a population, without a synapse."""
    none, size = np.zeros(0, np.int32), len(network.population(target).du)
    return WireProjection("", target, size, np.zeros(n_inputs + 1, np.int64), none, none, 0, 8, 0)


def check(network: WireNetwork, on_chip: bool) -> list[str]:
    """Remarks on a network that Lava can step; RefusalError naming what it cannot."""
    notes = []
    if not network.populations:
        raise RefusalError("the network has no population")
    for population in network.populations:
        where = f"population {population.name!r}"
        if population.refractory:
            raise RefusalError(f"{where}: Lava's fixed-point LIF has no refractory time")
        if population.adaptive:
            raise RefusalError(f"{where}: Lava's fixed-point LIF has no adaptive threshold")
        if on_chip and not one_of_each(population):
            raise RefusalError(
                f"{where}: its neurons differ in decays or threshold; on the chip a LIF of Lava "
                "has one of each. Split it into populations of equal neurons"
            )
        if not population.spiking:
            notes.append(
                f"{where} does not spike here; in Lava it would, and be reset, above a voltage of "
                f"{131071 << 6}"
            )
    return notes
