# SPDX-License-Identifier: Apache-2.0
"""What every managed node does, whatever its work is."""

from __future__ import annotations

import gc
from typing import Any

import rclpy
from rclpy.context import Context

from neuro_control.nodes.guard import GuardNode


def test_a_node_that_was_destroyed_is_gone_for_others_too(ros: Any) -> None:
    """Without waiting for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        context = Context()
        rclpy.init(context=context)
        node = GuardNode(context=context)
        ros.until(lambda: ros.probe.count_services("/guard/get_state") == 1)
        node.destroy_node()
        ros.until(lambda: ros.probe.count_services("/guard/get_state") == 0)
        rclpy.shutdown(context=context)
    finally:
        gc.enable()
