# SPDX-License-Identifier: Apache-2.0
"""Network files of lava-dl (netx, HDF5): read as Loihi's integers, and written from a network.

``/layer/<i>`` are blocks of synapses and neurons in a chain: ``dense``, ``dense_rec`` (whose
neurons hear each other) and ``conv``, with ``flatten`` between them. ``type`` and ``neuron/type``
are byte strings, shapes are (channel, row, column), kernels (out, in, height, width) as torch's.
The reader in lava-dl makes of them LIF processes with ``vth = vThMant``, ``du = iDecay - 1``,
``dv = vDecay`` and a bias exponent of 6, and takes weights as whole numbers; so does this one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_control.network.fixed_network import (
    DELAY_MAX,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Port,
    truncate_weights,
)
from neuro_control.network.graph import plain
from neuro_control.network.hdf5_heaps import check_heaps
from neuro_control.network.lowering import SparseMap, synapse_map
from neuro_control.network.netx_layer import NetxLayer, layers_of
from neuro_control.network.neurons import Shape, size_of
from neuro_control.network.synapses import Linear
from neuro_control.network.windows import Conv2d

NETX_BIAS_EXPONENT = 6
SUFFIXES = (".net", ".netx", ".h5", ".hdf5")


def hdf5_package() -> Any:
    """The package `h5py`, or ImportError saying how to get it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError("netx files need the package h5py: pip install h5py") from error
    return h5py


def read_netx(
    path: str | Path, dt_s: float | None = None, input_message_bits: int = 0
) -> FixedNetwork:
    """The integers of a lava-dl network.

    Populations are called ``layer0``, ``layer1`` and so on; a layer ``input``, which only turns
    images into currents, is passed over, and its spikes are what the network is given.

    Args:
        path: the file.
        dt_s: what a tick is taken for, in seconds. lava-dl's files do not say it, and 1 ms is
            taken; those of `write_netx` do.
        input_message_bits: of the spikes that it is given, as for lava-dl's reader: the files do
            not say that either.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: naming the file, the layer and what does not fit.
    """
    path, h5py = Path(path), hdf5_package()
    if dt_s is not None and not 0 < dt_s < float("inf"):
        raise ValueError(f"dt_s must be a positive number of seconds, not {dt_s}")
    if not path.is_file():
        raise FileNotFoundError(f"no network file {path}")
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            if "layer" not in file and "node" in file:
                raise ValueError("it is a NIR file; call it .nir, or read it with read_nir")
            if "layer" not in file or not len(file["layer"]):
                raise ValueError("it has no group 'layer' with layers in it")
            metadata = {str(key): plain(value) for key, value in file.attrs.items()}
            stored = metadata.pop("dt_s", 1e-3)
            if dt_s is None and not (isinstance(stored, (int, float)) and 0 < stored < np.inf):
                raise ValueError(f"attribute 'dt_s' is {stored!r}; it must be seconds")
            network = _network(
                list(layers_of(file["layer"])),
                float(stored if dt_s is None else dt_s),
                input_message_bits,
            )
            return replace(network, metadata=metadata)
    except MemoryError as error:
        raise ValueError(f"{path}: more than the memory there is: {error}") from error
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} is not a readable netx file: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _network(layers: list[NetxLayer], dt_s: float, message_bits: int) -> FixedNetwork:
    source, given, flat = "in", None, False
    populations: list[FixedPopulation] = []
    projections: list[FixedProjection] = []
    inputs: dict[str, Port] = {}
    for layer in layers:
        if layer.kind == "input":
            if populations:
                raise layer.refuse("an input can only come first")
            given = layer.shape()
            continue
        if layer.kind == "flatten":
            flat = True
            continue
        if layer.kind not in ("dense", "dense_rec", "conv"):
            raise layer.refuse("supported are input, flatten, dense, dense_rec and conv")
        shape = layer.shape()
        if layer.kind == "conv":
            weights = _conv(layer, shape, given)
        else:
            shape = (size_of(shape),)
            weights = _dense(layer, shape, "weight")
        if given is None:
            given = (weights.n_source,)
        if weights.n_source != size_of(given):
            hint = "; flattened" if flat else ""
            raise layer.refuse(f"takes {weights.n_source} values, but is given {given}{hint}")
        if not inputs:
            inputs["in"] = Port(0, size_of(given), given, message_bits)
        name = f"layer{len(populations)}"
        offset = sum(population.size for population in populations)
        populations.append(_population(layer, name, shape, offset))
        ways = [(source, weights)]
        if layer.kind == "dense_rec":
            ways.append((name, _dense(layer, shape, "weight_rec", shape[0])))
        projections += _projections(layer, name, ways)
        source, given, flat = name, shape, False
    if not populations:
        raise ValueError("it has no layer with neurons")
    last = populations[-1]
    outputs = {"out": Port(0, last.size, last.shape)}
    return FixedNetwork(
        tuple(populations), tuple(projections), inputs, outputs, {"out": last.name}, dt_s
    )


def _dense(layer: NetxLayer, shape: Shape, field: str, n_source: int = 0) -> SparseMap:
    weight = layer.numbers(field)
    if weight.ndim == 1 and len(weight) % shape[0] == 0:
        weight = weight.reshape(shape[0], -1)
    fits = weight.ndim == 2 and weight.shape[0] == shape[0] and weight.shape[1] > 0
    if not fits or n_source not in (0, weight.shape[1]):
        inputs = n_source or "inputs"
        raise layer.refuse(f"{field!r} has shape {weight.shape}, it must be ({shape[0]}, {inputs})")
    return synapse_map(Linear(weight.astype(np.float64)), (weight.shape[1],))


