# SPDX-License-Identifier: Apache-2.0
"""One end of the stream between a backend's process and its host."""

from __future__ import annotations

import select
import socket
import time

from .protocol import HEADER, Header, Message, decode, decode_header, encode

ROOM = 1 << 16
"""Bytes to begin with; more is reserved as it comes, not as a message announces."""
SELECT_FILES = 1024
_NOW = socket.MSG_DONTWAIT


class ClosedError(ConnectionError):
    """The other side is gone."""


class Channel:
    """Sends and receives messages over a connected socket, with time-outs.

    A time-out loses nothing: what has come of a message is kept, and the next call goes on; so is
    what could not be sent yet. Nobody spins while waiting: on a busy machine that takes from the
    other process the time that it needs to answer.
    """

    def __init__(self, connected: socket.socket) -> None:
        # Blocking, so that whoever waits without a limit does it in one call of the system.
        connected.setblocking(True)
        self._socket = connected
        self._room = bytearray(ROOM)
        self._view = memoryview(self._room)
        self._come = 0
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
            sent = self._sent(frame)
            if sent == len(frame):
                return
            frame = frame[sent:]
        self._out += frame

    def send(self, message: Message, timeout_s: float | None = None) -> None:
        """Send a message whole.

        Raises:
            ClosedError: the other side is gone, or did not read for ``timeout_s``.
            ProtocolError: the message cannot be sent.
        """
        self.post(message)
        if not self._out:
            return
        end = None if timeout_s is None else time.monotonic() + timeout_s
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        while self._out:
            left_s = None if end is None else max(end - time.monotonic(), 0.0)
            if not poll.poll(left_s and left_s * 1000):
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
        if self._come and (message := self._take()) is not None:
            return message
        if timeout_s is None:
            while True:
                if self._out:
                    self._wait(None)
                if self._read(_NOW if self._out else 0) and (message := self._take()) is not None:
                    return message
        end = time.monotonic() + timeout_s
        while True:
            if self._out:
                self._flush()
            if self._read(_NOW):
                if (message := self._take()) is not None:
                    return message
                continue
            left_s = end - time.monotonic()
            if left_s <= 0:
                return None
            self._wait(left_s)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _sent(self, frame: bytes | bytearray) -> int:
        """How much of a frame goes now."""
        try:
            return self._socket.send(frame, _NOW)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ClosedError(f"the other side is gone ({error})") from error

    def _flush(self) -> None:
        while self._out and (n := self._sent(self._out)):
            del self._out[:n]

    def _wait(self, timeout_s: float | None) -> None:
        """Until something comes, or what could not be sent can go, which it then does."""
        fd = self._socket.fileno()
        if 0 <= fd < SELECT_FILES:
            # To the microsecond, for which poll, in milliseconds, is too coarse.
            if select.select((fd,), (fd,) if self._out else (), (), timeout_s)[1]:
                self._flush()
            return
        poll = select.poll()
        poll.register(fd, select.POLLIN | (select.POLLOUT if self._out else 0))
        if any(event & select.POLLOUT for _, event in poll.poll(timeout_s and timeout_s * 1000)):
            self._flush()

    def _read(self, flags: int) -> int:
        """Take what is there; 0 where nothing is and the flags say not to wait."""
        at = self._come
        if at == len(self._room):
            self._make_room(2 * at)
        try:
            n = self._socket.recv_into(self._view[at:] if at else self._room, 0, flags)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ClosedError(f"the other side is gone ({error})") from error
        if not n:
            raise ClosedError("the other side is gone")
        self._come = at + n
        return n

    def _make_room(self, size: int) -> None:
        room = bytearray(size)
        room[: self._come] = self._view[: self._come]
        self._room, self._view = room, memoryview(room)

    def _take(self) -> Message | None:
        """The first message of what has come, if it is whole."""
        header = self._header
        if header is None:
            if self._come < HEADER.size:
                return None
            header = self._header = decode_header(self._room)
        end = HEADER.size + header.head_bytes + header.body_bytes
        left = self._come - end
        if left < 0:
            return None
        payload = bytes(self._view[HEADER.size : end])
        if left:
            self._view[:left] = self._room[end : self._come]
        self._come, self._header = left, None
        if not left and len(self._room) > ROOM:
            self._make_room(ROOM)
        return decode(header, payload)
