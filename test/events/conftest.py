# SPDX-License-Identifier: Apache-2.0
"""No test of this room depends on how busy the machine is."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no_deadline")
settings.load_profile("no_deadline")
