# SPDX-License-Identifier: Apache-2.0
"""Remove the shared memory that dead Fast DDS participants left behind.

A participant that is killed leaves its segment and ports under /dev/shm. Each comes with an
empty file `<name>_el` on which every living user holds a shared lock; where an exclusive lock
is to be had, nobody lives. This is the rule by which `fastdds shm clean` goes, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


def sweep_stale_segments(folder: Path = SHARED_MEMORY) -> list[str]:
    """Remove this user's `fastrtps_*` files that no living process uses; return their names."""
    removed: list[str] = []
    for lock in sorted(folder.glob("fastrtps_*_el")):
        try:
            if lock.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(lock, os.O_RDONLY)
        except OSError:
            continue  # another process removed it in between
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # in use
        else:
            name = lock.name[: -len("_el")]
            for path in (folder / name, folder / f"sem.{name}_mutex", lock):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                    removed.append(path.name)
        finally:
            os.close(descriptor)
    return removed
