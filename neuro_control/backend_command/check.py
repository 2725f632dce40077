# SPDX-License-Identifier: Apache-2.0
"""`neuro_control backend check`: every spike and membrane of a backend against the engine's."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from neuro_control.backend_command.report import (
    check_writable,
    line,
    passed,
    reservations,
    verdict,
    write_report,
)
from neuro_control.backends.parity import compare_with_engine
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.random_networks import random_convolution, random_network
from neuro_control.backends.registry import lava_python
from neuro_control.backends.shadowed import said_of
from neuro_control.backends.worker_process import (
    BackendError,
    RefusedError,
    StartError,
    WorkerProcess,
    worker_command,
)
from neuro_control.network import FixedNetwork, quantize, read_nir
from neuro_control.robots.description import share_directory

SHIPPED_ACTIVITY = 0.02
RANDOM_ACTIVITY = 0.3
STATES_EVERY = 4  # calls
BATCH = 50
PLACES = ("host", "partition", "board", "generation")


@dataclass(frozen=True)
class Subject:
    """A network to compare on, and the share of its inputs that spike in a tick."""

    name: str
    network: FixedNetwork
    activity: float


def check(arguments: argparse.Namespace) -> int:
    """Compare, print a line for each network and the totals, and write the report."""
    for name, least in (("networks", 0), ("ticks", 1), ("seed", 0), ("jobs", 1)):
        if getattr(arguments, name) < least:
            raise ValueError(f"--{name} must be at least {least}, not {getattr(arguments, name)}")
    check_places(arguments)
    if arguments.report:
        # Better now than after an hour.
        check_writable(arguments.report)
    command = worker_command(lava_python(arguments.python, "--python"), arguments.name)
    options: dict[str, Any] = {name: getattr(arguments, name) for name in PLACES}
    options |= {"record_membranes": True}
    if arguments.name == "loihi":
        options["probes"] = [] if arguments.no_probes else ["power", "time"]
    worker = say_hello(command, arguments.python)
    running = Running()
    begin = time.monotonic()

    def compare(subject: Subject) -> dict[str, Any]:
        return compare_one(arguments, command, options, subject, running)

    rows: list[dict[str, Any]] = []
    pool = ThreadPoolExecutor(arguments.jobs)
    asked: list[tuple[str, Future[dict[str, Any]]]] = []
    try:
        for subject in subjects(arguments.networks, arguments.seed):
            asked.append((subject.name, pool.submit(compare, subject)))
        for _, answer in asked:
            rows.append(answer.result())
            print(line(rows[-1]), flush=True)
    except KeyboardInterrupt:
        running.interrupt()
        pool.shutdown(wait=True, cancel_futures=True)
        rows += [
            answer.result() if not answer.cancelled() else {"network": name, "interrupted": True}
            for name, answer in asked[len(rows) :]
        ]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if arguments.report:
            write_report(arguments.report, arguments.name, worker, rows)
    print(f"{arguments.name}: {verdict(rows)}; {time.monotonic() - begin:.0f} s")
    for text in reservations(rows):
        print(f"  {text}")
    if running.interrupted:
        return 130
    return 0 if any("exact" in row for row in rows) and all(map(passed, rows)) else 1


class Running:
    """The processes that are compared with now, so that Ctrl-C need not wait for them."""

    def __init__(self) -> None:
        self.interrupted = False
        self._processes: set[WorkerProcess] = set()
        self._lock = threading.Lock()

    def add(self, process: WorkerProcess) -> None:
        """One has started. KeyboardInterrupt where that is too late."""
        with self._lock:
            if self.interrupted:
                raise KeyboardInterrupt
            self._processes.add(process)

    def interrupt(self) -> None:
        """Kill all there are, and let no more begin; who waits for them gets an error."""
        with self._lock:
            self.interrupted = True
            for process in self._processes:
                process.kill()


def say_hello(command: list[str], python: str) -> Mapping[str, Any]:
    """What the backend's process says of itself: whether it can be had at all, and its versions.

    python: the argument by which the interpreter was given, '' if it was not; for the error.

    Raises:
        StartError: it cannot; the message says why.
    """
    try:
        process = WorkerProcess(command)
    except StartError as error:
        where = f"--python {python}: " if python else ""
        raise StartError(f"{where}{error}") from error
    process.close()
    return process.hello.fields


def compare_one(
    arguments: argparse.Namespace,
    command: list[str],
    options: Mapping[str, Any],
    subject: Subject,
    running: Running,
) -> dict[str, Any]:
    """The report's row of one network. What goes wrong with it is a row as well: others follow."""
    row: dict[str, Any] = {"network": subject.name}

    def failed(error: Exception) -> dict[str, Any]:
        # What was killed by Ctrl-C has not failed.
        return row | ({"interrupted": True} if running.interrupted else {"failed": said_of(error)})

    try:
        runner = ProcessRunner(
            subject.network, command, arguments.name, options, started=running.add
        )
    except RefusedError as error:
        return row | {"refused": str(error)}
    except BackendError as error:
        return failed(error)
    except KeyboardInterrupt:
        return row | {"interrupted": True}
    row["loaded"] = dict(runner.loaded)
    try:
        found = compare_with_engine(
            runner,
            subject.network,
            arguments.ticks,
            seed=arguments.seed,
            activity=subject.activity,
            batch=min(BATCH, arguments.ticks),
            states_every=STATES_EVERY,
        )
        return row | {"exact": found.exact, **asdict(found), "measured": measured(runner)}
    except Exception as error:  # noqa: BLE001 - what nobody has tried may fail in any way
        return failed(error)
    finally:
        runner.close()


def measured(runner: ProcessRunner) -> dict[str, Any]:
    """What the chip measured; that it cannot be read takes nothing from what was compared."""
    try:
        return dict(runner.measurements())
    except BackendError as error:
        return {"failed": str(error)}


def check_places(arguments: argparse.Namespace) -> None:
    """Raise ValueError where a board is described to a backend that has none."""
    given = [f"--{name}" for name in PLACES if getattr(arguments, name)]
    given += ["--no-probes"] if arguments.no_probes else []
    if given and arguments.name != "loihi":
        raise ValueError(
            f"{', '.join(given)}: of a board, and {arguments.name} steps on none; leave it out, or "
            "check loihi"
        )


def subjects(random: int, seed: int) -> Iterator[Subject]:
    """The shipped networks, then random ones, of which every fourth is convolutional."""
    for path in sorted((share_directory() / "config" / "networks").glob("*.nir")):
        yield Subject(path.name, quantize(read_nir(path)), SHIPPED_ACTIVITY)
    for number in range(seed, seed + random):
        dense = number % 4 != 3
        yield Subject(
            f"random {number}" if dense else f"random convolution {number}",
            (random_network if dense else random_convolution)(number),
            RANDOM_ACTIVITY,
        )
