# SPDX-License-Identifier: Apache-2.0
"""The arm, its drives, its eye and the ball it chases, one camera period at a time."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from neuro_control.events import Events
from neuro_control.robots import ArmModel
from neuro_control.senses.event_camera import EventCamera, EventCameraSettings
from neuro_control.sim.arm_world import ArmWorldSettings, build_arm_world
from neuro_control.sim.disturbances import Disturbances, DisturbanceSettings
from neuro_control.sim.joint_commands import TrajectoryFollower, TrajectoryPoint
from neuro_control.sim.joint_drives import JointDrives, JointDriveSettings
from neuro_control.sim.luminance import (
    LuminanceRenderer,
    RendererKind,
    choose_renderer,
)
from neuro_control.sim.overview import overview
from neuro_control.sim.sensor_faults import JointReading, SensorFaults, SensorFaultSettings
from neuro_control.sim.simulated_senses import SimulatedSenses, SimulatedSensesSettings
from neuro_control.sim.target_motion import TargetMotion
from neuro_control.sim.target_paths import TargetPathSettings

Float = NDArray[np.float64]


class ArmSimulationSettings(BaseModel):
    """Everything that makes a run of the arm's simulation what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    seed: int = Field(0, ge=0, description="seed of world, sensor and path, unless they name one")
    camera_period_us: int = Field(2000, ge=500, le=50_000, description="time between pictures [us]")
    renderer: RendererKind = Field("auto", description="auto, gl or rays")
    world: ArmWorldSettings = Field(default_factory=ArmWorldSettings, description="the scene")
    camera: EventCameraSettings = Field(
        default_factory=EventCameraSettings, description="the event camera's pixels"
    )
    target: TargetPathSettings = Field(
        default_factory=TargetPathSettings, description="how the ball moves"
    )
    drives: JointDriveSettings = Field(
        default_factory=JointDriveSettings, description="the motors' drives"
    )
    disturbance: DisturbanceSettings = Field(
        default_factory=DisturbanceSettings, description="payload and wind"
    )
    faults: SensorFaultSettings = Field(
        default_factory=SensorFaultSettings, description="what goes wrong with the sensors"
    )
    senses: SimulatedSensesSettings = Field(
        default_factory=SimulatedSensesSettings, description="skin and ears"
    )

    @model_validator(mode="after")
    def _whole_steps(self) -> ArmSimulationSettings:
        step = self.world.physics_period_us
        if self.camera_period_us % step:
            raise ValueError(
                f"camera_period_us: {self.camera_period_us} is not a multiple of"
                f" world.physics_period_us = {step}"
            )
        return self


@dataclass(frozen=True, eq=False)
class SensorFrame:
    """What the robot's sensors say of one camera period, and the truth to judge by.

    Attributes:
        t_ns: end of the period.
        events: of the period.
        q, qd, effort: float64[6], at its end: [rad], [rad/s], [N m].
        target_in_camera: float64[3] [m], the ball in the optical frame (x right, y down, z ahead).
        camera_pose: float64[4, 4], the optical frame in base_link.
        packet_arrives: whether the events' packet is not lost on its way.
        joint_states: what arrives of joint readings now; the present one, but for faults.
        taxels: float32[rows, columns] [N], where it is time for the skin, else None.
        sound: int16[n, 2], left and right, where it is time for the ears, else None.
    """

    t_ns: int
    events: Events
    q: Float
    qd: Float
    effort: Float
    target_in_camera: Float
    camera_pose: Float
    packet_arrives: bool
    joint_states: tuple[JointReading, ...]
    taxels: NDArray[np.float32] | None = None
    sound: NDArray[np.int16] | None = None


