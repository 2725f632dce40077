# SPDX-License-Identifier: Apache-2.0
"""AEDAT 3.1, made here by its definition, whole and damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.events import Events, FileError, open_file, read, read_chunks

HEADER = (
    b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n"
    b"#Start-Time: 2016-09-12 10:00:00 (TZ+0000)\r\n#!END-HEADER\r\n"
)


def packet(rows, *, overflow=0, source=1, kind=1, size=8, place=4) -> bytes:
    """A packet of polarity events (us, x, y, polarity, valid)."""
    data = b"".join(struct.pack("<Ii", v | p << 1 | y << 2 | x << 17, t) for t, x, y, p, v in rows)
    n, valid = len(rows), sum(row[4] for row in rows)
    return struct.pack("<hhiiiiii", kind, source, size, place, overflow, n, n, valid) + data


def other(kind: int, size: int, n: int) -> bytes:
    """A packet of another kind, such as frames and what an IMU says."""
    return struct.pack("<hhiiiiii", kind, 1, size, 4, 0, n, n, n) + b"\xff" * (size * n)


def made(path: Path, *packets: bytes, header: bytes = HEADER) -> Path:
    path.write_bytes(header + b"".join(packets))
    return path


def columns(events: Events) -> list[tuple[int, ...]]:
    arrays = (events.t_ns, events.x, events.y, events.p)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


def test_packets_of_polarity_events_are_read_and_others_are_passed_over(tmp_path: Path):
    path = made(
        tmp_path / "a.aedat",
        other(0, 8, 2),
        packet([(5, 1, 2, 1, 1), (7, 127, 0, 0, 1)]),
        other(3, 36, 3),
        packet([]),
        packet([(9, 0, 127, 1, 1)]),
    )
    events = read(path)
    assert columns(events) == [(5_000, 1, 2, 1), (7_000, 127, 0, 0), (9_000, 0, 127, 1)]
    assert (events.width, events.height) == (128, 128)
    file = open_file(path)
    assert (file.format, list(map(len, file.blocks((128, 128))))) == ("AEDAT 3.1", [3])
    assert file.counters.errors == 0


def test_the_packets_header_holds_the_upper_bits_of_the_time(tmp_path: Path):
    last = 2**31 - 1
    path = made(
        tmp_path / "a.aedat",
        packet([(last, 1, 1, 1, 1)]),
        packet([(0, 1, 1, 1, 1)], overflow=1),
        packet([(3, 1, 1, 1, 1)], overflow=2),
    )
    assert (read(path).t_ns // 1000).tolist() == [last, 2**31, 2**32 + 3]


def test_events_that_a_filter_has_marked_invalid_are_left_out(tmp_path: Path):
    path = made(tmp_path / "a.aedat", packet([(5, 1, 2, 1, 0), (6, 3, 4, 0, 1)]))
    assert columns(read(path)) == [(6_000, 3, 4, 0)]


@pytest.mark.parametrize(
    ("sources", "size"),
    [
        (b"#Source 1: DAVIS240C\r\n", (240, 180)),
        (b"#-Source 0: DAVIS346B\r\n#Source 1: File\r\n", (346, 260)),
        (b"#Source 1: DVS128\r\n#Source 2: DAVIS240A\r\n", (11, 13)),
        (b"#Source 1: Nobody\r\n", (11, 13)),
    ],
)
def test_the_device_in_the_header_says_the_size(sources, size, tmp_path: Path):
    header = HEADER.replace(b"#Source 1: DVS128\r\n", sources)
    path = made(tmp_path / "a.aedat", packet([(5, 10, 12, 1, 1)]), header=header)
    events = read(path)
    assert (events.width, events.height) == size


steps = st.tuples(st.integers(0, 2**29), st.integers(0, 127), st.integers(0, 127), st.booleans())


@settings(max_examples=50)
@given(packets=st.lists(st.lists(steps, max_size=6), max_size=8), cut=st.integers(0, 2000))
def test_what_is_whole_is_read_wherever_the_file_ends(packets, cut, tmp_path_factory):
    t_us, expected, parts, whole = 0, [], [], []
    end = len(HEADER)
    for rows in packets:
        given_us = []
        for k, (step, x, y, p) in enumerate(rows):
            # A packet's events share the upper bits of the time.
            later = t_us + step
            if k and later >> 31 != given_us[0][0] >> 31:
                break
            t_us = later
            given_us.append((t_us, x, y, int(p), 1))
        overflow = given_us[0][0] >> 31 if given_us else 0
        words = [(t & 0x7FFFFFFF, *rest) for t, *rest in given_us]
        parts.append(packet(words, overflow=overflow))
        for k, row in enumerate(given_us):
            expected.append((row[0] * 1000, *row[1:4]))
            whole.append(end + 28 + 8 * (k + 1))
        end += len(parts[-1])
    path = made(tmp_path_factory.mktemp("cut") / "a.aedat", *parts)
    data = path.read_bytes()
    kept = max(len(HEADER), len(data) - cut)
    path.write_bytes(data[:kept])
    file = open_file(path)
    found = [row for events in file.blocks((128, 128)) for row in columns(events)]
    assert found == [row for row, at in zip(expected, whole, strict=True) if at <= kept]
    ends = np.cumsum([len(HEADER), *map(len, parts)])
    assert (file.counters.malformed > 0) == (kept not in ends)


def test_small_packets_are_put_together_and_a_large_one_is_taken_apart(tmp_path: Path):
    small = packet([(5, 1, 2, 1, 1)]) * 300
    n = 300_000
    large = np.zeros(n, np.dtype([("address", "<u4"), ("t", "<i4")]))
    large["address"], large["t"] = 1 | 7 << 17, 9
    head = struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, n, n, n)
    path = made(tmp_path / "a.aedat", small, head, large.tobytes())
    sizes = list(map(len, read_chunks(path)))
    assert sum(sizes) == 300 + n
    assert len(sizes) == 3
    assert max(sizes) < 200_000


@pytest.mark.parametrize(
    ("packets", "message"),
    [
        ([packet([(5, 1, 2, 1, 1)], kind=-32767)], "at byte .* is compressed; only RAW"),
        ([packet([(5, 1, 2, 1, 1)], size=-8)], "the header of the packet at byte .* is damaged"),
        ([packet([(5, 1, 2, 1, 1)], overflow=-1)], "the header of the packet .* is damaged"),
        ([packet([(5, 1, 2, 1, 1)], size=12)], "events of 12 bytes, their time at byte 4"),
        ([packet([(5, 1, 2, 1, 1)]), packet([(6, 1, 2, 1, 1)], source=2)], "sources 1 and 2; one"),
    ],
)
def test_a_packet_that_cannot_be_is_named(packets, message, tmp_path: Path):
    path = made(tmp_path / "a.aedat", *packets)
    with pytest.raises(FileError, match=message):
        read(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"#!AER-DAT3.0\r\n", "says #!AER-DAT3.0; of AEDAT 3 only #!AER-DAT3.1 is read"),
        (b"#!AER-DAT3.1\r\n#Format: RAW\r\n", "without #!END-HEADER; it is cut short"),
        (HEADER.replace(b"RAW", b"SerializedTS"), "Format: SerializedTS; only RAW is read"),
    ],
)
def test_another_version_or_form_is_named(header, message, tmp_path: Path):
    path = made(tmp_path / "a.aedat", header=header)
    with pytest.raises(FileError, match=message):
        open_file(path)
