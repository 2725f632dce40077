# SPDX-License-Identifier: Apache-2.0
"""Small networks made and run by other frameworks: `python make_graphs.py FRAMEWORK FOLDER`.

Run it in an environment of that framework's own, for example

    python -m venv /tmp/norse && /tmp/norse/bin/pip install norse nir nirtorch torch
    /tmp/norse/bin/python test/network/foreign/make_graphs.py norse test/network/foreign/graphs

For every network it writes NAME.nir with the framework's own exporter, and NAME.npz: ``spikes``
bool[ticks, channels] that went in, ``output`` float32[ticks, ...] that the framework gave,
``dt_s`` of a tick and ``made_by``, the framework with its version. Everything is seeded.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

TICKS = 80
DT = 1e-3


def linear(n_in: int, n_out: int, strength: float, bias: bool = False) -> torch.nn.Linear:
    layer = torch.nn.Linear(n_in, n_out, bias=bias)
    layer.weight.data = torch.randn(n_out, n_in) * strength / n_in**0.5
    if bias:
        layer.bias.data = torch.randn(n_out) * 0.02
    return layer


def convolution(n_in: int, n_out: int, **options: Any) -> torch.nn.Conv2d:
    layer = torch.nn.Conv2d(n_in, n_out, 3, **options)
    layer.weight.data = torch.randn(layer.weight.shape) * 0.5
    layer.bias.data = torch.randn(n_out) * 0.02
    return layer


def spikes(shape: tuple[int, ...], share: float = 0.2) -> torch.Tensor:
    return (torch.rand(TICKS, *shape) < share).float()


def save(
    folder: Path, name: str, graph: Any, given: torch.Tensor, output: torch.Tensor, dt_s: float
) -> None:
    import nir

    made_by = f"{name.split('_', maxsplit=1)[0]} {metadata.version(name.split('_', maxsplit=1)[0])}"
    nir.write(folder / f"{name}.nir", graph)
    np.savez_compressed(
        folder / f"{name}.npz",
        spikes=given.flatten(1).numpy().astype(bool),
        output=output.detach().flatten(1).numpy().astype(np.float32),
        dt_s=dt_s,
        made_by=made_by,
    )
    print(f"{name}: {output.sum():.0f} of {output.numel()}, {made_by}")


def snntorch(folder: Path) -> None:
    import snntorch as snn
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    how = {"reset_mechanism": "zero", "reset_delay": False, "init_hidden": True}

    def leaky(kind: Any, shape: tuple[int, ...], beta: float, **more: Any) -> Any:
        # Its exporter takes the shape of a layer from that of its parameters.
        full = {"beta": torch.full(shape, beta), "threshold": torch.ones(shape)}
        if "alpha" in more:
            full["alpha"] = torch.full(shape, more.pop("alpha"))
        return kind(**full, **how, **more)

    nets = {
        "leaky": torch.nn.Sequential(
            linear(12, 10, 1.5, bias=True),
            leaky(snn.Leaky, (10,), 0.9),
            linear(10, 4, 1.5),
            leaky(snn.Leaky, (4,), 0.8, output=True),
        ),
        "synaptic": torch.nn.Sequential(
            linear(12, 10, 0.8),
            leaky(snn.Synaptic, (10,), 0.9, alpha=0.7),
            linear(10, 4, 0.8),
            leaky(snn.Synaptic, (4,), 0.8, alpha=0.5, output=True),
        ),
        "recurrent": torch.nn.Sequential(
            linear(12, 6, 1.5),
            leaky(snn.RLeaky, (6,), 0.9, linear_features=6, output=True),
        ),
        "convolution": torch.nn.Sequential(
            convolution(2, 3, stride=2, padding=1),
            leaky(snn.Leaky, (3, 4, 4), 0.9),
            torch.nn.Flatten(),
            linear(48, 4, 1.5),
            leaky(snn.Leaky, (4,), 0.9, output=True),
        ),
    }
    for name, net in nets.items():
        shape = (2, 8, 8) if name == "convolution" else (12,)
        given = spikes(shape)
        for module in net.modules():
            if isinstance(module, snn.RLeaky):
                module.recurrent.weight.data = torch.randn(6, 6) * 0.4
                module.recurrent.bias.data.zero_()
        graph = export_to_nir(net, torch.zeros(1, *shape), ignore_dims=[0])
        utils.reset(net)
        outputs = []
        with torch.no_grad():
            for frame in given:
                found = net(frame.unsqueeze(0))
                outputs.append((found[0] if isinstance(found, tuple) else found)[0])
        save(folder, f"snntorch_{name}", graph, given, torch.stack(outputs), 1e-4)


def norse(folder: Path) -> None:
    import norse.torch as n
    from norse.torch.utils.export_nir import to_nir

    def box(size: int) -> Any:
        zero, one = torch.zeros(size), torch.ones(size)
        return n.LIFBoxParameters(tau_mem_inv=100 * one, v_th=0.3 * one, v_leak=zero, v_reset=zero)

    def lif(size: int) -> Any:
        zero, one = torch.zeros(size), torch.ones(size)
        return n.LIFParameters(
            tau_mem_inv=80 * one, tau_syn_inv=200 * one, v_th=0.4 * one, v_leak=zero, v_reset=zero
        )

    def iaf(size: int) -> Any:
        return n.IAFParameters(v_th=torch.ones(size), v_reset=torch.zeros(size))

    li = n.LIBoxParameters(tau_mem_inv=torch.full((4,), 100.0), v_leak=torch.zeros(4))
    nets = {
        "lifbox": n.SequentialState(
            linear(12, 10, 8.0, bias=True),
            n.LIFBoxCell(box(10)),
            linear(10, 4, 8.0),
            n.LIFBoxCell(box(4)),
        ),
        "lif": n.SequentialState(
            linear(12, 10, 2.0), n.LIFCell(lif(10)), linear(10, 4, 2.0), n.LIFCell(lif(4))
        ),
        "iaf": n.SequentialState(
            linear(12, 10, 1.5), n.IAFCell(iaf(10)), linear(10, 4, 1.5), n.IAFCell(iaf(4))
        ),
        "li": n.SequentialState(linear(12, 4, 1.0), n.LIBoxCell(li)),
    }
    for name, net in nets.items():
        given = spikes((12,))
        state, outputs = None, []
        with torch.no_grad():
            for frame in given:
                found, state = net(frame.unsqueeze(0), state)
                outputs.append(found[0])
        graph = to_nir(net, torch.zeros(1, 12))
        save(folder, f"norse_{name}", graph, given, torch.stack(outputs), DT)


def sinabs(folder: Path) -> None:
    import sinabs.layers as sl
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.nir import to_nir

    how = {"spike_fn": SingleSpike, "reset_fn": MembraneReset()}

    def lif(n: int, tau: float, threshold: float) -> Any:
        return sl.LIF(torch.full((n,), tau), spike_threshold=torch.full((n,), threshold), **how)

    nets = {
        "iaf": torch.nn.Sequential(
            convolution(2, 3, padding=1),
            sl.IAF(**how),
            sl.SumPool2d(2),
            torch.nn.Flatten(),
            linear(48, 4, 1.0),
            sl.IAF(**how),
        ),
        "lif": torch.nn.Sequential(
            linear(12, 10, 3.0, bias=True), lif(10, 10.0, 0.2), linear(10, 4, 3.0), lif(4, 5.0, 0.3)
        ),
        "expleak": torch.nn.Sequential(linear(12, 4, 1.0), sl.ExpLeak(torch.full((4,), 7.0))),
    }
    # Without a leak, the ticks that a bias acts before spikes arrive would be seen for ever.
    nets["iaf"][0].bias.data.zero_()
    for name, net in nets.items():
        shape = (2, 8, 8) if name == "iaf" else (12,)
        given = spikes(shape)
        outputs = []
        # Weights see frames one by one, neurons one batch with a time axis of one tick.
        with torch.no_grad():
            for frame in given:
                x = frame.unsqueeze(0)
                for module in net:
                    stateful = hasattr(module, "reset_states")
                    x = module(x.unsqueeze(1)).squeeze(1) if stateful else module(x)
                outputs.append(x[0])
        squeezed = torch.nn.Sequential(*(squeeze(module) for module in net))
        graph = to_nir(squeezed, torch.zeros(1, *shape))
        graph.infer_types()  # Shapes that its exporter leaves open cannot be written.
        save(folder, f"sinabs_{name}", graph, given, torch.stack(outputs), DT)


def squeeze(module: torch.nn.Module) -> torch.nn.Module:
    """The layer that takes frames one by one, which is what sinabs exports."""
    import sinabs.layers as sl

    kind = {sl.IAF: sl.IAFSqueeze, sl.LIF: sl.LIFSqueeze, sl.ExpLeak: sl.ExpLeakSqueeze}
    if type(module) not in kind:
        return module
    options = {"batch_size": 1}
    if not isinstance(module, sl.ExpLeak):
        options |= {"spike_threshold": module.spike_threshold}
    if not isinstance(module, sl.IAF):
        options |= {"tau_mem": module.tau_mem.data}
    return kind[type(module)](**options)


def rockpool(folder: Path) -> None:
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import ExpSynTorch, LIFNeuronTorch, LIFTorch, LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    def weights(n_in: int, n_out: int, strength: float) -> Any:
        layer = LinearTorch((n_in, n_out), has_bias=False)
        layer.weight.data = torch.randn(n_in, n_out) * strength / n_in**0.5
        return layer

    def times(n: int, tau: float) -> torch.Tensor:
        return torch.full((n,), tau)

    nets = {
        "lif": Sequential(
            weights(12, 10, 0.3),
            LIFTorch((10, 10), tau_mem=times(10, 0.01), tau_syn=times(10, 0.005), dt=DT),
        ),
        "lifneuron": Sequential(
            weights(12, 10, 0.8), LIFNeuronTorch(10, tau_mem=times(10, 0.01), dt=DT)
        ),
        "expsyn": Sequential(weights(12, 4, 1.0), ExpSynTorch(4, tau=times(4, 0.008), dt=DT)),
    }
    for name, net in nets.items():
        given = spikes((12,))
        with torch.no_grad():
            output, _, _ = net(given.unsqueeze(0))
        graph = to_nir(net, torch.zeros(1, 12))
        for node in graph.nodes.values():
            for field, value in vars(node).items():
                # Its exporter leaves tensors with a gradient, which cannot be written.
                if isinstance(value, torch.Tensor):
                    setattr(node, field, value.detach().numpy())
        save(folder, f"rockpool_{name}", graph, given, output[0], DT)


if __name__ == "__main__":
    torch.manual_seed(1)
    torch.set_num_threads(1)
    out = Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    {"snntorch": snntorch, "norse": norse, "sinabs": sinabs, "rockpool": rockpool}[sys.argv[1]](out)
