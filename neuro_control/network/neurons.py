# SPDX-License-Identifier: Apache-2.0
"""Spiking neurons in physical units, with the equations of NIR.

NIR is the Neuromorphic Intermediate Representation (https://neuroir.org). Every parameter is
broadcast to the population's shape and kept as read-only float64. One convention holds for all
of them: a synapse's weight W is the input of one tick in which its source spiked, and the
equations are integrated with the forward Euler method at the network's time step ``dt_s``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Shape = tuple[int, ...]
FloatArray = NDArray[np.float64]
Parameter = Any
"""Given as a number or an array-like, kept as a read-only FloatArray of the population's shape."""

LARGEST_SIZE = 100_000_000
"""Most neurons of a population and channels of a port; a parameter of so many takes 800 MB."""


def whole_numbers(*values: Any) -> bool:
    """Whether all are integers, Python's or numpy's; 2.0 is none."""
    try:
        return all(index(value) is not None for value in values)
    except TypeError:
        return False


def checked_shape(shape: Sequence[int], what: str) -> Shape:
    """A shape as plain integers, or ValueError naming ``what``."""
    if not np.iterable(shape):
        raise ValueError(f"{what}: shape must be a tuple of sizes, as ({shape!r},), not {shape!r}")
    given = tuple(shape)
    if not whole_numbers(*given):
        raise ValueError(f"{what}: shape {given} must be whole numbers")
    sizes = tuple(index(size) for size in given)
    if not sizes or any(size < 1 for size in sizes):
        raise ValueError(f"{what}: shape {sizes} must have at least one axis, all of size >= 1")
    if math.prod(sizes) > LARGEST_SIZE:
        raise ValueError(
            f"{what}: shape {sizes} has {math.prod(sizes):,} elements, and at most "
            f"{LARGEST_SIZE:,} are taken; split it into several"
        )
    return sizes


def float_array(values: ArrayLike, what: str) -> FloatArray:
    """Read-only float64 copy without NaN or infinity, or ValueError naming ``what``."""
    try:
        given = np.asarray(values)
        array = np.array(given, dtype=np.float64) if given.dtype.kind != "c" else None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be an array of numbers: {error}") from None
    if array is None:
        raise ValueError(f"{what} holds complex numbers; every value must be real")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} holds NaN or infinite values; every value must be finite")
    array.flags.writeable = False
    return array


def _parameter(values: ArrayLike, shape: Shape, what: str, *, positive: bool = False) -> FloatArray:
    array = float_array(values, what)
    try:
        array = float_array(np.broadcast_to(array, shape), what)
    except ValueError:
        raise ValueError(
            f"{what} has shape {array.shape}, which does not fit the population's shape {shape}"
        ) from None
    if positive and (array <= 0).any():
        raise ValueError(f"{what} must be positive everywhere, its least value is {array.min()}")
    return array


@dataclass(frozen=True, eq=False)
class LIF:
    """Leaky integrate-and-fire neuron, NIR's ``LIF``.

    ``tau dv/dt = (v_leak - v) + r I``; a spike when ``v > v_threshold``, then ``v = v_reset``.
    ``tau`` in seconds; voltages and currents are free units. One spike of weight W moves the
    membrane by ``dt/tau * r * W``. For ``refractory`` seconds after a spike the membrane stays at
    ``v_reset`` and takes no input in (Gerstner et al., Neuronal Dynamics, 2014, section 1.3).
    """

    shape: Shape
    tau: Parameter
    r: Parameter = 1.0
    v_leak: Parameter = 0.0
    v_threshold: Parameter = 1.0
    v_reset: Parameter = 0.0
    refractory: Parameter = 0.0

    def __post_init__(self) -> None:
        _settle(self, "LIF", positive=("tau",))

    @classmethod
    def with_unit_gain(
        cls, shape: Sequence[int], *, dt_s: float, tau_s: float, v_threshold: ArrayLike = 1.0
    ) -> LIF:
        """A LIF in which one spike of weight W moves the membrane by exactly W."""
        return cls(
            tuple(shape),
            tau=tau_s,
            r=tau_s / dt_s,
            v_threshold=v_threshold,
        )


@dataclass(frozen=True, eq=False)
class CubaLIF:
    """Current-based leaky integrate-and-fire neuron, NIR's ``CubaLIF``.

    ``tau_syn dI/dt = -I + w_in S`` and ``tau_mem dv/dt = (v_leak - v) + r I``; a spike when
    ``v > v_threshold``, then ``v = v_reset`` (the current I is kept). Time constants in seconds.
    The current is advanced before the membrane, so one spike of weight W moves the membrane by
    ``dt/tau_syn * w_in * dt/tau_mem * r * W`` in the tick that it arrives. ``refractory`` as in
    LIF; the current goes on meanwhile.
    """

    shape: Shape
    tau_syn: Parameter
    tau_mem: Parameter
    r: Parameter = 1.0
    v_leak: Parameter = 0.0
    v_threshold: Parameter = 1.0
    v_reset: Parameter = 0.0
    w_in: Parameter = 1.0
    refractory: Parameter = 0.0

    def __post_init__(self) -> None:
        _settle(self, "CubaLIF", positive=("tau_syn", "tau_mem"))

    @classmethod
    def with_unit_gain(
        cls,
        shape: Sequence[int],
        *,
        dt_s: float,
        tau_mem_s: float,
        tau_syn_s: float | None = None,
        v_threshold: ArrayLike = 1.0,
    ) -> CubaLIF:
        """A CubaLIF in which one spike of weight W moves the membrane by W in its first tick.

        Without ``tau_syn_s`` the current does not outlive its tick.
        """
        tau_syn = dt_s if tau_syn_s is None else tau_syn_s
        return cls(
            tuple(shape),
            tau_syn=tau_syn,
            tau_mem=tau_mem_s,
            r=tau_mem_s / dt_s,
            w_in=tau_syn / dt_s,
            v_threshold=v_threshold,
        )


