# SPDX-License-Identifier: Apache-2.0
"""Address events, the encodings they travel in, and the recordings they are kept in."""

from neuro_control.events.address_events import Events
from neuro_control.events.bag import BagError, event_topics, read_packets, write_packets
from neuro_control.events.codecs import Decoder, decoder, supported_encodings
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.encoders import EventEncoder, encoder
from neuro_control.events.evt3 import Evt3Decoder
from neuro_control.events.files import (
    EventFile,
    FileError,
    open_file,
    read,
    read_chunks,
    read_triggers,
    write,
)
from neuro_control.events.mono import MonoDecoder, encode_mono
from neuro_control.events.packet_maker import packets_of
from neuro_control.events.packets import DropReason, Packet, PacketStream, StreamCounters
from neuro_control.events.replay import Replay, ReplayReport, count
from neuro_control.events.trigger import Trigger, Triggers

__all__ = [
    "BagError",
    "Decoder",
    "DecoderCounters",
    "DropReason",
    "EventEncoder",
    "EventFile",
    "Events",
    "Evt3Decoder",
    "FileError",
    "MonoDecoder",
    "Packet",
    "PacketStream",
    "Replay",
    "ReplayReport",
    "StreamCounters",
    "Trigger",
    "Triggers",
    "count",
    "decoder",
    "encode_mono",
    "encoder",
    "event_topics",
    "open_file",
    "packets_of",
    "read",
    "read_chunks",
    "read_packets",
    "read_triggers",
    "supported_encodings",
    "write",
    "write_packets",
]
