# SPDX-License-Identifier: Apache-2.0
"""Record a running robot until told to end.

    python -m neuro_control.demo.recorder FILE.mcap [--ros-args -r __ns:=/left]

Writes the topics of `bag.RECORDED_TOPICS` as they are on the wire. Each message is stamped with the
time on /clock where there is one, else with this machine's. After SIGINT or SIGTERM the file is
complete. Once a second it prints how many messages it has written.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from neuro_control.dashboard.cdr import CdrError, clock_ns
from neuro_control.demo.bag import RECORDED_TOPICS, BagRecorder, recording
from neuro_control.nodes import qos
from neuro_control.nodes.spin import run

CLOCK = "/clock"
# One for the whole machine, whatever the robot's namespace.
GLOBAL = frozenset({CLOCK, "/diagnostics"})


class Recorder(Node):
    """Hears the topics of its namespace and writes them under the names without it."""

    def __init__(self, recorder: BagRecorder, **options: Any) -> None:
        super().__init__("recorder", **options)
        self._recorder = recorder
        self._now_ns = 0
        self.create_timer(1.0, self._tell, clock=Clock(clock_type=ClockType.STEADY_TIME))
        for topic, kind, sent in RECORDED_TOPICS:
            package, _, name = kind.split("/")
            message = getattr(importlib.import_module(f"{package}.msg"), name)
            profile = qos.of(sent, 1000)
            heard_as = topic if topic in GLOBAL else topic.removeprefix("/")
            self.create_subscription(message, heard_as, self._writer(topic), profile, raw=True)

    def _tell(self) -> None:
        # For whoever has started it: `dashboard.recording` shows the number.
        print(self._recorder.messages, flush=True)

    def _writer(self, topic: str) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            if topic == CLOCK:
                try:
                    self._now_ns = clock_ns(data)
                except CdrError:
                    return
            self._recorder.write(topic, self._now_ns or time.time_ns(), data)

        return write


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    words = list(sys.argv if args is None else args)
    plain = remove_ros_args(words)[1:]
    if len(plain) != 1:
        print("error: give one file to record to", file=sys.stderr)
        return 2
    with recording(Path(plain[0])) as recorder:
        return run(lambda: Recorder(recorder), words)


if __name__ == "__main__":
    sys.exit(main())
