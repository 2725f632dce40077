# SPDX-License-Identifier: Apache-2.0
"""`neuro_control backend list`: what can step a network on this machine."""

from __future__ import annotations

import argparse

from neuro_control.backends.registry import OURS, installed, lava_python
from neuro_control.backends.worker_process import BackendError, WorkerProcess, worker_command


def listing(arguments: argparse.Namespace) -> int:
    """Print a line for each; see `options`."""
    del arguments
    print("cpu     yes  event-driven, compiled, exact")
    for name in ("lava", "loihi"):
        print(f"{name:<7} {_state(name)}")
    for name, where in installed().items():
        hidden = "; never used: the name is one of neuro_control's own" if name in OURS else ""
        print(f"{name:<7} from {where}{hidden}")
    return 0


def _state(name: str) -> str:
    try:
        process = WorkerProcess(worker_command(lava_python(), name))
    except BackendError as error:
        return f"no   {error}"
    versions = process.hello.fields.get("versions", {})
    process.close()
    found = ", ".join(f"{key} {value}" for key, value in versions.items())
    return f"yes  Python {process.hello.fields.get('python', '?')}, {found}"
