# SPDX-License-Identifier: Apache-2.0
"""The ROS domain that the user has set, looked at before ROS 2 reads it."""

from __future__ import annotations

import os

from neuro_control.bringup import BringupError

# The ports of a higher one would be above 65535.
HIGHEST_DOMAIN = 232


def check_domain() -> None:
    """Raise BringupError if ROS_DOMAIN_ID is none, on which ROS 2 itself ends in a traceback."""
    text = os.environ.get("ROS_DOMAIN_ID", "")
    if not text:
        return
    try:
        domain = int(text, 8 if text.startswith("0") and text.isdigit() else 0)  # as C reads it
    except ValueError:
        domain = -1
    if not 0 <= domain <= HIGHEST_DOMAIN:
        raise BringupError(
            f"ROS_DOMAIN_ID={text}: must be a whole number from 0 to {HIGHEST_DOMAIN}; or unset it"
        )
