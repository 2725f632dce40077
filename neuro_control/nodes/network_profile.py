# SPDX-License-Identifier: Apache-2.0
"""`network/profile`: spikes, synaptic operations and time by node of the network that steers.

A std_msgs/String (JSON) once a second while somebody listens. Spikes and operations are those of
the last ticks, counted as they happen. Times by node, and why a population is silent with the
factor that its weights or thresholds miss, come from going through the same input again in a
process of low priority (`inspection.profile_process`, which says what that costs), every ten
seconds, or less often where that would take more than a tenth of a core. Nodes that take most time
come first; while no time is known, those with most operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from std_msgs.msg import String

from neuro_control.control.network_watch import NetworkWatch, WatchedTicks
from neuro_control.inspection.profile_process import ProfileProcess, Question
from neuro_control.inspection.recent_activity import KEPT_TICKS, NodeCount, RecentActivity
from neuro_control.nodes import qos
from neuro_control.nodes.lifecycle import ManagedNode
from neuro_control.reports.json_text import json_text

PERIOD_NS = 1_000_000_000
ASKED_NS = 10_000_000_000
"""Least time between two questions to the process."""
LARGEST_SHARE = 0.1
"""Of a core, that the process may have in the long run: what takes longer is asked less often."""
LEAST_TICKS = 100
"""Ticks that must have been looked at before times are asked for."""


class NetworkProfile:
    """Counts what a watch has seen, and publishes it; see the module."""

    def __init__(self, node: ManagedNode, watch: NetworkWatch) -> None:
        self._publisher = node.add_publisher(String, "network/profile", qos.best_effort(4))
        self._watch = watch
        self._recent = RecentActivity(watch.network, [row.seen for row in watch.rows])
        self._process = ProfileProcess(watch.network)
        self._spiking = {p.name for p in watch.network.populations if p.spiking}
        self._said_ns = self._asked_ns = 0
        self._found: dict[str, Any] | None = None
        self._found_ns = 0
        self._failure = ""

    @property
    def heard(self) -> bool:
        """Whether somebody listens."""
        return bool(self._publisher.get_subscription_count() > 0)

    def add(self, ticks: WatchedTicks) -> None:
        """Count these ticks."""
        self._recent.add(len(ticks.t_ns), ticks.spikes)

    def publish(self, now_ns: int) -> None:
        """Say it, if it is time; now_ns: of `time.monotonic_ns`."""
        if now_ns - self._said_ns < PERIOD_NS or not self._recent.ticks:
            return
        self._said_ns = now_ns
        self._take(now_ns)
        counts = self._recent.counts()
        self._ask(now_ns, counts)
        self._publisher.publish(String(data=json_text(self._says(now_ns, counts))))

    def rest(self) -> None:
        """Nobody listens, or nothing is stepped: end the process, and count anew after."""
        if self._recent.ticks:
            self._recent.forget()
            self._process.close()
            self._found, self._failure = None, ""
            self._asked_ns = 0

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _take(self, now_ns: int) -> None:
        try:
            found = self._process.take()
        except RuntimeError as error:
            self._failure = str(error)
            return
        if found is not None:
            self._found, self._found_ns, self._failure = found, now_ns, ""

    def _ask(self, now_ns: int, counts: list[NodeCount]) -> None:
        took_s = self._found["processor_s"] if self._found else 0.0
        pause_ns = max(ASKED_NS, took_s / LARGEST_SHARE * 1e9)
        due = not self._asked_ns or now_ns - self._asked_ns >= pause_ns
        enough = self._recent.ticks >= (LEAST_TICKS if self._found is None else KEPT_TICKS // 2)
        if self._process.refusal or self._process.busy or not (due and enough):
            return
        self._asked_ns = now_ns
        inputs = self._watch.network.inputs
        silent = any(n.spikes == 0 for n in counts if n.name in self._spiking or n.name in inputs)
        given = self._recent.given()
        self._process.ask(lambda: Question(*given.joined(), silent))

    def _says(self, now_ns: int, counts: list[NodeCount]) -> dict[str, Any]:
        ticks, network = self._recent.ticks, self._watch.network
        found = self._found or {"times": None, "silence": None, "processor_s": None}
        times = found["times"]
        us = {p["name"]: p for p in times["populations"]} if times else {}
        nodes: list[dict[str, Any]] = []
        for row, count in zip(self._watch.rows, counts, strict=True):
            seconds = ticks * network.dt_s
            nodes.append(
                {
                    "name": row.name,
                    "role": row.role,
                    "neurons": row.size,
                    "spikes": count.spikes,
                    "rate_hz": None if count.spikes is None else count.spikes / seconds / row.size,
                    "operations": None if row.role == "input" else count.all_operations,
                    "us": us[row.name]["us"] if row.name in us else None,
                    "into": _into(count, us.get(row.name)),
                }
            )
        nodes.sort(key=lambda n: (-(n["us"] or 0.0), -(n["operations"] or 0)))
        about = None
        if times:
            about = {key: times[key] for key in ("ticks", "whole_us", "overhead_us", "coverage")}
            about["age_s"] = (now_ns - self._found_ns) * 1e-9
            about["processor_s"] = found["processor_s"]
        return {
            "format": 1,
            "ticks": ticks,
            "dt_s": network.dt_s,
            "nodes": nodes,
            "times": about,
            "times_missing": self._process.refusal or self._failure,
            "silence": found["silence"],
        }


def _into(count: NodeCount, timed: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The projections into a node, those with most operations first."""
    us = {} if timed is None else {q["name"]: q["us"] for q in timed["projections"]}
    found = [{"name": name, "operations": n, "us": us.get(name)} for name, n in count.operations]
    return sorted(found, key=lambda q: -(q["operations"] or 0))
