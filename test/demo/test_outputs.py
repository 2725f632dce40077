# SPDX-License-Identifier: Apache-2.0
"""What is listened to for which file, and which parameters are told as changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuro_control.demo.options import DemoOptions
from neuro_control.demo.outputs import changed_parameters, record_for, write_outputs
from neuro_control.demo.plan import plan_demo


def test_nothing_is_kept_that_no_file_shows(tmp_path: Path) -> None:
    record = record_for(DemoOptions(reports=(tmp_path / "a.json",), picture=tmp_path / "a.png"))
    assert record.tape is None
    assert record.network is None
    record = record_for(DemoOptions(reports=(tmp_path / "a.html",)))
    assert record.tape is None
    assert record.network is not None


@pytest.mark.parametrize(
    ("name", "seconds", "frames", "speed"),
    [("a.mp4", 20.0, 400, 1), ("a.mp4", 3600.0, 720, 100), ("a.gif", 20.0, 200, 1)],
)
def test_a_long_run_is_filmed_faster(
    name: str, seconds: float, frames: int, speed: int, tmp_path: Path
) -> None:
    record = record_for(DemoOptions(seconds=seconds, film=tmp_path / name))
    assert record.tape is not None
    assert record.tape.schedule.frames == frames
    assert record.tape.schedule.speed == speed
    assert record.network is not None
    assert record.network.pixel_s == pytest.approx(2.0 * speed / 440)


def test_what_a_second_interruption_leaves_out_is_told(tmp_path: Path) -> None:
    picture, page, film = (tmp_path / name for name in ("a.png", "a.html", "a.gif"))
    options = DemoOptions(
        reports=(tmp_path / "a.json", page), picture=picture, film=film, seconds=1.0
    )
    plan, record, said = plan_demo(options), record_for(options), list[str]()
    assert not write_outputs(plan, record, {}, said.append, lambda: True)
    assert said == [
        f"  report             {tmp_path / 'a.json'}",
        f"  not written        {film}, {picture}, {page} (interrupted twice)",
    ]
    # While the film is drawn (none here: nothing was heard): what comes after it.
    answers, said = iter([False, True]), []
    assert not write_outputs(plan, record, {}, said.append, lambda: next(answers, True))
    assert said[-1] == f"  not written        {picture}, {page} (interrupted twice)"
    only_figures = DemoOptions(reports=(tmp_path / "a.json",))
    assert write_outputs(plan_demo(only_figures), record, {}, said.append, lambda: True)


def test_what_is_as_in_the_nodes_own_files_is_not_told() -> None:
    options = DemoOptions(senses=True, dashboard=True, overrides=("skin.queue_depth=3",))
    changed = changed_parameters(plan_demo(options))
    others = {name for name in changed if not name.startswith(("simulator.", "controller."))}
    assert others == {"skin.queue_depth"}


def test_parameters_are_told_where_they_differ_from_the_file() -> None:
    options = DemoOptions(seconds=7.0, seed=3, overrides=("controller.gaze_gain=7.5",))
    changed = changed_parameters(plan_demo(options))
    assert changed["controller.gaze_gain"][1] == 7.5
    assert changed["simulator.seed"] == (0, 3)
    assert changed["simulator.seconds"][1] == 7.0
    assert "simulator.real_time_factor" not in changed
    assert "simulator.viewer" not in changed
    assert not any("qos" in name for name in changed)
    slow = DemoOptions(overrides=("simulator.real_time_factor=0.5",))
    assert changed_parameters(plan_demo(slow))["simulator.real_time_factor"] == (1.0, 0.5)
