# SPDX-License-Identifier: Apache-2.0
"""What is published and written as JSON is JSON to every reader, not to Python alone."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.reports.json_text import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def no_json(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


@given(VALUES, st.sampled_from([None, 2]))
def test_it_is_json_and_what_is_finite_is_kept(value: Any, indent: int | None) -> None:
    read = json.loads(json_text(value, indent), parse_constant=no_json)
    wanted = json.loads(json.dumps(value), parse_constant=lambda _: None)
    assert read == wanted


def test_what_json_has_no_word_for_is_null() -> None:
    value = {"a": math.nan, "b": (math.inf, 1.0), "c": {"d": -math.inf}}
    assert json_text(value) == '{"a":null,"b":[null,1.0],"c":{"d":null}}'


def test_numbers_of_numpy_are_plain() -> None:
    value = {"a": np.float32(math.inf), "b": np.arange(2), "c": np.array([math.nan, 0.5])}
    assert json_text(value) == '{"a":null,"b":[0,1],"c":[null,0.5]}'
    with pytest.raises(TypeError, match="set"):
        json_text({"a": {1}})
