# SPDX-License-Identifier: Apache-2.0
"""What a twin remembers from one tick to the next."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class TwinState:
    """Tensors float64[batch, size] by population, in the units of the twin's mode.

    ``pending`` is float64[batch, ticks, size]: row k arrives in k ticks (0: in the next).
    ``adaptation`` is what thresholds have risen by and ``refractory`` the ticks that membranes are
    still held for.
    """

    current: dict[str, Tensor]
    membrane: dict[str, Tensor]
    pending: dict[str, Tensor]
    adaptation: dict[str, Tensor]
    refractory: dict[str, Tensor]

    def detach(self) -> TwinState:
        """The same numbers without their history: where back-propagation through time is cut."""
        return TwinState(
            *(
                {name: tensor.detach() for name, tensor in part.items()}
                for part in (
                    self.current,
                    self.membrane,
                    self.pending,
                    self.adaptation,
                    self.refractory,
                )
            )
        )
