# SPDX-License-Identifier: Apache-2.0
"""What is written is read again, and a file that is there is not lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.events import Events, Triggers, read, read_triggers, write

SIZE = (40, 30)


def made(rows: list[tuple[int, int, int, int]], size: tuple[int, int] = SIZE) -> Events:
    """Events of (t_us, x, y, p)."""
    table = np.array(rows, np.int64).reshape(-1, 4)
    x, y = table[:, 1].astype(np.uint16), table[:, 2].astype(np.uint16)
    return Events(table[:, 0] * 1000, x, y, table[:, 3].astype(np.uint8), *size)


def columns(events: Events) -> list[list[int]]:
    return [values.tolist() for values in (events.t_ns, events.x, events.y, events.p)]


# The time words of EVT 2.0 and 3.0 count from the first turn; below that, all kinds hold a time.
steps = st.tuples(st.integers(0, 3000), st.integers(0, 39), st.integers(0, 29), st.integers(0, 1))


def reading_undoes_writing(suffix, encoding, steps, cut, tmp_path_factory):
    t_us = np.cumsum([step[0] for step in steps])
    events = made([(int(t), *step[1:]) for t, step in zip(t_us, steps, strict=True)])
    path = tmp_path_factory.mktemp("written") / f"a{suffix}"
    assert write(path, [events[:cut], events[cut:]], SIZE, encoding=encoding) == len(events)
    again = read(path)
    assert columns(again) == columns(events)
    assert (again.width, again.height) == SIZE


few_events = st.lists(steps, min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("suffix", "encoding"), [(".raw", "evt3"), (".raw", "evt2"), (".npz", None), (".h5", None)]
)
@settings(max_examples=25)
@given(steps=few_events, cut=st.integers(0, 60))
def test_reading_undoes_writing_wherever_the_chunks_are_cut(
    suffix, encoding, steps, cut, tmp_path_factory
):
    reading_undoes_writing(suffix, encoding, steps, cut, tmp_path_factory)


# Each recording waits for the disk; what is in its packets does not depend on the storage.
@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
@settings(max_examples=6)
@given(steps=few_events, cut=st.integers(0, 60))
def test_reading_undoes_recording_wherever_the_chunks_are_cut(suffix, steps, cut, tmp_path_factory):
    reading_undoes_writing(suffix, "mono", steps, cut, tmp_path_factory)


@pytest.mark.parametrize("suffix", [".raw", ".npz", ".h5"])
@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([made([(5, 1, 1, 1), (4, 1, 1, 1)])], r"t_ns\[1\] is 4000, before its predecessor's"),
        ([made([(5, 1, 1, 1)]), made([(4, 1, 1, 1)])], "chunk begins at 4000 ns, before the 5000"),
        ([made([(5, 9, 9, 1)], (10, 10))], "a sensor of 10x10, the file is for 40x30"),
        ([made([(5, 40, 1, 1)])], r"x\[0\] is 40; it must be below the width 40"),
    ],
)
def test_events_that_are_not_sound_are_refused_and_leave_nothing(
    suffix, chunks, message, tmp_path: Path
):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / f"a{suffix}", chunks, SIZE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".raw", ".npz", ".h5"])
def test_a_refusal_leaves_an_older_file_as_it_was(suffix, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    write(path, [made([(5, 1, 2, 1)])], SIZE)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="before its predecessor's"):
        write(path, [made([(5, 1, 1, 1), (4, 1, 1, 1)])], SIZE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".raw", ".npz", ".h5", ".mcap", ".db3"])
def test_a_folder_that_is_not_there_is_named_and_not_made(suffix, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing; make it first"):
        write(tmp_path / "missing" / f"a{suffix}", [made([(5, 1, 2, 1)])], SIZE)
    assert list(tmp_path.iterdir()) == []


def edges(rows: list[tuple[int, int, int]]) -> Triggers:
    """Triggers of (t_us, channel, value)."""
    t_us, channel, value = np.array(rows, np.int64).reshape(-1, 3).T
    return Triggers(t_us * 1000, channel.astype(np.uint8), value.astype(np.uint8))


@pytest.mark.parametrize("encoding", ["evt3", "evt2"])
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_raw_file_holds_triggers_before_among_and_behind_events(encoding, cut, tmp_path: Path):
    events = made([(5, 1, 2, 1), (7, 3, 4, 0), (100_000, 5, 6, 1)])
    rows = [(3, 0, 1), (5, 6, 1), (6, 6, 0), (7, 0, 0), (60_000, 1, 1), (400_000, 0, 1)]
    path = tmp_path / "a.raw"
    chunks = [events[:cut], events[cut:]]
    assert write(path, chunks, SIZE, encoding=encoding, triggers=edges(rows)) == 3
    assert columns(read(path)) == columns(events)
    found = read_triggers(path)
    assert [found.t_ns.tolist(), found.channel.tolist(), found.value.tolist()] == [
        [t_us * 1000 for t_us, _, _ in rows],
        [channel for _, channel, _ in rows],
        [value for _, _, value in rows],
    ]


def test_triggers_alone_are_a_raw_file(tmp_path: Path):
    path = tmp_path / "a.raw"
    assert write(path, [], SIZE, triggers=edges([(3, 0, 1)])) == 0
    assert read_triggers(path).t_ns.tolist() == [3000]


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".mcap"])
def test_triggers_are_refused_where_they_cannot_be_written(suffix, tmp_path: Path):
    with pytest.raises(ValueError, match=r"external triggers can be written into \.raw only"):
        write(tmp_path / f"a{suffix}", [], SIZE, triggers=edges([(3, 0, 1)]))
    assert list(tmp_path.iterdir()) == []
