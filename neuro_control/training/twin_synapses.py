# SPDX-License-Identifier: Apache-2.0
"""A network's linear nodes as torch operations, batch first, with trainable weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from neuro_control.network import (
    Affine,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Delay,
    Flatten,
    Input,
    Linear,
    Network,
    Scale,
    SumPool2d,
)
from neuro_control.network.neurons import NEURONS

TRAINED: Mapping[type, tuple[str, ...]] = {
    Linear: ("weight",),
    Affine: ("weight", "bias"),
    Conv1d: ("weight", "bias"),
    Conv2d: ("weight", "bias"),
    Scale: ("scale",),
}
"""Which fields of a node become parameters."""


class TwinSynapses(nn.Module):
    """The linear part of a network; its parameters are called ``NODE:FIELD`` (dots as ``|``).

    Raises:
        ValueError: naming a node that torch is not taught here.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self.weights = nn.ParameterDict()
        for name, node in network.nodes.items():
            if isinstance(node, Delay):
                raise ValueError(f"node {name!r}: a Delay cannot be trained; take it out")
            for field in TRAINED.get(type(node), ()):
                values = np.array(getattr(node, field), dtype=np.float32)
                if _key(name, field) in self.weights:
                    raise ValueError(
                        f"node {name!r}: torch has no dots in names, and another node is called the"
                        " same without them; rename one"
                    )
                self.weights[_key(name, field)] = nn.Parameter(torch.from_numpy(values))

    def network(self) -> Network:
        """The network with the weights as they are now."""
        nodes = dict(self._network.nodes)
        for name, node in nodes.items():
            fields = TRAINED.get(type(node), ())
            if fields:
                changed: Any = {
                    field: self.weights[_key(name, field)].detach().cpu().double().numpy()
                    for field in fields
                }
                nodes[name] = replace(cast(Any, node), **changed)
        return Network(nodes, self._network.edges, self._network.dt_s, self._network.metadata)

    def snapshot(self) -> list[Tensor]:
        """Copies of the weights, to see later whether they have changed."""
        return [weight.detach().clone() for weight in self.weights.values()]

    def equals(self, snapshot: list[Tensor]) -> bool:
        """Whether the weights are those of a snapshot, by their values.

        Versions would not do: `weight.data` can be written to without a new one.
        """
        pairs = zip(self.weights.values(), snapshot, strict=True)
        return all(a.device == b.device and torch.equal(a, b) for a, b in pairs)

    def forward(
        self, sources: Mapping[str, Tensor], *, constants: bool = False
    ) -> dict[str, Tensor]:
        """What reaches every population.

        Args:
            sources: what inputs and populations send, name -> [batch, size].
            constants: add the biases on the way; without it the map is linear.

        Returns:
            Population -> [batch, size], in the network's own units.
        """
        found: dict[str, Tensor] = {}
        return {
            name: self._into(name, sources, found, constants).flatten(1)
            for name, node in self._network.nodes.items()
            if isinstance(node, NEURONS)
        }

    def _into(
        self, name: str, sources: Mapping[str, Tensor], found: dict[str, Tensor], constants: bool
    ) -> Tensor:
        parts = [
            self._out_of(source, sources, found, constants)
            for source in self._network.sources(name)
        ]
        if isinstance(self._network.nodes[name], NEURONS):
            parts = [part.flatten(1) for part in parts]
        return cast(Tensor, sum(parts[1:], parts[0]))

    def _out_of(
        self, name: str, sources: Mapping[str, Tensor], found: dict[str, Tensor], constants: bool
    ) -> Tensor:
        if name not in found:
            node = self._network.nodes[name]
            if isinstance(node, (Input, *NEURONS)):
                found[name] = sources[name].unflatten(1, self._network.shapes[name])
            else:
                given = self._into(name, sources, found, constants)
                found[name] = self._through(name, node, given, constants)
        return found[name]

    def _through(self, name: str, node: Any, x: Tensor, constants: bool) -> Tensor:
        fields = TRAINED.get(type(node), ())
        own = {field: self.weights[_key(name, field)] for field in fields}
        bias = own.get("bias") if constants else None
        if isinstance(node, (Linear, Affine)):
            return F.linear(x.flatten(1), own["weight"], bias)
        if isinstance(node, (Conv1d, Conv2d)):
            return _convolve(node, x, own["weight"], bias)
        if isinstance(node, (SumPool2d, AvgPool2d)):
            kernel, stride, padding = node.kernel_size, node.stride, node.padding
            # A padding that torch's own pools would refuse is put there beforehand.
            rows, columns = cast(tuple[int, int], padding)
            mean = F.avg_pool2d(F.pad(x, (columns, columns, rows, rows)), kernel, stride)
            height, width = cast(tuple[int, int], kernel)
            return mean * (height * width if isinstance(node, SumPool2d) else 1)
        if isinstance(node, Flatten):
            return x.reshape(len(x), *self._network.shapes[name])
        return x * own["scale"]


def _convolve(node: Conv1d | Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if isinstance(node, Conv1d):
        image, kernel = x.unsqueeze(2), weight.unsqueeze(2)
        return _convolve(node.as_conv2d, image, kernel, bias).squeeze(2)
    padding: Any = node.padding
    if padding == "same":
        (top, left), (down, right) = node.padding_before, cast(tuple[int, int], node.dilation)
        bottom = (node.kernel_size[0] - 1) * down - top
        x = F.pad(x, (left, (node.kernel_size[1] - 1) * right - left, top, bottom))
        padding = 0
    return cast(Tensor, F.conv2d(x, weight, bias, node.stride, padding, node.dilation, node.groups))


def _key(name: str, field: str) -> str:
    return f"{name.replace('.', '|')}:{field}"
