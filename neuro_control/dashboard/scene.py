# SPDX-License-Identifier: Apache-2.0
"""The robot in 3D: its links, the camera's field of view, the target, where sounds come from.

viser serves the scene on a port of its own that answers nobody but the page's server
(`scene_server`), which passes it on, so that one address and one token are enough. Nothing in the
scene moves the robot.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.dashboard.scene_server import open_server
from neuro_control.dashboard.urdf_shapes import Shape, visual_shapes
from neuro_control.robots.urdf import Joint, UrdfModel, parse_urdf

Float = NDArray[np.float64]

# Okabe and Ito's colours.
VERMILION, BLUE, ORANGE, GREEN, SKY = (
    (213, 94, 0),
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (86, 180, 233),
)
SPEED_OF_SOUND_M_S = 343.0
TARGET_RADIUS_M = 0.03
RAY_M = 0.9
FRUSTUM_M = 0.12
EARS = ("ear_left_link", "ear_right_link")


def quaternion(rotation: Float) -> tuple[float, float, float, float]:
    """Unit quaternion w, x, y, z of a rotation matrix float64[3, 3] (Shepperd's method)."""
    m = rotation
    four_squares = np.array(
        [
            1.0 + m[0, 0] + m[1, 1] + m[2, 2],
            1.0 + m[0, 0] - m[1, 1] - m[2, 2],
            1.0 - m[0, 0] + m[1, 1] - m[2, 2],
            1.0 - m[0, 0] - m[1, 1] + m[2, 2],
        ]
    )
    largest = int(four_squares.argmax())
    pairs = np.array(
        [
            [four_squares[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], four_squares[1], m[1, 0] + m[0, 1], m[0, 2] + m[2, 0]],
            [m[0, 2] - m[2, 0], m[1, 0] + m[0, 1], four_squares[2], m[2, 1] + m[1, 2]],
            [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[2, 1] + m[1, 2], four_squares[3]],
        ]
    )
    w, x, y, z = pairs[largest] / (2.0 * math.sqrt(four_squares[largest]))
    return float(w), float(x), float(y), float(z)


def joint_pose(joint: Joint, q: float) -> Float:
    """Frame of the joint's child in its parent, float64[4, 4], at a position (rad or m)."""
    move = np.eye(4)
    x, y, z = joint.axis
    if joint.kind in ("revolute", "continuous"):
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        move[:3, :3] = np.eye(3) + math.sin(q) * cross + (1.0 - math.cos(q)) * cross @ cross
    elif joint.kind == "prismatic":
        move[:3, 3] = q * joint.axis
    pose: Float = joint.origin @ move
    return pose


def sound_directions(time_difference_ns: float, left: Float, right: Float) -> list[Float]:
    """Unit vectors towards a sound heard by two ears at places left, right (float64[3], m).

    Two ears alone cannot tell ahead from behind: both directions in the plane through the ears
    and across the vertical are given. time_difference_ns: left minus right.
    """
    across = right - left
    distance = float(np.linalg.norm(across))
    if distance == 0.0:
        return []
    across = across / distance
    share = time_difference_ns * 1e-9 * SPEED_OF_SOUND_M_S / distance
    share = min(max(share, -1.0), 1.0)
    ahead = np.cross(np.array([0.0, 0.0, 1.0]), across)
    ahead /= np.linalg.norm(ahead)
    rest = math.sqrt(1.0 - share * share)
    return [share * across + rest * ahead, share * across - rest * ahead]


class Scene:
    """The scene of one robot.

    camera_link: optical frame of the event camera; a robot without it has no field of view drawn.

    Raises ValueError for a URDF that cannot be read, RuntimeError if others could not be kept out.
    """

    def __init__(self, urdf: str, camera_link: str, field_of_view_rad: float) -> None:
        self.model: UrdfModel = parse_urdf(urdf)
        shapes, self.missing_meshes = visual_shapes(urdf)
        self._server, self.address = open_server()
        self._positions: dict[str, float] = {}
        self._joints: dict[str, Any] = {}
        self._paths = self._link_paths()
        self._camera_link = camera_link if camera_link in self.model.links else ""
        self._draw_stage()
        for joint in self.model.joints.values():
            self._add_joint(joint)
        for number, shape in enumerate(shapes):
            self._add_shape(number, shape)
        self._field_of_view_rad = field_of_view_rad
        self._aspect = 0.0
        self._frustum: Any = None
        self._rays: dict[str, Any] = {}
        self._target = self._server.scene.add_icosphere(
            "/target", radius=TARGET_RADIUS_M, color=VERMILION, visible=False
        )

    def close(self) -> None:
        """Serve it no more."""
        self._server.stop()

    @property
    def viewers(self) -> int:
        """How many pages look at it."""
        return len(self._server.get_clients())

    def _link_paths(self) -> dict[str, str]:
        """A link's name in the scene: that of its parent, and its own."""
        above = {joint.child: joint.parent for joint in self.model.joints.values()}
        paths: dict[str, str] = {}

        def path(link: str) -> str:
            if link not in paths:
                root = path(above[link]) if link in above else "/robot"
                paths[link] = f"{root}/{link}"
            return paths[link]

        for link in self.model.links:
            path(link)
        return paths

    def _draw_stage(self) -> None:
        scene = self._server.scene
        self._server.gui.configure_theme(show_logo=False, show_share_button=False)
        scene.set_up_direction("+z")
        self._server.initial_camera.position = (1.35, -1.15, 0.95)
        self._server.initial_camera.look_at = (0.25, 0.0, 0.35)
        scene.add_grid(
            "/floor",
            width=3.0,
            height=3.0,
            cell_size=0.1,
            section_size=0.5,
            cell_color=(140, 140, 140),
            section_color=(110, 110, 110),
            plane_opacity=0.0,
        )

    def _add_joint(self, joint: Joint) -> None:
        pose = joint_pose(joint, 0.0)
        handle = self._server.scene.add_frame(
            self._paths[joint.child],
            show_axes=False,
            wxyz=quaternion(pose[:3, :3]),
            position=tuple(pose[:3, 3]),
        )
        if joint.moves:
            self._joints[joint.name] = handle

    def _add_shape(self, number: int, shape: Shape) -> None:
        scene = self._server.scene
        place: dict[str, Any] = {
            "wxyz": quaternion(shape.origin[:3, :3]),
            "position": tuple(shape.origin[:3, 3]),
        }
        name = f"{self._paths[shape.link]}/shape_{number}"
        if shape.kind == "box":
            scene.add_box(name, color=shape.colour, dimensions=np.array(shape.size), **place)
        elif shape.kind == "cylinder":
            radius, length = shape.size
            # three.js has cylinders along y; viser turns them to z itself.
            scene.add_cylinder(name, radius=radius, height=length, color=shape.colour, **place)
        elif shape.kind == "sphere":
            scene.add_icosphere(name, radius=shape.size[0], color=shape.colour, **place)
        else:
            import trimesh

            mesh = trimesh.load_mesh(str(shape.mesh))
            mesh.apply_scale(shape.size)  # type: ignore[no-untyped-call]
            scene.add_mesh_simple(
                name,
                vertices=np.asarray(mesh.vertices, np.float32),
                faces=np.asarray(mesh.faces, np.uint32),
                color=shape.colour,
                **place,
            )

    def pose(self, link: str) -> Float:
        """Pose of a link in the robot's root frame at the last positions, float64[4, 4]."""
        above = {joint.child: joint for joint in self.model.joints.values()}
        pose = np.eye(4)
        while link in above:
            joint = above[link]
            pose = joint_pose(joint, self._positions.get(joint.name, 0.0)) @ pose
            link = joint.parent
        return pose

    def show(
        self,
        positions: dict[str, float],
        *,
        camera_size: tuple[int, int] | None,
        target: Float | None,
        direction: Float | None,
        sound_ns: float | None,
    ) -> None:
        """Bring the scene up to date.

        positions: of the joints by name. camera_size: columns, rows of the event camera; None:
        there is none. target: in the camera's frame, m. direction: where the controller sees the
        target, in the camera's frame. sound_ns: left ear's time minus right's; None: no sound.
        """
        with self._server.atomic():
            for name, q in positions.items():
                handle = self._joints.get(name)
                if handle is None or self._positions.get(name) == q:
                    continue
                pose = joint_pose(self.model.joints[name], q)
                handle.wxyz = quaternion(pose[:3, :3])
                handle.position = tuple(pose[:3, 3])
                self._positions[name] = q
            if self._camera_link:
                self._show_camera(camera_size)
                camera = self.pose(self._camera_link)
                self._target.visible = target is not None
                if target is not None:
                    self._target.position = tuple((camera @ [*target, 1.0])[:3])
                self._show_ray("seen", camera, direction, GREEN)
            self._show_sound(sound_ns)

    def _show_camera(self, size: tuple[int, int] | None) -> None:
        aspect = 0.0 if size is None else size[0] / size[1]
        if aspect == self._aspect:
            return
        self._aspect = aspect
        if self._frustum is not None:
            self._frustum.remove()
            self._frustum = None
        if aspect:
            half = math.tan(self._field_of_view_rad / 2.0) / aspect
            self._frustum = self._server.scene.add_camera_frustum(
                f"{self._paths[self._camera_link]}/view",
                fov=2.0 * math.atan(half),
                aspect=aspect,
                scale=FRUSTUM_M,
                color=BLUE,
            )

    def _show_ray(self, name: str, frame: Float, direction: Float | None, colour: Any) -> None:
        """A line from the origin of a frame along a direction in it."""
        if direction is None:
            if name in self._rays:
                self._rays[name].visible = False
            return
        unit = direction / max(float(np.linalg.norm(direction)), 1e-9)
        if name not in self._rays:
            self._rays[name] = self._server.scene.add_line_segments(
                f"/rays/{name}",
                points=np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, RAY_M]]], np.float32),
                colors=np.array([[colour, colour]], np.uint8),
                thickness=0.01,
            )
        handle = self._rays[name]
        handle.visible = True
        handle.position = tuple(frame[:3, 3])
        handle.wxyz = _from_z(frame[:3, :3] @ unit)

    def _show_sound(self, sound_ns: float | None) -> None:
        if not set(EARS) <= set(self.model.links):
            return
        left, right = (self.pose(ear)[:3, 3] for ear in EARS)
        directions = [] if sound_ns is None else sound_directions(sound_ns, left, right)
        middle = np.eye(4)
        middle[:3, 3] = (left + right) / 2.0
        for number in range(2):
            direction = directions[number] if number < len(directions) else None
            self._show_ray(f"sound_{number}", middle, direction, ORANGE)


def _from_z(direction: Float) -> tuple[float, float, float, float]:
    """The quaternion that turns z into a unit vector."""
    x, y, z = (float(v) for v in direction)
    w = math.sqrt(max((1.0 + z) / 2.0, 0.0))
    if w < 1e-6:
        return 0.0, 1.0, 0.0, 0.0
    return w, -y / (2.0 * w), x / (2.0 * w), 0.0
