# SPDX-License-Identifier: Apache-2.0
"""Frames: what goes in comes out, and a browser can read it."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuro_control.dashboard.wire import DTYPES, decode_frame, encode_frame

ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.sampled_from(DTYPES).flatmap(
        lambda kind: arrays.arrays(
            kind,
            arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=7),
            elements={"allow_nan": False} if kind.startswith("float") else None,
        )
    ),
    max_size=4,
)


@given(ARRAYS, st.dictionaries(st.text(max_size=5).filter(lambda k: k != "arrays"), st.integers()))
def test_a_frame_is_read_as_it_was_written(
    written: dict[str, np.ndarray], state: dict[str, int]
) -> None:
    read_state, read = decode_frame(encode_frame(state, written))
    assert read_state == state
    assert list(read) == list(written)
    for name, array in written.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


@given(ARRAYS)
def test_every_array_begins_where_a_typed_array_may(written: dict[str, np.ndarray]) -> None:
    frame = encode_frame({}, written)
    _, length = struct.unpack_from("<4sI", frame)
    assert length % 8 == 0
    head = json.loads(frame[8 : 8 + length])
    assert all(offset % 8 == 0 for _, offset, _ in head["arrays"].values())


def test_an_array_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="spikes: dtype is int64"):
        encode_frame({}, {"spikes": np.zeros(3, np.int64)})
    with pytest.raises(ValueError, match="NCD1"):
        decode_frame(b"something else")
