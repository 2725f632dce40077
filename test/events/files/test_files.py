# SPDX-License-Identifier: Apache-2.0
"""Files of events: real ones with what is known of them, and ones made here, whole and damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from neuro_control.events import (
    Events,
    FileError,
    decoder,
    encoder,
    open_file,
    read,
    read_chunks,
    read_triggers,
    write,
)
from test.events.files.aedat4_made import aedat4

SIZE = (40, 30)
DVS128 = b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n"


def sample(n=1000, seed=0) -> Events:
    rng = np.random.default_rng(seed)
    return Events(
        5_000_000 + np.cumsum(rng.integers(0, 300, n)) * 1000,
        rng.integers(0, SIZE[0], n).astype(np.uint16),
        rng.integers(0, SIZE[1], n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8),
        *SIZE,
    )


def same(a: Events, b: Events) -> bool:
    pairs = ((a.t_ns, b.t_ns), (a.x, b.x), (a.y, b.y), (a.p, b.p))
    return (a.width, a.height) == (b.width, b.height) and all(
        np.array_equal(one, other) for one, other in pairs
    )


# Real files


def test_a_neuromorphic_cochlea(shared_data: Path):
    events = read(shared_data / "cochlea" / "nas_mono_32ch.aedat")
    assert len(events) == 49_864
    assert (events.width, events.height) == (32, 1)
    assert int(events.t_ns[0]) == 573_010 * 200
    # 5.7 million ticks of 0.2 us.
    assert int(events.t_ns[-1] - events.t_ns[0]) == (6_296_705 - 573_010) * 200
    events.check()


def test_a_prophesee_dat_file(shared_data: Path):
    events = read(shared_data / "event_camera" / "ncars_sample.dat")
    assert (len(events), int(events.p.sum())) == (2009, 1350)
    assert (events.width, events.height) == (78, 42)
    assert events.t_ns[[0, -1]].tolist() == [0, 99_952_000]


def test_an_nmnist_digit(shared_data: Path):
    events = read(shared_data / "event_camera" / "nmnist_sample.bin", width=34, height=34)
    assert (len(events), int(events.p.sum())) == (4325, 2145)
    assert events.t_ns[[0, -1]].tolist() == [654_000, 311_175_000]


def test_recordings_are_files_of_events_too(shared_data: Path):
    path = shared_data / "event_camera" / "evt3_640x480.db3"
    events = read(path)
    assert (len(events), int(events.p.sum())) == (218_291 + 125_183, 125_183)
    assert open_file(path).format == "rosbag2, evt3"


def test_a_recording_as_a_raw_file_holds_the_same_events(shared_data: Path, tmp_path: Path):
    events = read(shared_data / "event_camera" / "evt3_trigger_1280x720.db3")
    write(tmp_path / "a.raw", [events], (1280, 720))
    again = read(tmp_path / "a.raw")
    # EVT 3.0 forgets the turns of 2^24 us that lie before the first event.
    turns_ns = int(events.t_ns[0] - again.t_ns[0])
    assert turns_ns % (2**24 * 1000) == 0
    assert np.array_equal(again.t_ns + turns_ns, events.t_ns)
    assert np.array_equal(again.x, events.x)


# Files made here


@pytest.mark.parametrize("name", ["a.raw", "a.npz", "a.h5", "a.hdf5", "a.mcap", "a.db3"])
def test_what_is_written_is_read_again_as_it_was(name, tmp_path: Path):
    events = sample()
    parts = [events[:1], events[1:300], events[300:]]
    assert write(tmp_path / name, parts, SIZE) == 1000
    assert same(read(tmp_path / name), events)


@pytest.mark.parametrize(
    ("name", "encoding", "said"),
    [
        ("a.raw", "evt2", "Prophesee RAW, evt2"),
        ("a.mcap", "evt3", "rosbag2, evt3"),
        ("b.mcap", "evt2", "rosbag2, evt2"),
    ],
)
def test_other_encodings_can_be_asked_for(name, encoding, said, tmp_path: Path):
    write(tmp_path / name, [sample()], SIZE, encoding=encoding)
    assert open_file(tmp_path / name).format == said
    assert same(read(tmp_path / name), sample())


@pytest.mark.parametrize("name", ["a.raw", "a.npz", "a.h5"])
def test_chunks_have_no_more_events_than_asked_for(name, tmp_path: Path):
    write(tmp_path / name, [sample()], SIZE)
    chunks = list(read_chunks(tmp_path / name, events_per_chunk=70))
    assert max(map(len, chunks)) == 70
    assert same(Events.concatenate(chunks), sample())


def raw(path: Path, header: str, words: np.ndarray) -> Path:
    path.write_bytes(header.encode() + words.tobytes())
    return path


def test_an_old_raw_header_without_an_end(tmp_path: Path):
    payload, _ = encoder("evt2", *SIZE).encode(sample())
    path = raw(tmp_path / "a.raw", "% evt 2.0\n% geometry 40x30\n", payload)
    assert same(read(path), sample())


def test_a_raw_file_that_says_no_size_is_as_large_as_its_events(tmp_path: Path):
    payload, _ = encoder("evt3", *SIZE).encode(sample())
    path = raw(tmp_path / "a.raw", "% evt 3.0\n% end\n", payload)
    events = read(path)
    assert (events.width, events.height) == (40, 30)
    assert (read(path, width=64, height=64).width, len(events)) == (64, 1000)


@pytest.mark.parametrize(
    ("said", "swapped"),
    [
        ("", False),
        ("", True),
        (";endianness=little", False),
        (";endianness=legacy", True),
    ],
)
def test_evt21_words_whose_halves_come_one_after_the_other(said, swapped, tmp_path: Path):
    words = np.array([0x8 << 60 | 9 << 32, 1 << 60 | 5 << 43 | 7 << 32 | 0b101], "<u8")
    if swapped:
        words = np.ascontiguousarray(words.view("<u4").reshape(-1, 2)[:, ::-1])
    path = raw(tmp_path / "a.raw", f"% format EVT21{said};height=30;width=40\n% end\n", words)
    events = read(path)
    assert (events.x.tolist(), events.y.tolist()) == ([5, 7], [7, 7])
    assert events.t_ns.tolist() == [576_000, 576_000]


def test_a_dat_file_with_a_size_and_a_time_that_rolls_over(tmp_path: Path):
    records = np.array([[2**32 - 1, 1 << 28 | 4 << 14 | 3], [1, 5]], "<u4")
    header = b"% Version 2\n% Width 304\n% Height 240\n\x0c\x08"
    (tmp_path / "a.dat").write_bytes(header + records.tobytes())
    events = read(tmp_path / "a.dat")
    assert (events.width, events.height) == (304, 240)
    assert events.t_ns.tolist() == [(2**32 - 1) * 1000, (2**32 + 1) * 1000]
    assert (events.x.tolist(), events.y.tolist(), events.p.tolist()) == ([3, 5], [4, 0], [1, 0])


def test_row_240_of_nmnist_lets_time_pass(tmp_path: Path):
    records = np.array([[1, 2, 0x80, 0, 9], [0, 240, 0, 0, 0], [3, 4, 0, 0, 10]], np.uint8)
    (tmp_path / "a.bin").write_bytes(records.tobytes())
    events = read(tmp_path / "a.bin")
    assert events.t_ns.tolist() == [9_000, (8192 + 10) * 1000]
    assert events.p.tolist() == [1, 0]


def test_aedat2_of_a_dvs128_stands_upright(tmp_path: Path):
    address = np.array([[3 << 8 | 5 << 1, 100], [1 << 15, 110], [127 << 8 | 1, 120]], ">u4")
    (tmp_path / "a.aedat").write_bytes(DVS128 + address.tobytes())
    events = read(tmp_path / "a.aedat")
    assert (events.width, events.height) == (128, 128)
    assert (events.x.tolist(), events.y.tolist()) == ([122, 127], [124, 0])
    assert (events.p.tolist(), events.t_ns.tolist()) == ([1, 0], [100_000, 120_000])


def test_aedat2_of_a_davis_has_pictures_between_the_events(tmp_path: Path):
    rows = [[10 << 22 | 20 << 12 | 1 << 11, 7], [1 << 31, 8], [1 << 10, 9]]
    header = b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n"
    (tmp_path / "a.aedat").write_bytes(header + np.array(rows, ">u4").tobytes())
    events = read(tmp_path / "a.aedat")
    assert (events.x.tolist(), events.y.tolist(), events.p.tolist()) == ([219], [169], [1])


def test_a_second_ear_lies_behind_the_first(tmp_path: Path):
    record = np.dtype([("address", ">u2"), ("t", ">u4")])
    (tmp_path / "a.aedat").write_bytes(np.array([(5, 1), (64 + 6, 2)], record).tobytes())
    events = read(tmp_path / "a.aedat", width=32, height=2)
    assert (events.x.tolist(), events.y.tolist(), events.p.tolist()) == ([2, 3], [0, 1], [0, 1])


@pytest.mark.parametrize("compression", [0, 1, 3])
def test_aedat4_plain_and_compressed(compression, tmp_path: Path):
    path = aedat4(tmp_path / "a.aedat4", [sample()], SIZE, compression)
    assert same(read(path), sample())


def test_hdf5_as_dsec_prophesee_and_mvsec_write_it(tmp_path: Path):
    events = sample()
    t_us = events.t_ns // 1000
    with h5py.File(tmp_path / "dsec.h5", "w") as file:
        for name, values in (("t", t_us - 4000), ("x", events.x), ("y", events.y), ("p", events.p)):
            file[f"events/{name}"] = values
        file["t_offset"] = 4000
    with h5py.File(tmp_path / "prophesee.hdf5", "w") as file:
        table = np.zeros(
            len(events), np.dtype([("x", "u2"), ("y", "u2"), ("p", "i2"), ("t", "i8")])
        )
        table["x"], table["y"], table["p"], table["t"] = events.x, events.y, events.p, t_us
        file["CD/events"] = table
    with h5py.File(tmp_path / "mvsec.hdf5", "w") as file:
        sign = 2.0 * events.p - 1
        file["davis/left/events"] = np.stack([events.x, events.y, t_us * 1e-6, sign], axis=1)
    for name in ("dsec.h5", "prophesee.hdf5", "mvsec.hdf5"):
        assert same(read(tmp_path / name, width=40, height=30), events), name


def test_numpy_files_in_usual_forms(tmp_path: Path):
    events = sample()
    t_us = events.t_ns // 1000
    np.savez(tmp_path / "a.npz", t=t_us, x=events.x, y=events.y, p=events.p)
    seconds = events.t_ns * 1e-9
    np.savez(tmp_path / "b.npz", ts=seconds, x=events.x, y=events.y, polarity=2 * events.p - 1.0)
    table = np.zeros(len(events), np.dtype([("x", "i8"), ("y", "i8"), ("t", "i8"), ("p", "?")]))
    table["x"], table["y"], table["t"], table["p"] = events.x, events.y, t_us, events.p
    np.save(tmp_path / "c.npy", table)
    for name in ("a.npz", "b.npz", "c.npy"):
        assert same(read(tmp_path / name, width=40, height=30), events), name


def test_what_lies_outside_or_runs_backwards_is_counted_and_not_given(tmp_path: Path):
    values = {"t": [5, 4, 9], "x": [1, 2, 40], "y": [1, -1, 1], "p": [1, 0, 1]}
    np.savez(tmp_path / "a.npz", **{name: np.array(v) for name, v in values.items()})
    file = open_file(tmp_path / "a.npz")
    assert [len(part) for part in file.blocks(SIZE)] == [1]
    assert file.counters.outside_sensor == 2
    values = {"t": [5, 4, 9], "x": [1, 2, 3], "y": [1, 1, 1], "p": [1, 0, 1]}
    np.savez(tmp_path / "b.npz", **{name: np.array(v) for name, v in values.items()})
    file = open_file(tmp_path / "b.npz")
    assert [part.t_ns.tolist() for part in file.blocks(SIZE)] == [[5000, 5000, 9000]]
    assert file.counters.time_reversals == 1


def whole_and_cut(name: str, tmp_path: Path) -> tuple[Events, Path, int]:
    """What of a file is whole, the file cut off behind it, and how many bytes are too few."""
    if name.endswith(".aedat4"):
        events = sample(900)
        path = aedat4(tmp_path / name, [events], SIZE, int(name[0]))
        path.write_bytes(path.read_bytes()[:-9])
        return events[:600], path, -1
    n, tail = 200, 3
    t_us = np.arange(n) * 100
    header, kind, rows = {
        ".dat": (b"% Version 2\n% Width 40\n% Height 30\n\x0c\x08", "<u4", [t_us, 5 | 7 << 14]),
        ".aedat": (DVS128, ">u4", [7 << 8 | 5 << 1, t_us]),
        ".bin": (b"", "u1", [5, 7, 0, t_us >> 8, t_us & 0xFF]),
        ".raw": (
            b"% evt 2.0\n% geometry 40x30\n",
            "<u4",
            [8 << 28 | t_us >> 6, (t_us & 0x3F) << 22 | 5 << 11 | 7],
        ),
    }[Path(name).suffix]
    table = np.stack([np.broadcast_to(row, n) for row in rows], axis=1).astype(kind)
    path = tmp_path / name
    path.write_bytes(header + table.tobytes())
    events = read(path, width=128, height=128)
    path.write_bytes(header + table.tobytes() + b"\0" * tail)
    return events, path, tail


@pytest.mark.parametrize("name", ["a.raw", "a.dat", "a.aedat", "a.bin", "0.aedat4", "1.aedat4"])
def test_of_a_file_that_is_cut_short_all_that_is_whole_is_read_and_the_rest_counted(name, tmp_path):
    whole, path, too_few = whole_and_cut(name, tmp_path)
    file = open_file(path)
    size = (whole.width, whole.height)
    found = Events.concatenate(list(file.blocks(size)))
    assert len(whole) > 100
    assert same(found, whole)
    assert file.counters.malformed == too_few or (too_few < 0 and file.counters.malformed > 100)
    assert file.counters.errors == file.counters.malformed
    assert same(read(path, width=size[0], height=size[1]), whole)


def test_an_aedat4_file_that_ends_before_its_header_says_is_cut_short(tmp_path: Path):
    path = aedat4(tmp_path / "a.aedat4", [sample(900)], SIZE, end=1 << 20)
    file = open_file(path)
    assert same(Events.concatenate(list(file.blocks(SIZE))), sample(900))
    assert file.counters.malformed == 1


# External triggers


def with_triggers(path: Path, encoding: str) -> Path:
    """Triggers before, among and behind events, and in a stretch without any."""
    if encoding == "evt3":
        words = [0x8000, 0x6005, 0xA601, 0x0007, 0x2005, 0x6009, 0xA600, *[0xA301] * 100]
        header, kind = "% evt 3.0\n% geometry 40x30\n% end\n", "<u2"
    else:
        edge, event = 0xA << 28, 1 << 28 | 5 << 11 | 7
        at = [edge | 5 << 22 | 0x601, event | 5 << 22, edge | 9 << 22 | 0x600]
        words = [0x8 << 28, *at, *[edge | 9 << 22 | 0x301] * 100]
        header, kind = "% evt 2.0\n% geometry 40x30\n% end\n", "<u4"
        if encoding == "evt21":
            words = [word << 32 | (word >> 28 == 1) for word in words]
            header, kind = header.replace("2.0", "2.1"), "<u8"
    return raw(path, header, np.array(words, kind))


@pytest.mark.parametrize("encoding", ["evt2", "evt21", "evt3"])
def test_the_external_triggers_of_a_raw_file(encoding, tmp_path: Path):
    path = with_triggers(tmp_path / "a.raw", encoding)
    found = read_triggers(path)
    assert found.t_ns.tolist() == [5_000, 9_000] + [9_000] * 100
    assert found.channel.tolist() == [6, 6] + [3] * 100
    assert found.value.tolist() == [1, 0] + [1] * 100
    assert read(path).t_ns.tolist() == [5_000]


def test_triggers_without_events_are_given_too(tmp_path: Path):
    path = raw(tmp_path / "a.raw", "% evt 3.0\n% end\n", np.array([0x8000, 0x6005, 0xA601], "<u2"))
    assert read_triggers(path).t_ns.tolist() == [5_000]
    assert list(open_file(path).blocks(SIZE)) == []


def test_the_external_triggers_of_a_recording(shared_data: Path):
    path = shared_data / "event_camera" / "evt3_trigger_1280x720.db3"
    found = read_triggers(path)
    file = open_file(path)
    parts = list(file.parts(file.size))
    assert len(found) == file.counters.triggers > 0
    assert sum(len(triggers) for _, triggers in parts) == len(found)
    assert (np.diff(found.t_ns) >= 0).all()
    # Edges of one input go up and down by turns.
    assert all(set(np.diff(found.value[found.channel == k].astype(int))) <= {1, -1} for k in (0, 6))


def test_a_recordings_triggers_as_a_raw_file(shared_data: Path, tmp_path: Path):
    path = shared_data / "event_camera" / "evt3_trigger_1280x720.db3"
    events, found = read(path), read_triggers(path)
    for encoding in ("evt2", "evt3"):
        out = tmp_path / f"{encoding}.raw"
        write(out, [events], (1280, 720), encoding=encoding, triggers=found)
        again = read_triggers(out)
        # EVT 3.0 forgets the turns of 2^24 us before the first word.
        turns_ns = 0 if encoding == "evt2" else int(found.t_ns[0] - again.t_ns[0])
        assert turns_ns % (2**24 * 1000) == 0
        assert np.array_equal(again.t_ns + turns_ns, found.t_ns)
        assert np.array_equal(read(out).t_ns + turns_ns, events.t_ns)


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "a.mcap"])
def test_files_without_triggers_have_none(name, tmp_path: Path):
    write(tmp_path / name, [sample()], SIZE)
    assert len(read_triggers(tmp_path / name)) == 0


# Files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.raw", b"", "is empty; it must be one of: Prophesee RAW"),
        ("a.txt", b"hello", "is of no known kind; it must be one of"),
        ("a.raw", b"% format EVT4;width=3;height=2\n% end\n", "says EVT4 of the encoding"),
        ("a.dat", b"% Version 1\n", "DAT version 1; only version 2"),
        ("a.dat", b"% Version 2\n\x05\x08", "events of type 5 and 8 bytes"),
        ("a.dat", b"% Version 2\n\x0c", "ends at byte 12, before the type"),
        ("a.aedat", b"#!AER-DAT2.0\r\n# AEChip: nobody\r\n", "names no chip that is known; say"),
        ("a.aedat", b"#!AER-DAT4.5\r\n", "only versions 1, 2, 3.1 and 4.0 are read"),
        ("a.aedat4", b"#!AER-DAT4.0\r\n\x10\0", "ends within its header"),
        ("a.aedat4", b"#!AER-DAT4.0\r\n\x10\0\0\0" + b"\xff" * 16, "the header is damaged"),
        ("a.bin", b"\0" * 4, "no events in it; say width and height"),
        ("a.npz", b"PK\x03\x04nonsense", "is not a readable numpy file"),
        ("a.h5", b"\x89HDF\r\n\x1a\nnonsense", "is not a readable HDF5 file"),
        ("a.db3", b"SQLite format 3\0nonsense", "a.db3"),
        ("a.mcap", b"\x89MCAP0\r\nnonsense", "a.mcap"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(name, content, message, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError, match=message):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere.raw"):
        read(tmp_path / "nowhere.raw")


def test_what_does_not_fit_together_is_named(tmp_path: Path):
    np.savez(tmp_path / "a.npz", t=np.zeros(2), x=np.zeros(3), y=np.zeros(2), p=np.zeros(2))
    with pytest.raises(FileError, match=r"different lengths: \{'t': 2, 'x': 3"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", t=np.array([np.nan]), x=[1], y=[1], p=[1])
    with pytest.raises(FileError, match=r"t is float64.* finite numbers"):
        read(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", x=[1])
    with pytest.raises(FileError, match=r"no array t_ns or t or .*; it has"):
        read(tmp_path / "c.npz")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["picture"] = [1]
    with pytest.raises(FileError, match=r"no events/\{x,y,t,p\}.* it has \['picture'\]"):
        read(tmp_path / "a.h5")


def test_arguments_that_cannot_be_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="events_per_chunk is 0; it must be at least 1"):
        read_chunks(tmp_path, events_per_chunk=0)
    with pytest.raises(ValueError, match="width is 3 and height None; give both or neither"):
        read_chunks(tmp_path, width=3)
    with pytest.raises(ValueError, match=r"the suffix is '.png'; it must be one of \['.raw'"):
        write(tmp_path / "a.png", [], SIZE)
    with pytest.raises(ValueError, match="encoding is 'mono'; a RAW file takes evt2 or evt3"):
        write(tmp_path / "a.raw", [], SIZE, encoding="mono")
    write(tmp_path / "a.mcap", [sample()], SIZE)
    with pytest.raises(FileExistsError, match="is there already"):
        write(tmp_path / "a.mcap", [sample()], SIZE)


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    """One sound file of each kind, small."""
    folder = tmp_path_factory.mktemp("originals")
    events = sample(200)
    for name in ("a.raw", "a.npz", "a.h5"):
        write(folder / name, [events], SIZE)
    write(folder / "b.raw", [events], SIZE, encoding="evt2")
    for number, name in enumerate(("a.mcap", "a.db3")):
        write(folder / name, [events], SIZE)
        (recorded,) = (folder / name).glob(f"*.{name[2:]}")
        recorded.rename(folder / f"{number}{recorded.suffix}")
        shutil.rmtree(folder / name)
    for compression in (0, 1, 3):
        aedat4(folder / f"{compression}.aedat4", [events], SIZE, compression)
    (folder / "a.aedat").write_bytes(DVS128 + np.zeros((200, 2), ">u4").tobytes())
    aedat3 = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"
    head = np.array([1 | 1 << 16, 8, 4, 0, 200, 200, 200], "<i4").tobytes()
    (folder / "3.aedat").write_bytes(aedat3 + head + np.ones((200, 2), "<i4").tobytes())
    np.save(folder / "a.npy", np.zeros(200, [(name, "i8") for name in "txyp"]))
    with h5py.File(folder / "b.h5", "w") as file:
        file["CD/events"] = np.zeros(200, [(name, "i8") for name in "xypt"])
    with h5py.File(folder / "c.h5", "w") as file:
        file["davis/left/events"] = np.zeros((200, 4))
    words = np.array([0x8 << 60 | 9 << 32, 1 << 60 | 5 << 43 | 7 << 32 | 0b101], "<u8")
    raw(folder / "c.raw", "% format EVT21;height=30;width=40\n% end\n", words)
    records = np.zeros((200, 2), "<u4")
    (folder / "a.dat").write_bytes(b"% Version 2\n\x0c\x08" + records.tobytes())
    savemat(folder / "a.mat", {"spiketrain": np.zeros((101, 9))})
    savemat(folder / "b.mat", {"spiketrain": np.ones((101, 9))}, do_compression=True)
    (folder / "a.bin").write_bytes(np.zeros((200, 5), np.uint8).tobytes())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_gives_sound_events_or_says_what_is_wrong(data, originals, tmp_path_factory):
    name = data.draw(st.sampled_from(sorted(originals)))
    content = bytearray(originals[name])
    for _ in range(data.draw(st.integers(0, 4))):
        last = len(content) if data.draw(st.booleans()) else 300  # where headers are, and all
        content[data.draw(st.integers(0, min(last, len(content)) - 1))] = data.draw(
            st.integers(0, 255)
        )
    end = data.draw(st.integers(0, len(content))) if data.draw(st.booleans()) else len(content)
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(bytes(content[:end]))
    size = data.draw(st.sampled_from([{}, {"width": 40, "height": 30}]))
    try:
        for part in read_chunks(path, **size):
            part.check()
    except FileError as error:
        refused = str(error)
    else:
        refused = str(path)
    assert str(path) in refused


def test_a_decoder_is_what_reads_a_raw_file(tmp_path: Path):
    write(tmp_path / "a.raw", [sample()], SIZE)
    content = (tmp_path / "a.raw").read_bytes()
    payload = np.frombuffer(content[content.index(b"% end\n") + 6 :], np.uint8)
    assert same(decoder("evt3", *SIZE).decode(payload), read(tmp_path / "a.raw"))
