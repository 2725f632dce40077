# SPDX-License-Identifier: Apache-2.0
"""ST-MNIST: a real digit's facts, and what is no recording of one."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from neuro_control.events import FileError, open_file, read
from neuro_control.events.files import st_mnist_file


def test_a_real_digit_has_the_events_that_can_be_counted_in_its_file(shared_data: Path):
    events = read(shared_data / "tactile" / "st_mnist_sample.mat")
    events.check()
    assert (events.width, events.height) == (10, 10)
    assert len(events) == 2346
    assert int(np.count_nonzero(events.p)) == 1601
    assert (events.t_ns[0], events.t_ns[-1]) == (196_626_480, 895_744_992)
    # Most events at row 4, column 6: 164; none on the rim.
    counts = np.bincount(events.y.astype(int) * 10 + events.x, minlength=100).reshape(10, 10)
    assert counts.max() == counts[4, 6] == 164
    assert counts[[0, 9]].sum() == counts[:, [0, 9]][:3].sum() == 0


def train(tmp_path: Path, values, name: str = "spiketrain") -> Path:
    path = tmp_path / "digit.mat"
    savemat(path, {name: values})
    return path


def test_taxel_37_is_in_column_7_of_row_3(tmp_path: Path):
    values = np.zeros((101, 3))
    values[37, 0], values[37, 1], values[99, 2] = 1, -1, 1
    values[100] = [0.001, 0.002, 0.25]
    events = read(train(tmp_path, values))
    assert events.t_ns.tolist() == [1_000_000, 2_000_000, 250_000_000]
    assert (events.x.tolist(), events.y.tolist()) == ([7, 7, 9], [3, 3, 9])
    assert events.p.tolist() == [1, 0, 1]


def test_millions_of_events_in_a_few_bytes_are_given_a_bounded_number_at_once(tmp_path: Path):
    values = np.ones((101, 40_000), np.int8)
    path = tmp_path / "digit.mat"
    savemat(path, {"spiketrain": values}, do_compression=True)
    assert path.stat().st_size < 20_000
    file, count = open_file(path), 0
    tracemalloc.start()
    try:
        for events in file.blocks((10, 10)):
            count += len(events)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 4_000_000
    assert peak < 32 << 20


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("spikes", np.zeros((101, 3)), "no variable spiketrain"),
        ("spiketrain", np.zeros((100, 3)), r"spiketrain is \[100, 3\], not \[101, n\]"),
        ("spiketrain", np.full((101, 3), 1j), "no matrix of real numbers"),
        ("spiketrain", np.full((101, 3), "a"), "no matrix of real numbers"),
        ("spiketrain", np.full((101, 3), 2.0), "none of -1, 0, 1"),
        ("spiketrain", np.vstack([np.ones((100, 1)), [[np.nan]]]), "times from nan to nan"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path: Path, name, values, message):
    with pytest.raises(FileError, match=message):
        read(train(tmp_path, values, name))


def test_what_is_no_file_of_matlab_is_refused(tmp_path: Path, monkeypatch):
    path = tmp_path / "text.mat"
    for content in (b"", b"hello", bytes(range(256)) * 4, b"MATLAB 7.3" + bytes(502) + b"\x89HDF"):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"text\.mat: is no MATLAB file of level 5"):
            read(path)
    monkeypatch.setattr(st_mnist_file, "LARGEST_BYTES", 10)
    with pytest.raises(FileError, match=r"text\.mat: has over 10 bytes"):
        read(path)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u2", "i4"])
@pytest.mark.parametrize("packed", [False, True])
def test_whatever_matlab_writes_is_read_as_scipy_reads_it(tmp_path: Path, dtype: str, packed: bool):
    rng = np.random.default_rng(0)
    values = rng.integers(0 if dtype == "u2" else -1, 2, (101, 20)).astype(dtype)
    values[-1] = np.arange(20)
    path = tmp_path / "digit.mat"
    others = {"a": "text", "spiketrains": np.ones(3)}
    savemat(path, others | {"spiketrain": values, "z": 1.0}, do_compression=packed)
    expected = loadmat(path)["spiketrain"]
    events = read(path)
    seen = np.zeros((100, 20), np.int64)
    seen[events.y.astype(int) * 10 + events.x, events.t_ns // 1_000_000_000] = 2 * events.p - 1.0
    np.testing.assert_array_equal(seen, expected[:-1])


def test_a_time_before_its_predecessors_is_held_at_that_and_counted(tmp_path: Path):
    values = np.zeros((101, 3))
    values[0] = 1
    values[100] = [0.002, 0.001, 0.003]
    file = open_file(train(tmp_path, values))
    assert (file.format, file.size) == ("ST-MNIST", (10, 10))
    (events,) = file.blocks((10, 10))
    assert events.t_ns.tolist() == [2_000_000, 2_000_000, 3_000_000]
    assert file.counters.time_reversals == 1
