# SPDX-License-Identifier: Apache-2.0
"""A network in Loihi's integers, ready for a backend.

The arithmetic is that of Lava's fixed-point LIF and Dense processes. In every tick, with
``a`` the input buffered in the tick before:

    dec(z, d) = sign(z) * ((|z| * (4096 - d)) >> 12)
    u = dec(u, du + 1) + (a << 6)        wrapped once: u > 2^23 -> u - 2^24, u <= -2^23 -> u + 2^24
    v = clip(dec(v, dv) + u + bias, -2^23 + 1, 2^23 - 1)        bias = mantissa << exponent
    spike = v > (vth << 6)               v[spike] = 0
    a' = sum over projections of (W @ x) << exponent            (>> for a negative exponent)

A population may do two things more. For ``refractory`` ticks after a spike its neurons keep v = 0
and do not spike. And its threshold may rise with its own spikes:

    w = dec(w, threshold_decay)
    spike = v > (vth << 6) + w           w[spike] = min(w + (threshold_step << 6), 2^23 - 1)

(Lava's fixed-point LIF has neither; on Loihi 2 they are a program of one's own.)

``x`` is 0 or 1, as a neuron's spikes are. An input from outside may be graded: then x is how often
it is given in a tick, at most ``2^message_bits - 1`` (Lava's Dense with ``num_message_bits``).

A spike, and an input from outside, is therefore delivered in the tick after it; a projection with
a delay delivers so many ticks later still.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.network.graph import MetadataValue
from neuro_control.network.neurons import Shape, checked_shape, size_of
from neuro_control.network.payloads import largest_payload
from neuro_control.network.read_only import CopyableReadOnly

VTH_MAX = 131071
DECAY_MAX = 4095
BIAS_MANTISSA_RANGE = (-4096, 4095)
BIAS_EXPONENT_MAX = 7
WEIGHT_EXPONENT_RANGE = (-8, 7)
DELAY_MAX = 62
REFRACTORY_MAX = 62


class SignMode(str, Enum):
    """Which signs the weights of a projection have; it sets the range of its 8 bits."""

    MIXED = "mixed"
    EXCITATORY = "excitatory"
    INHIBITORY = "inhibitory"


@dataclass(frozen=True)
class Port:
    """Where one input or output lies in the global active indices.

    ``message_bits`` are those of a graded input, 1 to 8: an index that is given k
    times in a tick is a spike with the payload k. 0: a spike is a spike, however often it is given.
    """

    offset: int
    size: int
    shape: Shape
    # Not in what `fingerprint` takes from it, which says so by itself where there are any.
    message_bits: int = field(default=0, repr=False)

    @property
    def largest_payload(self) -> int:
        """What a spike can carry at most; what is given more often counts as that."""
        return largest_payload(self.message_bits)


def sign_mode(weight: NDArray[np.integer] | NDArray[np.floating]) -> SignMode:
    """MIXED where both signs occur, EXCITATORY where min >= 0, else INHIBITORY."""
    if weight.size == 0 or weight.min() >= 0:
        return SignMode.EXCITATORY
    return SignMode.INHIBITORY if weight.max() <= 0 else SignMode.MIXED


def weight_step(mode: SignMode, num_weight_bits: int) -> int:
    """Distance between neighbouring weights that ``num_weight_bits`` can represent."""
    if not 1 <= num_weight_bits <= 8:
        raise ValueError(f"num_weight_bits must be 1..8, not {num_weight_bits}")
    return 1 << (8 - num_weight_bits + (mode is SignMode.MIXED))


def truncate_weights(weight: ArrayLike, num_weight_bits: int = 8) -> NDArray[np.int16]:
    """What Loihi's synapse memory keeps of an integer weight matrix, by Lava's rule.

    It is clipped to its sign mode's range, and low bits are cleared towards minus infinity
    (towards zero where no weight is positive).
    """
    given = np.asarray(weight, dtype=np.int64)
    mode = sign_mode(given)
    sign = -1 if mode is SignMode.INHIBITORY else 1
    least = -256 if mode is SignMode.MIXED else 0
    step = weight_step(mode, num_weight_bits)
    return (np.clip(sign * given, least, 255) // step * step * sign).astype(np.int16)


def _whole_within(values: NDArray[Any], least: int, most: int) -> bool:
    """Whether all are whole numbers from least to most, of whatever type."""
    if values.dtype.kind not in "iufO" or not values.size:
        return False
    # Both comparisons are false for what is not a number.
    inside = bool(np.all((values >= least) & (values <= most)))
    return inside and (values.dtype.kind in "iu" or bool(np.all(values % 1 == 0)))


@dataclass(frozen=True, eq=False)
class FixedPopulation:
    """Neurons with Loihi's integer parameters, each int32[size]; offset counts over populations.

    A population that does not spike integrates and saturates; its ``vth`` has no meaning here (on
    the chip it is VTH_MAX, which lies 63 below the highest voltage).
    """

    name: str
    shape: Shape
    offset: int
    du: NDArray[np.int32]
    dv: NDArray[np.int32]
    vth: NDArray[np.int32]
    bias_mantissa: NDArray[np.int32]
    bias_exponent: int = 0
    spiking: bool = True
    refractory: ArrayLike = 0
    threshold_decay: ArrayLike = 0
    threshold_step: ArrayLike = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", checked_shape(self.shape, f"population {self.name!r}"))
        for name, least, most in (
            ("du", 0, DECAY_MAX),
            ("dv", 0, DECAY_MAX),
            ("vth", 0, VTH_MAX),
            ("bias_mantissa", *BIAS_MANTISSA_RANGE),
            ("refractory", 0, REFRACTORY_MAX),
            ("threshold_decay", 0, DECAY_MAX),
            ("threshold_step", 0, VTH_MAX),
        ):
            values = np.asarray(getattr(self, name))
            # Before the cast: it would wrap 2^32 + 5 round to 5, and cut 5.5.
            if not _whole_within(values, least, most):
                numbers = values.size and values.dtype.kind in "iufO"
                given = f"{values.min()}..{values.max()}" if numbers else f"{values.tolist()!r}"
                raise ValueError(
                    f"population {self.name!r}: {name} must be {least}..{most}, not {given}; "
                    "whole numbers only"
                )
            array = np.broadcast_to(values, (self.size,)).astype(np.int32)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if not 0 <= self.bias_exponent <= BIAS_EXPONENT_MAX:
            raise ValueError(
                f"population {self.name!r}: bias_exponent must be 0..{BIAS_EXPONENT_MAX}, "
                f"not {self.bias_exponent}"
            )

    @property
    def size(self) -> int:
        """Number of neurons."""
        return size_of(self.shape)

    @property
    def has_memory_of_spikes(self) -> bool:
        """Whether its own spikes hold it or raise its threshold."""
        return bool(np.any(self.refractory) or np.any(self.threshold_step))

    @property
    def bias(self) -> NDArray[np.int32]:
        """What is added to every membrane in every tick, int32[size]."""
        return self.bias_mantissa << np.int32(self.bias_exponent)


@dataclass(frozen=True, eq=False)
class FixedProjection:
    """Synapses from an input or a population (``source``) to a population (``target``).

    Stored by source: ``row_start`` int64[n_source + 1], ``target_index`` int32[n] and ``weight``
    int16[n] as Loihi keeps them, before the exponent. ``delay`` is in ticks, on top of the one
    that every synapse takes.
    """

    name: str
    source: str
    target: str
    n_target: int
    row_start: NDArray[np.int64]
    target_index: NDArray[np.int32]
    weight: NDArray[np.int16]
    weight_exponent: int = 0
    num_weight_bits: int = 8
    delay: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.delay <= DELAY_MAX:
            raise ValueError(
                f"projection {self.name!r}: delay must be 0..{DELAY_MAX} ticks, not {self.delay}; "
                "let a population in between pass the spikes on, or take a longer dt_s"
            )
        least, most = WEIGHT_EXPONENT_RANGE
        if not least <= self.weight_exponent <= most:
            raise ValueError(
                f"projection {self.name!r}: weight_exponent must be {least}..{most}, "
                f"not {self.weight_exponent}"
            )
        n = len(self.target_index)
        if np.shape(self.weight) != (n,):
            raise ValueError(
                f"projection {self.name!r}: weight must have one value for each of the {n} of "
                f"target_index, not the shape {np.shape(self.weight)}"
            )
        if self.row_start[0] != 0 or self.row_start[-1] != n or (np.diff(self.row_start) < 0).any():
            raise ValueError(f"projection {self.name!r}: row_start must rise from 0 to {n}")
        if n and not 0 <= self.target_index.min() <= self.target_index.max() < self.n_target:
            raise ValueError(
                f"projection {self.name!r}: target_index must be 0..{self.n_target - 1}"
            )
        step = weight_step(SignMode.EXCITATORY, self.num_weight_bits)
        inside = (self.weight >= -256) & (self.weight <= 255) & (self.weight % step == 0)
        if not inside.all():
            raise ValueError(
                f"projection {self.name!r}: weights must be -256..255 in steps of {step} for "
                f"{self.num_weight_bits} bits"
            )

    @classmethod
    def from_matrix(
        cls,
        source: str,
        target: str,
        matrix: ArrayLike,
        *,
        weight_exponent: int = 0,
        num_weight_bits: int = 8,
        delay: int = 0,
    ) -> FixedProjection:
        """From an integer matrix (n_target, n_source), truncated as the chip would."""
        weight = truncate_weights(matrix, num_weight_bits)
        sources, targets = np.nonzero(weight.T)
        row_start = np.searchsorted(sources, np.arange(weight.shape[1] + 1)).astype(np.int64)
        return cls(
            f"{source} -> {target}",
            source,
            target,
            weight.shape[0],
            row_start,
            targets.astype(np.int32),
            weight[targets, sources],
            weight_exponent,
            num_weight_bits,
            delay,
        )

    @property
    def n_source(self) -> int:
        """Number of sources."""
        return len(self.row_start) - 1

    @property
    def sign_mode(self) -> SignMode:
        """The sign mode of the stored weights."""
        return sign_mode(self.weight)

    def matrix(self) -> NDArray[np.int16]:
        """The weights as a dense matrix (n_target, n_source)."""
        dense = np.zeros((self.n_target, self.n_source), np.int16)
        dense[self.target_index, np.repeat(np.arange(self.n_source), np.diff(self.row_start))] = (
            self.weight
        )
        return dense


def _check_ports(kind: str, ports: Mapping[str, Port]) -> None:
    """ValueError naming the first that does not begin where the one listed before it ends."""
    offset = 0
    for name, port in ports.items():
        if port.offset != offset:
            raise ValueError(
                f"{kind} {name!r}: its offset must be {offset}, where the {kind}s before it end, "
                f"not {port.offset}: ports leave no gap and do not overlap"
            )
        if port.size < 1 or size_of(port.shape) != port.size:
            raise ValueError(
                f"{kind} {name!r}: its size must be at least 1 and that of its shape "
                f"{port.shape}, not {port.size}"
            )
        try:
            largest_payload(port.message_bits)
        except ValueError as error:
            raise ValueError(f"{kind} {name!r}: {error}") from None
        if kind == "output" and port.message_bits:
            raise ValueError(f"output {name!r}: neurons send binary spikes; message_bits must be 0")
        offset += port.size


@dataclass(frozen=True, eq=False)
class FixedNetwork(CopyableReadOnly):
    """Populations and projections in integers; ports say how active indices are numbered."""

    populations: tuple[FixedPopulation, ...]
    projections: tuple[FixedProjection, ...]
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    output_populations: Mapping[str, str]
    dt_s: float
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_ports("input", self.inputs)
        _check_ports("output", self.outputs)
        sizes = {name: port.size for name, port in self.inputs.items()}
        offset = 0
        for population in self.populations:
            if population.name in sizes or population.offset != offset:
                raise ValueError(
                    f"population {population.name!r}: its name must be new and its offset {offset}"
                )
            sizes[population.name] = population.size
            offset += population.size
        targets = {population.name for population in self.populations}
        for projection in self.projections:
            source_size = sizes.get(projection.source)
            if (
                projection.target not in targets
                or source_size != projection.n_source
                or sizes[projection.target] != projection.n_target
            ):
                raise ValueError(
                    f"projection {projection.name!r} ({projection.n_source} to "
                    f"{projection.n_target}) does not fit its source and target"
                )
        for name, port in self.outputs.items():
            if sizes.get(self.output_populations.get(name, "")) != port.size:
                raise ValueError(f"output {name!r} does not fit the population that it shows")
        for mapping in ("inputs", "outputs", "output_populations", "metadata"):
            object.__setattr__(self, mapping, MappingProxyType(dict(getattr(self, mapping))))

    @property
    def n_neurons(self) -> int:
        """Neurons of all populations."""
        return sum(population.size for population in self.populations)

    @property
    def n_synapses(self) -> int:
        """Synapses of all projections."""
        return sum(len(projection.weight) for projection in self.projections)

    @property
    def longest_delay(self) -> int:
        """Ticks of the longest delay of a projection."""
        return max((projection.delay for projection in self.projections), default=0)

    def population(self, name: str) -> FixedPopulation:
        """The population of that name, or ValueError listing those that exist."""
        for population in self.populations:
            if population.name == name:
                return population
        known = [population.name for population in self.populations]
        raise ValueError(f"no population {name!r}; there are {known}")

    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the spikes, as hexadecimal digits."""
        digest = hashlib.sha256()
        for population in self.populations:
            kind = "" if population.spiking else " integrator"
            digest.update(f"{population.name} {population.shape}{kind}".encode())
            for array in (population.du, population.dv, population.vth, population.bias):
                digest.update(np.ascontiguousarray(array).tobytes())
            if population.has_memory_of_spikes:
                own = (population.refractory, population.threshold_decay, population.threshold_step)
                digest.update(np.stack([np.asarray(array) for array in own]).tobytes())
        for projection in self.projections:
            digest.update(f"{projection.name} {projection.weight_exponent}".encode())
            digest.update(f" {projection.delay}".encode() if projection.delay else b"")
            for part in (projection.row_start, projection.target_index, projection.weight):
                digest.update(np.ascontiguousarray(part).tobytes())
        ports = [*self.inputs.items(), *self.outputs.items(), *self.output_populations.items()]
        digest.update(repr(ports).encode())
        bits = [port.message_bits for port in self.inputs.values()]
        digest.update(f" messages {bits}".encode() if any(bits) else b"")
        return digest.hexdigest()
