# SPDX-License-Identifier: Apache-2.0
"""Of a recording that was cut off, every whole message is read again; what is missing is said."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.events.bag import BagError, read_packets, write_packets
from neuro_control.events.bag_recovery import recover
from neuro_control.events.packets import Packet

PAYLOAD = 100_000  # a chunk of a megabyte holds ten or eleven
COUNT = 24


def packets() -> list[Packet]:
    return [
        Packet(
            topic="/camera/event_camera/events",
            seq=k,
            time_base_ns=k * 10_000_000,
            stamp_ns=k * 10_000_000,
            encoding="evt3",
            width=64,
            height=48,
            is_bigendian=False,
            payload=np.full(PAYLOAD, k, np.uint8),
        )
        for k in range(COUNT)
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "recording"
    write_packets(path, packets())
    return (path / "recording.mcap").read_bytes()


def test_without_its_end_a_recording_loses_no_whole_chunk(tmp_path: Path, whole: bytes) -> None:
    cut, out = tmp_path / "cut.mcap", tmp_path / "out.mcap"
    cut.write_bytes(whole[: round(0.7 * len(whole))])
    with pytest.raises(BagError, match="neuro_control events recover"):
        next(read_packets(cut))
    found = recover(cut, out)
    read = list(read_packets(out))
    assert found.messages == len(read)
    assert 0.7 * COUNT - 12 < len(read) <= 0.7 * COUNT
    assert found.topics == 1
    assert found.duration_s == pytest.approx((len(read) - 1) * 0.01)
    assert 0 < found.lost < 1_200_000
    assert found.damage == "the file ends there"
    for packet, original in zip(read, packets(), strict=False):
        assert (packet.seq, packet.stamp_ns) == (original.seq, original.stamp_ns)
        np.testing.assert_array_equal(packet.payload, original.payload)
    assert cut.read_bytes() == whole[: round(0.7 * len(whole))]
    assert {p.name for p in tmp_path.iterdir()} == {"cut.mcap", "out.mcap"}


@pytest.mark.parametrize("missing", [1, 3, 8, 9])
def test_a_recording_that_lacks_its_last_bytes_has_every_message(
    tmp_path: Path, whole: bytes, missing: int
) -> None:
    (tmp_path / "cut.mcap").write_bytes(whole[:-missing])
    found = recover(tmp_path / "cut.mcap", tmp_path / "out.mcap")
    assert (found.messages, found.damage) == (COUNT, "the file ends there")


def test_of_a_whole_recording_nothing_is_missing(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / "in.mcap").write_bytes(whole)
    found = recover(tmp_path / "in.mcap", tmp_path / "out.mcap")
    assert (found.messages, found.lost, found.damage) == (COUNT, 0, "")
    again = recover(tmp_path / "out.mcap", tmp_path / "again.mcap")
    assert again == found


@given(at=st.floats(0.0, 1.0), flip=st.integers(0, 255))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_wherever_it_is_cut_or_damaged_what_is_written_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, at: float, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    place = min(round(at * len(whole)), len(whole) - 1)
    for name, data in (
        ("cut", whole[:place]),
        ("damaged", whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]),
    ):
        path, out = folder / f"{name}.mcap", folder / f"{name}_out.mcap"
        path.write_bytes(data)
        try:
            found = recover(path, out)
        except BagError:
            assert not out.exists()
            continue
        assert found.messages <= COUNT
        if name == "cut":
            assert sum(1 for _ in read_packets(out)) == found.messages
    for path in folder.iterdir():
        path.unlink()


def test_what_cannot_be_recovered_is_refused(tmp_path: Path, whole: bytes) -> None:
    cut, out = tmp_path / "cut.mcap", tmp_path / "out.mcap"
    cut.write_bytes(whole[:1000])
    with pytest.raises(BagError, match="no whole message to recover"):
        recover(cut, out)
    (tmp_path / "text.mcap").write_text("not a recording at all")
    with pytest.raises(BagError, match=r"text\.mcap: is no \.mcap file: it does not begin"):
        recover(tmp_path / "text.mcap", out)
    (tmp_path / "start.mcap").write_bytes(whole[:5])
    with pytest.raises(BagError, match="no whole message to recover"):
        recover(tmp_path / "start.mcap", out)
    with pytest.raises(BagError, match=r"none\.mcap: is no file"):
        recover(tmp_path / "none.mcap", out)
    with pytest.raises(BagError, match=r"out\.db3: .* let its name end in \.mcap"):
        recover(cut, tmp_path / "out.db3")
    with pytest.raises(BagError, match=r"o\.mcap: its folder does not exist"):
        recover(cut, tmp_path / "nowhere" / "o.mcap")
    with pytest.raises(BagError, match=r"cut\.mcap: is there already"):
        recover(cut, cut)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.mcap", "start.mcap", "text.mcap"]


def test_without_the_library_it_is_asked_for(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.mcap").write_bytes(whole)
    monkeypatch.setitem(sys.modules, "mcap.stream_reader", None)
    with pytest.raises(BagError, match=r"in\.mcap: recovery needs mcap: pip install mcap"):
        recover(tmp_path / "in.mcap", tmp_path / "out.mcap")
    assert [p.name for p in tmp_path.iterdir()] == ["in.mcap"]
