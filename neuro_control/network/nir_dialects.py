# SPDX-License-Identifier: Apache-2.0
"""What frameworks mean by the numbers that they write to NIR files.

NIR describes continuous time, and exporters differ in how they get there from the steps that they
compute. Read with its dialect, a file steps as the framework does; every rule here was read off the
exporter of the version that is named and is tested against that framework's own output. snnTorch
(1.0.0) needs none: its files mean what `neuro_control.network.neurons` says. The version is in no
file, so that the reader has to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from neuro_control.network.graph import Network, Node
from neuro_control.network.neurons import LI, LIF, CubaLIF, FloatArray


def as_meant(network: Network, dialect: str) -> Network:
    """A network whose steps are those of the framework that wrote it.

    Args:
        network: as NIR's own equations give it.
        dialect: one of `DIALECTS`.

    Raises:
        ValueError: an unknown dialect.
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect {dialect!r} must be one of {', '.join(DIALECTS)}")
    change = DIALECTS[dialect]
    nodes = {name: change(node, network.dt_s) for name, node in network.nodes.items()}
    return Network(nodes, network.edges, network.dt_s, network.metadata)


def _as_it_is(node: Any, _: float) -> Node:
    found: Node = node
    return found


def _norse(node: Any, dt_s: float) -> Node:
    """Norse 1.1.0: times are written times dt; a spike of weight W adds W to a CubaLIF's current.

    A time that is not below the time step is taken as it is: Norse writes so with ``dt=1``.
    """
    changed: dict[str, Any] = {
        field: np.where(times < dt_s, times / dt_s, times)
        for field in ("tau", "tau_mem", "tau_syn")
        if (times := getattr(node, field, None)) is not None
    }
    if isinstance(node, CubaLIF):
        changed["w_in"] = node.w_in * changed["tau_syn"] / dt_s
    return replace(node, **changed) if changed else _as_it_is(node, dt_s)


def _sinabs(node: Any, dt_s: float) -> Node:
    """Sinabs 3.1.3: times are in ticks, and decays exp(-1 / tau).

    ``norm_input`` is not in the file: it is taken as sinabs has it by default, on for a LIF and off
    for an ExpLeak (LI).
    """
    if not isinstance(node, (LIF, LI)):
        return _as_it_is(node, dt_s)
    ticks = _euler(node.tau, 1.0)
    return replace(node, tau=ticks * dt_s, r=node.r * (ticks if isinstance(node, LI) else 1.0))


def _rockpool(node: Any, dt_s: float) -> Node:
    """Rockpool 3.1.0: decays exp(-dt / tau), a current that is decayed once as it arrives.

    Its neurons subtract their threshold where these are reset to rest: from a neuron's first spike
    on they differ.
    """
    if isinstance(node, CubaLIF):
        synapse, membrane = _euler(node.tau_syn, dt_s), _euler(node.tau_mem, dt_s)
        gain = np.exp(-dt_s / node.tau_syn)
        return replace(
            node,
            tau_syn=synapse,
            tau_mem=membrane,
            r=membrane / dt_s,
            w_in=node.w_in * gain * synapse / dt_s,
        )
    if isinstance(node, LIF):
        tau = _euler(node.tau, dt_s)
        return replace(node, tau=tau, r=tau / dt_s)
    if isinstance(node, LI):
        tau = _euler(node.tau, dt_s)
        return replace(node, tau=tau, r=np.exp(-dt_s / node.tau) * tau / dt_s)
    return _as_it_is(node, dt_s)


def _euler(tau: FloatArray, dt_s: float) -> FloatArray:
    """The time constant whose Euler step keeps exp(-dt / tau)."""
    return np.asarray(dt_s / -np.expm1(-dt_s / tau), np.float64)


DIALECTS: Mapping[str, Callable[[Any, float], Node]] = {
    "nir": _as_it_is,
    "snntorch": _as_it_is,
    "norse": _norse,
    "sinabs": _sinabs,
    "rockpool": _rockpool,
}
"""By the name of the framework; ``nir`` takes the numbers as NIR's equations do."""
