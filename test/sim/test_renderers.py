# SPDX-License-Identifier: Apache-2.0
"""Both renderers show the same world; rays alone where there is no OpenGL."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest

from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.sim import luminance
from neuro_control.sim.arm_world import ArmWorld, ArmWorldSettings, build_arm_world
from neuro_control.sim.luminance import OpenGl, choose_renderer, find_opengl, gl_platform
from neuro_control.sim.ray_caster import RayCaster

SIZE = 128
TURNS = [
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0.4, 0.3, 0],
    [0.5, 0.2, 0, -0.4, -0.5, 0.3],
    [0, 0, 0, -2.3, 0, 0],
]


@pytest.fixture(scope="module")
def world() -> ArmWorld:
    return build_arm_world(arm_urdf(), ArmWorldSettings(), seed=1)


def posed(world: ArmWorld, turn: list[float]) -> mujoco.MjData:
    data = mujoco.MjData(world.model)
    data.qpos[world.arm_joints] = ArmModel.from_urdf(arm_urdf()).home + turn
    mujoco.mj_forward(world.model, data)
    eye, optical = data.xpos[world.optical_body], data.xmat[world.optical_body].reshape(3, 3)
    data.mocap_pos[0] = eye + optical @ [0.05, -0.08, 0.55]
    data.mocap_quat[0] = np.array([0.7, 0.5, 0.4, 0.316]) / np.linalg.norm([0.7, 0.5, 0.4, 0.316])
    mujoco.mj_forward(world.model, data)
    return data


@pytest.mark.parametrize("turn", TURNS)
def test_rays_show_what_opengl_shows(world: ArmWorld, turn: list[float]) -> None:
    if gl_platform() is None:
        pytest.skip("no OpenGL renders here (neither EGL nor OSMesa)")
    data = posed(world, turn)
    rays = RayCaster(world.model, SIZE, SIZE).render(data, world.camera_id)
    renderer = choose_renderer("gl", world.model, SIZE, SIZE)
    gl = renderer.render(data, world.camera_id)
    renderer.close()
    assert np.corrcoef(rays.ravel(), gl.ravel())[0, 1] > 0.97
    assert np.abs(rays - gl).mean() < 0.01


def test_ball_is_where_and_as_large_as_a_pinhole_would_have_it(world: ArmWorld) -> None:
    data = posed(world, TURNS[0])
    caster = RayCaster(world.model, SIZE, SIZE)
    caster.render(data, world.camera_id)
    rows, columns = np.nonzero(caster.seen == world.model.geom("target").id)
    focal = SIZE / 2 / math.tan(math.radians(30))
    assert columns.mean() + 0.5 == pytest.approx(64 + focal * 0.05 / 0.55, abs=0.6)
    assert rows.mean() + 0.5 == pytest.approx(64 - focal * 0.08 / 0.55, abs=0.6)
    assert rows.size == pytest.approx(math.pi * (focal * 0.04 / 0.55) ** 2, rel=0.1)


def test_depth_agrees_with_mujocos_own_rays(world: ArmWorld) -> None:
    data = posed(world, TURNS[2])
    caster = RayCaster(world.model, SIZE, SIZE)
    caster.render(data, world.camera_id)
    eye = np.array(data.cam_xpos[world.camera_id])
    axes = data.cam_xmat[world.camera_id].reshape(3, 3) * [1, -1, -1]
    focal = SIZE / 2 / math.tan(math.radians(30))
    for row, column in np.random.default_rng(0).integers(0, SIZE, (200, 2)):
        ray = axes @ [(column + 0.5 - SIZE / 2) / focal, (row + 0.5 - SIZE / 2) / focal, 1.0]
        geom = np.zeros(1, np.int32)
        length = np.linalg.norm(ray)
        distance = mujoco.mj_ray(world.model, data, eye, ray / length, None, 1, -1, geom)
        if geom[0] == caster.seen[row, column]:
            assert caster.depth[row, column] * length == pytest.approx(distance, rel=1e-3)
        else:  # only where two shapes meet within a hair's breadth
            assert caster.depth[row, column] * length == pytest.approx(distance, rel=0.02)


def test_camera_sees_past_the_fingers_and_no_part_of_the_arm(world: ArmWorld) -> None:
    caster = RayCaster(world.model, SIZE, SIZE)
    caster.render(posed(world, TURNS[0]), world.camera_id)
    bodies = {world.model.body(world.model.geom_bodyid[g]).name for g in np.unique(caster.seen)}
    assert bodies == {"world", "target"}


def test_every_pixel_sees_something_wherever_the_arm_looks(world: ArmWorld) -> None:
    caster = RayCaster(world.model, SIZE, SIZE)
    for turn in TURNS:
        assert caster.render(posed(world, turn), world.camera_id).min() > 0.03
        assert caster.seen.min() >= 0


def test_background_has_moderate_contrast(world: ArmWorld) -> None:
    image = RayCaster(world.model, SIZE, SIZE).render(posed(world, TURNS[0]), world.camera_id)
    assert 0.1 < np.log(image).std() < 0.5


def test_unknown_renderers_and_shapes_are_refused(world: ArmWorld) -> None:
    with pytest.raises(ValueError, match="renderer: 'pencil'"):
        choose_renderer("pencil", world.model, SIZE, SIZE)  # type: ignore[arg-type]
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><geom type='ellipsoid' size='1 1 1'/></worldbody></mujoco>"
    )
    with pytest.raises(ValueError, match="cannot be ray cast"):
        RayCaster(model, 8, 8)


def test_gl_that_is_switched_off_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    find_opengl.cache_clear()
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    try:
        assert gl_platform() is None
    finally:
        find_opengl.cache_clear()


def test_software_opengl_is_told_from_a_graphics_card() -> None:
    assert OpenGl("egl", "llvmpipe (LLVM 15.0.6, 256 bits)").is_software
    assert not OpenGl("egl", "NVIDIA H100/PCIe/SSE2").is_software


def test_auto_takes_rays_unless_a_graphics_card_renders(
    world: ArmWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for opengl in (None, OpenGl("egl", "llvmpipe")):
        monkeypatch.setattr(luminance, "find_opengl", lambda found=opengl: found)
        assert choose_renderer("auto", world.model, SIZE, SIZE).name == "rays"
    monkeypatch.setattr(luminance, "find_opengl", lambda: None)
    with pytest.raises(ValueError, match="neither EGL nor OSMesa"):
        choose_renderer("gl", world.model, SIZE, SIZE)
