# SPDX-License-Identifier: Apache-2.0
"""In which order a twin steps populations, and over how many ticks at once.

A population outside every cycle is stepped over a whole window at once, after those that it hears.
Populations of one cycle wait for each other's spikes and are stepped together, tick by tick.
"""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.network import Affine, Flatten, Linear, Network
from neuro_control.network.neurons import NEURONS
from neuro_control.network.synapses import Input


@dataclass(frozen=True)
class Path:
    """Linear nodes from a source to a population, in order."""

    source: str
    via: tuple[str, ...]


@dataclass(frozen=True)
class Component:
    """Populations that are stepped together; ``recurrent`` where their spikes come back."""

    names: tuple[str, ...]
    recurrent: bool


def paths_into(network: Network, name: str) -> list[Path]:
    """Every path of linear nodes that ends in a population."""
    found = []
    for source in network.sources(name):
        if isinstance(network.nodes[source], (Input, *NEURONS)):
            found.append(Path(source, ()))
        else:
            found += [Path(p.source, (*p.via, source)) for p in paths_into(network, source)]
    return found


def one_matrix(network: Network, path: Path) -> str | None:
    """The Linear or Affine that alone makes up a path, through Flatten at most; else None."""
    found = [name for name in path.via if not isinstance(network.nodes[name], Flatten)]
    if len(found) == 1 and isinstance(network.nodes[found[0]], (Linear, Affine)):
        return found[0]
    return None


def components(hears: dict[str, set[str]]) -> list[Component]:
    """Strongly connected populations, sources first (Tarjan, SIAM J. Comput. 1, 1972).

    Args:
        hears: population -> the populations with a path into it.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[Component] = []
    # A list of (population, what it still has to visit) in place of recursion.
    for root, heard in hears.items():
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        work = [(root, iter(sorted(heard)))]
        while work:
            name, rest = work[-1]
            for source in rest:
                if source not in index:
                    index[source] = low[source] = len(index)
                    stack.append(source)
                    work.append((source, iter(sorted(hears[source]))))
                    break
                if source in stack:
                    low[name] = min(low[name], index[source])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    place = stack.index(name)
                    members, stack[place:] = tuple(stack[place:]), []
                    found.append(Component(members, len(members) > 1 or name in hears[name]))
    return found
