# SPDX-License-Identifier: Apache-2.0
"""The arm's world as a MuJoCo model: the URDF, and a room, a table and a ball around it.

Materials shine by themselves and no lamp is lit, so that luminance is the texture's colour and
every renderer can agree about it. The world's frame is the arm's base_link.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.robots import ArmModel
from neuro_control.sim import textures

CAMERA = "hand_camera"
TARGET = "target"
FINGERS = ("left_finger_joint", "right_finger_joint")
HAND = "gripper_link"
PAYLOAD = "payload"
HELD = "held_ball"
# Between the pads, in the hand's frame.
_GRASP = (0.0, 0.0, 0.141)
# The pads press on a ball that is a little wider than what the fingers are told to leave open.
_SQUEEZE_M = 0.001
_HELD_KG = 0.05

# MuJoCo takes no rotor inertia from a URDF; without it a stiff wrist limit-cycles.
_ARMATURE = 0.1
_FINGER_ARMATURE = 0.05


class ArmWorldSettings(BaseModel):
    """Sizes and pictures of the arm's surroundings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    physics_period_us: int = Field(1000, ge=100, le=5000, description="physics step [us]")
    image_width: int = Field(128, ge=16, le=1024, description="columns of the hand camera")
    image_height: int = Field(128, ge=16, le=1024, description="rows of the hand camera")
    field_of_view_deg: float = Field(60.0, ge=10.0, le=120.0, description="horizontal, whole")
    target_radius_m: float = Field(0.04, ge=0.005, le=0.2, description="radius of the ball")
    background_contrast: float = Field(
        1.0, ge=0.0, le=10.0, description="factor on the log contrast of walls, floor and table"
    )


@dataclass(frozen=True)
class ArmWorld:
    """A compiled world and where things are in it.

    Attributes:
        model: the MuJoCo model.
        arm_joints: int[6], addresses in qpos, qvel and ctrl of the arm's joints, in chain order.
        finger_joints: int[2], those of the gripper.
        camera_id: id of the hand camera.
        optical_body: id of the body whose frame is the camera's optical frame.
        target_body: id of the ball's body; it is mocap body 0.
        hand_body: id of the gripper's body, which the wind blows on.
        payload_body: id of the body between the fingers that a payload's mass is given to; none
            at first, and nothing to be seen or touched.
    """

    model: mujoco.MjModel
    arm_joints: np.ndarray
    finger_joints: np.ndarray
    camera_id: int
    optical_body: int
    target_body: int
    hand_body: int
    payload_body: int


def build_arm_world(
    urdf_text: str, settings: ArmWorldSettings, seed: int = 0, held_radius_m: float = 0.0
) -> ArmWorld:
    """Build the world around the arm of a URDF; equal seeds give equal worlds.

    held_radius_m: half of the gripper's opening, in which it holds a ball that its pads feel; 0:
        it holds none. The ball can only move from pad to pad: it is squeezed, and cannot fall.

    Raises:
        ValueError: the URDF has no arm with a hand camera, or MuJoCo refuses it.
    """
    arm = ArmModel.from_urdf(urdf_text)
    spec = mujoco.MjSpec.from_string(urdf_text)
    spec.compiler.fusestatic = False
    # At compilation this flag would drop whatever cannot be touched: walls, ball, textures.
    spec.compiler.discardvisual = False
    spec.option.timestep = settings.physics_period_us * 1e-6
    spec.visual.headlight.active = 0
    spec.visual.quality.offsamples = 0
    spec.visual.quality.numslices = 12
    spec.visual.quality.numstacks = 12
    spec.visual.global_.offwidth = settings.image_width
    spec.visual.global_.offheight = settings.image_height
    spec.visual.map.znear = 0.001
    _paint_arm(spec)
    _add_motors(spec, arm)
    _add_payload(spec)
    if held_radius_m > 0.0:
        _add_held_ball(spec, held_radius_m + _SQUEEZE_M)
    _add_room(spec, np.random.default_rng([0x3007, seed]), settings.background_contrast)
    _add_target(spec, settings)
    _add_camera(spec, arm.tip_link, settings)
    model = spec.compile()
    joints = [model.joint(name) for name in (*arm.joint_names, *FINGERS)]
    addresses = np.array([int(joint.dofadr[0]) for joint in joints])
    if any(int(joint.qposadr[0]) != int(joint.dofadr[0]) for joint in joints):
        raise ValueError("urdf: a joint before the arm's has more coordinates than freedoms")
    return ArmWorld(
        model=model,
        arm_joints=addresses[: len(arm.joint_names)],
        finger_joints=addresses[len(arm.joint_names) :],
        camera_id=model.camera(CAMERA).id,
        optical_body=model.body(arm.tip_link).id,
        target_body=model.body(TARGET).id,
        hand_body=model.body(HAND).id,
        payload_body=model.body(PAYLOAD).id,
    )


