# SPDX-License-Identifier: Apache-2.0
"""The page of a run shows the figures of the record, with what they mean and depend on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuro_control.demo.network_spikes import NetworkSpikes
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.page import run_page, write_page
from neuro_control.demo.record import RunRecord, Status
from neuro_control.demo.report import DEFINITIONS, make_report
from neuro_control.events import Events, encode_mono

CheckPage = Callable[[str], Any]
DESCRIPTION = json.dumps(
    {
        "format": 1,
        "rows": [
            {"name": "retina", "role": "input", "size": 10, "shown": 10},
            {"name": "field", "role": "output", "size": 20, "shown": 20},
            {"name": "hidden_chip", "role": "hidden", "size": 5, "shown": 5, "seen": False},
        ],
    }
)


def full_record() -> RunRecord:
    record = RunRecord(network=NetworkSpikes(10.0, 0.01))
    assert record.network is not None
    record.network.describe(DESCRIPTION)
    assert record.network.raster is not None
    for k in range(1001):  # 1 degree off, 10 s long, twice as fast as real time
        t_ns = k * 10_000_000
        record.add_target(t_ns, float(np.tan(np.radians(1.0))), 0.0, 1.0, wall_s=k * 0.005)
        record.add_estimate(t_ns, 0.0, 0.0)
        record.network.raster.add([t_ns] * 3, [0, 0, 1], [0, 1, 1])
    events = Events(
        np.array([10**9], np.int64),
        np.array([64], np.uint16),
        np.array([64], np.uint16),
        np.array([1], np.uint8),
        128,
        128,
    )
    payload, base_ns = encode_mono(events)
    record.add_packet(base_ns, 0, (128, 128), payload.tobytes(), published_ns=0)
    record.add_command(base_ns, published_ns=1_500_000)
    values = {"backend": "cpu", "packets_lost": "3", "tick_us_median": "21.5", "events": "9"}
    record.add_status("controller", Status(5.0, 0, "ok", values))
    record.add_status("simulator", Status(5.0, 0, "ok", {"latency_ms_p99": "4.25"}))
    record.add_status("guard", Status(5.0, 0, "ok", {"interventions": "7", "guard_stale": "7"}))
    return record


def page_of(record: RunRecord, **changes: Any) -> str:
    totals = {
        "events": 1e6,
        "spikes": 2e5,
        "ticks": 1e4,
        "neurons": 100.0,
        "seconds": 10.0,
        "synaptic_operations": 5e6,
    }
    command = ("neuro_control", "demo", "arm", "--set", "a.b='x y'")
    arguments: dict[str, Any] = {
        "task": "track <a> target",
        "field_of_view_deg": 60.0,
        "interrupted": False,
        "missing": 0,
        "totals": totals if len(record.target) else {},
        "changed": {"simulator.seed": (0, 3), "guard.names": (["a"], [])},
    } | changes
    report = make_report(record, DemoOptions(seconds=10.0, seed=3, command=command), **arguments)
    return run_page(record, report, 60.0, scene=np.zeros((4, 6, 3), np.uint8)).html()


def test_a_known_record_gives_a_page_with_its_known_figures(check_page: CheckPage) -> None:
    outline = check_page(page_of(full_record()))
    rows = {row[0]: row[1:] for row in outline.rows}
    text = " ".join(outline.text)
    assert rows["seed"] == ["3"]
    assert rows["tracking_error_deg"][0] == "median 1, p95 1"
    assert rows["real_time_factor"][0] == "2"
    assert rows["latency_ms"][0] == "median –, p99 4.25, max –"
    assert rows["events_per_second"][0] == "100,000"
    assert rows["spikes_per_second"][0] == "20,000"
    assert rows["active_fraction"][0] == "0.2"
    assert rows["synaptic_operations_per_second"][0] == "500,000"
    assert rows["stale"] == ["7"]
    assert rows["simulator.seed"] == ["0", "3"]
    assert rows["guard.names"] == ["['a']", "[]"]
    assert rows["retina"] == ["input", "10", "1001", "10.01"]
    assert rows["field"] == ["output", "20", "2002", "10.01"]
    assert rows["hidden_chip"] == ["hidden", "5", "–", "–"]
    assert rows["Intel Loihi"][:2] == [
        "effective",
        "0.01993",
    ]  # (5e6 * 23.6 + 1e6 * 81 + 2e5 * 1.7) pJ / 1e4
    assert "neuro_control demo arm --set" in text
    assert "7 commands were changed, refused or stopped by the guard." in text
    assert "3 event packets did not reach the controller." in text
    assert outline.tags.count("svg") == 8
    assert outline.tags.count("img") == 1


@pytest.mark.parametrize(("last_s", "said"), [(10.1, "10.0"), (4.0, "4.0")])
def test_the_rates_caption_does_not_go_beyond_the_run(
    last_s: float, said: str, check_page: CheckPage
) -> None:
    record = RunRecord(network=NetworkSpikes(10.0, 0.01))
    assert record.network is not None
    record.network.describe(DESCRIPTION)
    assert record.network.raster is not None
    for t_s in (0.5, last_s):
        record.network.raster.add([round(t_s * 1e9)], [0], [0])
    assert f"neurons, from 0.5 to {said} s of the run." in " ".join(
        check_page(page_of(record)).text
    )


def test_every_figure_has_its_definition(check_page: CheckPage) -> None:
    outline = check_page(page_of(full_record()))
    rows = {row[0]: row[1:] for row in outline.rows}
    for name, meaning in DEFINITIONS.items():
        if name == "energy_estimate":
            assert f"{meaning[1:]}." in " ".join(outline.text)
        else:
            assert rows[name][1] == meaning


def test_versions_machine_and_what_is_simulated_are_there(check_page: CheckPage) -> None:
    text = " ".join(check_page(page_of(full_record())).text)
    for words in ("numpy", "numba", "mujoco", "python", "cores", "commit", "ros-rclpy"):
        assert words in text
    assert "nothing here was measured on a real robot" in text
    assert "no power was measured" in text
    assert "Davies" in text


def test_a_run_of_which_nothing_was_heard_still_has_a_page(check_page: CheckPage) -> None:
    outline = check_page(page_of(RunRecord(), interrupted=True, failure="guard was killed"))
    text = " ".join(outline.text)
    assert "guard was killed" in text
    assert "Nothing was recorded for: What the camera saw last." in text
    assert "Nothing was recorded for: Tracking error; Tracking error, sorted; " in text
    assert "Nothing was recorded for: Sensor to command." in text
    assert "svg" not in outline.tags
    assert "Nothing was heard of the guard." in text
    assert "never stepped in" not in text
    assert "Inside the network" not in text
    assert "Energy, estimated" not in text


@pytest.mark.parametrize(("name", "tag"), [("film.mp4", "video"), ("film.gif", "img")])
def test_a_short_film_is_in_the_page(
    name: str, tag: str, check_page: CheckPage, tmp_path: Path
) -> None:
    film = tmp_path / name
    film.write_bytes(bytes(100))
    report = make_report(
        RunRecord(),
        DemoOptions(),
        task="t",
        field_of_view_deg=60.0,
        interrupted=False,
        missing=0,
        totals={},
    )
    path = tmp_path / "out.html"
    write_page(path, RunRecord(), report, field_of_view_deg=60.0, film=film)
    assert tag in check_page(path.read_text()).tags
    film.write_bytes(bytes(12_000_001))
    write_page(path, RunRecord(), report, field_of_view_deg=60.0, film=film)
    assert tag not in check_page(path.read_text()).tags
