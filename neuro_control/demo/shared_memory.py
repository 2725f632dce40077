# SPDX-License-Identifier: Apache-2.0
"""Remove the shared memory that dead Fast DDS participants left behind.

A participant that is killed leaves its segment and ports under /dev/shm. Each comes with an
empty file `<name>_el` on which every living user holds a shared lock; where an exclusive lock
is to be had, nobody lives. This is the rule by which `fastdds shm clean` goes, too. Another
participant that notices the death may have removed the lock and nothing else; what has none is
left behind if no process has it in its memory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_LOCK = "_el"


def sweep_stale_segments(folder: Path = SHARED_MEMORY) -> list[str]:
    """Remove this user's `fastrtps_*` files that no living process uses; return their names."""
    removed: list[str] = []
    for lock in sorted(folder.glob(f"fastrtps_*{_LOCK}")):
        if _is_mine(lock) and (descriptor := _lock_alone(lock)) is not None:
            removed += _remove(folder, lock.name.removesuffix(_LOCK))
            os.close(descriptor)
    names = {path.name for path in folder.glob("fastrtps_*") if not path.name.endswith(_LOCK)}
    names |= {
        path.name.removeprefix("sem.").removesuffix("_mutex")
        for path in folder.glob("sem.fastrtps_*_mutex")
    }
    orphans = {name for name in names if not (folder / f"{name}{_LOCK}").exists()}
    if orphans:
        orphans -= _mapped_names(folder)
    for name in sorted(orphans):
        removed += _remove(folder, name)
    return removed


def _is_mine(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False  # another process removed it in between


def _lock_alone(lock: Path) -> int | None:
    """An open descriptor with the exclusive lock, or None if somebody lives."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(folder: Path, name: str) -> list[str]:
    removed = []
    for path in (folder / name, folder / f"sem.{name}_mutex", folder / f"{name}{_LOCK}"):
        # Of another user (in a folder such as /dev/shm), or gone in between.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if _is_mine(path):
                path.unlink()
                removed.append(path.name)
    return removed


def _mapped_names(folder: Path) -> set[str]:
    """Names of the folder's files that a process of this user has in its memory."""
    names: set[str] = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            lines = maps.read_text(errors="replace").splitlines()
        except OSError:
            continue  # it has ended, or is another user's
        words = (line.split(maxsplit=5)[-1] for line in lines)
        names |= {Path(word).name for word in words if word.startswith(f"{folder}/")}
    return names
