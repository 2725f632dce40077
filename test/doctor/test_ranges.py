# SPDX-License-Identifier: Apache-2.0
"""The doctor's reading of versions agrees with packaging's, which it does without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from neuro_control.doctor.ranges import requirements, within

RELEASES = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(
    lambda parts: ".".join(str(part) for part in parts)
)
BOUNDS = st.lists(
    st.tuples(st.sampled_from([">=", "<", "=="]), RELEASES).map("".join), min_size=0, max_size=2
).map(",".join)


@given(version=RELEASES, bounds=BOUNDS)
def test_a_version_lies_in_a_range_as_packaging_says(version, bounds):
    assert within(version, bounds) == SpecifierSet(bounds).contains(version)


def test_a_bound_that_it_cannot_read_is_refused():
    with pytest.raises(ValueError, match="bounds"):
        within("1.2", "~=1.0")


def test_a_development_release_counts_as_its_number():
    assert within("3.4.1.dev2", ">=3.3,<5")


def test_the_ranges_are_those_that_the_package_declares():
    declared = requirements()
    assert declared["numpy"].startswith(">=")
    assert {"mujoco", "numba", "nir", "pydantic", "rosbags", "xacro"} <= set(declared)
    assert "ros-rclpy" not in declared, "an extra is no need of every home"
