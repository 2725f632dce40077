# SPDX-License-Identifier: Apache-2.0
"""The ROS domain of this test process: claimed as demos claim theirs, so that none hears another.

Nor does a test hear the nodes of one before it. To be imported before rclpy, which reads the
environment once.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuro_control.demo.domain import DomainClaim

CLAIM = DomainClaim()
"""Held until this process ends."""
atexit.register(CLAIM.close)

os.environ["ROS_DOMAIN_ID"] = str(CLAIM.domain)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


def participants() -> set[str]:
    """The DDS participants of this process, by the one thread of events that each has.

    Fast DDS ends that thread before it returns from the participant's end. Under another DDS,
    which names its threads otherwise, there are none.
    """
    found = set()
    for thread in Path("/proc/self/task").iterdir():
        try:
            name = (thread / "comm").read_text()
        except OSError:  # it has just ended
            continue
        if name.startswith("dds.ev."):
            found.add(thread.name)
    return found


@pytest.fixture(scope="session")
def little_to_collect() -> None:
    """What was imported is no garbage: to look for some after a test is then quick."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_participant_left(little_to_collect: None) -> Iterator[None]:
    """A test that leaves nodes behind fails: the next would hear them."""
    before = participants()
    yield
    if participants() - before:
        gc.collect()  # a node that refused its parameters, or that is part of a circle
    left = participants() - before
    assert not left, f"{len(left)} DDS participants live on: a node, or what holds it"
