# SPDX-License-Identifier: Apache-2.0
"""Where the processes of a demo write what they say: a folder for each run, the last ten kept."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

KEPT_RUNS = 10
_PREFIX = "neuro_control_"


def new_log_folder() -> Path:
    """Make the folder of this run beside ROS's own logs, and remove those of old runs.

    The place is ROS_LOG_DIR, else $ROS_HOME/log, else ~/.ros/log; a temporary folder where none
    of them can be written.
    """
    home = os.environ.get("ROS_HOME") or str(Path("~/.ros").expanduser())
    base = Path(os.environ.get("ROS_LOG_DIR") or Path(home) / "log")
    name = f"{_PREFIX}{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    try:
        base.mkdir(parents=True, exist_ok=True)
        folder = base / name
        folder.mkdir()
    except OSError:
        return Path(tempfile.mkdtemp(prefix=_PREFIX))
    for old in sorted(base.glob(f"{_PREFIX}*"))[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    return folder
