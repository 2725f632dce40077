# SPDX-License-Identifier: Apache-2.0
"""What the controller says of itself, once a second."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Protocol

from neuro_control.backends.backend_report import BackendReport
from neuro_control.control.arm import ArmCommand, ControllerStatistics
from neuro_control.events import DropReason
from neuro_control.nodes.diagnostics import Rates, Report, drop_key
from neuro_control.nodes.input_health import NETWORK_SILENT, InputFacts, no_data_because
from neuro_control.nodes.joint_samples import JointFindings
from neuro_control.nodes.latency import LatencyHistogram
from neuro_control.nodes.packet_intake import IntakeCounts, PacketIntake


class Reported(Protocol):
    """What is asked of the controller."""

    @property
    def backend_report(self) -> BackendReport:
        """Who steps its network, and how it goes."""

    @property
    def statistics(self) -> ControllerStatistics:
        """Totals since it was made."""

    def where_activity_dies(self) -> str:
        """Where spikes end on their way through its network, and why; "" where they do not."""


@dataclass
class ControllerTally(IntakeCounts):
    """What the node counts beside the stream and the network.

    latency: packet published -> command published. tick: one step of the network.
    """

    latency: LatencyHistogram = field(default_factory=LatencyHistogram)
    tick: LatencyHistogram = field(default_factory=LatencyHistogram)
    rates: Rates = field(default_factory=lambda: Rates(time.monotonic()))
    state: str = ""
    commands: int = 0
    packets_without_joints: int = 0
    ticks: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def count(self, command: ArmCommand, statistics: ControllerStatistics) -> None:
        """Count one step."""
        self.commands += 1
        self.state = command.state
        if statistics.ticks != self.ticks:
            self.ticks = statistics.ticks
            self.tick.add(round(statistics.tick_us * 1e3))

    def since_last(self, **counts: int) -> dict[str, int]:
        """How much each count has grown since this was last asked."""
        # Counts begin at nothing again when the node is activated anew.
        grown = {name: max(n - self.seen.get(name, 0), 0) for name, n in counts.items()}
        self.seen = counts
        return grown


def unready(lifecycle_state: str, failure: str) -> Report:
    """The status of a node without a controller."""
    result = Report(values={"lifecycle_state": lifecycle_state})
    result.warn(failure or "not configured")
    return result


def report(
    lifecycle_state: str,
    facts: InputFacts,
    intake: PacketIntake,
    controller: Reported,
    tally: ControllerTally,
    joints: JointFindings,
) -> Report:
    """One status; `facts` without the counts, which are taken here since the last status."""
    events = intake.input
    facts = replace(
        facts, refused=events.refused, last_drop=events.last_drop, joints=joints.because
    )
    counters = events.counters
    statistics = controller.statistics
    backend = controller.backend_report
    grown = tally.since_last(
        packets=counters.packets,
        taken=events.taken,
        events=events.events,
        ticks=statistics.ticks,
        spikes=statistics.spikes,
        packets_shed=tally.packets_shed,
        events_shed=tally.events_shed,
    )
    taken = grown["taken"]
    because = no_data_because(
        replace(
            facts,
            packets=grown["packets"],
            taken=taken,
            stands_at_ns=intake.stamp_ns if 1 < taken <= intake.standing + 1 else None,
            events=grown["events"],
            ticks=grown["ticks"],
            spikes=grown["spikes"],
        )
    )
    dies = controller.where_activity_dies()
    if because == NETWORK_SILENT and dies:
        because = f"{because}: {dies}"
    rates = tally.rates.update(
        time.monotonic(),
        packets=counters.packets,
        events=events.events,
        spikes=statistics.spikes,
        operations=statistics.synaptic_operations,
    )
    latency, tick = tally.latency.values(), tally.tick.window()
    tally.latency.next_slice()
    tally.tick.next_slice()
    result = Report(
        values={
            "lifecycle_state": lifecycle_state,
            "no_data_because": because,
            "packets": counters.packets,
            "packets_lost": counters.packets_lost,
            "packets_dropped": counters.packets_dropped,
            "packets_late": tally.packets_late,
            "packets_shed": tally.packets_shed,
            "events_shed": tally.events_shed,
            "packets_without_joints": tally.packets_without_joints,
            **joints.values,
            "malformed": counters.decoder.malformed,
            "sensor_clock_reanchored": events.clock_reanchored,
            "outside_sensor": counters.decoder.outside_sensor,
            "events": events.events,
            "packets_per_second": rates["packets"],
            "events_per_second": rates["events"],
            **backend.values,
            "controller_state": tally.state,
            "ticks": statistics.ticks,
            "events_let_go": statistics.events_let_go,
            "neurons": statistics.neurons,
            "spikes": statistics.spikes,
            "synaptic_operations": statistics.synaptic_operations,
            "spikes_per_second": rates["spikes"],
            "synaptic_operations_per_second": rates["operations"],
            "active_fraction": statistics.active_fraction,
            "activity_dies_at": dies,
            "tick_us_median": tick.median_ms * 1e3,
            "tick_us_p99": tick.p99_ms * 1e3,
            "commands": tally.commands,
            **latency,
        }
    )
    result.values |= {drop_key(reason): n for reason, n in counters.drops.items()}
    if lifecycle_state != "active":
        result.warn("not active: no commands")
    elif because:
        result.warn(because)
    elif joints.refused:
        result.warn(joints.refused)
    elif backend.warning:
        result.warn(backend.warning)
    elif grown["packets_shed"] or grown["events_shed"]:
        shed = f"{grown['packets_shed']} packets and {grown['events_shed']} events of others"
        result.warn(f"more events than can be answered: {shed} shed, oldest first")
    elif counters.errors - counters.drops.get(DropReason.DUPLICATE, 0) or counters.packets_lost:
        # What was sent again, as by a simulation in lockstep that waits, is not lost.
        result.message = "ok, with losses"
    return result
