# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network why --silent --running`: where the controller's network dies.

The controller publishes its network (`network/description`) and its spikes (`network/spikes`) to
whoever listens; both are listened to for a while, and spikes counted by row. The network's file is
read where it is found here under the name that the controller gives, and if its rows are the
same: then causes that its structure shows are named. Otherwise only the place is.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuro_control.events import MonoDecoder, Packet
from neuro_control.inspection import (
    Cause,
    Finding,
    SilenceReport,
    SourceActivity,
    Wiring,
    silent_front,
    why_silent_now,
)
from neuro_control.network import FixedNetwork
from neuro_control.network_command.files import find_integers
from neuro_control.network_command.silence_text import text
from neuro_control.reports.json_text import json_text

DESCRIPTION_TIMEOUT_S = 5.0


def why_running(arguments: argparse.Namespace) -> int:
    """Listen, and print where activity dies: 0 if it does not, 1 if it does."""
    if not 0 < arguments.seconds <= 3600:
        raise ValueError(f"--seconds {arguments.seconds}: must be above 0 and at most 3600")
    description, packets = listen(arguments.seconds)
    names = [str(row["name"]) for row in description["rows"]]
    unseen = [str(row["name"]) for row in description["rows"] if not row.get("seen", True)]
    spikes = count_spikes(packets, names, unseen)
    ticks = ticks_of(packets, float(description["dt_s"]))
    name = arguments.file or str(description.get("file", ""))
    network = load_same(name, description)
    if network is None:
        print(f"network {name!r} is not here: the place is found, not the cause", file=sys.stderr)
        report = place(Wiring.from_description(description), ticks, spikes, description)
    else:
        report = why_silent_now(network, ticks, spikes)
    about = f"the running network {name}"
    print(json_text(report.as_json(), indent=2) if arguments.json else text(report, about))
    return 0 if report.healthy else 1


def load_same(name: str, description: Mapping[str, Any]) -> FixedNetwork | None:
    """The network of that name, if it is here and has the rows that are described."""
    try:
        network = find_integers(name, description.get("dt_s"))
    except (OSError, ValueError):
        return None
    here = [(n, port.size) for n, port in network.inputs.items()]
    here += [(p.name, p.size) for p in network.populations]
    there = [(str(row["name"]), int(row["size"])) for row in description["rows"]]
    return network if here == there else None


def count_spikes(packets: list[Packet], names: list[str], unseen: list[str]) -> dict[str, int]:
    """Spikes of each row that can be seen; every row of a packet is a source."""
    counts = np.zeros(len(names), np.int64)
    for packet in packets:
        payload = np.frombuffer(packet.payload, np.uint8)
        events = MonoDecoder(packet.width, packet.height).decode(payload, packet.time_base_ns)
        counts += np.bincount(events.y, minlength=len(names))[: len(names)]
    found = dict(zip(names, counts.tolist(), strict=True))
    return {name: n for name, n in found.items() if name not in unseen}


def ticks_of(packets: list[Packet], dt_s: float) -> int:
    """Ticks between the first message and the last, by their stamps."""
    if len(packets) < 2:
        return 0
    return round((packets[-1].stamp_ns - packets[0].stamp_ns) / (dt_s * 1e9))


def place(
    wiring: Wiring, ticks: int, spikes: Mapping[str, int], description: Mapping[str, Any]
) -> SilenceReport:
    """Where activity dies by the wiring alone."""
    mute = {str(r["name"]) for r in description["rows"] if r.get("spiking") is False}
    known = {name: n for name, n in spikes.items() if name not in mute}
    every = (*wiring.inputs, *wiring.sources)
    front = silent_front(wiring, {name for name in every if known.get(name, 1)})
    sizes = {str(row["name"]): int(row["size"]) for row in description["rows"]}
    findings = [
        Finding(name, Cause.NO_INPUT, f"input {name} was given no spike") for name in front.inputs
    ]
    findings += [
        Finding(
            name,
            Cause.WEIGHTS_MISS,
            f"{name} is silent although {', '.join(wiring.sources[name])} spikes",
            "its file, for the cause: `network why FILE --silent`",
        )
        for name in front.populations
    ]
    return SilenceReport(
        ticks,
        tuple(SourceActivity(n, sizes[n], known[n], 0) for n in wiring.inputs if n in known),
        tuple(SourceActivity(n, sizes[n], known[n], 0) for n in wiring.sources if n in known),
        tuple(findings),
        (),
        front.behind,
    )


def listen(seconds: float) -> tuple[dict[str, Any], list[Packet]]:
    """The description of the running network, and its messages of spikes over so many seconds.

    Raises:
        ValueError: there is no ROS here, or nobody publishes a network.
    """
    try:
        import rclpy
        from event_camera_msgs.msg import EventPacket
        from rclpy.executors import SingleThreadedExecutor
        from std_msgs.msg import String

        from neuro_control.nodes import messages, qos
    except ImportError as error:
        raise ValueError(f"--running needs ROS 2 ({error}); `neuro_control doctor`") from error

    descriptions: list[str] = []
    packets: list[Packet] = []
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node("network_why", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        node.create_subscription(
            String,
            "network/description",
            lambda m: descriptions.append(str(m.data)),  # type: ignore[attr-defined]
            qos.LATCHED,
        )
        node.create_subscription(
            EventPacket,
            "network/spikes",
            lambda m: packets.append(messages.packet(m, "network/spikes")),
            qos.best_effort(64),
        )
        end = time.monotonic() + DESCRIPTION_TIMEOUT_S
        while not descriptions and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        if not descriptions:
            raise ValueError(
                f"nobody publishes network/description within {DESCRIPTION_TIMEOUT_S:g} s: is a "
                "controller configured, in this ROS_DOMAIN_ID and namespace?"
            )
        packets.clear()
        end = time.monotonic() + DESCRIPTION_TIMEOUT_S
        while not packets and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        if not packets:
            raise ValueError(
                "the controller publishes no network/spikes: it is not active, or its network "
                "does not tick (no packets come, or no joint states)"
            )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=0.05)
        node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
    try:
        found: dict[str, Any] = json.loads(descriptions[-1])
        Wiring.from_description(found)
        float(found["dt_s"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"network/description is not what was expected: {error}") from error
    return found, packets
