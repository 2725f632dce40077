# SPDX-License-Identifier: Apache-2.0
"""The report names every figure, says what each means, and is JSON even when little is known."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuro_control
from neuro_control.demo.energy import dense_operations_a_step, energy_estimate
from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.record import RunRecord, Status
from neuro_control.demo.report import (
    DEFINITIONS,
    make_report,
    notices,
    write_report,
)
from neuro_control.demo.summary import summary
from neuro_control.network import LIF, Input, Linear, Network, Output, write_nir

PROMISED = {
    "version": None,
    "seed": None,
    "seconds": None,
    "task": None,
    "backend": None,
    "tracking_error_deg": {"median", "p95"},
    "lost_fraction": None,
    "real_time_factor": None,
    "latency_ms": {"median", "p99", "max"},
    "tick_us": {"median", "p99"},
    "events_per_second": None,
    "spikes_per_second": None,
    "active_fraction": None,
    "guard_interventions": None,
    "packets_lost": None,
    "packets_dropped": None,
    "command": None,
    "versions": None,
    "parameters_changed": None,
    "synaptic_operations_per_second": None,
    "energy_estimate": None,
    "network": None,
}


def report_of(record: RunRecord, seconds: float = 2.0, **changes: Any) -> dict[str, Any]:
    totals = {"events": 2000.0, "spikes": 400.0, "ticks": 100.0, "neurons": 8.0, "seconds": 2.0}
    arguments: dict[str, Any] = {
        "task": "track a target",
        "field_of_view_deg": 60.0,
        "interrupted": False,
        "missing": 0,
        "totals": totals,
    } | changes
    return make_report(record, DemoOptions(seconds=seconds, seed=3), **arguments)


def full_record() -> RunRecord:
    record = RunRecord()
    for k in range(1, 101):
        x = np.tan(np.radians(1.0 if k < 99 else 40.0))
        record.add_target(k * 20_000_000, float(x), 0.0, 1.0, wall_s=k * 0.01)
    record.add_status(
        "controller",
        Status(
            0.0,
            0,
            "ok",
            {
                "backend": "cpu",
                "tick_us_median": "12.5",
                "packets_lost": "1",
                "packets_dropped": "9",
                "dropped_duplicate": "4",
                "dropped_out_of_order": "2",
            },
        ),
    )
    record.add_status("simulator", Status(0.0, 0, "ok", {"latency_ms_max": "1.0"}))
    record.add_status(
        "guard", Status(0.0, 0, "ok", {"interventions": "2", "guard_jump": "2", "guard_x": "0"})
    )
    return record


@pytest.mark.parametrize("record", [RunRecord(), full_record()])
def test_every_promised_figure_is_there(record: RunRecord, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_report(path, report_of(record))
    read = json.loads(path.read_text())
    for key, inner in PROMISED.items():
        assert key in read
        if inner:
            assert set(read[key]) == inner
    assert read["versions"]["neuro_control"] == neuro_control.__version__
    assert set(DEFINITIONS) <= set(read)
    assert read["definitions"]["lost_fraction"]
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_the_figures_are_those_of_the_record() -> None:
    report = report_of(full_record())
    assert report["version"] == neuro_control.__version__
    assert report["seconds"] == 2.0
    assert report["tracking_error_deg"]["median"] == pytest.approx(1.0)
    assert report["lost_fraction"] == pytest.approx(0.02)
    assert report["real_time_factor"] == pytest.approx(2.0)
    assert report["latency_ms"]["max"] == pytest.approx(1.0)
    assert report["events_per_second"] == pytest.approx(1000)
    assert report["spikes_per_second"] == pytest.approx(200)
    assert report["active_fraction"] == pytest.approx(0.5)
    assert report["guard_interventions"] == 2
    assert report["guard_reasons"] == {"jump": 2}
    assert report["packets_lost"] == 1
    assert report["packets_dropped"] == 3
    assert "packets            1 lost, 3 dropped" in summary(report)
    assert "guard              2 interventions (jump 2)" in summary(report)
    assert report["backend"] == "cpu"


def test_samples_beyond_the_end_do_not_count() -> None:
    record = full_record()
    record.add_target(5_000_000_000, 0.0, 5.0, 1.0, wall_s=9.0)
    assert report_of(record)["tracking_error_deg"] == report_of(full_record())["tracking_error_deg"]


@pytest.mark.parametrize("record", [RunRecord(), full_record()])
def test_the_summary_can_always_be_read(record: RunRecord) -> None:
    text = summary(report_of(record, interrupted=True))
    assert "(interrupted)" in text
    assert len(record.target) or "°" not in text, "what is not known is not said"


def test_of_a_run_of_which_nothing_was_heard_the_summary_says_just_that() -> None:
    report = report_of(RunRecord(), totals={})
    assert summary(report) == "  simulated          nothing was heard of the run: no figures"


def test_of_a_run_whose_target_was_not_heard_the_summary_has_the_other_figures() -> None:
    record = RunRecord()
    record.add_status("guard", Status(0.0, 0, "ok", {"interventions": "0"}))
    counts = {"spikes": 3.0, "ticks": 0.0, "neurons": 8.0, "seconds": 0.5}
    text = summary(report_of(record, totals=counts, interrupted=True))
    assert [line.split(maxsplit=1) for line in text.splitlines()] == [
        ["network", "6 spikes/s"],
        ["guard", "0 interventions"],
        ["simulated", "nothing was heard of the target: no tracking error (interrupted)"],
    ]


def test_the_summary_says_why_the_guard_stepped_in() -> None:
    record = full_record()
    counts = {"emergency_stop": 13_000, "step_limit": 5, "jump": 9, "speed": 1}
    values = {"interventions": "13015"} | {f"guard_{k}": str(n) for k, n in counts.items()}
    record.add_status("guard", Status(1.0, 0, "ok", values))
    assert "13,015 interventions (emergency stop 13,000, jump 9, step limit 5, others)" in summary(
        report_of(record)
    )


def test_the_summary_says_how_much_was_not_heard() -> None:
    (line,) = [x for x in summary(report_of(full_record())).splitlines() if "simulated" in x]
    assert line.split() == ["simulated", "2", "s", "at", "2.00", "x", "real", "time"]
    record = RunRecord()
    for k in range(1, 196):
        record.add_target(k * 20_000_000, 0.0, 0.0, 1.0, wall_s=k * 0.02)
    report = report_of(record, 4.0, missing=5, simulated_s=4.0)
    assert report["heard"] == {"seconds": pytest.approx(3.9), "of_s": 4.0}
    text = summary(report)
    assert "3.9 of 4 s heard (2.5 % was not: the machine was busy) at" in text
    assert report_of(RunRecord(), missing=200, simulated_s=4.0)["heard"]["seconds"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seconds": 0.0}, "--seconds"),
        ({"seconds": float("nan")}, "--seconds"),
        ({"seed": -1}, "--seed"),
        ({"reports": (Path("/nowhere/at/all.json"),)}, "--report"),
        ({"picture": Path()}, "--picture"),
    ],
)
def test_options_that_cannot_be_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DemoOptions(**arguments)


def test_energy_is_counts_times_published_energies_and_says_so() -> None:
    totals = {
        "synaptic_operations": 1e6,
        "spikes": 1e4,
        "ticks": 1e3,
        "neurons": 10.0,
        "seconds": 2.0,
    }
    loihi = energy_estimate(totals)["loihi"]
    joules = 1e6 * 23.6e-12 + 1e4 * 81e-12 + 1e4 * 1.7e-12
    assert loihi["joules_per_step"] == pytest.approx(joules / 1e3)
    assert loihi["watts"] == pytest.approx(joules / 2)
    assert "Davies" in loihi["source"]
    assert "gpu" not in energy_estimate(totals), "how many positions it has is not known"
    gpu = energy_estimate({**totals, "dense_operations_a_step": 1e6})["gpu"]
    ticks, neurons = totals["ticks"], totals["neurons"]
    assert gpu["joules_per_step"] == pytest.approx(1e6 * 0.3e-9 + neurons * 0.3e-9)
    assert gpu["watts"] == pytest.approx(gpu["joules_per_step"] * ticks / totals["seconds"])
    assert energy_estimate({**totals, "synaptic_operations": None}) == {}
    assert "not measured" in DEFINITIONS["energy_estimate"]


def test_a_run_as_it_should_be_needs_no_notice() -> None:
    record = full_record()
    record.statuses["guard"] = record.statuses["controller"] = deque()
    assert notices(report_of(record)) == []


def test_everything_that_casts_doubt_on_a_figure_is_told() -> None:
    record = full_record()
    record.add_target(4_000_000_000, 0.0, 0.0, 1.0, wall_s=40.0)
    record.network = NetworkSpikes(2.0, 0.01)
    record.network.describe(
        '{"format": 1, "rows": [{"name": "a", "role": "input", "size": 1, "shown": 1}]}'
    )
    record.network.packets_lost = 5
    told = " ".join(
        notices(report_of(record, interrupted=True, missing=3, failure="guard was killed"))
    )
    for words in (
        "guard was killed",
        "interrupted after 2 of 2 s",
        "could not keep up: 0.10",
        "2 commands were changed",
        "1 event packets did not reach",
        "3 samples of the target",
        "5 messages of spikes",
    ):
        assert words in told


def test_slower_than_real_time_is_no_doubt_where_it_was_asked_for() -> None:
    record = full_record()
    record.add_target(4_000_000_000, 0.0, 0.0, 1.0, wall_s=8.5)
    record.statuses.clear()
    changed = {"simulator.real_time_factor": (1.0, 0.45)}
    assert notices(report_of(record, changed=changed)) == []
    assert len(notices(report_of(record))) == 1


def test_a_device_without_sparsity_goes_through_every_position_of_the_weights(
    tmp_path: Path,
) -> None:
    weights = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    nodes = {
        "in": Input((3,)),
        "w": Linear(weights),
        "n": LIF.with_unit_gain((2,), dt_s=1e-3, tau_s=0.01),
        "out": Output((2,)),
    }
    path = tmp_path / "net.nir"
    write_nir(Network(nodes, [("in", "w"), ("w", "n"), ("n", "out")], 1e-3), path)
    assert dense_operations_a_step(str(path)) == 6
    assert dense_operations_a_step("arm_tracker.nir") > 1e5
