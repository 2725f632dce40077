# SPDX-License-Identifier: Apache-2.0
"""Recording a run as a rosbag2 recording (mcap), through rosbags.

Messages are taken as they are on the wire and not decoded. Each is stamped with the simulated
time at which it came, so that a recording plays at the right speed however fast the run was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from neuro_control.events.bag import EVENT_FIELDS, EVENT_PACKET
from neuro_control.nodes.recording_place import (
    RecordingError,
    errors_told,
    growing_folder,
    left_behind,
    put_in_place,
)

Sent = Literal["data", "state", "latched"]

# Topic, type, and how it is sent: as sensor data are (best effort), reliably, or once for all who
# come later. What the controller works out for those who watch only (membranes, profile) is not
# among them, for it would then be worked out in every run; nor is sound, of which the cochlea's
# events are kept.
RECORDED_TOPICS: tuple[tuple[str, str, Sent], ...] = (
    ("/clock", "rosgraph_msgs/msg/Clock", "data"),
    ("/event_camera/events", EVENT_PACKET, "data"),
    ("/joint_states", "sensor_msgs/msg/JointState", "state"),
    ("/target_direction", "geometry_msgs/msg/Vector3Stamped", "data"),
    ("/desired_trajectory", "trajectory_msgs/msg/JointTrajectory", "state"),
    ("/arm_controller/joint_trajectory", "trajectory_msgs/msg/JointTrajectory", "state"),
    ("/simulation/target", "geometry_msgs/msg/PointStamped", "state"),
    ("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "state"),
    ("/network/description", "std_msgs/msg/String", "latched"),
    ("/network/spikes", EVENT_PACKET, "data"),
    ("/taxels", "sensor_msgs/msg/Image", "data"),
    ("/skin/events", EVENT_PACKET, "data"),
    ("/cochlea/events", EVENT_PACKET, "data"),
)


@cache
def _typestore() -> Typestore:
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(EVENT_FIELDS, EVENT_PACKET))
    return store


def _qos(sent: Sent) -> Qos:
    forever = QosTime(2147483647, 4294967295)
    return Qos(
        QosHistory.KEEP_LAST,
        10,
        QosReliability.BEST_EFFORT if sent == "data" else QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL if sent == "latched" else QosDurability.VOLATILE,
        forever,
        forever,
        QosLiveliness.AUTOMATIC,
        forever,
        False,
    )


class BagRecorder:
    """Writes raw messages of `RECORDED_TOPICS`.

    failure: why nothing more is written, as a full disk; the recording then ends where it is.
    """

    def __init__(self, writer: Writer, path: Path) -> None:
        self._writer = writer
        self._path = path
        self.failure: RecordingError | None = None
        self._connections: dict[str, Any] = {
            topic: writer.add_connection(
                topic, kind, typestore=_typestore(), offered_qos_profiles=[_qos(sent)]
            )
            for topic, kind, sent in RECORDED_TOPICS
        }
        self.messages = 0

    def write(self, topic: str, t_ns: int, data: bytes) -> None:
        """Write one message in CDR as it came at simulated time `t_ns`; none after a failure."""
        if self.failure is not None:
            return
        try:
            with errors_told(self._path):
                self._writer.write(self._connections[topic], t_ns, data)
        except RecordingError as error:
            # Not raised here: what is recorded must not end for it.
            self.failure = error
        else:
            self.messages += 1


@contextmanager
def recording(path: Path) -> Iterator[BagRecorder]:
    """Record to `path`: one file if it ends in .mcap, else a rosbag2 folder.

    Whatever happens within, the recording is closed and can be read. A file at `path` is replaced.

    Raises:
        RecordingError: before anything is recorded, if it could not be put at `path` (a folder that
            is not empty), another is recording there or nothing can be written there; at the end,
            if not all of it could be written or put there: the message then says where it is.
    """
    with growing_folder(path) as folder:
        # Not `with Writer(...)`: that throws the recording away if anything raises within.
        writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        with errors_told(path):
            writer.open()
        recorder = BagRecorder(writer, path)
        try:
            yield recorder
        finally:
            _close(writer, recorder, path)
            put_in_place(folder, path)


def _close(writer: Writer, recorder: BagRecorder, path: Path) -> None:
    """Write the end. If it cannot be, the file is left as it is, cut off."""
    failure = recorder.failure
    if failure is None:
        try:
            with errors_told(path):
                writer.close()
        except RecordingError as error:
            failure = error
    if failure is not None:
        if writer.storage is not None:
            with suppress(OSError):  # it closes the file all the same
                writer.storage.abort()
        left = left_behind(path)
        kept = "nothing was" if left is None else f"what was until then is {left}"
        raise RecordingError(f"{failure}; not all was written, {kept}") from failure
