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
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

ExecutorKind = Literal["events", "single_threaded"]

_LONG_S = 60.0


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


def spin_until_shutdown(executor: Executor) -> None:
    """Handle what comes until somebody ends the process."""
    while rclpy.ok():
        spin_for(executor, _LONG_S)


def run(
    make_node: Callable[[], Node],
    args: Sequence[str] | None = None,
    work: Callable[[Any, Executor], None] | None = None,
    kind: ExecutorKind = "events",
) -> int:
    """Run one node from command line to end; returns the exit code.

    make_node: makes the node; a StartError or ValueError from it is one line and exit code 1.
    work: runs instead of spinning until shutdown, given the node and the executor.
    Ctrl-C and SIGTERM end it with exit code 0.
    """
    rclpy.init(args=None if args is None else list(args))
    node: Node | None = None
    executor: Executor | None = None
    try:
        node = make_node()
        executor = make_executor(kind)
        executor.add_node(node)
        # What start-up left is never garbage; not to look through it again shortens the pauses.
        gc.collect()
        gc.freeze()
        if work is None:
            spin_until_shutdown(executor)
        else:
            work(node, executor)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (StartError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except RuntimeError:
        # The signal ends rclpy at any moment, between two messages too; to publish then fails.
        if rclpy.ok():
            raise
    finally:
        if executor is not None and node is not None:
            executor.remove_node(node)
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
