# SPDX-License-Identifier: Apache-2.0
"""Our event_camera_msgs is the public message: the same fields, type hash and bytes."""

import json
import os
from array import array
from pathlib import Path

import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neuro_control.doctor.ros import EVENT_PACKET_FIELDS, EVENT_PACKET_HASH

TREE = Path(__file__).resolve().parents[2]
DEFINITION = TREE / "interfaces" / "event_camera_msgs" / "msg" / "EventPacket.msg"
NAME = "event_camera_msgs/msg/EventPacket"

# The public interface, field by field; comments and layout do not enter a type's hash.
PUBLIC = """std_msgs/Header header
uint32 height
uint32 width
uint64 seq
uint64 time_base
string encoding
bool is_bigendian
uint8[] events
"""

# A packet in little-endian CDR; '..' is padding, which a serializer need not fill.
CDR = (
    "00010000 07000000 08000000 04000000 63616d00"  # header: 7 s, 8 ns, "cam"
    "80000000 f0000000 09000000 00000000"  # height 128, width 240, seq 9
    "15cd5b07 00000000 05000000 6d6f6e6f 00 00 ...."  # time_base, "mono", little-endian
    "03000000 010203"  # three bytes of payload
).replace(" ", "")


@pytest.fixture(scope="module")
def store():
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(DEFINITION.read_text(), NAME))
    return store


def test_the_definition_has_the_public_fields_in_their_order(store):
    public = get_typestore(Stores.ROS2_JAZZY)
    public.register(get_types_from_msg(PUBLIC, NAME))
    assert store.fielddefs[NAME] == public.fielddefs[NAME]
    assert " ".join(name for name, _ in public.fielddefs[NAME][1]) == EVENT_PACKET_FIELDS
    assert public.hash_rihs01(NAME) == EVENT_PACKET_HASH


def test_the_definition_has_the_public_type_hash(store):
    assert store.hash_rihs01(NAME) == EVENT_PACKET_HASH


def test_the_built_message_has_the_public_type_hash():
    pytest.importorskip("event_camera_msgs", reason="the message is not built here: make setup")
    from ament_index_python.packages import get_package_share_directory

    path = Path(get_package_share_directory("event_camera_msgs"), "msg", "EventPacket.json")
    if not path.exists():
        pytest.skip(f"no type hashes in ROS 2 {os.environ.get('ROS_DISTRO', '')}")
    hashes = {h["type_name"]: h["hash_string"] for h in json.loads(path.read_text())["type_hashes"]}
    assert hashes[NAME] == EVENT_PACKET_HASH


def test_the_built_message_has_the_known_bytes():
    messages = pytest.importorskip("event_camera_msgs.msg", reason="not built here: make setup")
    from rclpy.serialization import deserialize_message, serialize_message

    packet = messages.EventPacket()
    packet.header.stamp.sec, packet.header.stamp.nanosec = 7, 8
    packet.header.frame_id = "cam"
    packet.height, packet.width, packet.seq = 128, 240, 9
    packet.time_base, packet.encoding = 123456789, "mono"
    packet.events = array("B", [1, 2, 3])

    written = serialize_message(packet).hex()
    assert written.startswith("0001")
    assert len(written) >= len(CDR)
    for index, digit in enumerate(CDR):
        assert digit in (".", written[index]), f"byte {index // 2}"
    read = deserialize_message(bytes.fromhex(CDR.replace(".", "0")), messages.EventPacket)
    assert read == packet
