# SPDX-License-Identifier: Apache-2.0
"""What the worker does: read questions, ask the chip (or its model), answer."""

from __future__ import annotations

import argparse
import os
import platform
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import board, containment
from .channel import Channel, ClosedError
from .protocol import Kind, Message, ProtocolError, RefusalError
from .spikes import Spikes, read_spikes, spikes_message


class Chip(Protocol):
    """What steps a network in the worker."""

    def load(self, message: Message) -> dict[str, Any]:
        """Build the network of a LOAD message; returns what there is to know of it."""

    def step(self, given: Spikes) -> Spikes:
        """Advance some ticks. RefusalError where the input is none of this network."""

    def state(self) -> dict[str, NDArray[np.int64]]:
        """``current``, ``membrane`` and ``pending``."""

    def restore(self, state: dict[str, NDArray[np.int64]]) -> None:
        """Go on from there."""

    def probe(self) -> dict[str, Any]:
        """What it measures."""

    def stop(self) -> None:
        """Give the chip back."""


def answer(chip: Chip, message: Message) -> Message:
    """The reply to a question."""
    kind, sequence = message.kind, message.sequence
    if kind is Kind.STEP:
        given = read_spikes(message)
        started = time.perf_counter_ns()
        found = chip.step(given)
        busy_us = (time.perf_counter_ns() - started) / 1000
        found = Spikes(found.indices, found.offsets, busy_us, found.membranes)
        return spikes_message(Kind.SPIKES, sequence, found)
    fields: dict[str, Any] = {}
    arrays: dict[str, NDArray[np.int64]] = {}
    if kind is Kind.LOAD:
        fields = chip.load(message)
    elif kind is Kind.STATE:
        arrays = chip.state()
    elif kind is Kind.RESTORE:
        state = {name: message.array(name, "<i8") for name in ("current", "membrane")}
        chip.restore(state | {"pending": message.array("pending", "<i8", 2)})
    elif kind is Kind.PROBE:
        fields = chip.probe()
    elif kind is Kind.STOP:
        chip.stop()
    else:
        raise RefusalError(f"{kind.name} is no question")
    return Message(Kind.DONE, sequence, fields, arrays)


def serve(channel: Channel, chip: Chip, hello: dict[str, Any]) -> int:
    """Answer until told to stop; 0 then, 1 after a failure that was reported."""
    channel.send(Message(Kind.HELLO, 0, hello))
    while True:
        message = channel.receive()
        if message is None:
            continue
        try:
            channel.send(answer(chip, message))
        except (RefusalError, ProtocolError) as error:
            channel.send(Message(Kind.REFUSED, message.sequence, {"text": str(error)}))
        except ClosedError:
            raise
        except Exception as error:
            traceback.print_exc()
            text = f"{type(error).__name__}: {error}"
            channel.send(Message(Kind.FAILED, message.sequence, {"text": text}))
            return 1
        if message.kind is Kind.STOP:
            return 0


def main(words: Sequence[str]) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="neuro_control worker")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--backend", choices=("lava", "loihi"), required=True)
    parser.add_argument("--shared-memory", required=True, metavar="PREFIX")
    arguments = parser.parse_args(words)
    containment.contain(arguments.socket, arguments.shared_memory)
    channel = Channel(socket.socket(fileno=arguments.socket))
    try:
        # Before Lava is imported, which takes its time: `auto` asks at every start.
        if arguments.backend == "loihi" and (missing := board.missing()):
            raise RuntimeError(missing)
        from .lava.chip import LavaChip, lava_version

        chip = LavaChip(arguments.backend)
    except (ImportError, RuntimeError) as error:
        text = f"{type(error).__name__}: {error}"
        if isinstance(error, ImportError):
            text += "; `neuro_control backend setup lava` makes an interpreter that has it"
        channel.send(Message(Kind.FAILED, 0, {"text": text}))
        return 1
    hello = {
        "backend": arguments.backend,
        "pid": os.getpid(),
        "python": platform.python_version(),
        "versions": {"lava-nc": lava_version(), "numpy": np.__version__},
    }
    try:
        code = serve(channel, chip, hello)
    except (ClosedError, ProtocolError) as error:
        print(f"worker: {error}", file=sys.stderr)
        code = 1
    # Lava's threads and processes must not keep this one from ending.
    sys.stdout.flush()
    sys.stderr.flush()
    containment.remove_shared_memory(arguments.shared_memory)
    os._exit(code)
