# SPDX-License-Identifier: Apache-2.0
"""The few fields that are needed of every message, read from its bytes.

Most messages that come between two frames are only counted. To make a Python object of each would
cost more than all the rest; of the layouts here (CDR, little-endian, as the middlewares of ROS 2
send it) the beginning is enough.
"""

from __future__ import annotations

import struct

import numpy as np

from neuro_control.events import Packet
from neuro_control.nodes.recorded_topics import stamp_ns

_ENCAPSULATION = 4
_STAMP_BYTES = 8
_LENGTH = struct.Struct("<I")
_PAIR = struct.Struct("<QQ")
_SIZE = struct.Struct("<II")


class CdrError(ValueError):
    """Bytes that are not what they should be."""


def _begin(data: bytes) -> None:
    if len(data) < _ENCAPSULATION + _STAMP_BYTES or data[1] != 1:
        raise CdrError("not a little-endian CDR message")


def header_stamp_ns(data: bytes) -> int:
    """The stamp (ns) of a message that begins with a std_msgs/Header. Raises CdrError."""
    _begin(data)
    return stamp_ns(data)


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A string that begins at `at`; and where it ends."""
    (length,) = _LENGTH.unpack_from(data, at)
    end = at + 4 + length
    if end > len(data):
        raise CdrError("a text is longer than its message")
    return data[at + 4 : end - 1].decode("utf-8", "replace"), end


def _aligned(at: int, size: int) -> int:
    return at + (_ENCAPSULATION - at) % size


def event_packet(data: bytes, topic: str) -> Packet:
    """An event_camera_msgs/EventPacket; the payload is a view of the message's own bytes.

    Raises CdrError for bytes that cannot be one.
    """
    try:
        sent_ns = header_stamp_ns(data)
        _, at = _text(data, _ENCAPSULATION + _STAMP_BYTES)
        at = _aligned(at, 4)
        height, width = _SIZE.unpack_from(data, at)
        at = _aligned(at + 8, 8)
        seq, time_base = _PAIR.unpack_from(data, at)
        encoding, at = _text(data, at + 16)
        bigendian = bool(data[at])
        at = _aligned(at + 1, 4)
        (length,) = _LENGTH.unpack_from(data, at)
    except (struct.error, IndexError) as error:
        raise CdrError(f"not an event packet: {error}") from error
    if at + 4 + length > len(data):
        raise CdrError("the events are longer than their message")
    return Packet(
        topic=topic,
        seq=int(seq),
        time_base_ns=int(time_base),
        stamp_ns=sent_ns,
        encoding=encoding,
        width=int(width),
        height=int(height),
        is_bigendian=bigendian,
        payload=np.frombuffer(data, np.uint8, int(length), at + 4),
    )
