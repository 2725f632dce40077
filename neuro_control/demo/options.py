# SPDX-License-Identifier: Apache-2.0
"""What the user asks of a demo, checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neuro_control.reports.files import PICTURE_SUFFIXES, check_output
from neuro_control.reports.film_file import check_film

REPORT_SUFFIXES = (".json", ".html")


@dataclass(frozen=True)
class DemoOptions:
    """One demo.

    robot: a robot of `neuro_control.bringup`. seconds: simulated time, s. seed: of everything
    random. headless: no window. dashboard: with the page in a browser. lockstep: simulated time
    waits for the controller.
    backend: who steps the network. senses: with skin and ears. reports, picture, film, bag: files
    to write, if any; the suffix says in which format. overrides: ``node.parameter=value`` texts.
    command: the words that started it, for the report.
    Raises ValueError on what cannot be done, naming the field.
    """

    robot: str = "arm"
    seconds: float = 30.0
    seed: int = 0
    headless: bool = False
    dashboard: bool = False
    lockstep: bool = False
    backend: str = "auto"
    senses: bool = False
    reports: tuple[Path, ...] = ()
    picture: Path | None = None
    film: Path | None = None
    bag: Path | None = None
    overrides: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds <= 86_400:
            raise ValueError(f"--seconds {self.seconds:g}: must be from 0.1 to 86400")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"--seed {self.seed}: must be from 0 to 2147483647")
        known: dict[Path, str] = {}
        for option, path in self.outputs():
            if option == "--film":
                check_film(option, path)
            else:
                check_output(option, path, _SUFFIXES[option])
            if option == "--bag" and path.suffix.lower() == ".db3":
                raise ValueError(
                    f"{option} {path}: MCAP is what is recorded; let its name end in .mcap, or "
                    "give one without an ending for a folder"
                )
            if option == "--bag" and path.exists():
                raise ValueError(f"{option} {path}: is there already; choose another name for it")
            earlier = known.setdefault(path.absolute(), option)
            if earlier != option or list(self.reports).count(path) > 1:
                raise ValueError(f"{option} {path}: {earlier} writes that file already")

    def outputs(self) -> Iterator[tuple[str, Path]]:
        """The files to write, each with its option."""
        for path in self.reports:
            yield "--report", path
        for option, file in (("--picture", self.picture), ("--film", self.film)):
            if file is not None:
                yield option, file
        if self.bag is not None:
            yield "--bag", self.bag

    @property
    def pages(self) -> list[Path]:
        """The reports that are pages (HTML)."""
        return [path for path in self.reports if path.suffix.lower() == ".html"]

    @property
    def draws(self) -> bool:
        """Whether anything is drawn, for which events, delays and postures must be heard."""
        return bool(self.pages) or self.picture is not None or self.film is not None


_SUFFIXES = {"--report": REPORT_SUFFIXES, "--picture": PICTURE_SUFFIXES, "--bag": ()}
