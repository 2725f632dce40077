# SPDX-License-Identifier: Apache-2.0
"""A page of its own for each robot, whatever is there: none, two, no guard, no graphics card."""

from __future__ import annotations

import pytest

from test.dashboard.conftest import Pages, Processes, Robot, wait
from test.dashboard.known_robot import KnownRobot
from test.dashboard.test_page import ALL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_what_is_not_there_is_absent(processes: Processes, robot: Robot, pages: Pages) -> None:
    page = pages.open(processes.dashboard(scene=False))
    wait(page, "window.dashboard.texts.nodes?.dashboard")
    assert [s.get_attribute("id") for s in page.query_selector_all("section")] == ["panel_health"]
    assert page.evaluate("document.querySelector('[data-stage=camera]').dataset.state") == "absent"
    robot.repeat(KnownRobot(robot.node).publish)
    for panel in ALL:
        page.wait_for_selector(f"#panel_{panel}")


def test_a_stop_that_did_not_stop_is_shouted(processes: Processes, pages: Pages) -> None:
    pages.refusals = True
    page = pages.open(processes.dashboard(scene=False))
    wait(page, "window.dashboard.texts.nodes?.dashboard")
    banner = "document.getElementById('banner')"
    page.click("#stop")  # there is no guard
    wait(page, f"{banner}.dataset.kind === 'alarm'")
    assert page.locator("#banner").inner_text().startswith("NOT STOPPED: the guard does not answer")
    page.evaluate("document.getElementById('release').click()")  # refused, which is less
    seq = page.evaluate("window.dashboard.frame.state.seq")
    wait(page, f"window.dashboard.frame.state.seq > {seq} + 60")
    assert page.locator("#banner").inner_text().startswith("NOT STOPPED")
    page.click("#banner")
    assert page.locator("#banner").is_hidden()


NO_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
};
"""


def test_the_robot_is_shown_in_3d(processes: Processes, pages: Pages) -> None:
    page = pages.open(processes.dashboard())
    page.wait_for_selector("#show_scene, #panel_scene iframe")
    if page.locator("#show_scene").count():  # no graphics card here
        assert "without a graphics card" in page.locator("#panel_scene").inner_text()
        page.click("#show_scene")
    # The panels may be laid out anew meanwhile, and the frame with them.
    page.frame_locator("#panel_scene iframe").locator("canvas").first.wait_for()
    (scene,) = page.frames[1:]
    assert scene.url.startswith(page.url + "scene/")


def test_without_webgl_the_scene_says_so(processes: Processes, pages: Pages) -> None:
    page = pages.open(processes.dashboard(), script=NO_WEBGL)
    page.wait_for_selector("#panel_scene .words, #panel_scene iframe")
    assert "no WebGL" in page.locator("#panel_scene").inner_text()


def test_two_robots_have_two_pages(processes: Processes, pages: Pages) -> None:
    angles = {"left": 0.25, "right": -0.75}
    robots = []
    try:
        for name, angle in angles.items():
            robot = Robot(f"/{name}")
            robots.append(robot)
            known = KnownRobot(robot.node)
            known.angle = angle
            robot.repeat(known.publish)
        addresses = {n: processes.dashboard(f"/{n}", scene=False) for n in angles}
        assert len(set(addresses.values())) == 2
        for name, angle in angles.items():
            page = pages.open(addresses[name])
            wait(page, "window.dashboard.frame?.arrays.joints")
            assert page.evaluate("window.dashboard.frame.arrays.joints.data[0]") == angle
            assert f"/{name}" in page.locator("#robot").inner_text()
            wait(page, "window.dashboard.texts.nodes?.dashboard")
            assert page.evaluate("Object.keys(window.dashboard.texts.nodes)") == ["dashboard"]
    finally:
        for robot in robots:
            robot.close()


def test_tabs_may_come_and_go(processes: Processes, robot: Robot, pages: Pages) -> None:
    robot.repeat(KnownRobot(robot.node).publish)
    address = processes.dashboard(scene=False, linger_s=0.0)
    for _ in range(3):
        page = pages.open(address)
        wait(page, "window.dashboard.frame?.arrays.joints")
        page.close()
    page = pages.open(address)
    wait(page, "window.dashboard.frame?.state.pages === 1")
