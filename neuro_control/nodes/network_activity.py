# SPDX-License-Identifier: Apache-2.0
"""What happens inside the controller's network, on topics.

`network/description` (std_msgs/String, JSON, latched) says what there is. `network/spikes`
(EventPacket, mono) has the spikes: x the neuron, y the row of the description, the time that at
which the spike's tick began. `network/membranes` (std_msgs/Float64MultiArray) has, a row a tick,
the time (s) and the membrane, the threshold and the current of each neuron in `probe_neurons`.
`network/profile` has spikes, synaptic operations and time by node (`network_profile`).

Nothing is computed while nobody listens. What is, is published after the command, some ticks at a
time, and is bounded: rows of many neurons or many spikes are thinned, and what is left out counted.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket
from std_msgs.msg import Float64MultiArray, MultiArrayDimension, String

from neuro_control.control.network_watch import NetworkWatch, Row, WatchedTicks
from neuro_control.control.probes import parse_probes
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.events.address_events import LARGEST_WIDTH
from neuro_control.events.mono import LARGEST_SPAN_NS
from neuro_control.nodes import messages, qos
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.lifecycle import ManagedNode
from neuro_control.nodes.network_profile import NetworkProfile
from neuro_control.reports.json_text import json_text

SPIKES_TOPIC = "network/spikes"
FRAME = "network"
# A run faster than the clock on the wall must not make larger messages.
MOST_TICKS = 50
MOST_SPIKES = 4096
"""Spikes of a row in one message at most; more are thinned evenly."""


class NetworkActivity:
    """Publishes what a watch sees; lives from a node's configure to its clean-up."""

    def __init__(
        self,
        node: ManagedNode,
        watch: NetworkWatch,
        settings: ControllerNodeSettings,
        backend: Mapping[str, Any],
    ) -> None:
        """Make the topics and say what there is.

        Where the settings choose a neuron that is not there, none is watched, and a warning says
        why: what an observer wants to see must not keep a robot from being steered.
        """
        self._watch = watch
        self._log = node.get_logger()
        try:
            self.choose(settings.probe_neurons)
        except ValueError as error:
            self.choose("")
            self._log.warning(f"{error}; no membranes are published")
        self._dt_ns = round(watch.network.dt_s * 1e9)
        self._period_ns = round(settings.activity_period_s * 1e9)
        self._strides = [-(-row.size // LARGEST_WIDTH) for row in watch.rows]
        self._size = (max(map(_shown, watch.rows), default=1), len(watch.rows))
        self._spikes = node.add_publisher(EventPacket, SPIKES_TOPIC, qos.best_effort(16))
        self._membranes = node.add_publisher(
            Float64MultiArray, "network/membranes", qos.best_effort(16)
        )
        self._description = node.add_publisher(String, "network/description", qos.LATCHED)
        text = json_text(describe(watch, settings.network, backend))
        self._description.publish(String(data=text))
        self._profile = NetworkProfile(node, watch)
        self._looked_ns = 0
        self._seq = 0
        self._failed = False
        self.spikes_left_out = 0

    def choose(self, text: str) -> None:
        """Watch other neurons' membranes, written as `probe_neurons` is. Raises ValueError."""
        try:
            self._watch.choose(parse_probes(text))
        except ValueError as error:
            raise ValueError(f"probe_neurons: {error}") from error

    def publish(self) -> None:
        """Publish what has gathered, if it is time; to be called after the command is out.

        Never raises: who looks on must not stop the robot. What cannot be published ends the
        watching, and is told in the log.
        """
        if self._failed:
            return
        try:
            self._publish()
        except Exception as error:  # noqa: BLE001 - told in full, and the control goes on
            self._failed = True
            self._watch.spikes = self._watch.membranes = False
            self._watch.forget()
            self._profile.close()
            self._log.error(
                f"the network's activity is published no more: {type(error).__name__}: {error}\n"
                f"{traceback.format_exc()}"
            )

    def _publish(self) -> None:
        now_ns = time.monotonic_ns()
        watch = self._watch
        if now_ns - self._looked_ns < self._period_ns and watch.ticks < MOST_TICKS:
            return
        self._looked_ns = now_ns
        spikes_heard = self._spikes.get_subscription_count() > 0
        profile_heard = self._profile.heard
        if watch.ticks:
            activity = watch.take()
            if watch.spikes and spikes_heard:
                self._publish_spikes(activity)
            if watch.membranes and activity.probes:
                self._membranes.publish(membranes_message(activity))
            if watch.spikes and profile_heard:
                self._profile.add(activity)
                self._profile.publish(now_ns)
        if not profile_heard:
            self._profile.rest()
        watch.spikes = spikes_heard or profile_heard
        watch.membranes = self._membranes.get_subscription_count() > 0

    def rest(self) -> None:
        """Forget what was seen, and end what runs beside: what follows is another run."""
        self._watch.forget()
        self._profile.rest()

    def close(self) -> None:
        """Publish no more, and end what runs beside."""
        self._failed = True
        self._profile.close()

    def report(self) -> dict[str, int | bool]:
        """For diagnostics."""
        return {
            "activity_watched": self._watch.on,
            "activity_spikes_left_out": self.spikes_left_out,
        }

    def _publish_spikes(self, activity: WatchedTicks) -> None:
        events = self._events(activity)
        end_ns = int(activity.t_ns[-1]) + self._dt_ns
        # Long ticks, or pauses between them, may take more time than a packet has bits for.
        while len(events):
            last = int(np.searchsorted(events.t_ns, events.t_ns[0] + LARGEST_SPAN_NS, "right"))
            if last == len(events):
                break
            part = events[:last]
            self._publish_packet(part, int(part.t_ns[-1]) + self._dt_ns)
            events = events[last:]
        self._publish_packet(events, end_ns)

    def _publish_packet(self, events: Events, end_ns: int) -> None:
        payload, base_ns = encode_mono(events)
        packet = Packet(
            SPIKES_TOPIC, self._seq, base_ns, end_ns, "mono", *self._size, False, payload
        )
        self._seq += 1
        self._spikes.publish(messages.packet_message(packet, FRAME))

    def _events(self, activity: WatchedTicks) -> Events:
        parts = []
        for row, (train, stride) in enumerate(zip(activity.spikes, self._strides, strict=True)):
            # Others than every so manieth neuron of a large row have no place in 16 bits.
            shown = np.flatnonzero(train[1] % stride == 0)
            if len(shown) > MOST_SPIKES:
                self.spikes_left_out += len(shown) - MOST_SPIKES
                shown = shown[np.linspace(0, len(shown) - 1, MOST_SPIKES).astype(np.int64)]
            column = train[1][shown] // stride
            parts.append((train[0][shown], column, np.full(len(shown), row)))
        tick, column, row_of = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(tick, kind="stable")
        return Events(
            activity.t_ns[tick[order]],
            column[order].astype(np.uint16),
            row_of[order].astype(np.uint16),
            np.ones(len(order), np.uint8),
            *self._size,
        )


def _shown(row: Row) -> int:
    """How many neurons of a row are shown: with more than 65,536, every so manieth."""
    return -(-row.size // -(-row.size // LARGEST_WIDTH))


def membranes_message(activity: WatchedTicks) -> Float64MultiArray:
    """A row a tick: time (s), then membrane, threshold and current of each probe, as labelled."""
    names = ["time_s"]
    columns = [activity.t_ns * 1e-9]
    for number, probe in enumerate(activity.probes):
        names += [str(probe), f"{probe} threshold", f"{probe} current"]
        columns += [
            activity.membrane[:, number],
            activity.threshold[:, number],
            activity.current[:, number],
        ]
    table = np.stack(columns, axis=1)
    message = messages.array_message(table.ravel())
    rows, width = (int(n) for n in table.shape)
    message.layout.dim = [
        MultiArrayDimension(label="tick", size=rows, stride=rows * width),
        MultiArrayDimension(label=",".join(names), size=width, stride=width),
    ]
    return message


def describe(watch: NetworkWatch, file: str, backend: Mapping[str, Any]) -> dict[str, Any]:
    """What `network/description` says."""
    network = watch.network
    spiking = {population.name: population.spiking for population in network.populations}
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(watch.rows):
        about: dict[str, Any] = {
            "row": number,
            "name": row.name,
            "role": row.role,
            "shape": list(row.shape),
            "size": row.size,
            "shown": _shown(row),
            "stride": -(-row.size // LARGEST_WIDTH),
            "threshold": None if row.threshold is None else list(row.threshold),
            "seen": row.seen,
        }
        if row.name in spiking:
            about["spiking"] = spiking[row.name]
        rows.append(about)
    return {
        "format": 1,
        "file": Path(file).name,
        "backend": str(backend.get("backend", "")),
        "backend_reason": str(backend.get("backend_reason", "")),
        "dt_s": network.dt_s,
        "neurons": network.n_neurons,
        "synapses": network.n_synapses,
        "voltage_unit": "Loihi's integers; a threshold is vth * 64",
        "rows": rows,
        "projections": [
            {
                "from": projection.source,
                "to": projection.target,
                "synapses": len(projection.weight),
                "delay_ticks": projection.delay,
            }
            for projection in network.projections
        ],
        "metadata": dict(network.metadata),
    }