@dataclass(frozen=True, eq=False)
class IF:
    """Integrate-and-fire neuron without leak, NIR's ``IF``.

    ``dv/dt = r I`` with I a train of unit impulses, as sinabs and snnTorch write it: one spike of
    weight W moves the membrane by ``r * W`` whatever the time step. A spike when
    ``v > v_threshold``, then ``v = v_reset``. ``refractory`` as in LIF.
    """

    shape: Shape
    r: Parameter = 1.0
    v_threshold: Parameter = 1.0
    v_reset: Parameter = 0.0
    refractory: Parameter = 0.0

    def __post_init__(self) -> None:
        _settle(self, "IF", positive=())


@dataclass(frozen=True, eq=False)
class AdaptiveLIF:
    """LIF whose threshold rises with every spike of its own: spike-frequency adaptation.

    ``tau dv/dt = (v_leak - v) + r I`` and ``tau_adaptation da/dt = -a``; a spike when
    ``v > v_threshold + a``, then ``v = v_reset`` and ``a`` grows by ``adaptation`` (the ALIF of
    Bellec et al., NeurIPS 2018, with the decay of ``a`` taken before the comparison). Time
    constants and ``refractory`` in seconds, ``adaptation`` in the units of the voltage.

    NIR has no such neuron; files keep it as a LIF with metadata that other tools pass over.
    """

    shape: Shape
    tau: Parameter
    tau_adaptation: Parameter
    adaptation: Parameter
    r: Parameter = 1.0
    v_leak: Parameter = 0.0
    v_threshold: Parameter = 1.0
    v_reset: Parameter = 0.0
    refractory: Parameter = 0.0

    def __post_init__(self) -> None:
        _settle(self, "AdaptiveLIF", positive=("tau", "tau_adaptation"))


@dataclass(frozen=True, eq=False)
class Threshold:
    """A spike in every tick whose input is above ``threshold``, NIR's ``Threshold``; no memory.

    ``z = 1 where I > threshold``: one spike of weight W counts W in the tick that it arrives.
    """

    shape: Shape
    threshold: Parameter = 1.0

    def __post_init__(self) -> None:
        _settle(self, "Threshold", positive=())

    @property
    def v_threshold(self) -> Parameter:
        """The threshold under the name that it has in other neurons."""
        return self.threshold

    @property
    def v_reset(self) -> Parameter:
        """Zero: nothing is kept."""
        return np.zeros(self.shape)


@dataclass(frozen=True, eq=False)
class LI:
    """Leaky integrator without spikes, NIR's ``LI``: ``tau dv/dt = (v_leak - v) + r I``.

    Its voltage is its output: only an Output can show it, and `Runner.membrane` reads it.
    """

    shape: Shape
    tau: Parameter
    r: Parameter = 1.0
    v_leak: Parameter = 0.0

    def __post_init__(self) -> None:
        _settle(self, "LI", positive=("tau",))


@dataclass(frozen=True, eq=False)
class CubaLI:
    """Current-based leaky integrator without spikes, NIR's ``CubaLI``.

    ``tau_syn dI/dt = -I + w_in S`` and ``tau_mem dv/dt = (v_leak - v) + r I``; see LI and CubaLIF.
    """

    shape: Shape
    tau_syn: Parameter
    tau_mem: Parameter
    r: Parameter = 1.0
    v_leak: Parameter = 0.0
    w_in: Parameter = 1.0

    def __post_init__(self) -> None:
        _settle(self, "CubaLI", positive=("tau_syn", "tau_mem"))


@dataclass(frozen=True, eq=False)
class I:  # noqa: E742 - NIR's name
    """Integrator without spikes, NIR's ``I``: ``dv/dt = r I``; see LI and IF."""

    shape: Shape
    r: Parameter = 1.0

    def __post_init__(self) -> None:
        _settle(self, "I", positive=())


Integrator = LI | CubaLI | I
Neuron = LIF | CubaLIF | IF | AdaptiveLIF | Threshold | Integrator
NEURONS = (LIF, CubaLIF, IF, AdaptiveLIF, Threshold, LI, CubaLI, I)
INTEGRATORS = (LI, CubaLI, I)
"""Populations that have a voltage and no spikes."""


def _settle(neuron: Neuron, kind: str, positive: tuple[str, ...]) -> None:
    """Check and broadcast every parameter of a neuron once, when it is built."""
    shape = checked_shape(neuron.shape, kind)
    object.__setattr__(neuron, "shape", shape)
    for field, values in vars(neuron).items():
        if field != "shape":
            array = _parameter(values, shape, f"{kind}.{field}", positive=field in positive)
            object.__setattr__(neuron, field, array)
    for field in ("refractory", "adaptation"):
        values = getattr(neuron, field, np.float64(0.0))
        if (values < 0).any():
            raise ValueError(f"{kind}.{field} must be 0 or more, its least value is {values.min()}")
    leak = getattr(neuron, "v_leak", np.float64(0.0))
    if not isinstance(neuron, INTEGRATORS) and (neuron.v_threshold < leak).any():
        raise ValueError(f"{kind}.v_threshold is below v_leak: the neuron would fire at rest")


def size_of(shape: Sequence[int]) -> int:
    """Number of elements of a shape."""
    return math.prod(shape)
