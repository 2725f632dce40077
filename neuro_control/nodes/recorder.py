# SPDX-License-Identifier: Apache-2.0
"""Record a running robot until told to end.

    python -m neuro_control.nodes.recorder FILE.mcap [--ros-args -r __ns:=/left]

Writes the topics of `bag_recorder.RECORDED_TOPICS` as they are on the wire. Each message is stamped
with the time on /clock where there is one, else with this machine's; what comes in the first second
is held back until it is known which. After SIGINT or SIGTERM the file is complete; with
--until-input-ends, after the end of its standard input too, which unlike a signal can come while it
starts. Once a second it prints how many messages it has written. It ends with an error when it can
write no more, as on a full disk.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from neuro_control.events import FileError
from neuro_control.nodes import qos
from neuro_control.nodes.bag_recorder import RECORDED_TOPICS, BagRecorder, recording
from neuro_control.nodes.messages import message_class
from neuro_control.nodes.recorded_topics import GLOBAL, stamp_ns
from neuro_control.nodes.recording_place import RecordingError
from neuro_control.nodes.spin import EndRequest, Work, run

CLOCK = "/clock"
UNTIL_INPUT_ENDS = "--until-input-ends"


class Recorder(Node):
    """Hears the topics of its namespace and writes them under the names without it."""

    def __init__(self, recorder: BagRecorder, **options: Any) -> None:
        super().__init__("recorder", **options)
        self._recorder = recorder
        self._now_ns = 0
        # What came, and when by this machine; None once it is known whether there is a /clock. A
        # description that is heard before the first of it would lie decades behind all else.
        self._held: list[tuple[str, int, bytes]] | None = []
        self.create_timer(1.0, self._tell, clock=Clock(clock_type=ClockType.STEADY_TIME))
        for topic, kind, sent in RECORDED_TOPICS:
            message, profile = message_class(kind), qos.of(sent, 1000)
            heard_as = topic if topic in GLOBAL else topic.removeprefix("/")
            self.create_subscription(message, heard_as, self._writer(topic), profile, raw=True)

    @property
    def failed(self) -> bool:
        """Whether it can write no more, as on a full disk."""
        return self._recorder.failure is not None

    def _tell(self) -> None:
        self._write_held()
        # For whoever has started it: `dashboard.recording` shows the number.
        print(self._recorder.messages, flush=True)

    def destroy_node(self) -> None:
        """End; what is still held back is written before."""
        self._write_held()
        super().destroy_node()

    def _write_held(self) -> None:
        held, self._held = self._held or (), None
        for topic, came_ns, data in held:
            self._recorder.write(topic, self._now_ns or came_ns, data)

    def _writer(self, topic: str) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            if topic == CLOCK:
                try:
                    self._now_ns = stamp_ns(data)
                except FileError:
                    return
                self._write_held()
            if self._held is not None:
                self._held.append((topic, time.time_ns(), data))
            else:
                self._recorder.write(topic, self._now_ns or time.time_ns(), data)

        return write


def spin_and_write(node: Recorder, executor: Executor, request: EndRequest) -> None:
    """Until it is told to end, or can write no more."""
    request.spin(executor, lambda: not node.failed)


def _until_input_ends() -> Work:
    ended = threading.Event()

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        ended.set()

    threading.Thread(target=wait, name="end_of_input", daemon=True).start()

    def work(node: Recorder, executor: Executor, request: EndRequest) -> None:
        request.spin(executor, lambda: not node.failed and not ended.is_set())

    return work


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    words = list(sys.argv if args is None else args)
    plain = remove_ros_args(words)[1:]
    work: Work = spin_and_write
    if UNTIL_INPUT_ENDS in plain:
        plain.remove(UNTIL_INPUT_ENDS)
        work = _until_input_ends()
    if len(plain) != 1:
        print("error: give one file to record to", file=sys.stderr)
        return 2
    try:
        with recording(Path(plain[0])) as recorder:
            return run(lambda: Recorder(recorder), words, work)
    except RecordingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
