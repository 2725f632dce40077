# SPDX-License-Identifier: Apache-2.0
"""Running a node: its executor, its loop, its end.

rclpy's EventsExecutor costs half the CPU time of the SingleThreadedExecutor and answers sooner,
and is used where rclpy has it. It has three traps (rclpy 7.1):

- `spin()` without a timeout keeps a core busy and runs nothing; `spin_for` gives it a timeout.
- It hands (message, info) to a callback as one tuple, where the other executors hand over two
  arguments; `MessageWithInfo` takes both.
- `spin_once` handles one event only; `spin_for` handles all that come in its time.
"""

from __future__ import annotations

import gc
import inspect
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

ExecutorKind = Literal["events", "single_threaded"]

# Python hears a signal when the executor next returns to it, at the latest after this long.
_SLICE_S = 0.1


class StartError(RuntimeError):
    """A node that cannot do its work; the message says why."""


def _with_info(message: Any, info: dict[str, Any]) -> None:
    """The signature by which rclpy knows that the info is wanted."""


class MessageWithInfo:
    """A subscription callback that wants the message and its info, for every executor.

    The info is a dict; `source_timestamp` is the wall-clock time (ns) at which it was published.
    """

    def __init__(self, callback: Callable[[Any, dict[str, Any]], None]) -> None:
        self._callback = callback
        self.__signature__ = inspect.signature(_with_info)

    def __call__(self, message: Any, info: dict[str, Any] | None = None) -> None:
        """Called by the executor, in either way."""
        if info is None:
            message, info = message
        self._callback(message, info or {})


def make_executor(kind: ExecutorKind = "events") -> Executor:
    """An executor of this kind, or the SingleThreadedExecutor where rclpy has no other."""
    if kind == "events":
        try:
            from rclpy.experimental import EventsExecutor
        except ImportError:  # rclpy of Humble
            pass
        else:
            return EventsExecutor()
    return SingleThreadedExecutor()


def spin_for(executor: Executor, seconds: float, until: Future | None = None) -> None:
    """Handle what comes for this long, or until the future is done."""
    executor.spin_until_future_complete(until or Future(), timeout_sec=max(seconds, 0.0))


class EndRequest:
    """SIGINT, SIGTERM and SIGHUP as a question that a loop asks, and not a bolt out of the blue.

    rclpy's own handlers end its context at once, in the middle of whatever a callback does; then
    a guard could not send its last hold. A second SIGINT raises KeyboardInterrupt, for a node that
    does not come to its end. SIGHUP, which comes when a terminal or an ssh session closes, stays
    ignored where it was, as under nohup.
    """

    def __init__(self) -> None:
        self.made = False
        self._spinning: Future | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Called by the interpreter."""
        del frame
        if self.made and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.made = True
        if self._spinning is not None and not self._spinning.done():
            self._spinning.set_result(None)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Within this, the signals come here."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def goes_on(self) -> bool:
        """Whether nobody has asked for the end."""
        return not self.made and bool(rclpy.ok())

    def spin(self, executor: Executor, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Handle what comes for as long as it goes on and nobody has asked for the end.

        An EventsExecutor whose timers' callbacks take longer than their periods never comes to look
        at its time limit; a future that is done it sees.
        """
        self._spinning = Future()
        while goes_on() and self.goes_on():
            spin_for(executor, _SLICE_S, self._spinning)


Work = Callable[[Any, Executor, EndRequest], None]


def spin(node: Node, executor: Executor, request: EndRequest) -> None:
    """Handle what comes until somebody asks for the end."""
    del node
    request.spin(executor)


def run(
    make_node: Callable[[], Node],
    args: Sequence[str] | None = None,
    work: Work = spin,
    begin: Callable[[Any], None] | None = None,
    end: Callable[[Any], None] | None = None,
    kind: ExecutorKind = "events",
) -> int:
    """Run one node from command line to end; returns the exit code.

    make_node: makes the node; a StartError or ValueError from it is one line and exit code 1, for
        these say what is wrong with what it was told.
    begin: given the node before its work; what it raises is told as what make_node raises.
    work: given the node, the executor, and the request for the end; returns when it is made.
    end: given the node when work is over, while it can still publish.
    Ctrl-C, SIGTERM and SIGHUP end it with exit code 0. A StartError of the work is one line too;
    whatever else a callback raises is a defect, shown with its traceback, and exit code 1.
    """
    request = EndRequest()
    node: Node | None = None
    executor: Executor | None = None
    with request.heard():
        rclpy.init(
            args=None if args is None else list(args),
            signal_handler_options=SignalHandlerOptions.NO,
        )
        try:
            try:
                node = make_node()
                executor = make_executor(kind)
                executor.add_node(node)
                if begin is not None:
                    begin(node)
            except ValueError as error:
                raise StartError(str(error)) from error
            # What start-up left is never garbage; not to look through it again shortens the
            # pauses.
            gc.collect()
            gc.freeze()
            try:
                work(node, executor, request)
            finally:
                if end is not None and rclpy.ok():
                    end(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass
        except StartError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return 1
        except Exception:  # noqa: BLE001 - told in full, and it ends here
            traceback.print_exc()
            return 1
        finally:
            if executor is not None and node is not None:
                executor.remove_node(node)
            if node is not None:
                node.destroy_node()
            if executor is not None:
                # It still holds the timers of the node, and by those the node.
                executor.shutdown()
            rclpy.try_shutdown()
    return 0
