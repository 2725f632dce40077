# SPDX-License-Identifier: Apache-2.0
"""Where headers end, what a time counts, and how much of a file is in memory at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuro_control.events import Events, FileError, read, read_chunks, write
from test.events.files.aedat4_made import aedat4

DAVIS = b"#!AER-DAT2.0\r\n# AEChip: DAVIS240C\r\n"
COLUMNS = ("t", "x", "y", "p")


@pytest.mark.parametrize("end", [b"#End Of ASCII Header\r\n", b"# End of ASCII Header\r\n", b""])
def test_an_event_that_begins_as_header_lines_do_is_an_event(end, tmp_path: Path):
    # Row 140 has '#' in its address's first byte; there is a line feed in a later time.
    times = [1, 2, ord("\n"), 12]
    rows = [[140 << 22 | 20 << 12, t] for t in times]
    assert np.array(rows, ">u4").tobytes().startswith(b"#")
    (tmp_path / "a.aedat").write_bytes(DAVIS + end + np.array(rows, ">u4").tobytes())
    assert read(tmp_path / "a.aedat").t_ns.tolist() == [t * 1000 for t in times]


def test_a_raw_file_whose_first_word_begins_with_a_percent_sign(tmp_path: Path):
    # EVT 2.0: bits above 2^6 us of the time, then an ON event in column 0, row 10 (a line feed).
    words = np.array([0x8000_0025, 0x1000_0000 | ord("\n")], "<u4")
    (tmp_path / "a.raw").write_bytes(b"% evt 2.0\n% geometry 40x30\n" + words.tobytes())
    events = read(tmp_path / "a.raw")
    assert (events.t_ns.tolist(), events.y.tolist()) == ([(0x25 << 6) * 1000], [10])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.raw", b"% format EVT3;height=0;width=0\n% end\n"),
        ("a.raw", b"% format EVT3;height=30;width=99999999\n% end\n"),
        ("a.raw", b"% format EVT3;height=30;width=4\xd5\n% end\n"),
        ("a.raw", b"% evt 3.0\n% geometry 4x\n% end\n"),
        ("a.dat", b"% Version 2\n% Width 0\n% Height 0\n\x0c\x08"),
        ("a.dat", b"% Version 2\n% Width \xb2\n% Height 3\n\x0c\x08"),
    ],
)
def test_a_size_that_no_sensor_has_is_the_files_fault(name, content, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=rf"{name}: the (file|header) says .*(width|height)"):
        read(tmp_path / name)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_times_that_are_no_whole_numbers_are_seconds(suffix, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    values = dict(zip(COLUMNS, ([0.5, 0.75], [1, 2], [1, 2], [0, 1]), strict=True))
    if suffix == ".npz":
        np.savez(path, **{name: np.array(column) for name, column in values.items()})
    else:
        with h5py.File(path, "w") as file:
            for name, column in values.items():
                file[f"events/{name}"] = column
    assert read(path).t_ns.tolist() == [500_000_000, 750_000_000]


def test_nanoseconds_by_name_are_nanoseconds_whatever_their_type(tmp_path: Path):
    np.savez(tmp_path / "a.npz", t_ns=np.array([5.0, 7.0]), x=[1, 1], y=[1, 1], p=[1, 1])
    assert read(tmp_path / "a.npz").t_ns.tolist() == [5, 7]


@pytest.mark.parametrize("t", [[1e300], [np.nan], [-np.inf], np.array([2**63], np.uint64)])
@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_times_beyond_what_can_be_counted_are_refused(suffix, t, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        np.savez(path, t=t, x=[1], y=[1], p=[1])
    else:
        with h5py.File(path, "w") as file:
            for name, column in zip(COLUMNS, (t, [1], [1], [1]), strict=True):
                file[f"events/{name}"] = column
    with pytest.raises(FileError, match=r"a\.(npz|h5): (times from|t is float64)"):
        read(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"events": 1}, "no events/{x,y,t,p}"),
        ({"CD/events": [1]}, "no events/{x,y,t,p}"),
        ({"davis/left/events": [[b"a"] * 4]}, "no events/{x,y,t,p}"),
        ({f"events/{name}": 1 for name in COLUMNS}, "events/x is .*; it must be n numbers"),
        ({f"events/{name}": [b"a"] for name in COLUMNS}, "events/x is .*; it must be n numbers"),
        ({f"events/{name}": [[1]] for name in COLUMNS}, "events/x is .*; it must be n numbers"),
        (
            {f"events/{name}": [1] for name in COLUMNS} | {"t_offset": [1, 2]},
            "t_offset is .*; it must be one whole number",
        ),
    ],
)
def test_hdf5_of_another_form_is_named(values, message, tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, value in values.items():
            file[name] = value
    with pytest.raises(FileError, match=rf"a.h5: {message}"):
        read(tmp_path / "a.h5")


def test_hdf5_compressed_with_what_is_not_here_says_what_to_install(tmp_path: Path):
    unassigned = 65_000  # filters of this number are nobody's
    with h5py.File(tmp_path / "a.h5", "w") as file:
        holder = file.create_group("events")
        for name in COLUMNS:
            pipeline = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            pipeline.set_chunk((4,))
            pipeline.set_filter(unassigned, h5py.h5z.FLAG_OPTIONAL, ())
            space = h5py.h5s.create_simple((4,))
            made = h5py.h5d.create(holder.id, name.encode(), h5py.h5t.STD_I64LE, space, pipeline)
            made.write_direct_chunk((0,), b"\1" * 32, 0)
    with pytest.raises(FileError, match=r"a.h5: /events/t .*filter 65000.*install hdf5plugin"):
        read(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["stored.npz", "records.npz", "a.npy"])
def test_numpy_files_are_never_in_memory_as_a_whole(name, tmp_path: Path):
    n = 2_000_000
    records = np.zeros(n, np.dtype([("t", "i8"), ("x", "i8"), ("y", "i8"), ("p", "i8")]))
    records["t"] = np.arange(n)
    fields = {field: records[field] for field in COLUMNS}
    if name == "a.npy":
        np.save(tmp_path / name, records)
    elif name == "records.npz":
        np.savez(tmp_path / name, events=records)
    else:
        np.savez(tmp_path / name, **fields)
    tracemalloc.start()
    try:
        seen = sum(len(part) for part in read_chunks(tmp_path / name, width=4, height=4))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == n
    assert peak < records.nbytes / 2


def stretches(n: int, each: int = 50_000) -> Iterator[Events]:
    """n stretches of events, one after the other."""
    rng = np.random.default_rng(0)
    t_ns = np.sort(rng.integers(0, 10_000, each)) * 1000
    x, y = (rng.integers(0, side, each).astype(np.uint16) for side in (64, 48))
    p = rng.integers(0, 2, each).astype(np.uint8)
    for k in range(n):
        yield Events(t_ns + k * 10_000_000, x, y, p, 64, 48)


def write_as(path: Path, n: int) -> None:
    """So many stretches in the form that the name says."""
    if path.suffix == ".aedat4":  # as many packets as a driver writes in seconds, of 2000 events
        aedat4(path, stretches(n), (64, 48), compression=int(path.stem), each=2000)
        return
    if path.suffix not in (".dat", ".aedat", ".bin"):
        write(path, stretches(n), (64, 48), encoding="evt2" if path.stem == "evt2" else None)
        return
    with path.open("wb") as file:
        if path.suffix == ".dat":
            file.write(b"% Version 2\n% Width 64\n% Height 48\n% end\n\x0c\x08")
        elif path.suffix == ".aedat":
            file.write(b"#!AER-DAT2.0\r\n# davis240\r\n")
        for events in stretches(n):
            t_us, x, y = events.t_ns // 1000, events.x.astype("u4"), events.y.astype("u4")
            if path.suffix == ".dat":
                columns = np.column_stack((t_us, x | y << 14)).astype("<u4")
            elif path.suffix == ".aedat":
                columns = np.column_stack((x << 12 | y << 22, t_us)).astype(">u4")
            else:
                columns = np.column_stack((x, y, t_us >> 16, t_us >> 8, t_us)).astype(np.uint8)
            file.write(columns.tobytes())


MORE_BYTES = 16 * 50_000 * 13
"""Of the events by which the larger file is larger, in memory."""


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that some work holds at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name",
    [
        "evt3.raw", "evt2.raw", "a.h5", "a.npz", "a.mcap", "a.db3", "a.dat", "a.aedat", "a.bin",
        "0.aedat4", "1.aedat4", "3.aedat4",
    ],
)  # fmt: skip
def test_memory_does_not_grow_with_the_file(name: str, tmp_path: Path):
    few, many = tmp_path / "few", tmp_path / "many"
    size = (240, 180) if name == "a.aedat" else (64, 48)
    for folder, n in ((few, 16), (many, 32)):
        folder.mkdir()
        write_as(folder / name, n)

    def count(folder: Path) -> int:
        return sum(len(part) for part in read_chunks(folder / name, width=size[0], height=size[1]))

    peaks = [peak_of(lambda folder=folder: count(folder)) for folder in (few, many)]
    assert count(many) == 1_600_000
    assert peaks[1] - peaks[0] < MORE_BYTES / 4


@pytest.mark.parametrize("name", ["a.raw", "a.h5", "a.npz", "a.mcap"])
def test_memory_does_not_grow_with_what_is_written(name: str, tmp_path: Path):
    few, many = (
        peak_of(lambda n=n: write(tmp_path / f"{n}{name}", stretches(n), (64, 48))) for n in (2, 8)
    )
    assert many - few < MORE_BYTES / 4


def test_a_numpy_file_that_is_cut_short_says_where(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros(5, np.dtype([(name, "i8") for name in COLUMNS])))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-40])
    with pytest.raises(FileError, match=rf"a.npy: the array ends at byte {len(content) - 40}"):
        read(tmp_path / "a.npy")


def test_python_objects_are_not_loaded(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(FileError, match="holds Python objects, which are not loaded"):
        read(tmp_path / "a.npy")
