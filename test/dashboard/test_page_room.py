# SPDX-License-Identifier: Apache-2.0
"""What is said on the page has room, whatever the window; what was not heard is not drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from test.dashboard.conftest import Pages, wait
from test.dashboard.known_robot import KnownRobot, robot_and_page
from test.dashboard.test_page import BUSY, CUT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RUN = ["#panel_health dl.figures div", "#panel_health dl.figures dd", "#panel_health tr[data-node]"]
GUARD = [".verdict", "#panel_guard dl.figures div", "#panel_guard dl.figures dd"]
FIGURE = """(name) =>
  document.querySelector(`#panel_health [data-figure="${name}"] dd`)?.textContent.trim()"""
# The numbers at the upright axis of a box so many pixels high.
LABELS = """async ([low, high, pixels]) => {
  const { axes } = await import(new URL("static/plot.js", location.href));
  const said = [];
  const context = new Proxy({}, {
    get: (_, name) => name === "fillText" ? (text, x, y) => said.push([text, y]) : () => {},
    set: () => true,
  });
  const box = { x0: 0, x1: 100, y0: 14, y1: 14 + pixels };
  axes(context, box, [0, 1], [low, high], { xTicks: false });
  return said;
}"""


@pytest.fixture(scope="module")
def busy_robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KnownRobot, str]]:
    """A robot of this module whose nodes have much to say, and the address of its page."""
    with robot_and_page("/busy", tmp_path_factory.mktemp("room"), scene=True) as shown:
        yield shown


def opened(pages: Pages, busy_robot: tuple[KnownRobot, str], width: int, height: int) -> Any:
    """The page once every figure of its panel Run is there."""
    known, address = busy_robot
    page = pages.open(address, width, height)
    counts = dict.fromkeys(("events", "ticks", "spikes", "synaptic_operations"), 0)
    for _ in range(3):  # rates need two words
        counts = {name: count + 10**6 for name, count in counts.items()}
        controller = BUSY["controller"] | counts | {"packets_dropped": 50, "dropped_duplicate": 7}
        known.words = BUSY | {"controller": controller}
        ticks = f"'{counts['ticks']}'"
        wait(page, f"window.dashboard.texts.nodes?.controller?.values.ticks === {ticks}")
    wait(page, "document.querySelectorAll('#panel_health dl.figures div').length === 11")
    return page


@pytest.mark.parametrize(
    ("width", "height"), [(1440, 900), (1280, 720), (1100, 1200), (900, 800), (390, 844)]
)
def test_run_and_guard_are_whole(
    busy_robot: tuple[KnownRobot, str], pages: Pages, width: int, height: int
) -> None:
    page = opened(pages, busy_robot, width, height)
    assert page.evaluate(CUT, RUN + GUARD) == []
    scene = page.locator("#panel_scene").bounding_box()
    assert scene["height"] < 130, "words in place of the scene take no room from others"


def test_lost_and_dropped_packets_are_told_apart(
    busy_robot: tuple[KnownRobot, str], pages: Pages
) -> None:
    page = opened(pages, busy_robot, 1600, 900)
    assert page.evaluate(FIGURE, "packets lost") == "1234 of 125 k"
    assert page.evaluate(FIGURE, "packets dropped") == "43"  # what was sent again is none
    wait(page, "window.dashboard.panel('raster')")
    note = page.locator("#panel_raster .note")
    assert note.inner_text().endswith("spikes/s, inputs included")
    assert page.evaluate(FIGURE, "neurons' spikes") is not None


def test_where_nothing_was_heard_no_line_is_drawn(
    busy_robot: tuple[KnownRobot, str], pages: Pages
) -> None:
    page = pages.open(busy_robot[1])
    wait(page, "window.dashboard.panel('joints')?.samples.length > 3")
    page.evaluate("""() => {
      const panel = window.dashboard.panel("joints");
      const { stamp_s } = window.dashboard.frame.state.joints;
      const data = panel.samples[0].data;
      const ages = [9, 8.95, 8.9, 8.85, 8.8, 8.7, 5, 4.95, 4.9, 4.85];
      panel.samples = ages.map((age) => ({ t: stamp_s - age, data }));
      panel.draw(window.dashboard.frame);
      window.drawn = [panel.times, panel.gaps];
    }""")
    times, gaps = page.evaluate("window.drawn")
    found = [round(t) for t, gap in zip(times, gaps, strict=True) if gap]
    assert found[0] == -5, "a sample that is late by little is none"


@pytest.mark.parametrize(
    ("low", "high", "pixels", "least"),
    [
        (-0.05, 0.05, 35, 2),
        (1.42, 1.61, 40, 2),
        (-1.93, -1.83, 24, 1),
        (0.0, 1.0, 12, 1),
        (-0.46, -0.032, 17, 1),
    ],
)
def test_an_axis_says_its_scale_and_its_numbers_do_not_touch(
    busy_robot: tuple[KnownRobot, str], pages: Pages,
    low: float, high: float, pixels: int, least: int,
) -> None:  # fmt: skip
    page = pages.open(busy_robot[1])
    said = page.evaluate(LABELS, [low, high, pixels])
    assert len(said) >= least
    places = [y for _, y in said]
    assert all(below - above >= 10 for below, above in pairwise(places))
