# SPDX-License-Identifier: Apache-2.0
"""Skins that give events of their own: they pass through, checked; and a recording of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neuro_control.events import Events
from neuro_control.senses.skin_layout import SkinLayout

ST_MNIST_ROWS = ST_MNIST_COLUMNS = 10


def pass_through(events: Events, layout: SkinLayout, not_before_ns: int = 0) -> Events:
    """The same events, once it is sure that they are of this skin.

    Args:
        events: x is the column, y the row, p 1 pressed and 0 released.
        layout: of the skin; columns and rows are the events' width and height.
        not_before_ns: time of the last event that was passed before.

    Raises:
        ValueError: another size, an event outside it, or a time that runs backwards.
    """
    if (events.width, events.height) != (layout.columns, layout.rows):
        raise ValueError(
            f"events are of {events.width} x {events.height} taxels; {layout.name!r} has"
            f" columns x rows = {layout.columns} x {layout.rows}"
        )
    events.check()
    if len(events) and events.t_ns[0] < not_before_ns:
        raise ValueError(
            f"t_ns[0] is {events.t_ns[0]}, before {not_before_ns}, the last event's before it"
        )
    return events


def read_st_mnist(path: str | Path) -> Events:
    """A digit drawn on the event-based skin of ST-MNIST (See et al., arXiv 2005.04319).

    A MATLAB file with `spiketrain` float64[101, n]: in a column's first 100 rows, a taxel a row,
    1 (pressed) or -1 (released) for each that spoke; in the last row its time [s]. Taxel k is in
    column k % 10 and row k // 10.

    Raises:
        FileNotFoundError: there is none.
        ValueError: no such file, or values that cannot be.
    """
    # Only recordings need it, and it takes a while to import.
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = Path(path)
    try:
        with path.open("rb") as file:
            content = loadmat(file, variable_names=["spiketrain"])
    except (MatReadError, ValueError, NotImplementedError, TypeError) as error:
        raise ValueError(f"{path}: no MATLAB file of version 4 to 7: {error}") from error
    if "spiketrain" not in content:
        raise ValueError(f"{path}: has no variable spiketrain")
    train = np.asarray(content["spiketrain"])
    taxels = ST_MNIST_ROWS * ST_MNIST_COLUMNS
    if train.ndim != 2 or train.shape[0] != taxels + 1 or train.dtype.kind not in "fiu":
        raise ValueError(
            f"{path}: spiketrain is {train.dtype}{list(train.shape)}; it must be of numbers and"
            f" [{taxels + 1}, n]"
        )
    signs, t_s = train[:-1], train[-1].astype(np.float64)
    if not np.isin(signs, (-1, 0, 1)).all():
        raise ValueError(f"{path}: spiketrain has signs that are none of -1, 0, 1")
    if not (np.isfinite(t_s).all() and (t_s >= 0).all() and (np.diff(t_s) >= 0).all()):
        raise ValueError(f"{path}: spiketrain's times are not ascending from 0 or later")
    column, taxel = np.nonzero(signs.T)
    row, x = np.divmod(taxel, ST_MNIST_COLUMNS)
    return Events(
        t_ns=np.rint(t_s[column] * 1e9).astype(np.int64),
        x=x.astype(np.uint16),
        y=row.astype(np.uint16),
        p=(signs[taxel, column] > 0).astype(np.uint8),
        width=ST_MNIST_COLUMNS,
        height=ST_MNIST_ROWS,
    )
