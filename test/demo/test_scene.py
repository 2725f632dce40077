# SPDX-License-Identifier: Apache-2.0
"""The scene at the end of a run, seen from outside."""

from __future__ import annotations

from typing import Any

import pytest

from neuro_control.demo.parameters import read_parameter_file
from neuro_control.demo.record import RunRecord
from neuro_control.demo.scene import Scene, scene_of
from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.robots.description import share_directory


@pytest.fixture(scope="module")
def simulator() -> dict[str, Any]:
    parameters = read_parameter_file(share_directory() / "config" / "arm.yaml")
    return {**parameters["simulator"], "renderer": "rays"}


def heard(x: float) -> RunRecord:
    """A record whose last words are the ready posture and a target x m beside the axis."""
    arm = ArmModel.from_urdf(arm_urdf())
    record = RunRecord()
    record.joints = dict(zip(arm.joint_names, arm.home, strict=True))
    record.add_target(0, x, 0.0, 0.55, wall_s=0.0)
    return record


def test_it_shows_the_target_where_it_was(simulator: dict[str, Any]) -> None:
    here, there = (scene_of(heard(x), simulator, 120, 80) for x in (0.0, 0.15))
    assert here is not None
    assert there is not None
    assert here.shape == (80, 120, 3)
    moved = (here != there).any(axis=2)
    assert 5 < moved.sum() < 0.05 * moved.size  # the ball's two places, and nothing else


def test_without_joints_or_target_there_is_none(simulator: dict[str, Any]) -> None:
    assert scene_of(RunRecord(), simulator) is None
    only_target = RunRecord()
    only_target.add_target(0, 0.0, 0.0, 0.55, wall_s=0.0)
    assert scene_of(only_target, simulator) is None


def test_a_scene_can_be_posed_again_and_again(simulator: dict[str, Any]) -> None:
    record = heard(0.0)
    names = tuple(record.joints)
    scene = Scene.of(simulator, names, 120, 80)
    assert scene is not None
    q = list(record.joints.values())
    before = scene.draw(q, (0.0, 0.0, 0.55))
    bent = scene.draw([angle + 0.3 for angle in q], (0.0, 0.0, 0.55))
    again = scene.draw(q, (0.0, 0.0, 0.55))
    scene.close()
    assert (before == again).all()
    assert (before != bent).any(axis=2).mean() > 0.01
    alone = scene_of(record, simulator, 120, 80)
    assert alone is not None
    assert (before == alone).all()


def test_joints_are_found_by_name(simulator: dict[str, Any]) -> None:
    record = heard(0.0)
    record.joints = {"wheel": 9.0, **dict(reversed(record.joints.items()))}
    picture, expected = (scene_of(r, simulator, 60, 40) for r in (record, heard(0.0)))
    assert picture is not None
    assert expected is not None
    assert (picture == expected).all()
    record.joints.pop(next(iter(ArmModel.from_urdf(arm_urdf()).joint_names)))
    assert scene_of(record, simulator, 60, 40) is None


def test_a_scene_without_a_size_draws_nothing(simulator: dict[str, Any]) -> None:
    scene = Scene.of(simulator, tuple(heard(0.0).joints))
    assert scene is not None
    with pytest.raises(RuntimeError, match="without width and height"):
        scene.draw([0.0] * 6, (0.0, 0.0, 1.0))
