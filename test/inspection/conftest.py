# SPDX-License-Identifier: Apache-2.0
"""The dense reference and the random networks that the engines are tested with."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_PATH = Path(__file__).resolve().parents[1] / "backends" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("engine_reference", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_reference)

dense_reference = _reference.dense_reference
fixed_network = _reference.fixed_network
