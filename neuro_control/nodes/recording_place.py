# SPDX-License-Identifier: Apache-2.0
"""Where a recording grows, and how it gets to where it is wanted.

It grows in a hidden folder beside that place, `.NAME.recording`, on which whoever records holds a
lock. So a second one is refused, and what a dead one left behind is known for it: its lock ended
with it. What that one has recorded is moved aside, never deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

FILE_SUFFIX = ".mcap"
_LOCK = "lock"
_log = logging.getLogger(__name__)


class RecordingError(OSError):
    """A recording cannot be made or put where it is wanted; the message says why."""


@contextlib.contextmanager
def growing_folder(path: Path) -> Iterator[Path]:
    """A folder that does not exist yet, to make and record in, and to be moved from (below).

    Raises:
        RecordingError: the recording could not be put at `path`, or is being recorded there, or
            nothing can be written beside it.
    """
    with errors_told(path):
        check_place(path)
        hidden = _hidden(path)
        lock = _lock(hidden, path)
    try:
        with errors_told(path):
            _clear(hidden, path)
        yield hidden / "bag"
    finally:
        # While the lock is held: what is removed later may be another's.
        (hidden / _LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another has come, or what could not be moved is in it
            hidden.rmdir()
        os.close(lock)


@contextlib.contextmanager
def errors_told(path: Path) -> Iterator[None]:
    """What the system refuses within is a RecordingError that names the recording."""
    try:
        yield
    except RecordingError:
        raise
    except OSError as error:
        where = "" if error.filename is None else f" ({error.filename})"
        raise RecordingError(
            f"{path}: cannot be recorded to: {error.strerror or error}{where}"
        ) from error


def left_behind(path: Path) -> Path | None:
    """The file of a recording to `path` that has not been put there: it grows, or was cut off."""
    return next(_left(_hidden(path)), None)


def check_place(path: Path) -> None:
    """Raise RecordingError if no recording could be put there at its end."""
    if path.name in ("", ".."):
        raise RecordingError(f"{path}: is no name; name a file ({FILE_SUFFIX}) or a folder")
    if path.suffix == FILE_SUFFIX:
        if path.is_dir():
            raise RecordingError(
                f"{path}: is a folder, and a name that ends in {FILE_SUFFIX} is of one file; choose"
                " another name"
            )
    elif path.is_symlink() or (path.exists() and not path.is_dir()):
        raise RecordingError(
            f"{path}: is there, and no folder; choose another name, or for a single file one that"
            f" ends in {FILE_SUFFIX}"
        )
    elif path.is_dir() and any(path.iterdir()):
        raise RecordingError(
            f"{path}: is a folder that is not empty; choose another name, or for a single file one"
            f" that ends in {FILE_SUFFIX}"
        )


def put_in_place(bag: Path, path: Path) -> None:
    """Put a closed recording, a folder with one file in it, at `path`: one file or the folder.

    Raises:
        RecordingError: it cannot be put there; it is kept beside, and the message says where.
    """
    try:
        _move(bag, path)
    except OSError as error:
        kept = _free_name(path)
        try:
            _move(bag, kept)
        except OSError:
            kept = bag
        raise RecordingError(
            f"{path}: the recording cannot be put there any more ({error.strerror}); it is {kept}"
        ) from error


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.recording")


def _left(hidden: Path) -> Iterator[Path]:
    """The files in it that something was recorded to."""
    for file in sorted(hidden.rglob(f"*{FILE_SUFFIX}")):
        if file.is_file() and not file.is_symlink() and file.stat().st_size:
            yield file


def _clear(hidden: Path, path: Path) -> None:
    """Empty the folder but for the lock; what was recorded in it is moved beside `path`."""
    for file in _left(hidden):
        # As a file always: without its metadata a folder is no recording.
        kept = _free_name(path.with_name(f"{path.name.removesuffix(FILE_SUFFIX)}{FILE_SUFFIX}"))
        file.rename(kept)
        _log.warning(
            "%s: a recording there was cut off; what it wrote until then is %s (without its end:"
            " `neuro_control events recover` makes it one that can be played)",
            path,
            kept,
        )
    for left in hidden.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name != _LOCK:
            left.unlink()


def _free_name(path: Path) -> Path:
    """`path` with the first number from 2 on under which nothing is there."""
    for number in count(2):
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
        if not (free.exists() or free.is_symlink()):
            break
    return free


def _move(bag: Path, path: Path) -> None:
    storage = next(bag.glob(f"*{FILE_SUFFIX}"))
    if path.suffix == FILE_SUFFIX:
        storage.replace(path)
        shutil.rmtree(bag)
        return
    metadata = bag / "metadata.yaml"
    name = f"{path.name}_0{FILE_SUFFIX}"
    text = metadata.read_text(encoding="utf-8").replace(storage.name, name)
    metadata.write_text(text, encoding="utf-8")
    storage.rename(bag / name)
    bag.rename(path)


def _lock(hidden: Path, path: Path) -> int:
    """Make the folder, and lock it for as long as the descriptor that is returned is open."""
    hidden.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            hidden.mkdir()
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):  # it is gone again
                if not stat.S_ISDIR(hidden.lstat().st_mode):
                    raise
        try:
            # In a file, for not every file system locks folders.
            lock = os.open(hidden / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # whoever had it has ended in between, and the folder with it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise RecordingError(
                f"{path}: is being recorded by another (it holds {hidden / _LOCK}); end that one"
                " before, or choose another name"
            ) from None
        except OSError:
            os.close(lock)
            raise
        # It may have been removed between the two, with the one that others now lock.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), (hidden / _LOCK).stat()):
                return lock
        os.close(lock)
