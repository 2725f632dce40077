# SPDX-License-Identifier: Apache-2.0
"""What the controller says of a network that is silent, and of one in which activity dies."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.backends.backend_report import BackendReport
from neuro_control.control.arm import ControllerStatistics
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes.controller_report import ControllerTally, report
from neuro_control.nodes.event_input import Declared, EventInput
from neuro_control.nodes.input_health import InputFacts

DIES = "retina is silent although events spikes"


class Steered:
    """A controller whose network ticks, and spikes or not."""

    backend_report = BackendReport({"backend": "fake", "backend_reason": "a test"})

    def __init__(self, spikes: int, dies: str) -> None:
        self.statistics = ControllerStatistics(100, spikes, 0, 10, 0, 5.0)
        self._dies = dies

    def where_activity_dies(self) -> str:
        return self._dies


def some_events(*seqs: int) -> EventInput:
    """An input that has been given packets with these numbers."""
    events = EventInput(Declared(32, 32, "mono"))
    t = np.arange(4, dtype=np.int64)
    zero = np.zeros(4, np.uint16)
    payload, base = encode_mono(Events(t, zero, zero, np.ones(4, np.uint8), 32, 32))
    for seq in seqs or (0,):
        events.decode(Packet("", seq, base, 4, "mono", 32, 32, False, payload))
    return events


@pytest.mark.parametrize(
    ("spikes", "dies", "message"),
    [
        (0, DIES, f"the network is silent: events come in, and no neuron spikes: {DIES}"),
        (0, "", "the network is silent: events come in, and no neuron spikes"),
        (5, DIES, "ok"),
        (5, "", "ok"),
    ],
)
def test_it_says_where_activity_dies(spikes: int, dies: str, message: str) -> None:
    """A warning where nothing spikes at all; otherwise it is there to be read."""
    facts = InputFacts("/events", "event_camera_msgs/msg/EventPacket")
    found = report("active", facts, some_events(), Steered(spikes, dies), ControllerTally())
    assert found.message == message
    assert found.warning is (spikes == 0)
    assert found.values["activity_dies_at"] == dies


@pytest.mark.parametrize(
    ("seqs", "message"), [((0, 0, 0), "ok"), ((0, 2), "ok, with losses"), ((0,), "ok")]
)
def test_what_is_sent_again_is_not_lost(seqs: tuple[int, ...], message: str) -> None:
    facts = InputFacts("/events", "event_camera_msgs/msg/EventPacket")
    found = report("active", facts, some_events(*seqs), Steered(5, ""), ControllerTally())
    assert found.message == message
