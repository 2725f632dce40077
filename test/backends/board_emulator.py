# SPDX-License-Identifier: Apache-2.0
"""A process that speaks the worker's protocol with the engine's spikes, and misbehaves if told to.

Nobody needs a board to see what happens when one fails: `--fault KIND --at N` makes the N-th STEP
(the first is 1) go wrong; `--every` makes it go wrong at N, 2 N, 3 N, ... as well. SIGUSR1 spoils
the next one. `--dense` steps small networks with `dense_wire` in place of the engine, whose
compiled code takes seconds to load; their spikes are the same (test_worker_process compares both).
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from neuro_control.worker import containment
from neuro_control.worker.channel import Channel, ClosedError
from neuro_control.worker.program import serve
from neuro_control.worker.protocol import HEADER, Kind, Message, ProtocolError, RefusalError, encode
from neuro_control.worker.spikes import Spikes, fault_of
from neuro_control.worker.structure import check
from neuro_control.worker.wire_network import WireNetwork, read_network

FAULTS = (
    *("late", "hang", "die", "wrong", "drop", "corrupt", "garbage", "short", "beyond"),
    *("failed", "neurons", "version", "silent", "no_restore", "busy"),
    *("load", "probe"),
)


class Steps(Protocol):
    """What steps the network: `engine_wire.EngineWire` or `dense_wire.DenseWire`."""

    n_inputs: int
    n_outputs: int

    def run(self, indices: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `neuro_control.backends.Runner.run`."""

    def state(self) -> dict[str, np.ndarray]:
        """``current``, ``membrane`` and ``pending``."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from there. ValueError where this network has no such state."""


class EmulatedBoard:
    """Implements `worker.program.Chip`."""

    def __init__(
        self,
        make_steps: Callable[[WireNetwork], Steps],
        fault: str = "",
        at: int = 1,
        every: bool = False,
        late_s: float = 0.0,
    ) -> None:
        self.make_steps = make_steps
        self.fault, self.at, self.every, self.late_s = fault, at, every, late_s
        self.steps = 0
        self.wrong_next = False
        self._loaded: Steps | None = None

    def spoil_next(self, *_: object) -> None:
        self.wrong_next = True

    def due(self, *kinds: str) -> bool:
        now = self.steps == self.at or (self.every and self.steps and self.steps % self.at == 0)
        return self.fault in kinds and bool(now)

    def load(self, message: Message) -> dict[str, Any]:
        if self.fault == "neurons":
            raise RefusalError(
                "the board has 128 neurocores of 1024 neurons; population 'n0' needs more"
            )
        if self.fault == "load":
            raise NameError("a_buff")
        wire = read_network(message)
        notes = check(wire, on_chip=False)
        try:
            self._loaded = self.make_steps(wire)
        except ValueError as error:
            raise RefusalError(str(error)) from error
        return {"notes": notes, "processes": 1}

    @property
    def loaded(self) -> Steps:
        if self._loaded is None:
            raise RefusalError("no network is loaded")
        return self._loaded

    def step(self, given: Spikes) -> Spikes:
        indices, offsets = given.indices, given.offsets
        if fault := fault_of(indices, offsets, self.loaded.n_inputs):
            raise RefusalError(fault)
        self.steps += 1
        if self.due("hang"):
            signal.pause()
        if self.due("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.due("failed"):
            raise RuntimeError("the chip is too hot")
        if self.due("late"):
            time.sleep(self.late_s)
        out, ends = self.loaded.run(indices, offsets)
        if self.due("wrong") or self.wrong_next:
            self.wrong_next = False
            first = set(out[: ends[1]].tolist()) ^ {self.loaded.n_outputs - 1}
            changed = np.array(sorted(first), np.int32)
            out = np.concatenate([changed, out[ends[1] :]])
            ends = np.concatenate([ends[:1], ends[1:] + (len(changed) - ends[1])])
        if self.due("short"):
            ends = ends[:-1]
            out = out[: ends[-1]]
        if self.due("beyond"):
            out = np.append(out, np.int32(1 << 20))
            ends = np.append(ends[:-1], ends[-1] + 1)
        return Spikes(out, ends)

    def state(self) -> dict[str, np.ndarray]:
        return self.loaded.state()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        if self.fault == "no_restore":
            raise RefusalError("this board cannot be given a state")
        try:
            self.loaded.restore(state)
        except ValueError as error:
            raise RefusalError(str(error)) from error

    def probe(self) -> dict[str, Any]:
        if self.fault == "probe":
            raise KeyError("power")
        return {"power_w": 0.1}

    def stop(self) -> None:
        pass


class FaultyChannel(Channel):
    """Sends what it is told to, or loses it, or spoils it."""

    def __init__(self, connected: socket.socket, board: EmulatedBoard) -> None:
        super().__init__(connected)
        self.raw, self.board = connected, board

    def send(self, message: Message, timeout_s: float | None = None) -> None:
        if not self.board.fault:
            super().send(message, timeout_s)
            return
        frame = bytearray(encode(message))
        step = message.kind is Kind.SPIKES
        if self.board.fault == "silent" or (step and self.board.due("drop")):
            return
        if self.board.fault == "version" and message.kind is Kind.HELLO:
            frame[4] = 99
        if step and self.board.due("corrupt"):
            frame[HEADER.size + 3] ^= 0x40
        if step and self.board.due("garbage"):
            frame[:] = b"\x00\xff" * 64
        self.raw.sendall(frame)
        if self.board.fault == "busy":
            # After its hello already: in C, and with the interpreter's lock, as a driver may.
            sum(range(10**15))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--shared-memory", required=True)
    parser.add_argument("--fault", choices=("", *FAULTS), default="")
    parser.add_argument("--at", type=int, default=1)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--late-s", type=float, default=0.05)
    parser.add_argument("--dense", action="store_true")
    given = vars(parser.parse_args())
    containment.contain(given["socket"], given["shared_memory"])
    # From this script's folder; the engine is imported where it is wanted only.
    make_steps: Callable[[WireNetwork], Steps]
    if given["dense"]:
        from dense_wire import DenseWire

        make_steps = DenseWire
    else:
        from engine_wire import EngineWire

        make_steps = EngineWire
    options = {name: given[name] for name in ("fault", "at", "every", "late_s")}
    board = EmulatedBoard(make_steps, **options)
    signal.signal(signal.SIGUSR1, board.spoil_next)
    channel = FaultyChannel(socket.socket(fileno=given["socket"]), board)
    try:
        return serve(channel, board, {"backend": "emulated", "pid": os.getpid()})
    except (ClosedError, ProtocolError):
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
