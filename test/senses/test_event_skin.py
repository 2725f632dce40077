# SPDX-License-Identifier: Apache-2.0
"""Event-based skins: a real recording's facts, and what is no recording or no event of the skin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from neuro_control.events import Events
from neuro_control.senses.event_skin import pass_through, read_st_mnist
from neuro_control.senses.skin_layout import SkinLayout

PALM = SkinLayout(name="palm", rows=10, columns=10)


def test_a_real_digit_has_the_events_that_can_be_counted_in_its_file(shared_data: Path):
    events = read_st_mnist(shared_data / "tactile" / "st_mnist_sample.mat")
    events.check()
    assert (events.width, events.height) == (10, 10)
    assert len(events) == 2346
    assert int(np.count_nonzero(events.p)) == 1601
    assert (events.t_ns[0], events.t_ns[-1]) == (196_626_480, 895_744_992)
    # Most events at row 4, column 6: 164; none on the rim.
    counts = np.bincount(events.y.astype(int) * 10 + events.x, minlength=100).reshape(10, 10)
    assert counts.max() == counts[4, 6] == 164
    assert counts[[0, 9]].sum() == counts[:, [0, 9]][:3].sum() == 0
    assert pass_through(events, PALM) is events


def train(tmp_path: Path, values, name: str = "spiketrain") -> Path:
    path = tmp_path / "digit.mat"
    savemat(path, {name: values})
    return path


def test_taxel_37_is_in_column_7_of_row_3(tmp_path: Path):
    values = np.zeros((101, 3))
    values[37, 0], values[37, 1], values[99, 2] = 1, -1, 1
    values[100] = [0.001, 0.002, 0.25]
    events = read_st_mnist(train(tmp_path, values))
    assert events.t_ns.tolist() == [1_000_000, 2_000_000, 250_000_000]
    assert (events.x.tolist(), events.y.tolist()) == ([7, 7, 9], [3, 3, 9])
    assert events.p.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("spikes", np.zeros((101, 3)), "no variable spiketrain"),
        ("spiketrain", np.zeros((100, 3)), r"\[100, 3\]; it must be of numbers and \[101, n\]"),
        ("spiketrain", np.full((101, 3), 2.0), "none of -1, 0, 1"),
        ("spiketrain", np.vstack([np.zeros((100, 2)), [[2.0, 1.0]]]), "not ascending"),
        ("spiketrain", np.vstack([np.zeros((100, 1)), [[np.nan]]]), "not ascending"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path: Path, name, values, message):
    with pytest.raises(ValueError, match=message):
        read_st_mnist(train(tmp_path, values, name))


def test_what_is_no_file_of_matlab_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_st_mnist(tmp_path / "none.mat")
    path = tmp_path / "text.mat"
    for content in (b"", b"hello", bytes(range(256)) * 4):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no MATLAB file"):
            read_st_mnist(path)


def events_at(t_ns: list[int], x: int = 0) -> Events:
    n = len(t_ns)
    return Events(
        np.array(t_ns, np.int64),
        np.full(n, x, np.uint16),
        np.zeros(n, np.uint16),
        np.ones(n, np.uint8),
        10,
        10,
    )


def test_events_of_another_skin_or_out_of_order_do_not_pass():
    assert len(pass_through(events_at([5, 6]), PALM, 5)) == 2
    with pytest.raises(ValueError, match="'palm' has columns x rows = 10 x 10"):
        pass_through(Events.empty(10, 30), PALM)
    with pytest.raises(ValueError, match=r"x\[0\] is 10; it must be below the width 10"):
        pass_through(events_at([5], 10), PALM)
    with pytest.raises(ValueError, match=r"t_ns\[1\] is 4"):
        pass_through(events_at([5, 4]), PALM)
    with pytest.raises(ValueError, match=r"t_ns\[0\] is 5, before 6"):
        pass_through(events_at([5]), PALM, 6)
