# SPDX-License-Identifier: Apache-2.0
"""Taxels in the simulation feel what presses on them, where it presses."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from neuro_control.robots.description import arm_urdf
from neuro_control.senses.skin import Skin
from neuro_control.senses.touch import Touch, TouchRule
from neuro_control.sim.taxel_pad import TaxelPad

# A pad that looks up (its +x is the world's z), and a ball on a slide that can be pushed down.
WORLD = """
<mujoco>
  <option timestep="0.001"/>
  <worldbody>
    <geom name="pad" type="box" size="0.003 0.009 0.012" euler="0 -90 0"/>
    <body pos="{x} {y} 0.0131">
      <joint type="slide" axis="0 0 1" damping="2"/>
      <geom name="ball" type="sphere" size="0.01" mass="0.05"/>
    </body>
  </worldbody>
</mujoco>
"""


def settled(x: float = 0.0, y: float = 0.0, push_n: float = 2.0):
    model = mujoco.MjModel.from_xml_string(WORLD.format(x=x, y=y))
    data = mujoco.MjData(model)
    data.qfrc_applied[0] = -push_n
    for _ in range(2000):
        mujoco.mj_step(model, data)
    return model, data


def test_the_taxels_bear_the_whole_load():
    model, data = settled()
    forces = TaxelPad(model, "pad", 12, 9).forces(data)
    assert forces.shape == (12, 9)
    assert forces.min() >= 0
    assert forces.sum() == pytest.approx(2.0 + 0.05 * 9.81, rel=0.01)


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.003, 0.0), (0.0, -0.002), (-0.004, 0.003)])
def test_the_centre_of_pressure_is_the_point_of_contact(x, y):
    model, data = settled(x, y)
    pad = TaxelPad(model, "pad", 12, 9)
    forces = pad.forces(data)
    centre = (pad.positions * forces[..., None]).sum(axis=(0, 1)) / forces.sum()
    rotation = data.geom("pad").xmat.reshape(3, 3)
    expected = (rotation.T @ np.array([x, y, 0.003]))[1:]
    np.testing.assert_allclose(centre, expected, atol=0.0004)


def test_a_skin_on_the_pad_feels_the_ball_come_and_go():
    model = mujoco.MjModel.from_xml_string(WORLD.format(x=0, y=0))
    data = mujoco.MjData(model)
    pad, skin = TaxelPad(model, "pad", 6, 5), Skin(6, 5)
    data.qpos[0] = 0.02
    events, rule = [], TouchRule()
    for tick in range(600):
        data.qfrc_applied[0] = 3.0 if tick > 400 else -2.0
        mujoco.mj_step(model, data)
        events.append(skin.feel(pad.forces(data) / 1.0, (tick + 1) * 1_000_000))

    def judged(begin: int, end: int) -> set[Touch]:
        windows = range(begin, end, 20)
        joined = [type(events[0]).concatenate(events[k : k + 20]) for k in windows]
        return {rule.judge(window) for window in joined}

    assert Touch.ONSET in judged(0, 200)
    assert judged(340, 400) == {Touch.HOLD}
    assert Touch.RELEASE in judged(400, 500)
    assert judged(520, 600) == {Touch.NOTHING}


def test_what_is_no_pad_is_refused():
    model, _ = settled()
    with pytest.raises(ValueError, match="geom 'ball' is no box"):
        TaxelPad(model, "ball", 2, 2)
    with pytest.raises(ValueError, match=r"rows is 0, columns 2 and spread_m 0.0015; all must be"):
        TaxelPad(model, "pad", 0, 2)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_finger_pad_of_the_arms_gripper_feels_a_ball_on_its_skin(side):
    spec = mujoco.MjSpec.from_string(arm_urdf())
    spec.compiler.fusestatic = False
    pad_body = spec.body(f"{side}_finger_pad_link")
    # The pad's x points out of the skin: a ball 0.1 mm into it, off the middle.
    pad_body.add_site(name="skin", pos=[0.0049, 0.002, -0.003])
    ball = spec.worldbody.add_body(name="ball", mocap=True)
    ball.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.005, 0, 0])
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    data.mocap_pos[0] = data.site("skin").xpos
    mujoco.mj_forward(model, data)
    pad = TaxelPad(model, f"{side}_finger_pad_link", 12, 9)
    forces = pad.forces(data)
    number = model.body(f"{side}_finger_pad_link").geomadr[0]
    normal, wrench = 0.0, np.zeros(6)
    for k in range(data.ncon):
        if number in data.contact[k].geom:
            mujoco.mj_contactForce(model, data, k, wrench)
            normal += wrench[0]
    assert normal > 0.0
    assert forces.sum() == pytest.approx(normal)
    centre = (pad.positions * forces[..., None]).sum(axis=(0, 1)) / forces.sum()
    np.testing.assert_allclose(centre, [0.002, -0.003], atol=0.0002)


def test_a_name_of_no_geom_and_no_body_is_refused():
    model, _ = settled()
    with pytest.raises(ValueError, match="geom 'nothing' is no box"):
        TaxelPad(model, "nothing", 2, 2)
