# SPDX-License-Identifier: Apache-2.0
"""The recorder stamps what it hears by one clock from the first message on."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, cast

import pytest

from neuro_control.nodes.bag_recorder import BagRecorder
from neuro_control.nodes.recorder import CLOCK, Recorder, main, spin_and_write
from neuro_control.nodes.spin import EndRequest

SPIKES, DESCRIPTION = "/network/spikes", "/network/description"
YEAR_2000_NS = 946_684_800 * 10**9


class Kept:
    """Stands for the file."""

    def __init__(self) -> None:
        self.written: list[tuple[str, int, bytes]] = []
        self.failure: OSError | None = None

    @property
    def messages(self) -> int:
        return len(self.written)

    def write(self, topic: str, t_ns: int, data: bytes) -> None:
        if topic == SPIKES and data == b"too much":
            self.failure = OSError("no space")
            return
        self.written.append((topic, t_ns, data))


def clock(sec: int) -> bytes:
    """A rosgraph_msgs/Clock in CDR, little-endian."""
    return b"\0\1\0\0" + struct.pack("<iI", sec, 0)


def recorder(ros: Any) -> tuple[Recorder, Kept]:
    kept = Kept()
    return ros.add(Recorder(cast(BagRecorder, kept))), kept


def test_what_comes_before_the_first_of_the_clock_is_stamped_by_it_too(ros: Any) -> None:
    node, kept = recorder(ros)
    node._writer(DESCRIPTION)(b"first")
    assert kept.written == []
    node._writer(CLOCK)(clock(7))
    node._writer(SPIKES)(b"next")
    assert [(topic, t_ns) for topic, t_ns, _ in kept.written] == [
        (DESCRIPTION, 7 * 10**9), (CLOCK, 7 * 10**9), (SPIKES, 7 * 10**9)
    ]  # fmt: skip


def test_without_a_clock_what_was_held_back_has_the_time_at_which_it_came(ros: Any) -> None:
    node, kept = recorder(ros)
    node._writer(DESCRIPTION)(b"first")
    node._tell()
    node._writer(SPIKES)(b"next")
    assert [topic for topic, _, _ in kept.written] == [DESCRIPTION, SPIKES]
    assert YEAR_2000_NS < kept.written[0][1] <= kept.written[1][1]


def test_what_is_held_back_at_the_end_is_written() -> None:
    import rclpy

    rclpy.init()
    try:
        kept = Kept()
        node = Recorder(cast(BagRecorder, kept))
        node._writer(DESCRIPTION)(b"only")
        node.destroy_node()
        assert [topic for topic, _, _ in kept.written] == [DESCRIPTION]
    finally:
        rclpy.try_shutdown()


def test_a_recorder_that_can_write_no_more_ends(ros: Any) -> None:
    node, kept = recorder(ros)
    node._writer(CLOCK)(clock(5))

    class Rounds(EndRequest):
        count = 0

        def goes_on(self) -> bool:
            self.count += 1
            node._writer(SPIKES)(b"too much" if self.count == 3 else b"some")
            return self.count < 10

    request = Rounds()
    spin_and_write(node, ros.executor, request)
    assert request.count == 3
    assert kept.failure is not None


def test_a_recording_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").touch()
    assert main(["recorder", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'run'}: is there, and no folder")
    assert main(["recorder", "/proc/x.mcap"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: /proc/x.mcap: cannot be recorded to: ")
    assert said.count("\n") == 1