class ArmSimulation:
    """A deterministic run: equal URDF, settings and commands give bit-equal frames.

    It begins at time 0 in the ready posture, at rest, with the first picture taken.

    Args:
        urdf_text: the arm (see `neuro_control.robots.arm_urdf`).
        settings: all else.

    Raises:
        ValueError: the URDF has no such arm, or the renderer asked for does not work here.
    """

    def __init__(self, urdf_text: str, settings: ArmSimulationSettings | None = None) -> None:
        self.settings = settings = settings or ArmSimulationSettings()
        self.arm = ArmModel.from_urdf(urdf_text)
        self.joint_names = self.arm.joint_names
        opening = settings.drives.finger_opening_m if settings.senses.touch else 0.0
        self.world = build_arm_world(urdf_text, settings.world, settings.seed, opening)
        self.model: mujoco.MjModel = self.world.model
        self.data = mujoco.MjData(self.model)
        home = self.arm.home
        self.data.qpos[self.world.arm_joints] = home
        self.data.qpos[self.world.finger_joints] = settings.drives.finger_opening_m
        self.path = TargetMotion(settings.target, self.arm.forward_kinematics(home), settings.seed)
        self._follower = TrajectoryFollower(self.arm.limits, home)
        self._drives = JointDrives(self.world, self.arm.limits.velocity, settings.drives)
        self._unladen = copy.copy(self.model)
        self._disturbances = Disturbances(self.world, settings.disturbance, settings.seed)
        self._tell_drives()
        width, height = settings.world.image_width, settings.world.image_height
        self._faults = SensorFaults(width, height, settings.faults, settings.seed)
        self._renderer = choose_renderer(settings.renderer, self.model, width, height)
        self._camera = EventCamera(width, height, settings.camera, settings.seed)
        self._t_ns = 0
        self._step_ns = settings.world.physics_period_us * 1000
        self._steps = settings.camera_period_us // settings.world.physics_period_us
        self.luminance: NDArray[np.float32] = np.zeros((height, width), np.float32)
        self._look()
        self._senses = SimulatedSenses(self.model, self.data, settings.senses)

    @property
    def t_ns(self) -> int:
        """Simulated time."""
        return self._t_ns

    @property
    def renderer(self) -> LuminanceRenderer:
        """What makes the camera's pictures."""
        return self._renderer

    def change(self, settings: ArmSimulationSettings) -> None:
        """Go on with other settings, of those that can be changed meanwhile.

        Raises:
            ValueError: others differ too.
        """
        now = self.settings
        dynamic = {
            "target": settings.target.model_copy(update={"seed": now.target.seed}),
            "disturbance": settings.disturbance.model_copy(update={"seed": now.disturbance.seed}),
            "faults": settings.faults.model_copy(update={"seed": now.faults.seed}),
        }
        if now.model_copy(update=dynamic) != settings:
            raise ValueError("only target, disturbance and faults can be changed meanwhile")
        if settings.target != now.target:
            self.path.change(settings.target, self._t_ns * 1e-9)
        if settings.disturbance != now.disturbance:
            self._disturbances.change(settings.disturbance)
            self._tell_drives()
        self._faults.settings = settings.faults
        self.settings = settings

    @property
    def conditions(self) -> dict[str, float | int | str]:
        """What the arm is up against now: the path, the disturbances, the faults."""
        settings, faults = self.settings, self._faults
        return {
            "target_kind": settings.target.kind,
            "target_speed_m_s": settings.target.speed_m_s,
            "payload_kg": settings.disturbance.payload_kg,
            "wind_force_n": float(np.linalg.norm(self._disturbances.force)),
            "faults": ",".join(settings.faults.names),
            "fault_events_added": faults.events_added,
            "fault_packets_lost": faults.packets_lost,
            "fault_joint_states_lost": faults.joint_states_lost,
            "fault_joint_states_waiting": faults.joint_states_waiting,
        }

    def _tell_drives(self) -> None:
        laden = self._disturbances.settings.payload_kg > 0.0
        self._drives.believe(self._unladen if laden else None)

    def set_trajectory(self, points: Sequence[TrajectoryPoint], stamp_ns: int = 0) -> None:
        """Follow a joint trajectory; see `TrajectoryFollower.set_trajectory`."""
        self._follower.set_trajectory(points, stamp_ns)

    def set_positions(self, q: Float) -> None:
        """Go to joint positions [rad]; see `TrajectoryFollower.set_positions`."""
        self._follower.set_positions(q)

    def set_velocities(self, qd: Float) -> None:
        """Move at joint velocities [rad/s]; see `TrajectoryFollower.set_velocities`."""
        self._follower.set_velocities(qd)

    def advance(self) -> SensorFrame:
        """Simulate one camera period and say what the sensors saw of it."""
        data, model = self.data, self.model
        for _ in range(self._steps):
            self._t_ns += self._step_ns
            set_point = self._follower.advance(self._t_ns)
            self._disturbances.step(data, self._step_ns * 1e-9)
            mujoco.mj_step1(model, data)
            self._drives.apply(data, set_point)
            mujoco.mj_step2(model, data)
        start_ns = self._t_ns - self._steps * self._step_ns
        events = self._faults.events(self._look(), start_ns, self._t_ns)
        joints, optical = self.world.arm_joints, self.world.optical_body
        pose = np.eye(4)
        pose[:3, :3] = data.xmat[optical].reshape(3, 3)
        pose[:3, 3] = data.xpos[optical]
        q, qd, effort = (values[joints].copy() for values in (data.qpos, data.qvel, data.ctrl))
        taxels, sound = self._senses.sense(self.data, self._t_ns)
        return SensorFrame(
            t_ns=self._t_ns,
            events=events,
            q=q,
            qd=qd,
            effort=effort,
            target_in_camera=pose[:3, :3].T @ (data.mocap_pos[0] - pose[:3, 3]),
            camera_pose=pose,
            packet_arrives=self._faults.packet_arrives(),
            joint_states=self._faults.joint_states(JointReading(self._t_ns, q, qd, effort)),
            taxels=taxels,
            sound=sound,
        )

    def overview_image(self, width: int = 960, height: int = 600) -> NDArray[np.uint8]:
        """A picture of the scene for people, uint8[height, width, 3]; slow."""
        allow_gl = self.settings.renderer != "rays"
        return overview(self.model, self.data, width, height, allow_gl=allow_gl)

    def close(self) -> None:
        """Release the renderer."""
        self._renderer.close()

    def _look(self) -> Events:
        """Put the ball where it is now, take a picture, and see what has changed."""
        t_s = self._t_ns * 1e-9
        self.data.mocap_pos[0] = self.path.position(t_s)
        self.data.mocap_quat[0] = self.path.orientation(t_s)
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        picture = self._renderer.render(self.data, self.world.camera_id)
        self.luminance = self._faults.picture(picture)
        return self._camera.expose(self.luminance, self._t_ns)
