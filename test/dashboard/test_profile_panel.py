# SPDX-License-Identifier: Apache-2.0
"""What a controller says of its network is drawn only where it is what the page can draw."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import test.dashboard.conftest  # noqa: F401 - says what is needed
from neuro_control.dashboard.profile_panel import MOST_NODES, read_profile

SAID: dict[str, Any] = {
    "format": 1,
    "ticks": 500,
    "dt_s": 1e-3,
    "nodes": [
        {
            "name": "a",
            "role": "population",
            "spikes": 3,
            "operations": None,
            "us": 0.5,
            "into": [{"name": "in -> a", "operations": 12, "us": None}],
        }
    ],
    "times": {
        "ticks": 400,
        "whole_us": 4.0,
        "overhead_us": 0.5,
        "coverage": 0.9,
        "age_s": 3,
        "processor_s": 0.25,
    },
    "times_missing": "",
    "silence": {"findings": [{"node": "a", "cause": "c", "text": "t", "figures": {"x": None}}]},
}


def test_what_a_controller_says_is_taken_as_it_is() -> None:
    assert read_profile(json.dumps(SAID)) == SAID
    without = SAID | {"times": None, "silence": None}
    assert read_profile(json.dumps(without)) == without


WRONG = [
    ((), [], "it is []; it must be an object"),
    (("dt_s",), "2.0", "dt_s is '2.0'; it must be a number above 0"),
    (("dt_s",), 0, "dt_s is 0; it must be a number above 0"),
    (("ticks",), True, "ticks is True; it must be a number above 0"),
    (("times_missing",), None, "times_missing is None; it must be a text"),
    (("nodes",), {}, "nodes is {}; it must be a list"),
    (("nodes", 0), "a", "nodes[0] is 'a'; it must be an object"),
    (("nodes", 0, "us"), "2.0", "nodes[0].us is '2.0'; it must be a number or null"),
    (("nodes", 0, "name"), 1, "nodes[0].name is 1; it must be a text"),
    (("nodes", 0, "into"), None, "nodes[0].into is None; it must be a list"),
    (("nodes", 0, "into", 0, "us"), "1", "nodes[0].into[0].us is '1'; it must be a number or null"),
    (("times",), [], "times is []; it must be an object or null"),
    (("times", "whole_us"), "4.0", "times.whole_us is '4.0'; it must be a number"),
    (("times", "age_s"), None, "times.age_s is None; it must be a number"),
    (("times", "coverage"), float("inf"), "times.coverage is inf; it must be a number"),
    (("times", "processor_s"), 10**400, "times.processor_s is 1000"),
    (("silence", "findings", 0, "figures"), 1, "silence.findings[0].figures is 1; it must be an"),
]


@pytest.mark.parametrize(("place", "value", "says"), WRONG, ids=lambda v: str(v)[:40])
def test_what_is_not_of_its_kind_is_named(
    place: tuple[str | int, ...], value: Any, says: str
) -> None:
    said: Any = {"": copy.deepcopy(SAID)}
    of, key = said, ""
    for step in place:
        of, key = of[key], step  # type: ignore[assignment]
    of[key] = value
    with pytest.raises(ValueError, match=r"^network/profile cannot be read: ") as refused:
        read_profile(json.dumps(said[""]))
    assert says in str(refused.value)


@pytest.mark.parametrize("field", [key for key in SAID if key != "format"])
def test_what_is_missing_is_named(field: str) -> None:
    said = {key: value for key, value in SAID.items() if key != field}
    with pytest.raises(ValueError, match=f"{field} is not given"):
        read_profile(json.dumps(said))


def test_too_many_nodes_are_not_drawn() -> None:
    with pytest.raises(ValueError, match=f"at most {MOST_NODES} are drawn"):
        read_profile(json.dumps(SAID | {"nodes": SAID["nodes"] * (MOST_NODES + 1)}))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="network/profile cannot be read"):
        read_profile(text)
