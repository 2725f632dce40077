# SPDX-License-Identifier: Apache-2.0
"""One end of the stream between a backend's process and its host."""

from __future__ import annotations

import select
import socket
import time

from .protocol import HEADER, Header, Message, decode, decode_header, encode

CHUNK = 1 << 16
"""Bytes to read at once: what a message announces is not reserved before it comes."""
SELECT_FILES = 1024


class ClosedError(ConnectionError):
    """The other side is gone."""


class Channel:
    """Sends and receives messages over a connected socket, with time-outs.

    A time-out loses nothing: what has come of a message is kept, and the next call goes on; so is
    what could not be sent yet.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)
        self._chunk = bytearray(CHUNK)
        self._buffer = bytearray()
        self._out = bytearray()
        self._header: Header | None = None

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def post(self, message: Message) -> None:
        """Send without waiting: what the other side has no room for goes out with `receive`.

        Raises:
            ClosedError: the other side is gone.
            ProtocolError: the message cannot be sent.
        """
        frame = encode(message)
        if not self._out:
            # Nearly always it goes at once, and nothing is kept.
            frame = frame[self._sent(frame) :]
        if frame:
            self._out += frame

    def send(self, message: Message, timeout_s: float | None = None) -> None:
        """Send a message whole.

        Raises:
            ClosedError: the other side is gone, or did not read for ``timeout_s``.
            ProtocolError: the message cannot be sent.
        """
        self.post(message)
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while self._out:
            left_s = None if end is None else max(end - time.monotonic(), 0.0)
            if not select.select((), (self._socket,), (), left_s)[1]:
                raise ClosedError(
                    f"the other side did not read {message.kind.name} for {timeout_s:g} s"
                )
            self._flush()

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message, or None where none has come whole within ``timeout_s``.

        Raises:
            ClosedError: the other side is gone.
            ProtocolError: what came is no message.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            message = self._take()
            if message is not None:
                return message
            left_s = None if end is None else max(end - time.monotonic(), 0.0)
            if not self._readable(left_s):
                if end is not None and time.monotonic() >= end:
                    return None
                continue
            try:
                n = self._socket.recv_into(self._chunk)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ClosedError(f"the other side is gone ({error})") from error
            if not n:
                raise ClosedError("the other side is gone")
            with memoryview(self._chunk) as chunk:
                self._buffer += chunk[:n]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _sent(self, frame: bytes | bytearray) -> int:
        """How much of a frame goes now."""
        try:
            return self._socket.send(frame)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ClosedError(f"the other side is gone ({error})") from error

    def _flush(self) -> None:
        while self._out and (n := self._sent(self._out)):
            del self._out[:n]

    def _readable(self, timeout_s: float | None) -> bool:
        """Wait to the microsecond, for which poll, in milliseconds, is too coarse."""
        fd = self._socket.fileno()
        writing = (fd,) if self._out else ()
        if 0 <= fd < SELECT_FILES and (writing or timeout_s is not None):
            readable, writable, _ = select.select((fd,), writing, (), timeout_s)
            if writable:
                self._flush()
            return bool(readable)
        if writing:
            self._flush()
        return bool(self._poll.poll(None if timeout_s is None else timeout_s * 1000))

    def _take(self) -> Message | None:
        header = self._header
        if header is None:
            if len(self._buffer) < HEADER.size:
                return None
            header = self._header = decode_header(self._buffer)
        end = HEADER.size + header.head_bytes + header.body_bytes
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[HEADER.size : end])
        del self._buffer[:end]
        self._header = None
        return decode(header, payload)
