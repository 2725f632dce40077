# SPDX-License-Identifier: Apache-2.0
"""Two demos never share a domain, and the user's own settings are left alone."""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path

from neuro_control.demo.domain import DomainClaim, ros_environment
from neuro_control.demo.shared_memory import sweep_stale_segments


def test_two_demos_at_once_get_two_domains() -> None:
    with DomainClaim(seed=5) as first, DomainClaim(seed=5) as second:
        assert first.domain != second.domain


def test_a_domain_given_back_is_free_again() -> None:
    with DomainClaim(seed=6) as first:
        domain = first.domain
    with DomainClaim(seed=6) as again:
        assert again.domain == domain


def test_nodes_find_each_other_on_this_machine_only() -> None:
    environment = ros_environment(42, base={"PATH": "/bin"})
    assert environment["ROS_DOMAIN_ID"] == "42"
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["PATH"] == "/bin"


def test_what_the_user_has_set_stays() -> None:
    base = {"ROS_DOMAIN_ID": "7", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    environment = ros_environment(42, base=base)
    assert environment["ROS_DOMAIN_ID"] == "7"
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"


def test_only_shared_memory_that_nobody_uses_is_removed(tmp_path: Path) -> None:
    for name in ("fastrtps_dead", "fastrtps_alive"):
        (tmp_path / name).touch()
        (tmp_path / f"{name}_el").touch()
    for name in ("sem.fastrtps_dead_mutex", "fastrtps_port7000", "sem.fastrtps_port7000_mutex"):
        (tmp_path / name).touch()
    (tmp_path / "fastrtps_mapped").write_bytes(bytes(4096))
    (tmp_path / "other").touch()
    with (tmp_path / "fastrtps_mapped").open("rb") as file:
        memory = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)
    descriptor = os.open(tmp_path / "fastrtps_alive_el", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        removed = sweep_stale_segments(tmp_path)
    finally:
        os.close(descriptor)
        memory.close()
    assert sorted(removed) == [
        "fastrtps_dead",
        "fastrtps_dead_el",
        "fastrtps_port7000",
        "sem.fastrtps_dead_mutex",
        "sem.fastrtps_port7000_mutex",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "fastrtps_alive",
        "fastrtps_alive_el",
        "fastrtps_mapped",
        "other",
    ]
