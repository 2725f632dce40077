# SPDX-License-Identifier: Apache-2.0
"""The page in a browser: every panel shows the right data, and says what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from test.dashboard.conftest import LIMIT_S, Pages, until, wait
from test.dashboard.known_robot import FIRES, OFF_AT, ON_AT, SIZE, KnownRobot, robot_and_page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BLUE, VERMILION, WHITE = [0, 114, 178], [197, 78, 0], [255, 255, 255]
DARK, BRIGHT = [0, 32, 77], [255, 234, 70]  # the ends of cividis
DRAWN = {"camera", "skin", "ears", "joints", "delay", "raster", "membranes"}  # on a canvas
ALL = DRAWN | {"profile"}

# The colour in the middle of a cell of a picture of columns x rows that was drawn into a box.
CELL = """([id, box, columns, rows, column, row]) => {
  const panel = window.dashboard.panel(id);
  const b = typeof box === "number" || typeof box === "string" ? panel.boxes[box] : box;
  const scale = panel.stage.canvas.width / panel.stage.width;
  const x = b.x0 + ((column + 0.5) / columns) * (b.x1 - b.x0);
  const y = b.y0 + ((row + 0.5) / rows) * (b.y1 - b.y0);
  const [px, py] = [Math.round(x * scale), Math.round(y * scale)];
  const pixel = panel.stage.context.getImageData(px, py, 1, 1);
  return [...pixel.data.slice(0, 3)];
}"""


@pytest.fixture(scope="module")
def one_robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KnownRobot, str]]:
    """A robot of this module, in a namespace of its own, and the address of its page."""
    with robot_and_page("/known", tmp_path_factory.mktemp("page"), scene=False) as shown:
        yield shown


@pytest.fixture
def known(one_robot: tuple[KnownRobot, str]) -> KnownRobot:
    one_robot[0].angle = 0.5
    one_robot[0].silent.clear()
    one_robot[0].words = {}
    return one_robot[0]


@pytest.fixture
def page(one_robot: tuple[KnownRobot, str], known: KnownRobot, pages: Pages) -> Any:
    """The page of the known robot, all of whose panels are there."""
    del known
    page = pages.open(one_robot[1])
    for panel in DRAWN:
        page.wait_for_selector(f"#panel_{panel} canvas", state="attached")
    wait(page, "window.dashboard.frame?.state.delay?.count > 20")
    return page


def cell(page: Any, panel: str, box: Any, size: tuple[int, int], place: tuple[int, int]) -> Any:
    return page.evaluate(CELL, [panel, box, *size, *place])


def shows(look: Callable[[], Any], wanted: Any) -> None:
    """Looked at until it is so: a dashboard that is out of its turn for long loses messages."""
    end = time.monotonic() + LIMIT_S
    while (found := look()) != wanted and time.monotonic() < end:
        time.sleep(0.01)
    assert found == wanted


def test_every_panel_shows_the_known_data_and_follows_the_robot(
    page: Any, known: KnownRobot
) -> None:
    eye = (SIZE, SIZE)
    for panel, box, size, place, colour in [
        ("camera", 0, eye, ON_AT, VERMILION),
        ("camera", 0, eye, OFF_AT, BLUE),
        ("camera", 0, eye, (8, 8), WHITE),
        ("camera", 1, eye, (8, 8), DARK),
        ("skin", "pressure [N]", (4, 4), (1, 2), BRIGHT),
        ("skin", "pressure [N]", (4, 4), (2, 2), DARK),
        ("skin", "FA-I", (4, 4), (1, 2), DARK),
    ]:
        shows(partial(cell, page, panel, box, size, place), colour)
    until(lambda: cell(page, "camera", 1, eye, ON_AT)[0] > 150, "the surface of times is bright")
    until(lambda: cell(page, "skin", "SA-I", (4, 4), (1, 2))[0] > 150, "the skin's band is bright")
    heard = """() => {
      const { history } = window.dashboard.panel("ears");
      const ages = [...Array(60).keys()];
      const any = (bin) => ages.some((age) => history.get(bin, age));
      return [...Array(64).keys()].filter(any);
    }"""
    shows(partial(page.evaluate, heard), [4, 32 + 20])  # left ear channel 4, right ear channel 20
    fires = """() => {
      const { history, bands } = window.dashboard.panel("raster");
      const band = bands.find((b) => b.row.name === "retina");
      const ages = [...Array(60).keys()];
      const any = (bin) => ages.some((age) => history.get(bin, age));
      return [...Array(history.bins).keys()].filter(any).map((bin) => bin - band.first);
    }"""
    shows(partial(page.evaluate, fires), [FIRES])
    rate = "window.dashboard.frame.state.raster.rates_hz[1]"
    # One of sixteen, once in 20 ms.
    shows(partial(page.evaluate, rate), pytest.approx(50 / 16, rel=0.1))
    assert page.evaluate("window.dashboard.frame.state.membranes.columns") == [
        "time_s",
        "retina:5",
        "retina:5 threshold",
        "retina:5 current",
    ]
    last = "Array.from(window.dashboard.frame.arrays.membranes.data.slice(-4))"
    shows(partial(page.evaluate, last), [0.0, 60.0, 64.0, 12.0])
    angle = "window.dashboard.frame.arrays.joints.data[{}]"
    shows(partial(page.evaluate, angle.format(0)), pytest.approx(0.5))
    shows(partial(page.evaluate, angle.format(12)), pytest.approx(0.6))

    before = page.evaluate("document.querySelector('#panel_joints canvas').toDataURL()")
    known.angle = 0.9
    wait(page, f"Math.abs({angle.format(0)} - 0.9) < 1e-6")
    wait(page, f"document.querySelector('#panel_joints canvas').toDataURL() !== {before!r}")
    # The picture also changes with time alone: a frame that has come is drawn a moment later.
    wait(page, "Math.round(window.dashboard.panel('joints').samples.at(-1).data[0] * 10) === 9")


ROWS = """[...document.querySelectorAll("#panel_profile tr[data-node]")].map((row) =>
  [row.dataset.node, ...[...row.querySelectorAll("td[data-column]")].map((c) => c.textContent)])"""


def test_what_a_node_costs_is_shown_with_what_dominates_first_and_why_it_is_silent(
    page: Any,
) -> None:
    page.wait_for_selector("#panel_profile tr[data-node]")
    # Of 500 ticks of 1 ms: per second, twice the counts. Times come as they are.
    assert page.evaluate(ROWS) == [
        ["retina", "2.50", "6000", "2000"],
        ["field", "0.75", "32.0 k", "0"],
        ["events", "–", "–", "1000"],
    ]
    shares = page.evaluate("""[...document.querySelectorAll("#panel_profile td[data-column=us]")]
      .map((cell) => Number.parseFloat(cell.style.getPropertyValue("--share")))""")
    assert shares[:2] == pytest.approx([100 * 2.5 / 3.25, 100 * 0.75 / 3.25])
    page.click("#panel_profile [data-sort=operations]")
    assert [row[0] for row in page.evaluate(ROWS)] == ["field", "retina", "events"]
    # New figures come between press and release too.
    page.hover("#panel_profile [data-sort=spikes]")
    page.mouse.down()
    drawn = page.evaluate("window.dashboard.panel('profile').drawn")
    wait(page, f"window.dashboard.panel('profile').drawn !== {drawn}")
    page.mouse.up()
    assert [row[0] for row in page.evaluate(ROWS)] == ["retina", "events", "field"]
    assert page.locator("#panel_profile .note").inner_text() == "tick, alone: 4.0 µs"
    silent = page.locator("[data-silent=field]").inner_text()
    assert silent == (
        "field: weights miss the threshold. "
        "weights × 3.29 or thresholds × 0.305 would bring its first spike"
    )


def test_a_topic_that_falls_silent_is_told_within_a_second(page: Any, known: KnownRobot) -> None:
    state = "document.querySelector('[data-stage={}]').dataset.state"
    for stage in ("camera", "joints", "controller", "guard"):
        wait(page, f"{state.format(stage)} === 'flows'")
    took_s = []
    while len(took_s) < 5 and not any(took < 1.0 for took in took_s):  # the machine may stall
        known.silent.add("desired_trajectory")
        silent_s = time.monotonic()
        wait(page, f"{state.format('controller')} === 'silent'")
        took_s.append(time.monotonic() - silent_s)
        known.silent.discard("desired_trajectory")
        wait(page, f"{state.format('controller')} === 'flows'")
    assert min(took_s) < 1.0
    assert page.evaluate(state.format("camera")) == "flows"


PICTURES = """Object.fromEntries([...document.querySelectorAll("section canvas")].map((canvas) =>
  [canvas.closest("section").id, canvas.toDataURL()]))"""


def test_a_pause_lets_the_pictures_stand_and_nothing_else(page: Any, known: KnownRobot) -> None:
    known.words = {
        "guard": {"stopped_because": "", "commands": 10, "commands_passed": 10},
        "controller": {"controller_state": "tracking"},
    }
    verdict = "document.querySelector('.verdict')?.textContent"
    wait(page, f"{verdict} === '✔ commands pass'")
    page.click("#pause")
    seq = page.evaluate("window.dashboard.frame.state.seq")
    # What was due when it was pressed is drawn first.
    wait(page, "document.getElementById('state').innerText.includes('still')")
    pictures = page.evaluate(PICTURES)
    known.angle = 0.9
    # A stop that comes meanwhile is said, and can be taken back.
    known.words["guard"] = {"stopped_because": "emergency_stop", "commands": 10}
    wait(page, "!document.getElementById('release').hidden")
    wait(page, f"{verdict} === '✖ emergency stop'")
    assert "held: emergency stop" in page.locator("#state").inner_text()
    # So is a controller that dies.
    known.silent |= {"desired_trajectory"}
    del known.words["controller"]
    wait(page, "document.querySelector('[data-stage=controller]').dataset.state === 'silent'")
    wait(page, "document.querySelector('tr[data-node=controller]').dataset.level === 'stale'")
    assert page.evaluate("window.dashboard.frame.state.seq") == seq
    assert page.evaluate(PICTURES) == pictures
    page.click("#pause")
    wait(page, f"window.dashboard.frame.state.seq > {seq}")
    wait(page, "Math.round(window.dashboard.panel('joints').samples.at(-1).data[0] * 10) === 9")


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (390, 844)])
def test_the_stop_button_stays_where_it_is_whatever_is_pressed(
    one_robot: tuple[KnownRobot, str], known: KnownRobot, pages: Pages, width: int, height: int
) -> None:
    known.words = {"guard": {"stopped_because": "", "commands": 10}}
    page = pages.open(one_robot[1], width, height)
    wait(page, "document.querySelector('.verdict')")
    page.wait_for_selector("#release", state="hidden")
    place = page.locator("#stop").bounding_box()
    known.words = {"guard": {"stopped_because": "emergency_stop", "commands": 10}}
    page.click("#pause")
    page.click("#record")
    wait(page, "document.getElementById('record').textContent.startsWith('Rec ')")
    page.wait_for_selector("#release")
    assert page.locator("#stop").bounding_box() == place
    page.click("#record")
    wait(page, "!window.dashboard.texts.recording.on")


def test_commands_pass_only_while_they_come_out_of_the_guard(page: Any, known: KnownRobot) -> None:
    verdict = "document.querySelector('.verdict')?.textContent"
    known.words = {"guard": {"stopped_because": "", "commands": 0, "commands_passed": 0}}
    wait(page, f"{verdict} === '○ no command yet'")
    known.words = {"guard": {"stopped_because": "", "commands": 10, "commands_passed": 0}}
    wait(page, f"{verdict} === '✖ commands are refused'")
    known.words = {"guard": {"stopped_because": "", "commands": 10, "commands_passed": 10}}
    wait(page, f"{verdict} === '✔ commands pass'")
    commands, deadline = 10, time.monotonic() + LIMIT_S
    while page.evaluate(verdict) != "✖ commands are refused":
        assert time.monotonic() < deadline
        commands += 1
        known.words = {
            "guard": {"stopped_because": "", "commands": commands, "commands_passed": 10}
        }
        page.wait_for_timeout(50)
    wait(page, f"{verdict} === '✔ commands pass'")
    known.silent.add("arm_controller/joint_trajectory")
    wait(page, f"{verdict} === '○ nothing comes'")
    known.silent.clear()
    wait(page, f"{verdict} === '✔ commands pass'")
    known.say_replay(position_s=1.0, duration_s=2.0, paused=True, ended=True, rate=1.0)
    wait(page, f"{verdict} === '❚❚ the recording stands'")
    known.say_replay(position_s=1.0, duration_s=2.0, paused=False, ended=False, rate=1.0)
    wait(page, f"{verdict} === '✔ commands pass'")
    known.words = {"guard": {"stopped_because": "joint_states_silent", "commands": 10}}
    wait(page, f"{verdict} === '✖ the robot is held'")


DELAYS = """([p99_ms, median_ms]) => {
  const panel = window.dashboard.panel("delay");
  const delay = { p99_ms, median_ms, first_ms: 0.1, per_decade: 10 };
  const delays = { data: new Uint32Array(40).fill(1) };
  const note = panel.draw({ state: { delay }, arrays: { delays } });
  const { x0, x1 } = panel.box;
  const share = (px) => (px - x0) / (x1 - x0);
  return [note.text, share(panel.marks.p99), share(panel.marks.median)];
}"""


@pytest.mark.parametrize(
    ("p99_ms", "median_ms", "said", "places"),
    [
        (10.0, 1.0, "p99 10 ms · median 1 ms", (0.5, 0.25)),
        (3000.0, 1000.0, "p99 3 s · median 1 s", (1.0, 1.0)),
        (999.0, 0.01, "p99 999 ms · median 0.01 ms", (1.0, 0.0)),
    ],
)
def test_a_delay_beyond_the_axis_is_marked_at_its_end(
    page: Any, p99_ms: float, median_ms: float, said: str, places: tuple[float, float]
) -> None:
    text, *marks = page.evaluate(DELAYS, [p99_ms, median_ms])
    assert text == said
    assert marks == pytest.approx(places, abs=1e-3)


def test_a_curve_breaks_where_ticks_are_missing(page: Any) -> None:
    broken = """async ([times, values]) => {
      const { brokenAtGaps } = await import(new URL("static/plot.js", location.href));
      return brokenAtGaps(times, values).map(([t, v]) => [t, Number.isNaN(v) ? null : v]);
    }"""
    whole = [[0, 1], [1, 2], [2.4, 3], [3.4, 4]]  # a tick may come a little late
    assert page.evaluate(broken, [list(column) for column in zip(*whole, strict=True)]) == whole
    gap = [[0, 1], [1, 2], [2, 3], [9, 4], [10, 5]]
    assert page.evaluate(broken, [list(column) for column in zip(*gap, strict=True)]) == [
        *gap[:3], [9, None], *gap[3:],
    ]  # fmt: skip
    assert page.evaluate(broken, [[0], [1]]) == [[0, 1]]
    assert page.evaluate(broken, [[], []]) == []


def test_until_the_first_picture_comes_the_page_says_what_it_waits_for(
    one_robot: tuple[KnownRobot, str], pages: Pages
) -> None:
    deaf = "window.WebSocket = class {};"
    page = pages.open(one_robot[1], script=deaf)
    wait(page, "window.dashboard")
    assert page.locator("#panels").inner_text() == "waiting for the robot's first picture …"
    page = pages.open(one_robot[1])
    page.wait_for_selector("#panel_camera")
    assert "waiting" not in page.locator("#panels").inner_text()


def test_panels_can_be_hidden(page: Any) -> None:
    page.click("#choose summary")
    page.click("#choices label:has-text('Skin') input")
    page.wait_for_selector("#panel_skin", state="detached")
    page.reload()
    page.wait_for_selector("#panel_camera")
    assert page.query_selector("#panel_skin") is None


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (390, 844)])
def test_it_fits_every_window(
    one_robot: tuple[KnownRobot, str], pages: Pages, width: int, height: int
) -> None:
    page = pages.open(one_robot[1], width, height)
    for panel in DRAWN:
        page.wait_for_selector(f"#panel_{panel} canvas", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    field = page.locator("#panel_membranes input.neurons").bounding_box()
    panel = page.locator("#panel_membranes").bounding_box()
    assert field["width"] >= 60
    assert field["x"] + field["width"] <= panel["x"] + panel["width"], "the field is not cut off"
    stop = page.locator("#stop").bounding_box()
    assert stop["y"] >= 0
    assert stop["y"] + stop["height"] <= height
    if width >= 1280:  # on one screen
        assert page.evaluate("document.documentElement.scrollHeight") <= height
        for panel in ALL:
            box = page.locator(f"#panel_{panel}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["height"] >= 100


# Of selectors, those of which an element is missing, leaves its panel, or has words that are cut.
CUT = """(selectors) => selectors.filter((selector) => {
  const found = [...document.querySelectorAll(selector)];
  return !found.length || !found.every((element) => {
    const inner = element.getBoundingClientRect();
    const outer = element.closest(".body, section, header").getBoundingClientRect();
    return inner.left >= outer.left && inner.right <= outer.right + 1
      && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1
      && element.scrollWidth <= element.clientWidth + 1;
  });
})"""
BUSY = {
    "controller": {
        "no_data_because": "no publisher on /event_camera/events",
        "packets": 123456, "packets_lost": 1234, "tick_us_median": 123.4, "neurons": 10,
        "backend": "cpu", "backend_reason": "no chip",
    },
    "guard": {
        "stopped_because": "emergency_stop,joint_states_silent", "commands": 123456,
        "commands_passed": 123456, "interventions": 12, "guard_joint_states_silent": 12,
    },
    "simulator": {"real_time_factor": 0.45, "tracking_error_deg": 1.234},
    "skin": {}, "cochlea": {},
}  # fmt: skip


def test_on_a_small_screen_what_matters_is_whole(
    one_robot: tuple[KnownRobot, str], known: KnownRobot, pages: Pages
) -> None:
    page = pages.open(one_robot[1], 1280, 720)
    for count in range(1, 4):  # two words of a node, and it has rates
        counts = dict.fromkeys(("events", "ticks", "spikes", "synaptic_operations"), count * 10**6)
        known.words = BUSY | {"controller": BUSY["controller"] | counts}
        wait(page, f"window.dashboard.texts.nodes?.controller?.values.ticks === '{count * 10**6}'")
    for selector in ("#panel_camera select", "#panel_raster canvas", "ul.reasons li"):
        page.wait_for_selector(selector)
    wait(page, "document.querySelectorAll('#panel_health dl.figures div').length === 11")
    state = "document.getElementById('state').title"
    wait(page, f"{state} === 'held: emergency stop, joint states silent'")
    whole = [
        "#state", "#state b", "#panel_camera select", "#panel_camera .note",
        "#panel_health dl.figures div", "#panel_health dl.figures dd",
        "#panel_health tr[data-node]", ".verdict", ".why",
        "#panel_guard dl.figures div", "ul.reasons li:first-child",
    ]  # fmt: skip
    assert page.evaluate(CUT, whole) == []
    known.words = BUSY | {"guard": {"stopped_because": "", "commands": 1}}
    wait(page, f"{state} === 'no publisher on /event_camera/events'")
    assert page.evaluate(CUT, ["#state", "#state b"]) == []


def test_of_a_sample_it_is_said_which_part_it_is(page: Any) -> None:
    note = """async (says) => {
      const { sensorNote } = await import(new URL("static/senses.js", location.href));
      return sensorNote(says);
    }"""
    sampled = page.evaluate(note, {"events_per_s": 141_000, "shown": 0.07})
    assert (sampled["text"], sampled["warn"]) == ("7 % of 141 k/s", True)
    assert sampled["title"].startswith("a sample, 7 % of 141 k events/s, is drawn")
    whole = page.evaluate(note, {"events_per_s": 141_000, "shown": 1})
    assert (whole["text"], whole["warn"]) == ("141 k events/s", False)
