# SPDX-License-Identifier: Apache-2.0
"""Networks as imperfect hardware would hold them, for studies of robustness.

Analogue neuromorphic chips differ from device to device, typically by a tenth to a fifth of a
threshold or weight (Indiveri et al., Frontiers in Neuroscience 5, 2011). These are models on the
integers; fewer bits are `quantize(network, weight_bits=4)`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuro_control.network.fixed_network import VTH_MAX, FixedNetwork, weight_step


def with_weight_noise(network: FixedNetwork, relative_std: float, seed: int) -> FixedNetwork:
    """Every weight times its own ``1 + relative_std * normal``, rounded to what 8 bits hold.

    A synapse neither appears nor changes its sign; what would pass a limit stays at it.

    Args:
        network: integers.
        relative_std: standard deviation of the factor, 0 or more.
        seed: of the noise.

    Raises:
        ValueError: a negative or infinite ``relative_std``.
    """
    rng = _generator(relative_std, seed)
    projections = []
    for projection in network.projections:
        weight = projection.weight.astype(np.float64)
        factor = 1 + relative_std * rng.standard_normal(weight.shape)
        # Steps are those of the projection's bits; both signs reach 254 at most.
        step = weight_step(projection.sign_mode, projection.num_weight_bits)
        noisy = np.rint(np.abs(weight) * np.maximum(factor, 0.0) / step) * step
        kept = np.sign(weight) * np.minimum(noisy, 255 // step * step)
        projections.append(replace(projection, weight=kept.astype(np.int16)))
    return replace(network, projections=tuple(projections))


def with_threshold_mismatch(network: FixedNetwork, relative_std: float, seed: int) -> FixedNetwork:
    """Every threshold times its own ``1 + relative_std * normal``, from 0 to VTH_MAX.

    Args:
        network: integers.
        relative_std: standard deviation of the factor, 0 or more.
        seed: of the mismatch.

    Raises:
        ValueError: a negative or infinite ``relative_std``.
    """
    rng = _generator(relative_std, seed)
    populations = []
    for population in network.populations:
        factor = 1 + relative_std * rng.standard_normal(population.size)
        vth = population.vth
        if population.spiking:
            vth = np.clip(np.rint(vth * factor), 0, VTH_MAX).astype(np.int32)
        populations.append(replace(population, vth=vth))
    return replace(network, populations=tuple(populations))


def _generator(relative_std: float, seed: int) -> np.random.Generator:
    if not 0 <= relative_std < np.inf:
        raise ValueError(f"relative_std must be 0 or more, not {relative_std}")
    return np.random.default_rng(seed)