def _paint_arm(spec: mujoco.MjSpec) -> None:
    """Give every colour of the URDF a material, and let the arm touch the world, not itself."""
    known: dict[tuple[float, ...], str] = {}
    for geom in spec.geoms:
        colour = tuple(float(value) for value in geom.rgba)
        if colour not in known:
            known[colour] = f"arm_{len(known)}"
            spec.add_material(
                name=known[colour], rgba=colour, emission=1.0, specular=0.3, shininess=0.4
            )
        geom.material = known[colour]
        geom.contype, geom.conaffinity = 1, 2


def _add_motors(spec: mujoco.MjSpec, arm: ArmModel) -> None:
    efforts = dict(zip(arm.joint_names, arm.limits.effort, strict=True))
    for joint in spec.joints:
        finger = joint.name in FINGERS
        joint.armature = _FINGER_ARMATURE if finger else _ARMATURE
        effort = float(efforts.get(joint.name, 60.0))
        spec.add_actuator(
            name=joint.name,
            target=joint.name,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            ctrllimited=True,
            ctrlrange=[-effort, effort],
        )


def _add_payload(spec: mujoco.MjSpec) -> None:
    spec.body(HAND).add_body(
        name=PAYLOAD, pos=_GRASP, mass=0.0, inertia=[0.0, 0.0, 0.0], explicitinertial=True
    )


def _add_held_ball(spec: mujoco.MjSpec, radius_m: float) -> None:
    body = spec.body(HAND).add_body(name=HELD, pos=_GRASP)
    body.add_joint(name=HELD, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1.0, 0.0, 0.0], damping=2.0)
    body.add_geom(
        name=HELD, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[radius_m, 0, 0], mass=_HELD_KG,
        rgba=[0.8, 0.7, 0.2, 1.0], contype=2, conaffinity=1,
    )  # fmt: skip


