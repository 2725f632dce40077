# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings; tests that ask for it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NEURO_CONTROL_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder} (set NEURO_CONTROL_SHARED_DATA to their folder)")
    return folder
