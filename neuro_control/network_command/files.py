# SPDX-License-Identifier: Apache-2.0
"""Network files by their suffix: NIR, or lava-dl's netx."""

from __future__ import annotations

from pathlib import Path

from neuro_control.network import FixedNetwork, Network, quantize, read_netx, read_nir
from neuro_control.network.netx_file import SUFFIXES
from neuro_control.robots.description import share_directory


def is_netx(name: str | Path) -> bool:
    """Whether a file of that name is lava-dl's."""
    return Path(name).suffix.lower() in SUFFIXES


def find_network(name: str, dt_s: float | None = None, dialect: str = "nir") -> Network:
    """A network by path, or by the name of one that comes with the package.

    Raises:
        FileNotFoundError: there is none of that name.
        ValueError: it cannot be read, or holds integers only.
    """
    if is_netx(name):
        raise ValueError(
            f"{name}: a netx file holds integers, not a description; run or compare it, or convert"
            " it to .nir"
        )
    shipped = share_directory() / "config" / "networks"
    for path in (Path(name), shipped / name, shipped / f"{name}.nir"):
        if path.is_file():
            return read_nir(path, dt_s, dialect)
    names = ", ".join(sorted(path.name for path in shipped.glob("*.nir")))
    raise FileNotFoundError(f"no network {name!r}: neither a file nor one of {names}")


def find_integers(name: str, dt_s: float | None = None, bits: int = 8) -> FixedNetwork:
    """The integers of a network: quantised, or as a netx file holds them.

    Raises:
        FileNotFoundError: there is none of that name.
        ValueError: it cannot be read or does not fit the integers.
    """
    if is_netx(name):
        return read_netx(name, dt_s)
    return quantize(find_network(name, dt_s), bits)
