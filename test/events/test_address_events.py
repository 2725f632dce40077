# SPDX-License-Identifier: Apache-2.0
"""Events: a struct of arrays that is right from the moment it exists."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.events import Events


def events(times=(10, 20, 20, 35), width=8, height=4) -> Events:
    n = len(times)
    return Events(
        np.array(times, np.int64),
        np.arange(n, dtype=np.uint16) % width,
        np.arange(n, dtype=np.uint16) % height,
        (np.arange(n) % 2).astype(np.uint8),
        width,
        height,
    )


def test_length_is_the_number_of_events():
    assert len(events()) == 4
    assert len(Events.empty(3, 2)) == 0


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("t_ns", np.zeros(4, np.int32)),
        ("x", np.zeros(4, np.int64)),
        ("y", np.zeros(4, np.float32)),
        ("p", np.zeros(4, np.bool_)),
        ("x", np.zeros(3, np.uint16)),
        ("y", np.zeros((4, 1), np.uint16)),
        ("p", [0, 1, 0, 1]),
    ],
)
def test_a_wrong_array_is_refused_by_name(name, array):
    good = events()
    fields = {"t_ns": good.t_ns, "x": good.x, "y": good.y, "p": good.p, "width": 8, "height": 4}
    fields[name] = array
    with pytest.raises(ValueError, match=f"^{name} "):
        Events(**fields)


@pytest.mark.parametrize(("width", "height", "name"), [(0, 4, "width"), (8, 65537, "height")])
def test_a_size_that_no_sensor_has_is_refused(width, height, name):
    with pytest.raises(ValueError, match=f"{name} is "):
        Events.empty(width, height)


def test_nobody_can_write_through_events_and_the_maker_keeps_his_array():
    t_ns = np.array([1, 2], np.int64)
    made = Events(t_ns, np.zeros(2, np.uint16), np.zeros(2, np.uint16), np.zeros(2, np.uint8), 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        made.t_ns[0] = 5
    t_ns[0] = 0
    with pytest.raises(AttributeError):
        made.width = 7  # type: ignore[misc]


def test_window_holds_its_start_and_not_its_end():
    assert events().window(20, 35).t_ns.tolist() == [20, 20]
    assert len(events().window(36, 99)) == 0
    assert len(events().window(30, 10)) == 0


def test_windows_that_touch_make_the_whole_again():
    whole = events(times=tuple(range(0, 100, 7)))
    parts = [whole.window(start, start + 13) for start in range(0, 104, 13)]
    again = Events.concatenate(parts)
    for name in ("t_ns", "x", "y", "p"):
        assert np.array_equal(getattr(again, name), getattr(whole, name))


def test_concatenate_refuses_nothing_and_mixed_sensors():
    with pytest.raises(ValueError, match="parts is empty"):
        Events.concatenate([])
    with pytest.raises(ValueError, match="8x4 and 9x4"):
        Events.concatenate([events(), events(width=9)])


@pytest.mark.parametrize(
    ("field", "index", "value", "text"),
    [
        ("x", 2, 8, r"x\[2\] is 8"),
        ("y", 1, 4, r"y\[1\] is 4"),
        ("p", 3, 2, r"p\[3\] is 2"),
        ("t_ns", 3, 19, r"t_ns\[3\] is 19"),
    ],
)
def test_check_names_the_first_wrong_value(field, index, value, text):
    good = events()
    good.check()
    arrays = {name: getattr(good, name).copy() for name in ("t_ns", "x", "y", "p")}
    arrays[field][index] = value
    with pytest.raises(ValueError, match=text):
        Events(**arrays, width=8, height=4).check()
