# SPDX-License-Identifier: Apache-2.0
"""What a recording's end says of a run hides nothing of the run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuro_control.demo.processes import ChildFailure
from neuro_control.demo.run import watch_recorded
from neuro_control.demo.run_loop import Outcome
from neuro_control.nodes.recording_place import RecordingError

REFUSED = "out.mcap: the recording cannot be put there any more"
FAILURE = ChildFailure("guard", 1, ("defect",), Path("guard.log"))


@contextlib.contextmanager
def refused_at_its_end() -> Iterator[int]:
    try:
        yield 7
    finally:
        raise RecordingError(REFUSED)


@contextlib.contextmanager
def refused_at_once() -> Iterator[int]:
    raise RecordingError(REFUSED)
    yield


def test_an_error_of_the_recording_alone_is_why_the_run_failed() -> None:
    for listening in (refused_at_its_end(), refused_at_once()):
        outcome, heard, said = Outcome(), list[int](), list[str]()
        watch_recorded(listening, heard.append, outcome, said.append)
        assert (outcome.failure, said) == (REFUSED, [])
        assert not outcome.recorded
    assert heard == []


def test_a_recording_that_was_put_in_its_place_is_told() -> None:
    outcome, heard = Outcome(), list[int]()
    watch_recorded(contextlib.nullcontext(7), heard.append, outcome, pytest.fail)
    assert (outcome.failure, outcome.recorded, heard) == (None, True, [7])


def test_a_dead_node_stays_why_the_run_failed() -> None:
    outcome, said = Outcome(), list[str]()

    def watch(heard: int) -> None:
        assert heard == 7
        outcome.failure = FAILURE

    watch_recorded(refused_at_its_end(), watch, outcome, said.append)
    assert outcome.failure is FAILURE
    assert said == [f"error: {REFUSED}"]


@pytest.mark.parametrize("raised", [KeyError("defect"), KeyboardInterrupt()])
def test_what_is_raised_within_goes_on(raised: BaseException) -> None:
    outcome, said = Outcome(), list[str]()

    def watch(heard: int) -> None:
        raise raised

    with pytest.raises(type(raised)) as found:
        watch_recorded(refused_at_its_end(), watch, outcome, said.append)
    assert found.value is raised
    assert said == [f"error: {REFUSED}"]
