# SPDX-License-Identifier: Apache-2.0
"""Lava's models in one process of the system, as coroutines, where Lava gives each its own.

Lava forks a process for every model, with two threads a channel between them; a tick of a dozen
models is some 50 switches between processes, 3 to 8 ms on a busy machine. Here the same runtime,
runtime service and models, which are Lava's and untouched, are greenlets that go on when what they
wait for has come. Only the two things that Lava's `MessageInfrastructureInterface` abstracts are
other ones: how an actor is started and what a channel is. `use` chooses; a chip has Lava's own.
"""

from __future__ import annotations

import queue
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from lava.magma.compiler.channels.interfaces import ChannelType
from lava.magma.compiler.channels.pypychannel import CspRecvPort, CspSelector, CspSendPort
from lava.magma.runtime import runtime
from lava.magma.runtime.message_infrastructure.factory import MessageInfrastructureFactory
from lava.magma.runtime.message_infrastructure.message_infrastructure_interface import (
    MessageInfrastructureInterface,
)
from lava.utils.sparse import find
from scipy.sparse import csr_matrix

try:
    import greenlet  # type: ignore[import-untyped]
except ImportError:  # an environment of one's own: Lava's processes then
    greenlet = None

_lavas_factory = MessageInfrastructureFactory.create
_lavas_select = CspSelector.select
_lavas_queue = runtime.Queue


class Hub:
    """Who is ready to go on. The main greenlet is the caller of Lava's runtime."""

    def __init__(self) -> None:
        self.main = greenlet.getcurrent()
        self.ready: deque[Any] = deque()

    def run_others(self) -> None:
        """Let the next one go on; returns when this one was made ready, or others have ended."""
        if self.ready:
            self.ready.popleft().switch()
        elif greenlet.getcurrent() is not self.main:
            self.main.switch()
        else:
            raise RuntimeError("Lava's models all wait for one another")


class Link:
    """What is on its way from a sender to a receiver, and who waits for it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.queue: deque[Any] = deque()
        self.waiter: Any = None


class Sender(CspSendPort):  # type: ignore[misc]
    """Lava's interface; never full."""

    def __init__(self, name: str, link: Link, shape: Any, dtype: Any) -> None:
        self._name, self._link, self._shape, self._dtype = name, link, shape, dtype
        self.observer = None

    def start(self) -> None:
        """Nothing to do."""

    def probe(self) -> bool:
        """Whether `send` would not wait."""
        return True

    def send(self, data: Any) -> None:
        """Send a copy, in the channel's dtype."""
        if data.shape != self._shape:
            raise AssertionError(f"{data.shape} was sent over a channel of {self._shape}")
        if isinstance(data, csr_matrix):
            data = find(data, explicit_zeros=True)[2]
        copy = np.empty(self._shape, self._dtype)
        copy[:] = data[:]
        self._link.queue.append(copy)
        if self._link.waiter is not None:
            self._link.hub.ready.append(self._link.waiter)
            self._link.waiter = None

    def join(self) -> None:
        """Nothing to do."""


class Receiver(CspRecvPort):  # type: ignore[misc]
    """Lava's interface."""

    def __init__(self, name: str, link: Link, shape: Any, dtype: Any) -> None:
        self._name, self._link, self._shape, self._dtype = name, link, shape, dtype
        self.observer = None

    def start(self) -> None:
        """Nothing to do."""

    def probe(self) -> bool:
        """Whether `recv` would not wait."""
        return bool(self._link.queue)

    def wait(self) -> None:
        """Let others go on until something has come."""
        link = self._link
        while not link.queue:
            link.waiter = greenlet.getcurrent()
            link.hub.run_others()

    def peek(self) -> Any:
        """What comes next, left where it is."""
        self.wait()
        return self._link.queue[0].copy()

    def recv(self) -> Any:
        """What comes next."""
        self.wait()
        return self._link.queue.popleft()

    def join(self) -> None:
        """Nothing to do."""


def select(self: Any, *channel_actions: tuple[Any, Callable[[], Any]]) -> Any:
    """Wait for any of some channels, and do what belongs to it."""
    if not all(isinstance(channel, Receiver) for channel, _ in channel_actions):
        return _lavas_select(self, *channel_actions)
    while True:
        for channel, action in channel_actions:
            if channel.probe():
                return action()
        for channel, _ in channel_actions:
            channel._link.waiter = greenlet.getcurrent()
        channel_actions[0][0]._link.hub.run_others()


class Actor:
    """A model or a runtime service; begins at once, and runs until it first waits."""

    def __init__(self, target: Callable[..., None], options: dict[str, Any]) -> None:
        self.exception: tuple[Exception, str] | None = None

        def run() -> None:
            try:
                target(**options)
            except Exception as error:
                # As Lava's own actors do: who asks for the exception finds it here.
                self.exception = (error, traceback.format_exc())

        self.greenlet = greenlet.greenlet(run)

    def join(self) -> None:
        """It has ended when Lava asks for it."""


class Coroutines(MessageInfrastructureInterface):  # type: ignore[misc]
    """Lava's interface."""

    def __init__(self) -> None:
        self._hub = Hub()
        self._actors: list[Actor] = []

    @property
    def actors(self) -> list[Actor]:
        """All."""
        return self._actors

    @property
    def smm(self) -> None:
        """No shared memory is needed."""
        return None

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def build_actor(self, target_fn: Any, builder: Any, exception_q: Any = None) -> Actor:
        """Make and begin one."""
        actor = Actor(target_fn, {"builder": builder, "exception_q": exception_q})
        self._actors.append(actor)
        self._hub.ready.append(actor.greenlet)
        while self._hub.ready:
            self._hub.run_others()
        return actor

    def channel_class(self, channel_type: ChannelType) -> Callable[..., Any]:
        """What makes channels of that type."""
        if channel_type != ChannelType.PyPy:
            raise RuntimeError(f"a channel of type {channel_type} needs Lava's own processes")
        return self._channel

    def _channel(
        self, infrastructure: Any, src: str, dst: str, shape: Any, dtype: Any, *_: Any, **__: Any
    ) -> Any:
        del infrastructure
        dtype = np.int32 if dtype == 4 else dtype  # 4 is Lava's own number for it
        link = Link(self._hub)
        return _Channel(Sender(src, link, shape, dtype), Receiver(dst, link, shape, dtype))


class _Channel:
    def __init__(self, src_port: Sender, dst_port: Receiver) -> None:
        self.src_port, self.dst_port = src_port, dst_port


def available() -> bool:
    """Whether greenlet is installed beside Lava."""
    return greenlet is not None


def use(one_process: bool) -> None:
    """Let the runtimes that Lava makes from now on be coroutines, or Lava's own processes."""
    if one_process:
        MessageInfrastructureFactory.create = staticmethod(lambda _: Coroutines())
        CspSelector.select = select
        # Of multiprocessing: a pipe and a thread for each model, to say once that it was built.
        runtime.Queue = queue.SimpleQueue
    else:
        MessageInfrastructureFactory.create = _lavas_factory
        CspSelector.select = _lavas_select
        runtime.Queue = _lavas_queue
