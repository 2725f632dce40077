# SPDX-License-Identifier: Apache-2.0
"""Topics that are looked at now and then: what waits is taken, what fell out is known."""

from __future__ import annotations

from rclpy.serialization import deserialize_message
from std_msgs.msg import Float64

from neuro_control.dashboard.taps import Tap, TapSpec
from test.dashboard.conftest import Robot, until

KIND = "std_msgs/msg/Float64"


def test_of_a_message_it_is_known_whether_others_before_it_never_came(robot: Robot) -> None:
    publisher = robot.node.create_publisher(Float64, "said", 10)
    tap = Tap(robot.node, TapSpec("said", (KIND,), depth=2))
    sent = 0

    def told(count: int) -> list[tuple[int, bool]]:
        """So many more are sent; the numbers of those that come, and what is said of each."""
        nonlocal sent
        for _ in range(count):
            sent += 1
            publisher.publish(Float64(data=float(sent)))
        found: list[tuple[int, bool]] = []

        def last_came() -> bool:
            for one in tap.take():
                found.append((int(deserialize_message(one.data, Float64).data), one.missed))
            return bool(found) and found[-1][0] == sent

        until(last_came, f"message {sent} comes")
        return found

    for _ in range(2):
        tap.follow({tap.topic: [KIND]})
        until(lambda: publisher.get_subscription_count() == 1, "the tap listens")
        before = None
        fell_out = False
        for burst in (1, 1, 2, 9, 1, 2, 9, 1):
            for number, missed in told(burst):
                # The first that is heard: nobody knows what was before.
                assert missed == (before is None or number != before + 1)
                fell_out |= before is not None and missed
                before = number
        assert fell_out
        tap.close()
        until(lambda: publisher.get_subscription_count() == 0, "the tap is closed")
