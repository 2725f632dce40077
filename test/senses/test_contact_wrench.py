# SPDX-License-Identifier: Apache-2.0
"""A force sensor under a skin stands for its taxels: how hard it is pressed, and where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.senses.contact_wrench import spread, taxels_of_wrench
from neuro_control.senses.skin_layout import SkinLayout

PAD = SkinLayout(rows=6, columns=8, pitch_m=0.002)
RADIUS_M = 0.001


def wrench(x_m: float, y_m: float, press_n: float) -> tuple[np.ndarray, np.ndarray]:
    """Force and torque of a press at a point of the plane."""
    force = np.array([0.0, 0.0, -press_n])
    return force, np.cross([x_m, y_m, 0.0], force)


@given(st.floats(0.0, 0.014), st.floats(0.0, 0.010), st.floats(0.01, 100.0))
def test_the_taxels_add_up_to_the_force_about_the_point_where_it_acts(x_m, y_m, press_n):
    taxels = taxels_of_wrench(*wrench(x_m, y_m, press_n), PAD, RADIUS_M)
    assert taxels.shape == (6, 8)
    assert taxels.sum() == pytest.approx(press_n)
    row, column = np.unravel_index(taxels.argmax(), taxels.shape)
    assert abs(column * 0.002 - x_m) <= 0.001 + 1e-9
    assert abs(row * 0.002 - y_m) <= 0.001 + 1e-9


def test_the_centre_of_pressure_is_that_of_the_wrench():
    taxels = taxels_of_wrench(*wrench(0.0065, 0.0052, 3.0), PAD, RADIUS_M)
    centre = (taxels.reshape(-1, 1) * PAD.taxel_positions).sum(axis=0) / taxels.sum()
    np.testing.assert_allclose(centre, [0.0065, 0.0052, 0.0], atol=5e-5)


def test_what_shears_has_a_lever_where_the_taxels_lie_above_the_origin():
    height_m = 0.02
    raised = PAD.model_copy(
        update={"positions": tuple((x, y, height_m) for x, y, _ in PAD.taxel_positions.tolist())}
    )
    force = np.array([1.5, -2.0, -3.0])
    torque = np.cross([0.0065, 0.0052, height_m], force)
    taxels = taxels_of_wrench(force, torque, raised, RADIUS_M)
    centre = (taxels.reshape(-1, 1) * raised.taxel_positions).sum(axis=0) / taxels.sum()
    np.testing.assert_allclose(centre, [0.0065, 0.0052, height_m], atol=5e-5)


def test_what_pulls_or_hardly_touches_is_not_felt():
    assert not taxels_of_wrench(*wrench(0.004, 0.004, -5.0), PAD, RADIUS_M).any()
    assert not taxels_of_wrench(*wrench(0.004, 0.004, 1e-4), PAD, RADIUS_M).any()
    turned = taxels_of_wrench(*wrench(0.004, 0.004, -5.0), PAD, RADIUS_M, outward="-z")
    assert turned.sum() == pytest.approx(5.0)


def test_a_contact_beside_the_taxels_is_felt_by_those_at_the_edge():
    taxels = taxels_of_wrench(*wrench(5.0, 0.004, 2.0), PAD, RADIUS_M)
    assert taxels.sum() == pytest.approx(2.0)
    assert np.unravel_index(taxels.argmax(), taxels.shape) == (2, 7)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e6, 1e160, 1.7e308])
def test_a_torque_without_measure_acts_beside_the_taxels(scale):
    force = np.array([0.5, -0.5, -2.0])
    torque = np.array([-scale, -scale, 0.0])  # at y = +, x = -
    for layout in (PAD, PAD.model_copy(update={"positions": ((0, 0, 2.0),) * 47 + ((9, 9, 2.0),)})):
        taxels = taxels_of_wrench(force, torque, layout, RADIUS_M)
        assert taxels.sum() == pytest.approx(2.0)
    assert np.unravel_index(taxels_of_wrench(force, torque, PAD, RADIUS_M).argmax(), (6, 8)) == (
        5,
        0,
    )


@pytest.mark.filterwarnings("error")
def test_a_force_that_is_no_finite_pressure_is_refused():
    layout = PAD.model_copy(update={"unit": "Pa"})
    assert np.isfinite(taxels_of_wrench(*wrench(0.0, 0.0, 1e300), layout, RADIUS_M)).all()
    with pytest.raises(ValueError, match=r"on taxels of 0\.002 m that is no finite pressure"):
        taxels_of_wrench(*wrench(0.0, 0.0, 1e307), layout, RADIUS_M)


def test_between_taxels_that_lie_far_apart_the_nearest_feels_it():
    ring = SkinLayout(rows=1, columns=2, positions=((0, 0, 0), (1.0, 0, 0)))
    taxels = taxels_of_wrench(*wrench(0.6, 0.0, 2.0), ring, RADIUS_M)
    np.testing.assert_allclose(taxels, [[0.0, 2.0]])


def test_pressures_times_area_are_the_force():
    pascal = SkinLayout(rows=6, columns=8, pitch_m=0.002, unit="kPa")
    taxels = taxels_of_wrench(*wrench(0.006, 0.004, 3.0), pascal, RADIUS_M)
    assert (taxels * 1000 * 0.002**2).sum() == pytest.approx(3.0)


def test_what_cannot_be_is_refused():
    force, torque = wrench(0.004, 0.004, 1.0)
    with pytest.raises(ValueError, match=r"force is .*nan.* finite"):
        taxels_of_wrench(force * np.nan, torque, PAD, RADIUS_M)
    with pytest.raises(ValueError, match=r"radius_m: 0\.0 must be above 0"):
        taxels_of_wrench(force, torque, PAD, 0.0)
    with pytest.raises(ValueError, match="unit is 'raw'; a force needs"):
        taxels_of_wrench(force, torque, PAD.model_copy(update={"unit": "raw"}), RADIUS_M)


def test_a_spread_has_a_radius():
    with pytest.raises(ValueError, match=r"radius_m: 0\.0 must be above 0"):
        spread(np.zeros((1, 3)), np.zeros(3), 0.0, np.ones(1))
    with pytest.raises(ValueError, match="radius_m: inf must be above 0, and finite"):
        spread(np.zeros((1, 3)), np.zeros(3), np.inf, np.ones(1))
