# SPDX-License-Identifier: Apache-2.0
"""Why nothing comes in, or nothing comes of it: the question an operator asks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NETWORK_SILENT = "the network is silent: events come in, and no neuron spikes"


@dataclass(frozen=True)
class InputFacts:
    """What is known of a stream of event packets since the last look.

    publisher_types: type of each publisher on the topic. wanted_type: the type that is understood.
    incompatible_qos: policy for which a publisher's offer did not match, or "".
    refused: why packets are not decoded at all (an encoding that is not supported), or "".
    packets, taken, events: received, not dropped, in those. last_drop: why the last was dropped.
    stands_at_ns: stamp that all the packets taken had, if there were several; else None.
    joints: why no joint state can be gone by, or "". waiting: packets that wait for theirs.
    ticks, spikes: of the network.
    """

    topic: str
    wanted_type: str
    publisher_types: Sequence[str] = ()
    incompatible_qos: str = ""
    refused: str = ""
    packets: int = 0
    taken: int = 0
    events: int = 0
    last_drop: str = ""
    stands_at_ns: int | None = None
    joints: str = ""
    waiting: int = 0
    ticks: int = 0
    spikes: int = 0


def no_data_because(facts: InputFacts) -> str:
    """The first reason that holds, from the sensor to the network; "" if all is well."""
    if facts.packets == 0 and facts.waiting:
        return facts.joints or f"{facts.waiting} packets wait for the joint states of their stamps"
    if facts.packets == 0:
        return _nothing_received(facts)
    if facts.refused:
        return facts.refused
    if facts.taken == 0:
        return f"every packet on {facts.topic} is dropped, the last for its {facts.last_drop}"
    if facts.stands_at_ns is not None:
        return f"the packets' stamps do not advance ({facts.stands_at_ns * 1e-9:.3f} s)"
    if facts.events == 0:
        return _and_joints(
            "the sensor is idle: packets come, and there are no events in them", facts
        )
    if facts.joints:
        return facts.joints
    if facts.ticks > 0 and facts.spikes == 0:
        return NETWORK_SILENT
    return ""


def _nothing_received(facts: InputFacts) -> str:
    if not facts.publisher_types:
        return f"no publisher on {facts.topic}"
    if facts.wanted_type not in facts.publisher_types:
        others = ", ".join(sorted(set(facts.publisher_types)))
        return f"{facts.topic} is published with another type: {others}, not {facts.wanted_type}"
    if facts.incompatible_qos:
        return f"the publisher on {facts.topic} offers another QoS: {facts.incompatible_qos}"
    return _and_joints(f"{facts.topic} has a publisher, and it is silent", facts)


def _and_joints(because: str, facts: InputFacts) -> str:
    """A sensor that sees nothing move may well be in order: the joints are told beside it."""
    return f"{because}; {facts.joints}" if facts.joints else because
