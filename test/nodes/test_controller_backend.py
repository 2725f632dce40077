# SPDX-License-Identifier: Apache-2.0
"""Who steps the controller's network: what is missing keeps it still, or is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neuro_control.nodes.controller import ControllerNode
from neuro_control.nodes.spin import StartError


@pytest.fixture(autouse=True)
def no_lava(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["lava", "loihi"])
def test_a_backend_that_is_asked_for_and_missing_leaves_it_unconfigured(
    ros: Any, overrides: Any, name: str
) -> None:
    node = ros.add(ControllerNode(parameter_overrides=overrides(backend=name)))
    with pytest.raises(StartError, match=r"Lava is not set up.*neuro_control backend setup lava"):
        node.start()
    assert node.lifecycle_state == "unconfigured"


def test_auto_without_a_chip_goes_on_with_the_cpu_and_says_why(ros: Any, overrides: Any) -> None:
    node = ros.add(ControllerNode(parameter_overrides=overrides(backend="auto")))
    node.start()
    assert node.lifecycle_state == "active"
    values = node.report().values
    assert values["backend"] == "cpu"
    assert values["backend_reason"].startswith("no chip: Lava is not set up")
