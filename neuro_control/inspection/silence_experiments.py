# SPDX-License-Identifier: Apache-2.0
"""Causes of silence found by experiment: one thing is changed, and the population spikes.

Each experiment steps the population alone, on the engine, with what its sources gave. Which of
several causes comes first is a convention, from the special to the general; the others are named
as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neuro_control.backends.cpu import CpuRunner
from neuro_control.inspection.activity import record_activity
from neuro_control.inspection.first_spike import Factor, spikes, threshold_factor, weight_factor
from neuro_control.inspection.neuron_tick import (
    CURRENT_LIMIT,
    MEMBRANE_LIMIT,
    NeuronParameters,
    neuron_tick,
)
from neuro_control.inspection.silence import Cause, Finding
from neuro_control.inspection.silent_population import SilentPopulation
from neuro_control.network import FixedPopulation, FixedProjection

FAST_DECAY = 2048
"""A membrane that loses half of itself in a tick forgets one input before the next."""


@dataclass(frozen=True)
class Held:
    """A cause that an experiment has confirmed."""

    cause: Cause
    text: str
    remedy: str
    figures: dict[str, Any] = field(default_factory=dict)


def cause_by_experiment(silent: SilentPopulation) -> Finding:
    """Why a population is silent to which excitation arrives, and by what factors it misses."""
    weights, threshold = silent.weight_factor, threshold_factor(silent.alone)
    tried = [experiment(silent) for experiment in _EXPERIMENTS]
    held = [found for found in tried if found is not None]
    nearest, missed = silent.peak, factors_text(weights, threshold)
    figures: dict[str, Any] = {
        "neuron": nearest.neuron,
        "tick": nearest.tick,
        "membrane": nearest.membrane,
        "threshold": nearest.threshold,
        "ratio": nearest.ratio,
        "weight_factor": None if weights is None else weights.value,
        "weight_factor_silent": None if weights is None else weights.silent_at,
        "threshold_factor": None if threshold is None else threshold.value,
        "threshold_factor_silent": None if threshold is None else threshold.silent_at,
    }
    if not held:
        text = f"too little reaches {silent.name}: {silent.reached()}; {missed}"
        return Finding(silent.name, Cause.WEIGHTS_MISS, text, missed, figures)
    return Finding(
        silent.name,
        held[0].cause,
        f"{held[0].text}; {silent.reached()}; {missed}",
        held[0].remedy,
        figures | held[0].figures,
        tuple(other.cause for other in held[1:]),
    )


def _would_spike(
    silent: SilentPopulation, change: Callable[[FixedPopulation], FixedPopulation]
) -> bool:
    network = silent.alone.network
    changed = replace(network, populations=(change(network.populations[0]),))
    return spikes(replace(silent.alone, network=changed))


def _current_wraps(silent: SilentPopulation) -> Held | None:
    largest = np.zeros(silent.population.size)
    for q in silent.into:
        magnitude = np.abs(q.weight) * 2.0**q.weight_exponent
        largest += np.bincount(q.target_index, magnitude, minlength=q.n_target)
    # A current that all sources feed in every tick grows to this at most.
    if (largest * 64 * 4096 / (silent.population.du + 1.0)).max() <= 2.0**23:
        return None
    indices, offsets = silent.alone.indices, silent.alone.offsets
    runner = CpuRunner(silent.alone.network)
    parameters = NeuronParameters.of(silent.alone.network)
    wraps, first = 0, 0
    for tick in range(len(offsets) - 1):
        wrapped = int(neuron_tick(parameters, runner.state()).wrapped.sum())
        first = tick if wrapped and not wraps else first
        wraps += wrapped
        runner.step(indices[offsets[tick] : offsets[tick + 1]])
    if not wraps:
        return None
    smaller = weight_factor(silent.alone, smaller=True)
    if smaller is None:
        return None
    return Held(
        Cause.CURRENT_WRAPS,
        f"the current of {silent.name} leaves its 24 bits {wraps:,} times, first in tick {first},"
        " and changes its sign: excitation turns into inhibition",
        f"weights x {smaller.value:.4g} (at x {smaller.silent_at:.4g} it is still silent)",
        {"wraps": wraps, "first_tick": first, "smaller_weight_factor": smaller.value},
    )


def _negative_bias(silent: SilentPopulation) -> Held | None:
    def without(p: FixedPopulation) -> FixedPopulation:
        return replace(p, bias_mantissa=np.maximum(p.bias_mantissa, 0))

    if not (silent.population.bias < 0).any() or not _would_spike(silent, without):
        return None
    least = int(silent.population.bias.min())
    return Held(
        Cause.NEGATIVE_BIAS,
        f"a negative bias (down to {least:,} a tick) holds {silent.name} below its threshold; "
        "without it, it spikes",
        "a bias nearer to 0",
        {"bias": least},
    )


def _inhibited(silent: SilentPopulation) -> Held | None:
    network = silent.alone.network
    if not any((q.weight < 0).any() for q in network.projections):
        return None
    excited = replace(
        network,
        projections=tuple(replace(q, weight=np.maximum(q.weight, 0)) for q in network.projections),
    )
    if not spikes(replace(silent.alone, network=excited)):
        return None
    sources = ", ".join(
        q.source
        for q in silent.into
        if (q.weight < 0).any() and len(silent.run.activity.trains[q.source].tick)
    )
    return Held(
        Cause.INHIBITED,
        f"inhibition of {silent.name} (from {sources}) outweighs its excitation; without it, it "
        "spikes",
        "weaker inhibition, or stronger excitation",
    )


def _refractory(silent: SilentPopulation) -> Held | None:
    sources = {q.source for q in silent.into}
    held = [
        p.name for p in silent.run.network.populations if p.name in sources and np.any(p.refractory)
    ]
    if not held:
        return None
    populations = tuple(
        replace(p, refractory=0) if p.name in held else p for p in silent.run.network.populations
    )
    freed = replace(silent.run.network, populations=populations)
    activity = record_activity(freed, silent.run.indices, silent.run.offsets)
    if not len(activity.trains[silent.name].tick):
        return None
    longest = max(int(np.max(silent.run.network.population(name).refractory)) for name in held)
    return Held(
        Cause.REFRACTORY,
        f"{', '.join(held)} is refractory for up to {longest} ticks after a spike, so that too"
        f" few spikes reach {silent.name}; without, it spikes",
        "a shorter refractory time",
        {"refractory": longest, "sources": held},
    )


def _quantization(silent: SilentPopulation) -> Held | None:
    if silent.name not in silent.run.float_spikes:
        return None
    return Held(
        Cause.QUANTIZATION,
        f"in float {silent.name} spikes on the same input, in the integers it does not",
        "more weight bits, or weights and thresholds nearer to each other",
    )


def _small_scale(silent: SilentPopulation) -> Held | None:
    weights = silent.weight_factor
    for scale in silent.scales():
        if weights is None or not 0 < scale.largest * weights.value <= 1:
            continue
        return Held(
            Cause.SMALL_SCALE,
            f"Scale {scale.name} multiplies what goes to {silent.name} by {scale.largest:.4g} at "
            "most",
            f"a scale of {scale.largest * weights.value:.4g}",
            {"scale": scale.largest, "scale_node": scale.name},
        )
    return None


def _decay(silent: SilentPopulation) -> Held | None:
    dv = silent.population.dv
    if np.median(dv) < FAST_DECAY or not _would_spike(
        silent, lambda p: replace(p, dv=np.zeros_like(p.dv))
    ):
        return None
    kept = 1 - int(np.median(dv)) / 4096
    return Held(
        Cause.DECAY,
        f"a tick leaves {kept:.1%} of the membrane of {silent.name}, so that nothing adds up; "
        "without decay it spikes",
        "a longer time constant (tau, tau_mem)",
        {"kept_by_a_tick": kept},
    )


def _out_of_reach(silent: SilentPopulation) -> Held | None:
    bound = highest_possible(silent.population, silent.into)
    threshold = silent.population.vth.astype(np.float64) * 64
    if (bound > threshold).any():
        return None
    ratio = float((bound / np.maximum(threshold, 1)).max())
    return Held(
        Cause.OUT_OF_REACH,
        f"no input whatever makes {silent.name} spike: all its excitatory synapses together, in "
        f"every tick, bring its membrane to {ratio:.1%} of the threshold at most",
        "a lower threshold, larger weights, or a slower decay",
        {"reachable": ratio},
    )


_SYNAPSES_AT_A_TIME = 1 << 17


def highest_possible(population: FixedPopulation, into: list[FixedProjection]) -> np.ndarray:
    """A bound that no membrane exceeds, float64[n]: every excitatory source in every tick.

    Decays round towards zero, so that the geometric sums of the real numbers are above them.
    """
    drive, inhibition = np.zeros(population.size), np.zeros(population.size)
    for q in into:
        weight = q.weight * 2.0**q.weight_exponent
        # Some at a time: a count holds the interpreter's lock, which a controller in another
        # thread waits for. The sums are exact in any order.
        for first in range(0, len(weight), _SYNAPSES_AT_A_TIME):
            part = slice(first, first + _SYNAPSES_AT_A_TIME)
            target, value = q.target_index[part], weight[part]
            drive += np.bincount(target, np.maximum(value, 0), minlength=q.n_target)
            inhibition += np.bincount(target, np.maximum(-value, 0), minlength=q.n_target)
    grows = 64 * 4096 / (population.du + 1.0)
    current = np.minimum(drive * grows, CURRENT_LIMIT)
    steady = (current + np.maximum(population.bias, 0)) * 4096
    unbounded = (population.dv == 0) & (steady > 0)
    # Inhibition that may wrap excites.
    unbounded |= inhibition * grows >= CURRENT_LIMIT
    bound = np.where(unbounded, np.inf, steady / np.maximum(population.dv, 1))
    found: np.ndarray = np.minimum(bound, MEMBRANE_LIMIT)
    return found


def factors_text(weights: Factor | None, threshold: Factor | None) -> str:
    """What the factors are, in words."""
    parts: list[str] = []
    for what, factor in (("weights", weights), ("thresholds", threshold)):
        if factor is not None:
            value, silent = _told_apart(factor.value, factor.silent_at)
            brings = "do as well" if parts else "bring the first spike"
            parts.append(f"{what} x {value} {brings} (x {silent} do not)")
    return "; ".join(parts) or "neither larger weights nor lower thresholds bring a spike"


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Both with as many digits as show that they differ, four at least."""
    for digits in range(4, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


_EXPERIMENTS: tuple[Callable[[SilentPopulation], Held | None], ...] = (
    _current_wraps,
    _negative_bias,
    _inhibited,
    _refractory,
    _quantization,
    _small_scale,
    _decay,
    _out_of_reach,
)
