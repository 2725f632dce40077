# SPDX-License-Identifier: Apache-2.0
"""One end of the stream between a backend's process and its host."""

from __future__ import annotations

import select
import socket
import time

from .protocol import HEADER, Header, Message, decode, decode_header, encode


class ClosedError(ConnectionError):
    """The other side is gone."""


class Channel:
    """Sends and receives messages over a connected socket, with time-outs.

    A time-out loses nothing: what has come of a message is kept, and the next call goes on. A
    message that could be sent in part only leaves the stream unusable, and is a `ClosedError`.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)
        self._buffer = bytearray()
        self._header: Header | None = None

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def send(self, message: Message, timeout_s: float | None = None) -> None:
        """Send a message whole.

        Raises:
            ClosedError: the other side is gone, or did not read for ``timeout_s``.
            ProtocolError: the message cannot be sent.
        """
        frame = memoryview(encode(message))
        end = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while frame:
                try:
                    frame = frame[self._socket.send(frame) :]
                except BlockingIOError:
                    left = None if end is None else max(end - time.monotonic(), 0.0)
                    if not select.select([], [self._socket], [], left)[1]:
                        raise ClosedError(
                            f"the other side did not read {message.kind.name} for {timeout_s:g} s"
                        ) from None
        except OSError as error:
            if isinstance(error, ClosedError):
                raise
            raise ClosedError(f"the other side is gone ({error})") from error

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
            left_ms = None if end is None else max((end - time.monotonic()) * 1000, 0.0)
            if not self._poll.poll(left_ms):
                if left_ms is not None and time.monotonic() >= (end or 0.0):
                    return None
                continue
            try:
                data = self._socket.recv(self._wanted())
            except BlockingIOError:
                continue
            except OSError as error:
                raise ClosedError(f"the other side is gone ({error})") from error
            if not data:
                raise ClosedError("the other side is gone")
            self._buffer += data

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _wanted(self) -> int:
        """Bytes to read at once: never more than the memory that a message may take."""
        return 1 << 20 if self._header is not None else 1 << 16

    def _take(self) -> Message | None:
        if self._header is None:
            if len(self._buffer) < HEADER.size:
                return None
            self._header = decode_header(self._buffer[: HEADER.size])
            del self._buffer[: HEADER.size]
        header = self._header
        size = header.head_bytes + header.body_bytes
        if len(self._buffer) < size:
            return None
        payload = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._header = None
        return decode(header, payload)
