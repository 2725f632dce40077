# SPDX-License-Identifier: Apache-2.0
"""What quantisation lost: the report of `neuro_control.network.quantize`."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.network.fixed_network import SignMode


@dataclass(frozen=True)
class ProjectionReport:
    """What quantisation did to one projection; errors are in the network's own units.

    ``delay`` and what rounding did to it at most (``delay_error``) are in ticks.
    """

    name: str
    weight_exponent: int
    sign_mode: SignMode
    synapses: int
    max_abs_error: float
    relative_rms_error: float
    rounded_to_zero: int
    delay: int = 0
    delay_error: float = 0.0


@dataclass(frozen=True)
class PopulationReport:
    """What quantisation did to one population.

    ``scale`` is integers (of ``vth``) per unit of membrane voltage. ``worst_case_input`` is the
    largest sum that all its sources together can deliver in one tick, in the same integers; above
    131072 the current of 24 bits would wrap if that ever happened (``may_wrap``).
    """

    name: str
    scale: float
    threshold_error: float
    decay_error: float
    bias_error: float
    worst_case_input: int
    may_wrap: bool


@dataclass(frozen=True)
class QuantizationReport:
    """One line a population and a projection; `str()` prints them."""

    populations: tuple[PopulationReport, ...]
    projections: tuple[ProjectionReport, ...]

    def __str__(self) -> str:
        lines = [
            f"population {p.name}: scale {p.scale:.6g}, errors: threshold {p.threshold_error:.2%}, "
            f"decay {p.decay_error:.2%}, bias {p.bias_error:.2%}; worst-case input "
            f"{p.worst_case_input}{' (may wrap)' if p.may_wrap else ''}"
            for p in self.populations
        ]
        lines += [
            f"projection {p.name}: {p.synapses} synapses, {p.sign_mode.value}, exponent "
            f"{p.weight_exponent}, error: max {p.max_abs_error:.4g}, rms "
            f"{p.relative_rms_error:.2%}, {p.rounded_to_zero} rounded to zero"
            # One that is rounded to no delay at all loses most.
            + (
                f"; delay {p.delay} ticks, error {p.delay_error:.2f}"
                if p.delay or p.delay_error
                else ""
            )
            for p in self.projections
        ]
        return "\n".join(lines)
