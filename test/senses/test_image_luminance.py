# SPDX-License-Identifier: Apache-2.0
"""Pictures in every encoding that is understood are the same light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.senses.image_luminance import FORMATS, WEIGHTS, image_luminance


def packed(values: np.ndarray, encoding: str, padding: int = 0, big: bool = False):
    """Bytes and step of values [height, width, channels]."""
    kind = FORMATS[encoding]
    dtype = np.dtype(kind.dtype).newbyteorder(">" if big else "<")
    rows = np.ascontiguousarray(values.astype(dtype)).view(np.uint8).reshape(len(values), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    return rows.reshape(-1), rows.shape[1]


@pytest.mark.parametrize("encoding", list(FORMATS))
@given(padding=st.integers(0, 5), big=st.booleans(), seed=st.integers(0, 1000))
def test_light_is_the_weighted_sum_of_the_channels(encoding, padding, big, seed):
    kind = FORMATS[encoding]
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (3, 4, kind.channels)) * (1 if kind.full_scale < 300 else 257)
    if kind.dtype == "f4":
        values = values / 255
    data, step = packed(values, encoding, padding, big)
    found = image_luminance(data, 4, 3, step, encoding, big)
    if kind.order is None:
        expected = values[..., 0] / kind.full_scale
    else:
        parts = zip(kind.order, WEIGHTS, strict=True)
        expected = sum(values[..., place] * weight for place, weight in parts) / kind.full_scale
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_last_row_may_lack_its_padding():
    data, step = packed(np.full((2, 3, 1), 255), "mono8", padding=1)
    assert (image_luminance(data[:-1], 3, 2, step, "mono8") == 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoding": "bayer_rggb8"}, "encoding 'bayer_rggb8' is not one of: mono8"),
        ({"width": 0}, "width and height are 0 and 2; both must be at least 1"),
        ({"step": 2}, "step is 2; a row of 3 pixels mono8 has at least 3 bytes"),
        ({"height": 9}, "data has 6 bytes; 9 rows of 3 need 27"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    said = {"width": 3, "height": 2, "step": 3, "encoding": "mono8"} | change
    with pytest.raises(ValueError, match=message):
        image_luminance(np.zeros(6, np.uint8), **said)


def test_light_that_is_no_number_is_refused():
    data, step = packed(np.array([[[np.nan]]]), "32FC1")
    with pytest.raises(ValueError, match="no finite numbers"):
        image_luminance(data, 1, 1, step, "32FC1")
