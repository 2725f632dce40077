# SPDX-License-Identifier: Apache-2.0
"""Without a desktop the viewer says so at once, and does not wait for a window for ever."""

from __future__ import annotations

import warnings

import mujoco
import pytest

from neuro_control.sim.overview import lit_model
from neuro_control.sim.viewer import Viewer

SCENE = """<mujoco><asset><material name="m" emission="1"/></asset><worldbody>
<light active="false"/><geom type="box" size="1 1 1" material="m"/></worldbody></mujoco>"""


def test_without_a_desktop_no_window_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    model = mujoco.MjModel.from_xml_string(SCENE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GLFW's own, of the missing display
        with pytest.raises(RuntimeError, match="no window can be opened here"):
            Viewer(model, mujoco.MjData(model))


def test_what_people_see_is_lit_and_what_the_sensor_sees_is_not() -> None:
    model = mujoco.MjModel.from_xml_string(SCENE)
    lit = lit_model(model)
    assert lit.mat_emission.tolist() == pytest.approx([0.35])
    assert lit.light_active.tolist() == [1]
    assert model.mat_emission.tolist() == [1.0]
    assert model.light_active.tolist() == [0]
