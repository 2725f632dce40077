# SPDX-License-Identifier: Apache-2.0
"""Files that a run leaves: looked at before it starts, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")


def check_output(option: str, path: Path, suffixes: Sequence[str] = ()) -> None:
    """See whether a file can be written; leaves nothing behind.

    option: how the user names it, for the message. suffixes: what its name may end in, such as
    ``.html``; any if there are none.
    Raises ValueError naming the option, the path and what would be right.
    """
    if path.is_dir():
        raise ValueError(f"{option} {path}: is a folder; give a file's name")
    if suffixes and path.suffix.lower() not in suffixes:
        raise ValueError(
            f"{option} {path}: its name must end in {' or '.join(suffixes)}, which says what is "
            "written"
        )
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{option} {path}: its folder does not exist; make it first")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"{option} {path}: nothing can be written there ({error.strerror}); "
            "choose another folder"
        ) from None


def over_words(path: Path) -> str:
    """What is said behind a file's name if it is there already, and will be written over; or ""."""
    return "; it was there and is written over" if path.exists() else ""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` if nothing is raised.

    It has the suffix of `path`, by which writers choose a format.
    """
    handle, name = tempfile.mkstemp(
        dir=path.absolute().parent, prefix=f".{path.stem}.", suffix=path.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