def _conv(layer: NetxLayer, shape: Shape, given: Shape | None) -> SparseMap:
    weight = layer.numbers("weight")
    if weight.ndim == 5 and weight.shape[4] == 1:
        weight = weight[..., 0]

    def pair(name: str, default: int) -> tuple[int, int]:
        values = layer.numbers(name).ravel() if name in layer else np.array([default])
        return int(values[0]), int(values[min(1, len(values) - 1)])

    if given is None or len(given) != 3:
        raise layer.refuse("a conv needs an input layer or an image-shaped layer before it")
    groups = layer.number_of("groups", 1)
    try:
        node = Conv2d(
            weight.astype(np.float64),
            None,
            pair("stride", 1),
            pair("padding", 0),
            pair("dilation", 1),
            groups,
        )
        made = node.output_shape(given)
    except ValueError as error:
        raise layer.refuse(str(error)) from None
    if made != shape:
        raise layer.refuse(f"makes {made} of {given}, but 'shape' says {shape}")
    return synapse_map(node, given)


def _population(layer: NetxLayer, name: str, shape: Shape, offset: int) -> FixedPopulation:
    kind = layer.text("neuron/type")
    if kind not in ("CUBA", "LOIHI"):
        raise layer.refuse(f"neuron type {kind!r} is not supported, only 'CUBA' and 'LOIHI' are")
    if layer.number_of("neuron/gradedSpike", 0):
        raise layer.refuse(
            "graded spikes are not supported; a neuron's spike is 0 or 1, and only the network's "
            "input can be graded (input_message_bits)"
        )
    if layer.number_of("neuron/refDelay", 1) > 1:
        raise layer.refuse("'neuron/refDelay' above 1 is passed over by lava-dl; set it to 1")
    bias = layer.numbers("bias").ravel() if "bias" in layer else np.zeros(1, np.int64)
    if bias.size not in (1, size_of(shape)):
        if bias.size != shape[0]:
            raise layer.refuse(
                f"'bias' has {bias.size} numbers; it must have 1, {shape[0]} or {size_of(shape)}"
            )
        bias = np.repeat(bias, size_of(shape[1:]))
    try:
        return FixedPopulation(
            name,
            shape,
            offset,
            du=np.int32(layer.number_of("neuron/iDecay") - 1),  # type: ignore[arg-type]
            dv=np.int32(layer.number_of("neuron/vDecay")),  # type: ignore[arg-type]
            vth=np.int32(layer.number_of("neuron/vThMant")),  # type: ignore[arg-type]
            bias_mantissa=bias,  # type: ignore[arg-type]
            bias_exponent=NETX_BIAS_EXPONENT if bias.any() else 0,
        )
    except ValueError as error:
        raise layer.refuse(str(error)) from None


def _projections(
    layer: NetxLayer, target: str, ways: list[tuple[str, SparseMap]]
) -> list[FixedProjection]:
    """Whole numbers as 8 bits and an exponent of 0, or of 1 for even ones of both signs.

    All weights of a layer share them, recurrent ones too, as in lava-dl.
    """
    values = np.concatenate([weights.weight for _, weights in ways]).astype(np.int64)
    kept, exponent = truncate_weights(values), 0
    if not np.array_equal(kept, values):
        # Of both signs, 8 bits hold even numbers only; odd ones below 128 are held at half the
        # scale.
        exponent, doubled = -1, 2 * values
        kept = truncate_weights(doubled)
        if not np.array_equal(kept, doubled):
            raise layer.refuse(
                f"weights {values.min()} to {values.max()} do not fit 8 bits; of both signs they "
                "must be -128 to 127, or even and -256 to 254"
            )
    found = []
    for source, weights in ways:
        n = len(weights.weight)
        own, kept = kept[:n], kept[n:]
        whole = replace(weights, weight=own.astype(np.float64))
        for delay, part in _delayed(layer, whole):
            name = f"{source} -> {target}" + (f" (delay {delay})" if delay else "")
            found.append(
                FixedProjection(
                    name,
                    source,
                    target,
                    part.n_target,
                    part.row_start,
                    part.target.astype(np.int32),
                    part.weight.astype(np.int16),
                    exponent,
                    delay=delay,
                )
            )
    return found


def _delayed(layer: NetxLayer, weights: SparseMap) -> list[tuple[int, SparseMap]]:
    """The synapses by their delay in ticks: of the layer, of each target or of each source."""
    delay = layer.numbers("delay") if "delay" in layer else np.zeros(1, np.int64)
    if not delay.any():
        return [(0, weights)]
    if layer.kind != "dense":
        raise layer.refuse("'delay' is read by lava-dl in dense layers only")
    if delay.min() < 0 or delay.max() > DELAY_MAX:
        raise layer.refuse(f"'delay' must be 0..{DELAY_MAX}, not {delay.min()}..{delay.max()}")
    source = weights.sources()
    if delay.size == 1:
        own = np.full(len(source), delay.ravel()[0])
    elif delay.shape == (weights.n_target, weights.n_source):
        own = delay[weights.target, source]
    elif delay.shape == (weights.n_target,):
        own = delay[weights.target]
    elif delay.shape == (weights.n_source,):
        own = delay[source]
    else:
        raise layer.refuse(
            f"'delay' has shape {delay.shape}; it must be one number, ({weights.n_target},), "
            f"({weights.n_source},) or ({weights.n_target}, {weights.n_source})"
        )
    return [(int(ticks), weights.only(own == ticks)) for ticks in np.unique(own)]