def _add_material(
    spec: mujoco.MjSpec, name: str, pixels: textures.Pixels, cube: bool = False
) -> None:
    kind = mujoco.mjtTexture.mjTEXTURE_CUBE if cube else mujoco.mjtTexture.mjTEXTURE_2D
    rows, columns, channels = pixels.shape
    texture = spec.add_texture(name=name, type=kind, width=columns, height=rows, nchannel=channels)
    texture.data = pixels.tobytes()
    material = spec.add_material(name=name, emission=1.0, specular=0.1, shininess=0.2)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def _add_room(spec: mujoco.MjSpec, rng: np.random.Generator, contrast: float) -> None:
    """A closed room, so that every pixel of the camera sees something; a table in it."""
    _add_material(spec, "backdrop", textures.wall(rng, contrast))
    _add_material(spec, "wall", textures.wall(rng, contrast))
    _add_material(spec, "floor", textures.stone(rng, contrast))
    _add_material(spec, "table", textures.wood(rng, contrast))
    spec.add_material(name="table_leg", rgba=[0.30, 0.25, 0.20, 1.0], emission=1.0)
    west, east, south, north, floor, ceiling = -2.4, 2.3, -2.3, 2.5, -0.75, 2.45
    x, y, z = (west + east) / 2, (south + north) / 2, (floor + ceiling) / 2
    wide, deep, high = (north - south) / 2, (east - west) / 2, (ceiling - floor) / 2
    # Each plane faces inwards (its z), with the picture's top (its y) up.
    _add_plane(spec, "backdrop", "backdrop", [east, y, z], [0, -1, 0, 0, 0, 1], wide, high)
    _add_plane(spec, "wall_west", "wall", [west, y, z], [0, 1, 0, 0, 0, 1], wide, high)
    _add_plane(spec, "wall_north", "wall", [x, north, z], [1, 0, 0, 0, 0, 1], deep, high)
    _add_plane(spec, "wall_south", "wall", [x, south, z], [-1, 0, 0, 0, 0, 1], deep, high)
    _add_plane(spec, "floor", "floor", [x, y, floor], [1, 0, 0, 0, 1, 0], deep, wide)
    _add_plane(spec, "ceiling", "wall", [x, y, ceiling], [1, 0, 0, 0, -1, 0], deep, wide)
    world = spec.worldbody
    box = mujoco.mjtGeom.mjGEOM_BOX
    world.add_geom(
        name="table", type=box, size=[0.90, 0.60, 0.02], pos=[0.50, 0.05, -0.021],
        material="table", contype=2, conaffinity=1,
    )  # fmt: skip
    for leg, (at_x, at_y) in enumerate(
        [(-0.34, -0.49), (-0.34, 0.59), (1.34, -0.49), (1.34, 0.59)]
    ):
        world.add_geom(
            name=f"table_leg_{leg}", type=box, size=[0.03, 0.03, 0.354],
            pos=[at_x, at_y, -0.395], material="table_leg", contype=2, conaffinity=1,
        )  # fmt: skip
    # Lit for pictures that people look at; dark for the sensor.
    world.add_light(
        name="lamp", pos=[0.2, -0.5, 2.3], dir=[0.12, 0.3, -1.0], active=False, castshadow=True,
        cutoff=80.0, exponent=1.0, diffuse=[0.5, 0.5, 0.5],
    )  # fmt: skip


def _add_plane(
    spec: mujoco.MjSpec,
    name: str,
    material: str,
    centre: list[float],
    axes: list[float],
    half_x: float,
    half_y: float,
) -> None:
    """A seen, untouchable rectangle; `axes` are its x and y axes."""
    x, y = np.array(axes[:3], dtype=np.float64), np.array(axes[3:], dtype=np.float64)
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, np.stack([x, y, np.cross(x, y)], axis=1).ravel())
    spec.worldbody.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[half_x, half_y, 0.1], pos=centre,
        quat=quaternion.tolist(), material=material, contype=0, conaffinity=0,
    )  # fmt: skip


def _add_target(spec: mujoco.MjSpec, settings: ArmWorldSettings) -> None:
    _add_material(spec, "ball", textures.checkered_ball(), cube=True)
    body = spec.worldbody.add_body(name=TARGET, mocap=True, pos=[1.0, 0.0, 0.5])
    body.add_geom(
        name=TARGET, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[settings.target_radius_m, 0, 0],
        material="ball", contype=0, conaffinity=0,
    )  # fmt: skip


def _add_camera(spec: mujoco.MjSpec, optical_frame: str, settings: ArmWorldSettings) -> None:
    """MuJoCo's camera looks along -z with y up: the optical frame turned about its x."""
    half = math.tan(math.radians(settings.field_of_view_deg) / 2.0)
    vertical = 2.0 * math.atan(half * settings.image_height / settings.image_width)
    spec.body(optical_frame).add_camera(
        name=CAMERA, fovy=math.degrees(vertical), quat=[0.0, 1.0, 0.0, 0.0]
    )
