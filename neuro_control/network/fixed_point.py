# SPDX-License-Identifier: Apache-2.0
"""From physical units to Loihi's integers: `quantize` and its report.

One scale per population turns weights, thresholds and biases into integers. It is chosen so that
the projection with the smallest weights fills its 8 bits; the others get a weight exponent.
Decays are ``du = round(4096 dt / tau_syn) - 1`` (4095 where there is no synaptic filter) and
``dv = round(4096 dt / tau_mem)``. Nothing is clipped: what does not fit is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.fixed_network import (
    BIAS_EXPONENT_MAX,
    BIAS_MANTISSA_RANGE,
    VTH_MAX,
    WEIGHT_EXPONENT_RANGE,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    sign_mode,
    weight_step,
)
from neuro_control.network.fixed_neurons import (
    bias_gain,
    decays,
    gain_of,
    refractory_ticks,
    resting,
    threshold_above_rest,
    threshold_adaptation,
)
from neuro_control.network.graph import Network
from neuro_control.network.lowering import Lowering
from neuro_control.network.neurons import (
    INTEGRATORS,
    NEURONS,
    FloatArray,
    Neuron,
    whole_numbers,
)
from neuro_control.network.ports import ports_of
from neuro_control.network.quantization_report import (
    PopulationReport,
    ProjectionReport,
    QuantizationReport,
)
from neuro_control.network.scaling import (
    INTEGERS_PER_VOLT,
    Drive,
    choose_scale,
    given_scale,
    relative_rms,
)
from neuro_control.network.synapses import Input


@dataclass(frozen=True, eq=False)
class QuantizedNetwork(FixedNetwork):
    """A FixedNetwork made from a Network, with the report of what was lost on the way.

    ``resting`` is the voltage of each population that is zero in the integers, in its shape.
    """

    report: QuantizationReport = field(default_factory=lambda: QuantizationReport((), ()))
    resting: Mapping[str, FloatArray] = field(default_factory=dict)

    def voltage(self, name: str, membrane: NDArray[np.int64]) -> FloatArray:
        """What membranes of a population (`Runner.membrane`) are in the network's own units.

        Raises:
            ValueError: there is no population of that name.
        """
        self.population(name)
        scale = next(p.scale for p in self.report.populations if p.name == name)
        return self.resting[name] + membrane / (64.0 * scale)


def quantize(
    network: Network,
    weight_bits: int = 8,
    weight_exponents: tuple[int, int] = WEIGHT_EXPONENT_RANGE,
) -> QuantizedNetwork:
    """Loihi's integers for a network in physical units.

    Args:
        network: what to quantise; its ``dt_s`` becomes one tick. The metadata
            ``integers_per_volt`` fixes the scale, which is chosen otherwise.
        weight_bits: bits per weight, 1 to 8.
        weight_exponents: least and largest exponent that the weights of a projection may have;
            where there is one only, small weights beside large ones use fewer bits.

    Raises:
        ValueError: naming the node that does not fit the integers and what would mend it; or the
            bits or exponents are none that Loihi has.
    """
    _check_numbers(weight_bits, weight_exponents)
    lowering = Lowering(network)
    neurons = {n: node for n, node in network.nodes.items() if isinstance(node, NEURONS)}
    if not neurons:
        raise ValueError("the network has no population: put a LIF, CubaLIF or IF into it")
    ports = ports_of(network)
    populations: list[FixedPopulation] = []
    projections: list[FixedProjection] = []
    reports: list[tuple[PopulationReport, list[ProjectionReport]]] = []
    offset = 0
    for name, neuron in neurons.items():
        population, into, report = _quantize_population(
            network, lowering, name, neuron, offset, (weight_bits, weight_exponents)
        )
        populations.append(population)
        projections += into
        reports.append(report)
        offset += population.size
    return QuantizedNetwork(
        tuple(populations),
        tuple(projections),
        ports.inputs,
        ports.outputs,
        ports.output_populations,
        network.dt_s,
        network.metadata,
        QuantizationReport(
            tuple(p for p, _ in reports), tuple(q for _, into in reports for q in into)
        ),
        {name: resting(neuron) for name, neuron in neurons.items()},
    )


def _check_numbers(weight_bits: int, weight_exponents: tuple[int, int]) -> None:
    if not whole_numbers(weight_bits) or not 1 <= weight_bits <= 8:
        raise ValueError(f"weight_bits must be a whole number from 1 to 8, not {weight_bits!r}")
    low, high = WEIGHT_EXPONENT_RANGE
    ends = tuple(weight_exponents) if np.iterable(weight_exponents) else ()
    if len(ends) != 2 or not whole_numbers(*ends) or not low <= ends[0] <= ends[1] <= high:
        raise ValueError(
            f"weight_exponents must be the least and the largest, two whole numbers within "
            f"{low}..{high}, not {weight_exponents!r}"
        )


def _quantize_population(
    network: Network,
    lowering: Lowering,
    name: str,
    neuron: Neuron,
    offset: int,
    numbers: tuple[int, tuple[int, int]],
) -> tuple[FixedPopulation, list[FixedProjection], tuple[PopulationReport, list[ProjectionReport]]]:
    weight_bits, weight_exponents = numbers
    threshold = threshold_above_rest(name, neuron)
    du, dv, decay_error = decays(name, neuron, network.dt_s)
    gain = gain_of(neuron, network.dt_s)
    bias = lowering.constant_into(name) * bias_gain(neuron, network.dt_s)
    drives = []
    for connection in lowering.into(name):
        weight = connection.map.weight * gain[connection.map.target]
        mode = sign_mode(weight)
        step = weight_step(mode, weight_bits)
        # Both signs use the same range, so that rounding a small weight to zero cannot change it.
        limit = 255 // step * step
        if not limit:
            raise ValueError(
                f"node {name!r}: the weights from {connection.source!r} have both signs, which take"
                f" a bit of their own; weight_bits {weight_bits} must be at least 2 for them"
            )
        source = network.nodes[connection.source]
        payload = source.largest_payload if isinstance(source, Input) else 1
        only = weight_exponents[0] if weight_exponents[0] == weight_exponents[1] else None
        drives.append(Drive(connection, weight, mode, step, limit, weight_bits, payload, only))
    scale = given_scale(network.metadata) or float(
        choose_scale(name, threshold, bias, drives, weight_exponents)
    )
    spiking = not isinstance(neuron, INTEGRATORS)
    vth = np.rint(threshold * scale) if spiking else np.full(threshold.shape, float(VTH_MAX))
    mantissa, exponent, bias_error = _bias(name, bias * scale * 64)
    population = FixedPopulation(
        name,
        neuron.shape,
        offset,
        du.astype(np.int32),
        dv.astype(np.int32),
        vth.astype(np.int32),
        mantissa,
        exponent,
        spiking,
        refractory_ticks(name, neuron, network.dt_s),
        *threshold_adaptation(name, neuron, network.dt_s, scale),
    )
    pairs = [_project(drive, name, scale, gain) for drive in drives]
    into, reports = [p for p, _ in pairs], [r for _, r in pairs]
    worst = _worst_case_input(population.size, into, [drive.largest_payload for drive in drives])
    relative = np.abs(vth - threshold * scale) / np.maximum(threshold * scale, 1e-300)
    report = PopulationReport(
        name,
        scale,
        float(relative[threshold > 0].max(initial=0.0)),
        decay_error,
        bias_error,
        worst,
        worst > VTH_MAX + 1,
    )
    return population, into, (report, reports)


def _bias(name: str, bias: FloatArray) -> tuple[NDArray[np.int32], int, float]:
    """Mantissa, exponent and relative error of a bias in units of the integer membrane."""
    for exponent in range(BIAS_EXPONENT_MAX + 1):
        mantissa = np.rint(bias / 2**exponent)
        if BIAS_MANTISSA_RANGE[0] <= mantissa.min() and mantissa.max() <= BIAS_MANTISSA_RANGE[1]:
            error = relative_rms(mantissa * 2**exponent - bias, bias)
            return mantissa.astype(np.int32), exponent, error
    raise ValueError(f"node {name!r}: its bias does not fit 13 bits and 7 shifts; reduce it")


def _project(
    drive: Drive, target: str, scale: float, gain: FloatArray
) -> tuple[FixedProjection, ProjectionReport]:
    path, exponent = drive.connection, drive.exponent(scale) if len(drive.weight) else 0
    name = path.name(target)
    largest = float(np.abs(drive.weight).max(initial=0.0)) * scale * 2.0**-exponent
    if largest >= 256.5:
        # Only where the metadata fixes the scale, and there is one exponent: it was not chosen.
        raise ValueError(
            f"projection {name!r}: at {scale:g} integers per volt and a weight exponent of "
            f"{exponent} its weights reach {largest:.4g}, and 8 bits hold 256 at most; reduce the "
            f"metadata {INTEGERS_PER_VOLT!r} or the weights"
        )
    integers = drive.integers(drive.weight, scale) if len(drive.weight) else np.zeros(0, np.int64)
    kept = integers != 0
    running = np.concatenate(([0], np.cumsum(kept)))
    projection = FixedProjection(
        name,
        path.source,
        target,
        path.map.n_target,
        running[path.map.row_start].astype(np.int64),
        path.map.target[kept].astype(np.int32),
        integers[kept].astype(np.int16),
        exponent,
        drive.num_weight_bits,
        path.delay,
    )
    error = integers * (2.0**exponent / scale) - drive.weight
    report = ProjectionReport(
        name,
        exponent,
        drive.mode,
        len(drive.weight),
        float(np.abs(error / gain[path.map.target]).max(initial=0.0)),
        relative_rms(error, drive.weight) if len(error) else 0.0,
        int((~kept).sum()),
        path.delay,
        path.delay_error,
    )
    return projection, report


def _worst_case_input(size: int, projections: list[FixedProjection], payloads: list[int]) -> int:
    """The largest magnitude that the buffered input of one neuron can reach in one tick."""
    high, low = np.zeros(size), np.zeros(size)
    for projection, payload in zip(projections, payloads, strict=True):
        weight = projection.weight * (payload * 2.0**projection.weight_exponent)
        high += np.bincount(projection.target_index, np.maximum(weight, 0), minlength=size)
        low += np.bincount(projection.target_index, np.minimum(weight, 0), minlength=size)
    return int(max(high.max(), -low.min()))
