# SPDX-License-Identifier: Apache-2.0
"""What a robot looks like: the visual shapes of its URDF's links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from neuro_control.robots.urdf import rotation_from_rpy

Float = NDArray[np.float64]
Rgb = tuple[int, int, int]
GREY: Rgb = (160, 165, 175)


@dataclass(frozen=True)
class Shape:
    """One shape of a link.

    kind: what `size` means: box: edges x, y, z; cylinder: radius, length (along z); sphere:
        radius; mesh: scale x, y, z.
    origin: float64[4, 4] in the link's frame. mesh: its file. Lengths in m.
    """

    link: str
    kind: Literal["box", "cylinder", "sphere", "mesh"]
    size: tuple[float, ...]
    origin: Float
    colour: Rgb
    mesh: Path | None = None


def visual_shapes(urdf: str) -> tuple[list[Shape], list[str]]:
    """The shapes of a URDF, and the names of meshes whose files are not here.

    Raises ValueError for text that is not XML.
    """
    try:
        root = ElementTree.fromstring(urdf)
    except ElementTree.ParseError as error:
        raise ValueError(f"urdf: not well-formed XML: {error}") from error
    colours = {m.get("name", ""): c for m in root.iter("material") if (c := _colour(m)) is not None}
    shapes: list[Shape] = []
    missing: list[str] = []
    for link in root.findall("link"):
        for visual in link.findall("visual"):
            for shape in _shapes(link.get("name", ""), visual, colours):
                if shape.kind == "mesh" and (shape.mesh is None or not shape.mesh.is_file()):
                    missing.append(str(shape.mesh))
                else:
                    shapes.append(shape)
    return shapes, missing


def _shapes(link: str, visual: ElementTree.Element, colours: dict[str, Rgb]) -> Iterator[Shape]:
    geometry = visual.find("geometry")
    if geometry is None:
        return
    pose = np.eye(4)
    if (origin := visual.find("origin")) is not None:
        pose[:3, :3] = rotation_from_rpy(*_numbers(origin.get("rpy", "0 0 0")))
        pose[:3, 3] = _numbers(origin.get("xyz", "0 0 0"))
    colour = GREY
    if (material := visual.find("material")) is not None:
        colour = _colour(material) or colours.get(material.get("name", ""), GREY)
    for form in geometry:
        if form.tag == "box":
            yield Shape(link, "box", tuple(_numbers(form.get("size", "0 0 0"))), pose, colour)
        elif form.tag == "cylinder":
            size = (float(form.get("radius", "0")), float(form.get("length", "0")))
            yield Shape(link, "cylinder", size, pose, colour)
        elif form.tag == "sphere":
            yield Shape(link, "sphere", (float(form.get("radius", "0")),), pose, colour)
        elif form.tag == "mesh":
            scale = tuple(_numbers(form.get("scale", "1 1 1")))
            file = _mesh_file(form.get("filename", ""))
            yield Shape(link, "mesh", scale, pose, colour, file)


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _colour(material: ElementTree.Element) -> Rgb | None:
    colour = material.find("color")
    if colour is None:
        return None
    red, green, blue = (
        round(255 * min(max(v, 0.0), 1.0))
        for v in _numbers(colour.get("rgba", "0.6 0.6 0.6 1"))[:3]
    )
    return red, green, blue


def _mesh_file(name: str) -> Path:
    """The file of a mesh: ``package://PACKAGE/...`` is sought in AMENT_PREFIX_PATH."""
    if name.startswith("package://"):
        package, _, rest = name.removeprefix("package://").partition("/")
        for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
            found = Path(prefix) / "share" / package / rest
            if prefix and found.is_file():
                return found
        return Path(rest)
    return Path(name.removeprefix("file://"))
