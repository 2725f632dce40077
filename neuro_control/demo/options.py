# SPDX-License-Identifier: Apache-2.0
"""What the user asks of a demo, checked before anything starts."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DemoOptions:
    """One demo.

    robot: a robot of `neuro_control.bringup`. seconds: simulated time, s. seed: of everything
    random. headless: no window. lockstep: simulated time waits for the controller.
    backend: who steps the network. senses: with skin and ears. report, picture, bag: files to
    write, if any.
    overrides: ``node.parameter=value`` texts.
    Raises ValueError on what cannot be done, naming the field.
    """

    robot: str = "arm"
    seconds: float = 30.0
    seed: int = 0
    headless: bool = False
    lockstep: bool = False
    backend: str = "auto"
    senses: bool = False
    report: Path | None = None
    picture: Path | None = None
    bag: Path | None = None
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds <= 86_400:
            raise ValueError(f"--seconds {self.seconds:g}: must be from 0.1 to 86400")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"--seed {self.seed}: must be from 0 to 2147483647")
        for option, path in self.outputs.items():
            if path.is_dir():
                raise ValueError(f"--{option} {path}: is a folder; give a file's name")
            if not path.absolute().parent.is_dir():
                raise ValueError(f"--{option} {path}: its folder does not exist; make it first")
            try:
                with tempfile.TemporaryFile(dir=path.absolute().parent):
                    pass
            except OSError as error:
                raise ValueError(
                    f"--{option} {path}: nothing can be written there ({error.strerror}); "
                    "choose another folder"
                ) from None

    @property
    def outputs(self) -> dict[str, Path]:
        """The files to write, by option."""
        files = {"report": self.report, "picture": self.picture, "bag": self.bag}
        return {option: path for option, path in files.items() if path is not None}
