# SPDX-License-Identifier: Apache-2.0
"""Values of joints, by their names, in the order in which they are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def ordered(
    names: Sequence[str], values: npt.ArrayLike, wanted: Sequence[str]
) -> npt.NDArray[np.float64] | None:
    """The wanted joints' values, float64[len(wanted)], of values in the order of `names`.

    None if there is not one value for each name, or a joint is missing. Of a joint that is named
    twice the last counts.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(names),):
        return None
    if tuple(names) == tuple(wanted):
        return array.copy()
    place = {name: i for i, name in enumerate(names)}
    if not all(name in place for name in wanted):
        return None
    return array[[place[name] for name in wanted]]
