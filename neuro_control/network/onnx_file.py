# SPDX-License-Identifier: Apache-2.0
"""One tick of a network as an ONNX graph in whole numbers, with the state as inputs and outputs.

Every ONNX runtime steps it to the same bit as the CPU backend: all values are int64, and ONNX
divides whole numbers towards zero, as `dec` does. The tensors are those of
`neuro_control.backends.RunnerState`, with ``spikes`` (0 or 1 for each input channel) going in and
``output`` (0 or 1 for each output channel) coming out:

    spikes int64[n_inputs], current, membrane, adaptation, refractory int64[n], pending int64[d, n]
    -> output int64[n_outputs], next_current, next_membrane, ... as they went in

Weights are dense: a convolution becomes a matrix.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuro_control.network.fixed_network import FixedNetwork, FixedProjection

OPSET = 17
LARGEST_WEIGHTS = 1 << 26
"""Most weights, zeros included: 512 MiB as int64."""

STATE = ("current", "membrane", "pending", "adaptation", "refractory")


def onnx_package() -> Any:
    """The package `onnx`, or ImportError saying how to get it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("ONNX files need the package onnx: pip install onnx") from error
    return onnx


def write_onnx(network: FixedNetwork, path: str | Path) -> None:
    """Write one tick of a network.

    Args:
        network: in integers, as `quantize` or `read_netx` gives it.
        path: the file to write.

    Raises:
        ImportError: the package onnx is missing.
        ValueError: the dense weights would be more than `LARGEST_WEIGHTS`.
    """
    onnx = onnx_package()
    dense = sum(q.n_source * q.n_target for q in network.projections)
    if dense > LARGEST_WEIGHTS:
        raise ValueError(
            f"{path}: as ONNX the network has {dense} dense weights, and at most {LARGEST_WEIGHTS}"
            " are written; convert a smaller one"
        )
    graph = _Graph(onnx)
    _tick(graph, network)
    n, rows = network.n_neurons, network.longest_delay + 1
    shapes: dict[str, list[int]] = {name: [rows, n] if name == "pending" else [n] for name in STATE}
    integer, tensor = onnx.TensorProto.INT64, onnx.helper.make_tensor_value_info
    n_inputs = sum(port.size for port in network.inputs.values())
    n_outputs = sum(port.size for port in network.outputs.values())
    given = [tensor("spikes", integer, [n_inputs])]
    given += [tensor(name, integer, shape) for name, shape in shapes.items()]
    made = [tensor("output", integer, [n_outputs])]
    made += [tensor(f"next_{name}", integer, shape) for name, shape in shapes.items()]
    whole = onnx.helper.make_graph(graph.nodes, "tick", given, made, graph.constants)
    model = onnx.helper.make_model(
        whole,
        producer_name="neuro_control",
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    for key, value in (
        ("dt_s", network.dt_s),
        ("fingerprint", network.fingerprint()),
        ("inputs", {name: [p.offset, p.size] for name, p in network.inputs.items()}),
        ("outputs", {name: [p.offset, p.size] for name, p in network.outputs.items()}),
        *network.metadata.items(),
    ):
        entry = model.metadata_props.add()
        entry.key, entry.value = str(key), str(value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


class _Graph:
    """Nodes and constants as they are added; every method gives the name of a result."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: ArrayLike) -> str:
        array = np.asarray(values, np.int64)
        name = f"constant_{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        out = out or f"value_{len(self.nodes)}"
        make = self._onnx.helper.make_node
        self.nodes.append(make(operator, list(inputs), [out], **attributes))
        return out

    def part(self, name: str, begin: int, end: int) -> str:
        """Rows begin to end of a tensor."""
        ends = (self.constant([begin]), self.constant([end]))
        return self.add("Slice", name, *ends, self.constant([0]))

    def decay(self, name: str, kept: ArrayLike) -> str:
        """``sign(z) * ((|z| * kept) >> 12)``: a division that rounds towards zero."""
        product = self.add("Mul", name, self.constant(kept))
        return self.add("Div", product, self.constant(4096))

    def number(self, condition: str) -> str:
        return self.add("Cast", condition, to=self._onnx.TensorProto.INT64)

    def wrapped(self, current: str) -> str:
        """Once round where a value leaves 24 bits."""
        turn = self.constant(1 << 24)
        above = self.number(self.add("Greater", current, self.constant(1 << 23)))
        below = self.number(self.add("LessOrEqual", current, self.constant(-(1 << 23))))
        turns = self.add("Sub", below, above)
        return self.add("Add", current, self.add("Mul", turns, turn))


def _tick(graph: _Graph, network: FixedNetwork) -> None:
    populations = network.populations

    def over_all(name: str) -> Any:
        return np.concatenate([np.asarray(getattr(p, name), np.int64) for p in populations])

    threshold = over_all("vth") << 6
    silent = np.concatenate([np.full(p.size, not p.spiking) for p in populations])
    threshold[silent] = 1 << 23  # voltages end below it
    arriving = graph.add("Squeeze", graph.part("pending", 0, 1), graph.constant([0]))
    charge = graph.add("Mul", arriving, graph.constant(64))
    current = graph.add("Add", graph.decay("current", 4095 - over_all("du")), charge)
    current = graph.add("Identity", graph.wrapped(current), out="next_current")

    voltage = graph.add("Add", graph.decay("membrane", 4096 - over_all("dv")), current)
    voltage = graph.add("Add", voltage, graph.constant(over_all("bias")))
    limits = (graph.constant(-(1 << 23) + 1), graph.constant((1 << 23) - 1))
    voltage = graph.add("Clip", voltage, *limits)
    held = graph.add("Greater", "refractory", graph.constant(0))
    free = graph.number(graph.add("Not", held))
    voltage = graph.add("Mul", voltage, free)

    risen = graph.decay("adaptation", 4096 - over_all("threshold_decay"))
    limit = graph.add("Add", graph.constant(threshold), risen)
    fires = graph.number(graph.add("Greater", voltage, limit))
    spikes = graph.add("Mul", fires, free)
    quiet = graph.add("Sub", graph.constant(1), spikes)
    graph.add("Mul", voltage, quiet, out="next_membrane")
    rise = graph.add("Mul", spikes, graph.constant(over_all("threshold_step") << 6))
    graph.add("Min", graph.add("Add", risen, rise), limits[1], out="next_adaptation")
    less = graph.add("Max", graph.add("Sub", "refractory", graph.constant(1)), graph.constant(0))
    waits = graph.add("Mul", spikes, graph.constant(over_all("refractory")))
    graph.add("Add", waits, graph.add("Mul", less, quiet), out="next_refractory")
    _deliver(graph, network, spikes)
    parts = []
    for name in network.outputs:
        shown = network.population(network.output_populations[name])
        parts.append(graph.part(spikes, shown.offset, shown.offset + shown.size))
    parts = parts or [graph.constant(np.zeros(0))]
    graph.add("Concat", *parts, out="output", axis=0)


def _deliver(graph: _Graph, network: FixedNetwork, spikes: str) -> None:
    """What waits moves up by a tick, and this tick's spikes add to it."""
    rows = network.longest_delay + 1
    last = graph.constant(np.zeros((1, network.n_neurons)))
    moved = last
    if rows > 1:
        moved = graph.add("Concat", graph.part("pending", 1, rows), last, axis=0)
    waiting = []
    for delay in range(rows):
        parts = []
        for population in network.populations:
            found = [
                q for q in network.projections if q.target == population.name and q.delay == delay
            ]
            total = graph.constant(np.zeros(population.size))
            for projection in found:
                total = graph.add("Add", total, _input(graph, network, projection, spikes))
            parts.append(total)
        row = graph.add("Concat", *parts, axis=0)
        waiting.append(graph.add("Unsqueeze", row, graph.constant([0])))
    graph.add("Add", moved, graph.add("Concat", *waiting, axis=0), out="next_pending")


def _input(graph: _Graph, network: FixedNetwork, projection: FixedProjection, spikes: str) -> str:
    if projection.source in network.inputs:
        port = network.inputs[projection.source]
        source = graph.part("spikes", port.offset, port.offset + port.size)
    else:
        sender = network.population(projection.source)
        source = graph.part(spikes, sender.offset, sender.offset + sender.size)
    total = graph.add("MatMul", graph.constant(projection.matrix()), source)
    exponent = projection.weight_exponent
    if exponent >= 0:
        return graph.add("Mul", total, graph.constant(1 << exponent))
    # A shift to the right rounds down, a division towards zero: take the remainder off first.
    step = graph.constant(1 << -exponent)
    return graph.add("Div", graph.add("Sub", total, graph.add("Mod", total, step)), step)
