# SPDX-License-Identifier: Apache-2.0
"""The simulated hand feels what it holds, and the ears on the base hear the target."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.robots import arm_urdf
from neuro_control.senses.cochlea import Cochlea
from neuro_control.senses.skin import Skin
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings

URDF = arm_urdf()


def simulation(**senses: object) -> ArmSimulation:
    values = {"renderer": "rays", "world": {"image_width": 16, "image_height": 16}}
    return ArmSimulation(URDF, ArmSimulationSettings.model_validate({**values, "senses": senses}))


def test_there_are_none_unless_they_are_asked_for() -> None:
    frame = simulation().advance()
    assert frame.taxels is None
    assert frame.sound is None


def test_the_pad_feels_the_grip_in_its_middle_every_ten_milliseconds() -> None:
    arm = simulation(touch=True)
    frames = [arm.advance() for _ in range(250)]
    felt = [(frame.t_ns, frame.taxels) for frame in frames if frame.taxels is not None]
    assert [t_ns for t_ns, _ in felt] == [10_000_000 * n for n in range(1, 51)]
    taxels = felt[-1][1]
    assert taxels.shape == (8, 8)
    assert taxels.dtype == np.float32
    assert 0.3 < taxels.sum() < 5.0
    rows, columns = np.mgrid[:8, :8]
    middle = [(axis * taxels).sum() / taxels.sum() for axis in (rows, columns)]
    np.testing.assert_allclose(middle, [3.5, 3.5], atol=0.2)


def test_when_the_arm_moves_the_grip_changes_and_the_skin_fires() -> None:
    arm = simulation(touch=True)
    skin = Skin(8, 8)
    grip, spikes = [], 0
    for n in range(750):
        # The hand is shaken along the way that the fingers close, after half a second.
        wave = 0.0 if n < 250 else 1.5 * np.sin(2 * np.pi * 3 * n * 0.002)
        arm.set_velocities(np.array([0.0, 0.0, 0.0, 0.0, 0.0, wave]))
        frame = arm.advance()
        if frame.taxels is not None:
            grip.append(float(frame.taxels.sum()))
            spikes += len(skin.feel(frame.taxels.astype(np.float64), frame.t_ns))
    assert np.ptp(grip[50:]) > 20 * np.ptp(grip[40:50])
    assert spikes > 0


def test_a_held_ball_does_not_change_where_the_arm_goes() -> None:
    runs = [simulation(touch=touch) for touch in (False, True)]
    for _ in range(200):
        for run in runs:
            run.set_velocities(np.full(6, 0.2))
        free, holding = (run.advance() for run in runs)
    np.testing.assert_allclose(free.q, holding.q, atol=2e-4)


def test_the_ears_hear_every_sample_and_the_cochlea_fires() -> None:
    arm = simulation(sound=True)
    blocks = [
        frame.sound for frame in (arm.advance() for _ in range(250)) if frame.sound is not None
    ]
    assert len(blocks) == 50
    sound = np.concatenate(blocks)
    assert sound.shape == (8000, 2)
    assert sound.dtype == np.int16
    events = Cochlea(ears=2).hear(sound)
    assert len(events) > 1000
    assert set(events.y.tolist()) == {0, 1}
    assert len(set(events.x.tolist())) > 30, "most channels hear the hum"


def test_a_robot_without_ears_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="ear_left_link"):
        ArmSimulation(
            URDF.replace("ear_left_link", "cheek_link"),
            ArmSimulationSettings.model_validate({"renderer": "rays", "senses": {"sound": True}}),
        )
