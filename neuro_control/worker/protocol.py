# SPDX-License-Identifier: Apache-2.0
"""Messages between a backend's process and its host: one frame each, over a local stream socket.

A frame is a header, a head and a body:

    offset  bytes  header, little-endian
    0       4      magic, b"NCWP"
    4       2      version of the protocol, 1
    6       2      kind of the message, see `Kind`
    8       4      sequence: a reply bears that of its request; 0 in HELLO
    12      4      bytes of the head, at most 1 MiB
    16      8      bytes of the body, at most 4 GiB
    24      4      CRC-32 (zlib) of head and body
    28             head, body

The head is a JSON object ``{"fields": {...}, "arrays": [[name, dtype, shape], ...]}``; the body is
the arrays' bytes, one after the other, little-endian and in C order. The two kinds that pass in
every control cycle, STEP and SPIKES, have no head; `spikes` says what their body is. Nothing in a
message is ever executed: arrays have one of `DTYPES`, fields are JSON.

The process says HELLO first. Then the host asks and the process answers each question, in order,
with DONE (a STEP with SPIKES), or with REFUSED (it cannot do that; the text says why; the state is
as before), or with FAILED (it broke; it ends).
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

VERSION = 1
MAGIC = b"NCWP"
HEADER = struct.Struct("<4sHHIIQI")
HEAD_MAX = 1 << 20
BODY_MAX = 1 << 32
DTYPES = ("<i1", "<i2", "<i4", "<i8", "<u1")
_NAMES = {np.dtype(dtype): dtype for dtype in DTYPES}


class Kind(IntEnum):
    """What a message is. The host's questions first.

    LOAD: a network (see `backends.wire_network`) and ``options``.
    STEP: the active inputs of some ticks; answered with SPIKES, the active outputs.
    STATE: answered with ``current``, ``membrane`` int64[n] and ``pending`` int64[d, n].
    RESTORE: those three.
    PROBE: what the chip measures, as fields; none where it measures nothing.
    STOP: answered, then the process ends.
    """

    LOAD = 1
    STEP = 2
    STATE = 3
    RESTORE = 4
    PROBE = 5
    STOP = 6
    HELLO = 16
    DONE = 17
    REFUSED = 18
    FAILED = 19
    SPIKES = 20


_KINDS = {int(kind): kind for kind in Kind}
_HEADLESS = (Kind.STEP, Kind.SPIKES)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class ProtocolError(ValueError):
    """What came is no message of this protocol; the stream cannot be trusted any more."""


class RefusalError(ValueError):
    """What is asked cannot be done; the text says why. Nothing has changed."""


class Header(NamedTuple):
    """The first bytes of a frame, checked."""

    kind: Kind
    sequence: int
    head_bytes: int
    body_bytes: int
    checksum: int


class Message(NamedTuple):
    """One message; fields are JSON values, arrays of a dtype in `DTYPES`.

    ``body`` is that of a STEP or SPIKES, which have neither.
    """

    kind: Kind
    sequence: int = 0
    fields: Mapping[str, Any] = _NOTHING
    arrays: Mapping[str, NDArray[Any]] = _NOTHING
    body: bytes = b""

    @property
    def text(self) -> str:
        """What a refusal or failure says."""
        return str(self.fields.get("text", ""))

    def array(self, name: str, dtype: str, axes: int = 1) -> NDArray[Any]:
        """The array of that name.

        Raises:
            ProtocolError: it is missing, or of another dtype or number of axes.
        """
        found = self.arrays.get(name)
        if found is None or found.dtype != np.dtype(dtype) or found.ndim != axes:
            have = "missing" if found is None else f"{found.dtype}{list(found.shape)}"
            raise ProtocolError(
                f"{self.kind.name}: {name} is {have}; {dtype} of {axes} axes wanted"
            )
        return found


def encode(message: Message) -> bytes:
    """The frame of a message.

    Raises:
        ProtocolError: an array of a dtype that the protocol does not know, or too much of it.
    """
    if message.kind in _HEADLESS:
        if message.fields or message.arrays:
            raise ProtocolError(f"{message.kind.name} has a body only (see spikes)")
        return _framed(message, b"", message.body)
    listed, parts = [], []
    for name, array in message.arrays.items():
        given = np.asarray(array)
        dtype = _NAMES.get(given.dtype)
        if dtype is None:
            raise ProtocolError(f"{name} is {given.dtype}; one of {', '.join(DTYPES)} can be sent")
        listed.append([name, dtype, list(given.shape)])
        parts.append(given.tobytes())
    head = json.dumps({"fields": dict(message.fields), "arrays": listed}).encode()
    return _framed(message, head, b"".join(parts))


def _framed(message: Message, head: bytes, body: bytes) -> bytes:
    if len(head) > HEAD_MAX or len(body) > BODY_MAX:
        raise ProtocolError(
            f"{message.kind.name} has {len(head)} + {len(body)} bytes; at most {HEAD_MAX} + "
            f"{BODY_MAX} can be sent"
        )
    payload = head + body
    checksum = zlib.crc32(payload)
    return (
        HEADER.pack(MAGIC, VERSION, message.kind, message.sequence, len(head), len(body), checksum)
        + payload
    )


def decode_header(data: bytes | bytearray | memoryview) -> Header:
    """Read the first `HEADER.size` bytes of a frame.

    Raises:
        ProtocolError: another magic, version or kind, or more bytes than a message may have.
    """
    magic, version, kind, sequence, head, body, checksum = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ProtocolError(f"a frame begins with {magic!r}; {MAGIC!r} was expected")
    if version != VERSION:
        raise ProtocolError(
            f"the other side speaks version {version} of the protocol, this one version {VERSION};"
            " both must come from the same release of neuro_control"
        )
    known = _KINDS.get(kind)
    if known is None:
        raise ProtocolError(f"kind {kind} is not one of the protocol's")
    if head > HEAD_MAX or body > BODY_MAX:
        raise ProtocolError(
            f"{known.name} announces {head} + {body} bytes; at most {HEAD_MAX} + {BODY_MAX}"
        )
    return Header(known, sequence, head, body, checksum)


def decode(header: Header, payload: bytes | bytearray | memoryview) -> Message:
    """Read head and body of a frame; the arrays are views into the payload.

    Raises:
        ProtocolError: the checksum is wrong, the head is no JSON of the right form, or the arrays
            do not fill the body.
    """
    kind, sequence, head_bytes, body_bytes, checksum = header
    if len(payload) != head_bytes + body_bytes:
        raise ProtocolError(f"{kind.name} has {len(payload)} bytes, not what it announced")
    if zlib.crc32(payload) != checksum:
        raise ProtocolError(f"{kind.name} {sequence}: its checksum is wrong")
    if kind in _HEADLESS:
        if head_bytes:
            raise ProtocolError(f"{kind.name} has a head of {head_bytes} bytes")
        return Message(kind, sequence, _NOTHING, _NOTHING, bytes(payload))
    try:
        head = json.loads(bytes(payload[: header.head_bytes]))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{header.kind.name}: its head is no JSON ({error})") from None
    fields = head.get("fields") if isinstance(head, dict) else None
    listed = head.get("arrays") if isinstance(head, dict) else None
    if not isinstance(fields, dict) or not isinstance(listed, list):
        raise ProtocolError(f"{header.kind.name}: its head has no fields or no arrays")
    arrays: dict[str, NDArray[Any]] = {}
    at = header.head_bytes
    for entry in listed:
        name, dtype, shape = _listed(header, entry)
        count = math.prod(shape)
        size = count * np.dtype(dtype).itemsize
        if at + size > len(payload):
            raise ProtocolError(f"{header.kind.name}: array {name!r} goes beyond the body")
        try:
            arrays[name] = np.frombuffer(payload, dtype, count, at).reshape(shape)
        except ValueError as error:
            # An empty array may have axes of any length, and numpy not.
            raise ProtocolError(f"{header.kind.name}: array {name!r}: {error}") from None
        at += size
    if at != len(payload):
        raise ProtocolError(f"{header.kind.name}: {len(payload) - at} bytes belong to no array")
    return Message(header.kind, header.sequence, fields, arrays)


def _listed(header: Header, entry: Any) -> tuple[str, str, tuple[int, ...]]:
    if isinstance(entry, list) and len(entry) == 3:
        name, dtype, shape = entry
        if (
            isinstance(name, str)
            and dtype in DTYPES
            and isinstance(shape, list)
            and len(shape) <= 8
            and all(type(n) is int and 0 <= n <= BODY_MAX for n in shape)
        ):
            return name, dtype, tuple(shape)
    raise ProtocolError(f"{header.kind.name}: {str(entry)[:80]!r} describes no array")
