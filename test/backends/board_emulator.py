# SPDX-License-Identifier: Apache-2.0
"""A process that speaks the worker's protocol with the engine's spikes, and misbehaves if told to.

Nobody needs a board to see what happens when one fails: `--fault KIND --at N` makes the N-th STEP
(the first is 1) go wrong; `--every` makes it go wrong at N, 2 N, 3 N, ... as well. SIGUSR1 spoils
the next one.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import time
from typing import Any

import numpy as np

from neuro_control.backends import CpuRunner, RunnerState
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port
from neuro_control.worker import containment
from neuro_control.worker.channel import Channel, ClosedError
from neuro_control.worker.program import serve
from neuro_control.worker.protocol import HEADER, Kind, Message, ProtocolError, RefusalError, encode
from neuro_control.worker.spikes import Spikes, fault_of
from neuro_control.worker.wire_network import WireNetwork, read_network

FAULTS = (
    *("late", "hang", "die", "wrong", "drop", "corrupt", "garbage", "short", "beyond"),
    *("failed", "neurons", "version", "silent", "no_restore"),
)


def engine_network(wire: WireNetwork) -> FixedNetwork:
    """The network that was sent, for the engine."""
    populations = tuple(
        FixedPopulation(
            p.name,
            (len(p.du),),
            p.offset,
            p.du,
            p.dv,
            p.vth,
            p.bias_mantissa,
            p.bias_exponent,
            p.spiking,
        )
        for p in wire.populations
    )
    projections = tuple(
        FixedProjection(
            f"{q.source} -> {q.target}",
            q.source,
            q.target,
            q.n_target,
            q.row_start,
            q.target_index,
            q.weight.astype(np.int16),
            q.weight_exponent,
            q.num_weight_bits,
            q.delay,
        )
        for q in wire.projections
    )
    inputs = {name: Port(offset, size, (size,)) for name, (offset, size) in wire.inputs.items()}
    outputs, shown = {}, {}
    for offset, name in wire.outputs:
        size = len(wire.population(name).du)
        outputs[f"{name}@{offset}"] = Port(offset, size, (size,))
        shown[f"{name}@{offset}"] = name
    return FixedNetwork(populations, projections, inputs, outputs, shown, 1e-3)


class EmulatedBoard:
    """Implements `worker.program.Chip` with the engine."""

    def __init__(self, fault: str, at: int, every: bool, late_s: float) -> None:
        self.fault, self.at, self.every, self.late_s = fault, at, every, late_s
        self.steps = 0
        self.wrong_next = False
        self._runner: CpuRunner | None = None

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
        wire = read_network(message)
        try:
            self._runner = CpuRunner(engine_network(wire))
        except ValueError as error:
            raise RefusalError(str(error)) from error
        self.runner.warm()
        return {"notes": [], "processes": 1}

    @property
    def runner(self) -> CpuRunner:
        if self._runner is None:
            raise RefusalError("no network is loaded")
        return self._runner

    def step(self, given: Spikes) -> Spikes:
        indices, offsets = given.indices, given.offsets
        channels = sum(port.size for port in self.runner.input_ports.values())
        if fault := fault_of(indices, offsets, channels):
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
        out, ends = self.runner.run(indices, offsets)
        if self.due("wrong") or self.wrong_next:
            self.wrong_next = False
            n = sum(port.size for port in self.runner.output_ports.values())
            first = set(out[: ends[1]].tolist()) ^ {n - 1}
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
        found = self.runner.state()
        return {name: getattr(found, name) for name in ("current", "membrane", "pending")}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        if self.fault == "no_restore":
            raise RefusalError("this board cannot be given a state")
        network = self.runner.network
        rows = network.longest_delay + 1
        if any(len(state[name]) != network.n_neurons for name in ("current", "membrane")) or (
            state["pending"].shape != (rows, network.n_neurons)
        ):
            raise RefusalError("the state is of another size")
        nothing = np.zeros_like(state["current"])
        fingerprint = network.fingerprint()
        given = RunnerState(fingerprint, *state.values(), adaptation=nothing, refractory=nothing)
        try:
            self.runner.restore(given)
        except ValueError as error:
            raise RefusalError(str(error)) from error

    def probe(self) -> dict[str, Any]:
        return {"power_w": 0.1}

    def stop(self) -> None:
        pass


class FaultyChannel(Channel):
    """Sends what it is told to, or loses it, or spoils it."""

    def __init__(self, connected: socket.socket, board: EmulatedBoard) -> None:
        super().__init__(connected)
        self.raw, self.board = connected, board

    def send(self, message: Message, timeout_s: float | None = None) -> None:
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
        self.raw.setblocking(True)
        self.raw.sendall(frame)
        self.raw.setblocking(False)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--shared-memory", required=True)
    parser.add_argument("--fault", choices=("", *FAULTS), default="")
    parser.add_argument("--at", type=int, default=1)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--late-s", type=float, default=0.05)
    arguments = parser.parse_args()
    containment.contain(arguments.socket, arguments.shared_memory)
    board = EmulatedBoard(arguments.fault, arguments.at, arguments.every, arguments.late_s)
    signal.signal(signal.SIGUSR1, board.spoil_next)
    channel = FaultyChannel(socket.socket(fileno=arguments.socket), board)
    try:
        return serve(channel, board, {"backend": "emulated", "pid": os.getpid()})
    except (ClosedError, ProtocolError):
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
