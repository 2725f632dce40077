# SPDX-License-Identifier: Apache-2.0
"""What the controller says of a network that is silent, and of one in which activity dies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuro_control.backends.backend_report import BackendReport
from neuro_control.control.arm import ControllerStatistics
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes.controller_report import ControllerTally, report
from neuro_control.nodes.event_input import Declared
from neuro_control.nodes.input_health import InputFacts
from neuro_control.nodes.joint_samples import JointFindings
from neuro_control.nodes.packet_intake import IntakeCounts, PacketIntake

FACTS = InputFacts("/events", "event_camera_msgs/msg/EventPacket")
GOOD = JointFindings()
DIES = "retina is silent although events spikes"


class Steered:
    """A controller whose network ticks, and spikes or not."""

    backend_report = BackendReport({"backend": "fake", "backend_reason": "a test"})

    def __init__(self, spikes: int, dies: str) -> None:
        self.statistics = ControllerStatistics(100, spikes, 0, 10, 0, 5.0)
        self._dies = dies

    def where_activity_dies(self) -> str:
        return self._dies


def some_events(*seqs: int, stamps_ns: tuple[int, ...] = ()) -> PacketIntake:
    """An intake that has taken in packets with these numbers, and stamps."""
    intake = PacketIntake(Declared(32, 32, "mono"), 0, IntakeCounts())
    zero, ones = np.zeros(4, np.uint16), np.ones(4, np.uint8)
    for place, seq in enumerate(seqs or (0,)):
        stamp_ns = stamps_ns[place] if stamps_ns else 4 + place
        t_ns = 4_000 * place + np.arange(4, dtype=np.int64)
        payload, base = encode_mono(Events(t_ns, zero, zero, ones, 32, 32))
        intake.hold(Packet("", seq, base, stamp_ns, "mono", 32, 32, False, payload), 0)
        intake.take(-1)
    return intake


def said(intake: PacketIntake, facts: InputFacts = FACTS, joints: str = "", spikes: int = 5) -> str:
    """Why there is no data."""
    tally, found = ControllerTally(), JointFindings(joints)
    status = report("active", facts, intake, Steered(spikes, ""), tally, found)
    assert status.warning is bool(status.values["no_data_because"])
    return str(status.values["no_data_because"])


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
    found = report("active", FACTS, some_events(), Steered(spikes, dies), ControllerTally(), GOOD)
    assert found.message == message
    assert found.warning is (spikes == 0)
    assert found.values["activity_dies_at"] == dies


@pytest.mark.parametrize(
    ("seqs", "message"), [((0, 0, 0), "ok"), ((0, 2), "ok, with losses"), ((0,), "ok")]
)
def test_what_is_sent_again_is_not_lost(seqs: tuple[int, ...], message: str) -> None:
    found = report("active", FACTS, some_events(*seqs), Steered(5, ""), ControllerTally(), GOOD)
    assert found.message == message


@pytest.mark.parametrize(
    ("stamps_ns", "because"),
    [
        ((0, 0, 0), "the packets' stamps do not advance (0.000 s)"),
        ((7_500_000_000,) * 2, "the packets' stamps do not advance (7.500 s)"),
        ((4, 4, 5, 5), ""),
        ((4,), ""),
    ],
)
def test_stamps_that_do_not_advance_are_told(stamps_ns: tuple[int, ...], because: str) -> None:
    """No tick of the network ever begins, and so nothing comes of the events."""
    intake = some_events(*range(len(stamps_ns)), stamps_ns=stamps_ns)
    assert said(intake) == because
    assert said(intake, joints="no joint states come") == (because or "no joint states come")


def test_what_is_wrong_with_the_joints_is_told_beside_a_sensor_that_sees_nothing() -> None:
    nothing = PacketIntake(Declared(32, 32, "mono"), 0, IntakeCounts())
    there = replace(FACTS, publisher_types=[FACTS.wanted_type])
    ceased = "no joint states for 2.0 s"
    assert said(nothing, there) == "/events has a publisher, and it is silent"
    assert said(nothing, there, ceased) == f"/events has a publisher, and it is silent; {ceased}"
    assert said(nothing, FACTS, ceased) == "no publisher on /events"
    assert said(some_events(), FACTS, ceased) == ceased
    assert said(some_events(), FACTS, ceased, spikes=0) == ceased


def test_packets_that_wait_for_their_joint_states_are_not_said_to_be_missing() -> None:
    nothing = PacketIntake(Declared(32, 32, "mono"), 0, IntakeCounts())
    waiting = replace(FACTS, publisher_types=[FACTS.wanted_type], waiting=3)
    assert said(nothing, waiting, "no joint states come") == "no joint states come"
    assert said(nothing, waiting) == "3 packets wait for the joint states of their stamps"


def test_joint_states_that_are_refused_among_others_are_warned_of() -> None:
    why = "joint_states: position of joint j2 is nan"
    joints = JointFindings(refused=why, values={"joint_states_refused": 3})
    found = report("active", FACTS, some_events(), Steered(5, ""), ControllerTally(), joints)
    assert (found.message, found.warning) == (why, True)
    assert (found.values["no_data_because"], found.values["joint_states_refused"]) == ("", 3)
