# SPDX-License-Identifier: Apache-2.0
"""What lava-dl makes of a netx file: `python lava_dl.py FILE.net INPUT.npz OUTPUT.npz`.

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
from importlib import metadata
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


def main() -> None:
    network_class = import_lava()
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    with np.load(sys.argv[2]) as file:
        spikes = file["spikes"]
    # Lava has images as (column, row, channel).
    given = spikes.transpose(0, 3, 2, 1) if spikes.ndim == 4 else spikes
    # Our files begin with an input layer where there are images; it only says their shape.
    skip = {"skip_layers": 1, "input_shape": given.shape[1:]} if spikes.ndim == 4 else {}
    network = network_class(net_config=sys.argv[1], **skip)
    source = Source(data=np.moveaxis(given, 0, -1).astype(int))
    sink = Sink(shape=network.out.shape, buffer=len(given))
    source.s_out.connect(network.inp)
    network.out.connect(sink.a_in)
    network.run(condition=RunSteps(len(given)), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    output = np.moveaxis(sink.data.get(), -1, 0)
    network.stop()
    if output.ndim == 4:
        output = output.transpose(0, 3, 2, 1)
    made_by = f"lava-dl {metadata.version('lava-dl')}, lava-nc {metadata.version('lava-nc')}"
    np.savez_compressed(sys.argv[3], output=output.reshape(len(given), -1) > 0, made_by=made_by)


if __name__ == "__main__":
    main()
