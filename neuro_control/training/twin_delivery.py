# SPDX-License-Identifier: Apache-2.0
"""How spikes become what arrives at populations, in a twin's exact integers or in float.

A path that is one matrix is one product with the integers' weights, whose gradient also reaches
the float weights (straight-through). Any other path (convolutions, pools, delays) is computed
twice: in integers for its value and by torch's own operations for its gradient. All ticks of a
window go through each operation at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from neuro_control.network import FixedProjection, Network, QuantizedNetwork
from neuro_control.network.neurons import NEURONS
from neuro_control.training.twin_order import Path, one_matrix, paths_into
from neuro_control.training.twin_populations import TwinPopulation, straight_through
from neuro_control.training.twin_synapses import TwinSynapses

DENSE_SHARE = 0.1
"""Share of pairs that are joined from which on a projection is multiplied as a dense matrix."""
SINGLE = 1 << 24
"""Whole numbers below this are exact in float32."""


class Delivery:
    """Delivers spikes of inputs and populations to populations.

    Args:
        network: the graph.
        synapses: its linear nodes in torch.
        exact: integers, or float.
        longest_delay: ticks of the longest Delay.
    """

    def __init__(
        self, network: Network, synapses: TwinSynapses, *, exact: bool, longest_delay: int
    ) -> None:
        self._network, self._synapses, self._exact = network, synapses, exact
        self._paths = {
            name: paths_into(network, name)
            for name, node in network.nodes.items()
            if isinstance(node, NEURONS)
        }
        self._longest = longest_delay
        self._projections: dict[str, list[tuple[FixedProjection, Tensor]]] = {}
        self._populations: Mapping[str, TwinPopulation] = {}
        self._effective: dict[tuple[str, Path], Tensor] = {}

    def load(self, fixed: QuantizedNetwork, device: torch.device) -> None:
        """Take the integers of a network."""
        self._projections = {name: [] for name in self._paths}
        for projection in fixed.projections:
            matrix = _matrix(projection).to(device)
            self._projections[projection.target].append((projection, matrix))

    @contextmanager
    def forward_pass(self, populations: Mapping[str, TwinPopulation]) -> Iterator[None]:
        """A forward pass with these numbers; what is derived from parameters lasts no longer.

        It belongs to the graph of that pass, which would be kept alive, and no module that holds
        some of a graph can be copied.
        """
        self._populations = populations
        try:
            yield
        finally:
            self._populations, self._effective = {}, {}

    def window(
        self,
        names: list[str],
        signals: Mapping[str, Tensor],
        pending: Mapping[str, Tensor],
        ticks: int,
    ) -> dict[str, Tensor]:
        """What arrives at populations in each tick, [batch, ticks + longest delay + 1, size].

        Args:
            names: populations.
            signals: spikes of sources over the window, [batch, ticks, size]; other sources are
                left to `from_sources`.
            pending: what was on its way before.
            ticks: of the window.
        """
        given = self.from_sources(names, signals)
        found = {}
        for name in names:
            own = pending[name]
            arriving = own.to(torch.float32 if self._populations[name].single else torch.float64)
            later = arriving.new_zeros(len(own), ticks, own.shape[2])
            arriving = torch.cat([arriving, later], dim=1)
            if name in given:
                first = torch.zeros_like(given[name][:, :1])
                arriving = arriving + torch.cat([first, given[name]], dim=1)
            found[name] = arriving
        return found

    def from_sources(self, names: list[str], signals: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What sources add to what arrives from the next tick on, [batch, time + delay, size].

        Only populations that a path leads to from one of the sources have an entry.
        """
        found, general = {}, []
        for name in names:
            paths = [path for path in self._paths[name] if path.source in signals]
            if not paths:
                continue
            if all(one_matrix(self._network, path) for path in paths):
                found[name] = self._through_matrices(name, paths, signals)
            else:
                general.append(name)
        return found | self._through_nodes(general, signals)

    def _through_matrices(
        self, name: str, paths: list[Path], signals: Mapping[str, Tensor]
    ) -> Tensor:
        total: Tensor | None = None
        population = self._populations[name]
        for path in paths:
            x = signals[path.source]
            x = x if population.single else x.double()
            part = x @ self._weight(name, path).T.to(x.dtype)
            exponent = self._projection(name, path)[0].weight_exponent if self._exact else 0
            if exponent < 0:
                part = part * 2.0**exponent
                part = straight_through(part.floor(), part)
            total = part if total is None else total + part
        assert total is not None
        if self._longest:
            rest = total.new_zeros(len(total), self._longest, total.shape[2])
            total = torch.cat([total, rest], dim=1)
        return total

    def _weight(self, name: str, path: Path) -> Tensor:
        """The weights that spikes are multiplied with, [target, source]."""
        key = (name, path)
        if key not in self._effective:
            population = self._populations[name]
            node = one_matrix(self._network, path)
            smooth = self._synapses.weight(str(node)) * population.gain[:, None]
            if self._exact:
                projection, matrix = self._projection(name, path)
                # What a negative exponent shifts is the sum.
                up = 2.0 ** max(projection.weight_exponent, 0)
                smooth = smooth * 2.0 ** -min(projection.weight_exponent, 0)
                smooth = straight_through(matrix.to_dense() * up, smooth)
            self._effective[key] = smooth if not population.single else smooth.float()
        return self._effective[key]

    def _projection(self, name: str, path: Path) -> tuple[FixedProjection, Tensor]:
        label = " -> ".join((path.source, *path.via, name))
        return next(pair for pair in self._projections[name] if pair[0].name == label)

    def _through_nodes(self, names: list[str], signals: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if not names:
            return {}
        padded = {
            name: torch.nn.functional.pad(x, (0, 0, 0, self._longest)) if self._longest else x
            for name, x in signals.items()
        }
        batch, ticks = next(iter(padded.values())).shape[:2]
        flat = {name: x.flatten(0, 1) for name, x in padded.items()}
        smooth: dict[str, Tensor] = {}
        if not self._exact or torch.is_grad_enabled():
            for name, given in self._synapses(names, flat, ticks).items():
                if given is not None:
                    gain = self._populations[name].gain
                    smooth[name] = (given.double() * gain).unflatten(0, (batch, ticks))
        if not self._exact:
            return {name: x.float() for name, x in smooth.items()}
        found = {}
        for name in names:
            value = self._integers(name, padded)
            found[name] = value
            if name in smooth:
                found[name] = straight_through(value, smooth[name].to(value.dtype))
        return found

    @torch.no_grad()
    def _integers(self, name: str, signals: Mapping[str, Tensor]) -> Tensor:
        """What arrives in integers, [batch, time, size]; the window ends before spikes do."""
        single = self._populations[name].single
        kind = torch.float32 if single else torch.float64
        batch, ticks = next(iter(signals.values())).shape[:2]
        size = self._populations[name].numbers.shape[1]
        total = torch.zeros(
            batch, ticks, size, dtype=kind, device=self._populations[name].gain.device
        )
        for projection, matrix in self._projections[name]:
            if projection.source not in signals:
                continue
            x = signals[projection.source].detach().to(kind).flatten(0, 1)
            part = (matrix.to(kind) @ x.T).T.unflatten(0, (batch, ticks))
            part = (part * 2.0**projection.weight_exponent).floor()
            delay = projection.delay
            total[:, delay:] += part[:, : ticks - delay]
        return total


def _matrix(projection: FixedProjection) -> Tensor:
    """The integer weights, float32 [target, source]; sparse where few pairs are joined."""
    size = (projection.n_target, projection.n_source)
    if len(projection.weight) >= DENSE_SHARE * size[0] * size[1]:
        return torch.from_numpy(projection.matrix().astype("float32"))
    counts = torch.from_numpy(projection.row_start.copy()).diff()
    source = torch.arange(projection.n_source).repeat_interleave(counts)
    target = torch.from_numpy(projection.target_index.astype("int64"))
    weight = torch.from_numpy(projection.weight.astype("float32"))
    place = torch.stack([target, source])
    return torch.sparse_coo_tensor(place, weight, size, check_invariants=True).coalesce()
