# SPDX-License-Identifier: Apache-2.0
"""The settings of every node, and of the circuits, take no number without end or meaning."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from neuro_control.circuits.pursuit import PursuitSettings
from neuro_control.circuits.target_tracker import TargetTrackerSettings
from neuro_control.dashboard.settings import DashboardSettings
from neuro_control.nodes.cochlea import CochleaNodeSettings
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.event_camera import EventCameraNodeSettings
from neuro_control.nodes.guard import GuardNodeSettings
from neuro_control.nodes.replay_settings import ReplaySettings
from neuro_control.nodes.simulator_settings import SimulatorNodeSettings
from neuro_control.nodes.skin import SkinNodeSettings

SETTINGS: tuple[type[BaseModel], ...] = (
    CochleaNodeSettings,
    ControllerNodeSettings,
    DashboardSettings,
    EventCameraNodeSettings,
    GuardNodeSettings,
    PursuitSettings,
    ReplaySettings,
    SimulatorNodeSettings,
    SkinNodeSettings,
    TargetTrackerSettings,
)


def numbers(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    """Every field that is one float, those of the models within too."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if kind is float:
            yield model, name
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from numbers(kind)


FIELDS = sorted({pair for model in SETTINGS for pair in numbers(model)}, key=str)


def test_there_are_many() -> None:
    assert len(FIELDS) > 80
    assert {model for model, _ in FIELDS} > {PursuitSettings, SimulatorNodeSettings}


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_number_without_end_or_meaning_is_refused_by_its_name(value: float) -> None:
    for model, name in FIELDS:
        with pytest.raises(ValidationError) as refused:
            model(**{name: value})
        named = {place for error in refused.value.errors() for place in error["loc"]}
        assert name in named, f"{model.__name__}.{name}"
