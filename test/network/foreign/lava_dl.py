# SPDX-License-Identifier: Apache-2.0
"""What lava-dl makes of a netx file: `python lava_dl.py FILE.net INPUT.npz OUTPUT.npz`.

Without arguments it runs the files in `netx` again and compares what is recorded of them, with the
exit code 1 where anything differs.

INPUT holds ``spikes`` bool[ticks, *input shape] with images as (channel, row, column); OUTPUT gets
``output`` bool[ticks, n], the spikes of the last layer of `lava.lib.dl.netx.hdf5.Network` in Lava's
fixed-point CPU model, in the order (channel, row, column), and ``made_by``. It runs in an
environment of its own:

    pip install torch "numpy<2"
    pip install --no-deps --ignore-requires-python lava-nc==0.10.0 lava-dl==0.6.0
    pip install "numpy<2" "scipy<1.16" "networkx<=2.8.7" "asteval<1.1" "scikit-learn<2"
    pip install h5py matplotlib
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np


def import_lava() -> Any:
    """The reader; from Python 3.11 on a dataclass of Lava's needs help while it is imported."""
    plain = dataclasses.dataclass

    def hashable(cls: Any = None, /, **options: Any) -> Any:
        if cls is not None and cls.__name__ == "ByteEncoder":
            options["unsafe_hash"] = True
        return plain(cls, **options) if cls is not None else lambda c: hashable(c, **options)

    dataclasses.dataclass = hashable
    try:
        import lava.magma.compiler.var_model  # noqa: F401
    finally:
        dataclasses.dataclass = plain
    # Its object detection wants OpenCV and torchvision, which a reader of files does not.
    unused = "lava.lib.dl.slayer.object_detection"
    sys.modules[unused] = types.ModuleType(unused)
    from lava.lib.dl import netx

    return netx.hdf5.Network


def spikes_of(network_class: Callable[..., Any], path: str, spikes: np.ndarray) -> np.ndarray:
    """Spikes of the last layer, bool[ticks, n]."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    # Lava has images as (column, row, channel).
    given = spikes.transpose(0, 3, 2, 1) if spikes.ndim == 4 else spikes
    # Our files begin with an input layer where there are images; it only says their shape.
    skip = {"skip_layers": 1, "input_shape": given.shape[1:]} if spikes.ndim == 4 else {}
    network = network_class(net_config=path, **skip)
    source = Source(data=np.moveaxis(given, 0, -1).astype(int))
    sink = Sink(shape=network.out.shape, buffer=len(given))
    source.s_out.connect(network.inp)
    network.out.connect(sink.a_in)
    network.run(condition=RunSteps(len(given)), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    output = np.moveaxis(sink.data.get(), -1, 0)
    network.stop()
    if output.ndim == 4:
        output = output.transpose(0, 3, 2, 1)
    return output.reshape(len(given), -1) > 0


def compare(network_class: Callable[..., Any]) -> int:
    """Run what is recorded again; 1 where anything differs."""
    differing = 0
    for path in sorted((Path(__file__).parent / "netx").glob("*.net")):
        with np.load(path.with_suffix(".npz")) as file:
            spikes, recorded = file["spikes"], file["output"]
        wrong = int((spikes_of(network_class, str(path), spikes) != recorded).sum())
        print(f"{path.name}: {recorded.sum()} spikes, {wrong} differ")
        differing += wrong
    return int(differing > 0)


def main() -> int:
    """Record one file, or compare all."""
    network_class = import_lava()
    if len(sys.argv) == 1:
        return compare(network_class)
    with np.load(sys.argv[2]) as file:
        spikes = file["spikes"]
    output = spikes_of(network_class, sys.argv[1], spikes)
    made_by = f"lava-dl {metadata.version('lava-dl')}, lava-nc {metadata.version('lava-nc')}"
    np.savez_compressed(sys.argv[3], spikes=spikes, output=output, made_by=made_by)
    return 0


if __name__ == "__main__":
    sys.exit(main())
