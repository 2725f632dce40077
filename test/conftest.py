# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every room's tests share."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from test.skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("any_machine", deadline=None)
hypothesis.settings.load_profile("any_machine")

# As `make test` sets them, for those who call pytest themselves: where ROS finds the messages
# that were built into a virtual environment, and nobody else's nodes.
if (Path(sys.prefix) / "share" / "ament_index").is_dir():
    os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings; tests that ask for it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NEURO_CONTROL_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder} (set NEURO_CONTROL_SHARED_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def check_page() -> Callable[[str], Any]:
    """Reads an HTML page and fails with all that is wrong with it; see reports/html_check.py."""
    path = Path(__file__).with_name("reports") / "html_check.py"
    spec = importlib.util.spec_from_file_location("html_check", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check_page
