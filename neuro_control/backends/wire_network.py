# SPDX-License-Identifier: Apache-2.0
"""A network as the LOAD message of the worker's protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuro_control.network import FixedNetwork
from neuro_control.worker.protocol import Kind, Message


def load_message(
    network: FixedNetwork, sequence: int, options: Mapping[str, Any] | None = None
) -> Message:
    """The message that `worker.wire_network.read_network` reads; its integers are the engine's.

    options: JSON values for the backend (board, partition, host, ...).

    Raises:
        ValueError: an input is graded, which the messages of spikes do not carry.
    """
    for name, port in network.inputs.items():
        if port.message_bits:
            raise ValueError(
                f"input {name!r} is graded ({port.message_bits} bits), and a backend in another "
                "process is given binary spikes only; step this network on the cpu backend, or "
                "spread the payload over channels and set message_bits to 0"
            )
    arrays = {}
    for i, population in enumerate(network.populations):
        for name in ("du", "dv", "vth", "bias_mantissa"):
            arrays[f"{name}.{i}"] = getattr(population, name)
    for j, projection in enumerate(network.projections):
        arrays[f"row_start.{j}"] = projection.row_start.astype(np.int64)
        arrays[f"target.{j}"] = projection.target_index.astype(np.int32)
        arrays[f"weight.{j}"] = projection.weight.astype(np.int32)
    fields = {
        "fingerprint": network.fingerprint(),
        "populations": [
            [
                p.name,
                p.size,
                int(p.bias_exponent),
                p.spiking,
                bool(np.any(p.refractory)),
                bool(np.any(p.threshold_step)),
            ]
            for p in network.populations
        ],
        "projections": [
            [
                q.source,
                q.target,
                q.n_target,
                q.n_source,
                int(q.weight_exponent),
                int(q.num_weight_bits),
                int(q.delay),
            ]
            for q in network.projections
        ],
        "inputs": [[name, port.offset, port.size] for name, port in network.inputs.items()],
        "outputs": [
            [port.offset, network.output_populations[name]]
            for name, port in network.outputs.items()
        ],
        "options": dict(options or {}),
    }
    return Message(Kind.LOAD, sequence, fields, arrays)
