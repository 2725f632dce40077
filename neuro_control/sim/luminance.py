# SPDX-License-Identifier: Apache-2.0
"""Which renderer makes the event camera's pictures: MuJoCo's by OpenGL, or rays."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal, Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.sim.ray_caster import RayCaster

RendererKind = Literal["auto", "gl", "rays"]
GL_PLATFORMS = ("egl", "osmesa")

_PROBE_TIMEOUT_S = 20.0
_PROBE = """
import sys, mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><geom size='1' rgba='1 1 1 1'/><light pos='0 0 3'/></worldbody></mujoco>")
from neuro_control.sim.gl_renderer import GlRenderer
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer = GlRenderer(model, 32, 32, platform=sys.argv[1])
renderer.render(data, -1)
from OpenGL import GL
print("renders on", GL.glGetString(GL.GL_RENDERER).decode())
renderer.close()
"""

# Rays need a third of the time of these.
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swr", "software")


class LuminanceRenderer(Protocol):
    """Makes pictures of what a camera of the model sees; use one per thread."""

    name: str

    def render(self, data: mujoco.MjData, camera_id: int) -> NDArray[np.float32]:
        """Luminance, float32[height, width], 0 to 1."""

    def close(self) -> None:
        """Release what it holds."""


@dataclass(frozen=True)
class OpenGl:
    """An OpenGL that renders off screen: its platform ("egl", "osmesa") and its device's name."""

    platform: str
    device: str

    @property
    def is_software(self) -> bool:
        """Whether the processor does the work of a graphics card."""
        return any(name in self.device.lower() for name in _SOFTWARE)


@functools.lru_cache(maxsize=1)
def find_opengl() -> OpenGl | None:
    """The OpenGL that renders off screen here, or None.

    Each platform is tried in a child process, because a broken driver kills the process that asks
    it. A platform that the environment names in MUJOCO_GL is the only one tried.
    """
    named = os.environ.get("MUJOCO_GL", "").lower()
    if named in ("disable", "disabled", "off", "false", "0"):
        return None
    for platform in (named,) if named in GL_PLATFORMS else GL_PLATFORMS:
        environment = {**os.environ, "MUJOCO_GL": platform, "PYOPENGL_PLATFORM": platform}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        try:
            child = subprocess.run(
                [sys.executable, "-c", _PROBE, platform],
                env=environment,
                capture_output=True,
                text=True,
                timeout=_PROBE_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        _, says, device = child.stdout.partition("renders on ")
        if child.returncode == 0 and says:
            return OpenGl(platform, device.strip())
    return None


def gl_platform() -> str | None:
    """The platform of `find_opengl`, or None."""
    found = find_opengl()
    return None if found is None else found.platform


def choose_renderer(
    kind: RendererKind, model: mujoco.MjModel, width: int, height: int
) -> LuminanceRenderer:
    """A renderer for pictures of width x height pixels.

    `kind` "gl" is MuJoCo's, "rays" ours; "auto" is MuJoCo's where a graphics card does the work,
    and rays where there is no OpenGL or only one in software, which is slower than they are.

    Raises:
        ValueError: `kind` is none of these, or is "gl" and no OpenGL renders here.
    """
    if kind not in ("auto", "gl", "rays"):
        raise ValueError(f"renderer: {kind!r} is not one of auto, gl, rays")
    opengl = None if kind == "rays" else find_opengl()
    if kind == "gl" and opengl is None:
        raise ValueError(
            "renderer: 'gl' was asked for, but neither EGL nor OSMesa renders here; install"
            " libegl1 and libgl1-mesa-dri (or libosmesa6), or choose 'rays'"
        )
    if opengl is not None and (kind == "gl" or not opengl.is_software):
        from neuro_control.sim.gl_renderer import GlRenderer

        return GlRenderer(model, width, height, opengl.platform)
    return RayCaster(model, width, height)
