# SPDX-License-Identifier: Apache-2.0
"""The network of a LOAD message, as the worker sees it.

Fields: ``populations`` [[name, size, bias_exponent, spiking, refractory, adaptive], ...],
``projections`` [[source, target, n_target, n_source, weight_exponent, num_weight_bits, delay],
...], ``inputs`` [[name, offset, size], ...], ``outputs`` [[offset, population], ...]. Arrays, for
population i: ``du.i dv.i vth.i bias_mantissa.i`` int32[size]; for projection j: ``row_start.j``
int64[n_source + 1], ``target.j`` int32[n], ``weight.j`` int16 as int32[n], in Loihi's integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .protocol import Message, ProtocolError

Integers = NDArray[np.int32]
RANGES = {"du": (0, 4095), "dv": (0, 4095), "vth": (0, 131071), "bias_mantissa": (-4096, 4095)}
WEIGHTS, EXPONENTS, BITS, DELAYS, BIAS_EXPONENTS = (-256, 255), (-8, 7), (1, 8), (0, 62), (0, 7)
CHANNELS = (0, 1 << 26)


@dataclass(frozen=True, eq=False)
class WirePopulation:
    """See `network.FixedPopulation`."""

    name: str
    offset: int
    du: Integers
    dv: Integers
    vth: Integers
    bias_mantissa: Integers
    bias_exponent: int
    spiking: bool
    refractory: bool
    adaptive: bool


@dataclass(frozen=True, eq=False)
class WireProjection:
    """See `network.FixedProjection`; stored by source in the same way, weights as int32[n]."""

    source: str
    target: str
    n_target: int
    row_start: NDArray[np.int64]
    target_index: Integers
    weight: Integers
    weight_exponent: int
    num_weight_bits: int
    delay: int

    @property
    def n_source(self) -> int:
        """Number of sources."""
        return len(self.row_start) - 1

    @property
    def source_index(self) -> NDArray[np.int64]:
        """The source of each weight, int64[n]."""
        return np.repeat(np.arange(self.n_source), np.diff(self.row_start))


@dataclass(frozen=True, eq=False)
class WireNetwork:
    """See `network.FixedNetwork`; inputs are offset and size by name."""

    populations: tuple[WirePopulation, ...]
    projections: tuple[WireProjection, ...]
    inputs: dict[str, tuple[int, int]]
    outputs: tuple[tuple[int, str], ...]
    n_neurons: int

    @property
    def n_inputs(self) -> int:
        """Input channels."""
        return sum(size for _, size in self.inputs.values())

    @property
    def n_outputs(self) -> int:
        """Output channels."""
        return sum(len(self.population(name).du) for _, name in self.outputs)

    @property
    def longest_delay(self) -> int:
        """Ticks."""
        return max((projection.delay for projection in self.projections), default=0)

    def population(self, name: str) -> WirePopulation:
        """The population of that name."""
        for population in self.populations:
            if population.name == name:
                return population
        raise ProtocolError(f"LOAD: no population {name!r}")


def read_network(message: Message) -> WireNetwork:
    """The network of a LOAD message.

    Raises:
        ProtocolError: something is missing or does not fit together.
    """
    try:
        return _read(message)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError(f"LOAD describes no network: {error!r}") from error


def _read(message: Message) -> WireNetwork:
    fields: Any = message.fields
    populations, offset = [], 0
    for i, row in enumerate(fields["populations"]):
        name, size, exponent, spiking, refractory, adaptive = row
        size = _whole(size, f"size of population {i}", (1, CHANNELS[1]))
        du, dv, vth, mantissa = (_values(message, key, i, size) for key in RANGES)
        populations.append(
            WirePopulation(
                str(name),
                offset,
                du,
                dv,
                vth,
                mantissa,
                _whole(exponent, f"bias exponent of population {i}", BIAS_EXPONENTS),
                bool(spiking),
                bool(refractory),
                bool(adaptive),
            )
        )
        offset += size
    sizes = {p.name: len(p.du) for p in populations}
    inputs = {str(name): (at, size) for name, at, size in fields["inputs"]}
    outputs = tuple((at, str(name)) for at, name in fields["outputs"])
    _check_tiles("inputs", list(inputs.values()))
    _check_tiles("outputs", [(at, sizes[name]) for at, name in outputs])
    if len(sizes) < len(populations) or set(sizes) & set(inputs):
        raise ProtocolError("LOAD: two inputs or populations have the same name")
    targets = dict(sizes)
    sizes |= {name: size for name, (_, size) in inputs.items()}
    projections = tuple(
        _projection(message, j, row, sizes, targets) for j, row in enumerate(fields["projections"])
    )
    return WireNetwork(tuple(populations), projections, inputs, outputs, offset)


def _projection(
    message: Message, j: int, row: Any, sizes: dict[str, int], targets: dict[str, int]
) -> WireProjection:
    source, target, n_target, n_source, exponent, bits, delay = row
    if sizes.get(source) != n_source or targets.get(target) != n_target:
        raise ProtocolError(f"LOAD: projection {j} does not fit its source and target")
    row_start = message.array(f"row_start.{j}", "<i8")
    index, value = message.array(f"target.{j}", "<i4"), message.array(f"weight.{j}", "<i4")
    if (
        len(row_start) != n_source + 1
        or row_start[0] != 0
        or (np.diff(row_start) < 0).any()
        or not row_start[-1] == len(index) == len(value)
        or not _inside(index, (0, n_target - 1))
        or not _inside(value, WEIGHTS)
    ):
        raise ProtocolError(f"LOAD: the weights of projection {j} do not fit together")
    return WireProjection(
        source,
        target,
        n_target,
        row_start,
        index,
        value,
        _whole(exponent, f"weight exponent of projection {j}", EXPONENTS),
        _whole(bits, f"bits of projection {j}", BITS),
        _whole(delay, f"delay of projection {j}", DELAYS),
    )


def _check_tiles(what: str, places: list[tuple[int, int]]) -> None:
    """Offsets and sizes must cover 0 to their sum, once."""
    end = 0
    for at, size in sorted(places):
        if at != end:
            raise ProtocolError(f"LOAD: the {what} do not follow one another")
        end += _whole(size, f"size of {what}", CHANNELS)
    _whole(end, f"channels of the {what}", CHANNELS)


def _whole(value: Any, what: str, limits: tuple[int, int]) -> int:
    if type(value) is not int or not limits[0] <= value <= limits[1]:
        raise ProtocolError(f"LOAD: {what} must be {limits[0]}..{limits[1]}, not {value!r:.40}")
    return value


def _inside(values: NDArray[Any], limits: tuple[int, int]) -> bool:
    return not len(values) or bool(limits[0] <= values.min() and values.max() <= limits[1])


def _values(message: Message, key: str, i: int, size: int) -> Integers:
    array = message.array(f"{key}.{i}", "<i4")
    if len(array) != size or not _inside(array, RANGES[key]):
        low, high = RANGES[key]
        raise ProtocolError(f"LOAD: {key}.{i} must be {size} values {low}..{high}")
    return array
