# SPDX-License-Identifier: Apache-2.0
"""The layers of a netx file, whose fields are checked as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.neurons import Shape

LARGEST_NUMBER = 1 << 31
"""No number of a netx file is as large."""


class NetxLayer:
    """One group of the file, whose fields are checked as they are read."""

    def __init__(self, number: int, group: Any) -> None:
        self.number, self._group = number, group
        self.kind = self.text("type")

    def refuse(self, why: str) -> ValueError:
        """The error that names this layer, to be raised."""
        return ValueError(f"layer {self.number} ({getattr(self, 'kind', 'no type')}): {why}")

    def __contains__(self, name: str) -> bool:
        return name in self._group

    def text(self, name: str) -> str:
        """A field that is a byte string."""
        if name not in self._group:
            raise self.refuse(f"it has no {name!r}")
        value = np.ravel(self._group[name][()])
        if value.size != 1:
            raise self.refuse(f"{name!r} must be one text, not {value.size}")
        try:
            return value[0].decode("ascii") if isinstance(value[0], bytes) else str(value[0])
        except UnicodeDecodeError:
            raise self.refuse(f"{name!r} is {value[0]!r}, which is no ASCII text") from None

    def numbers(self, name: str) -> NDArray[np.int64]:
        """A field of numbers; what lies behind the point is cut off, as lava-dl does."""
        if name not in self._group:
            raise self.refuse(f"it has no {name!r}")
        values = np.asarray(self._group[name][()])
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise self.refuse(f"{name!r} must be numbers, none of them NaN or infinite")
        if values.size and not np.abs(values.astype(np.float64)).max() < LARGEST_NUMBER:
            raise self.refuse(f"{name!r} holds numbers beyond {LARGEST_NUMBER}")
        return np.trunc(values).astype(np.int64)

    def number_of(self, name: str, default: int | None = None) -> int:
        """A field that is one number, or the default where it is not there."""
        if default is not None and name not in self._group:
            return default
        values = self.numbers(name)
        if values.size != 1:
            raise self.refuse(f"{name!r} must be one number, not {values.size}")
        return int(values.ravel()[0])

    def shape(self) -> Shape:
        """(channel, row, column), or (n,) where only one axis is longer than 1."""
        values = self.numbers("shape").ravel()
        if not 1 <= len(values) <= 3 or values.min() < 1 or values.prod() > 2**31:
            raise self.refuse(f"'shape' {values.tolist()} must be one to three sizes")
        return tuple(int(value) for value in values)


def layers_of(group: Any) -> Iterator[NetxLayer]:
    """The layers in order. ValueError where a number is left out."""
    for number in range(len(group)):
        if str(number) not in group:
            raise ValueError(f"layer {number} of {len(group)} is missing")
        yield NetxLayer(number, group[str(number)])
