# SPDX-License-Identifier: Apache-2.0
"""A network's linear nodes as torch operations, batch first, with trainable weights."""

from __future__ import annotations

from collections.abc import Mapping
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
from neuro_control.network.graph import Node
from neuro_control.network.neurons import NEURONS
from neuro_control.training.parameter_names import parameter_name, with_trained

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
        ValueError: two nodes whose names are the same for torch.
    """

    def __init__(self, network: Network, *, trained: bool = True) -> None:
        super().__init__()
        self._network = network
        self.weights = nn.ParameterDict()
        for name, node in network.nodes.items():
            for field in TRAINED.get(type(node), ()):
                if getattr(node, field) is None:
                    continue
                values = np.array(getattr(node, field), dtype=np.float32)
                if parameter_name(name, field) in self.weights:
                    raise ValueError(
                        f"node {name!r}: torch has no dots in names, and another node is called the"
                        " same without them; rename one"
                    )
                parameter = nn.Parameter(torch.from_numpy(values), requires_grad=trained)
                self.weights[parameter_name(name, field)] = parameter

    def nodes(self) -> dict[str, Node]:
        """Nodes with weights by name, with the weights as they are now.

        Raises:
            ValueError: naming a node whose weights are not finite.
        """
        found: dict[str, Node] = {}
        for name, node in self._network.nodes.items():
            changed: Any = {
                field: self.weights[parameter_name(name, field)].detach().cpu().double().numpy()
                for field in TRAINED.get(type(node), ())
                if parameter_name(name, field) in self.weights
            }
            if changed:
                found[name] = with_trained(name, node, changed)
        return found

    def weight(self, name: str) -> Tensor:
        """The weight of a Linear or Affine, [out, in]."""
        return self.weights[parameter_name(name, "weight")]

    def constants(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What biases bring every population, [size], in the network's units.

        Args:
            batch: zeros [1, size] for every input and population.
        """
        found: dict[str, Tensor | None] = {}
        return {
            name: cast(Tensor, self._into(name, batch, found, 0, constants=True)).flatten()
            for name, node in self._network.nodes.items()
            if isinstance(node, NEURONS)
        }

    def forward(
        self, targets: list[str], sources: Mapping[str, Tensor], ticks: int
    ) -> dict[str, Tensor | None]:
        """What reaches populations over a window, without biases.

        Args:
            targets: names of populations.
            sources: what some inputs and populations send, name -> [batch * ticks, size], a
                sample's ticks one after the other; others send nothing.
            ticks: of the window. A Delay hands on later within it, and loses what leaves it.

        Returns:
            Population -> [batch * ticks, size] in the network's own units, or None where no
            path leads from the sources.
        """
        found: dict[str, Tensor | None] = {}
        return {name: self._into(name, sources, found, ticks) for name in targets}

    def _into(
        self,
        name: str,
        sources: Mapping[str, Tensor],
        found: dict[str, Tensor | None],
        ticks: int,
        constants: bool = False,
    ) -> Tensor | None:
        parts = [
            part
            for source in self._network.sources(name)
            if (part := self._out_of(source, sources, found, ticks, constants)) is not None
        ]
        if isinstance(self._network.nodes[name], NEURONS):
            parts = [part.flatten(1) for part in parts]
        return sum(parts[1:], parts[0]) if parts else None

    def _out_of(
        self,
        name: str,
        sources: Mapping[str, Tensor],
        found: dict[str, Tensor | None],
        ticks: int,
        constants: bool,
    ) -> Tensor | None:
        if name not in found:
            node = self._network.nodes[name]
            if isinstance(node, (Input, *NEURONS)):
                sent = sources.get(name)
                found[name] = (
                    None if sent is None else sent.unflatten(1, self._network.shapes[name])
                )
            else:
                given = self._into(name, sources, found, ticks, constants)
                found[name] = (
                    None if given is None else self._through(name, node, given, ticks, constants)
                )
        return found[name]

    def _through(self, name: str, node: Any, x: Tensor, ticks: int, constants: bool) -> Tensor:
        fields = TRAINED.get(type(node), ())
        own = {f: self.weights[k] for f in fields if (k := parameter_name(name, f)) in self.weights}
        own = {field: values.to(x.dtype) for field, values in own.items()}
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
        if isinstance(node, Delay):
            # A constant is the same at every time.
            return x if constants else _later(x, ticks, node.delay.ravel() / self._network.dt_s)
        return x * own["scale"]


def _later(x: Tensor, ticks: int, delay: np.ndarray) -> Tensor:
    """Every element its own number of ticks later, within the window."""
    shape = x.shape
    flat = x.reshape(-1, ticks, x[0].numel())
    rounded = np.broadcast_to(np.rint(delay).astype(np.int64), flat.shape[2])
    at = torch.arange(ticks)[:, None] - torch.from_numpy(rounded.copy())
    place = at.clamp(min=0).to(x.device).expand(flat.shape)
    return (flat.gather(1, place) * (at >= 0).to(x.device)).reshape(shape)


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
