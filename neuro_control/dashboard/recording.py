# SPDX-License-Identifier: Apache-2.0
"""A recording begun from the page, in a process of its own: no message waits for a page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

END_S = 10.0
# Not imported: it stands on the floor above.
RECORDER = "neuro_control.demo.recorder"


class Recording:
    """The recording that the page has begun, if any. folder: "" is where the node was started."""

    def __init__(self, folder: str, namespace: str) -> None:
        self._folder = Path(folder or ".")
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None
        self._path: Path | None = None
        self._began_s = 0.0
        self._failure = ""
        self._messages = 0
        self._rest = b""

    def set(self, on: bool) -> dict[str, Any]:
        """Begin or end. Raises OSError if nothing can be written."""
        if on and self._process is None:
            self._begin()
        elif not on:
            self.close()
        return self.says()

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self._path = (self._folder / f"neuro_control_{stamp}.mcap").absolute()
        self._failure = ""
        self._began_s = time.time()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                RECORDER,
                str(self._path),
                "--ros-args",
                "-r",
                f"__ns:={self._namespace}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._messages, self._rest = 0, b""
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)

    def _count(self) -> None:
        """The recorder tells on its output how many messages it has written, a line each time."""
        process = self._process
        if process is None or process.stdout is None:
            return
        *lines, self._rest = (self._rest + (process.stdout.read() or b"")).split(b"\n")
        if lines and lines[-1].isdigit():
            self._messages = int(lines[-1])

    def says(self) -> dict[str, Any]:
        """For the page: whether it records, where, since when, and why it does not."""
        self._count()
        process = self._process
        if process is not None and process.poll() is not None:
            self._failure = f"the recorder ended with exit code {process.returncode}"
            self._process = None
        return {
            "on": self._process is not None,
            "file": "" if self._path is None else str(self._path),
            "began_s": self._began_s,
            "messages": self._messages,
            "failure": self._failure,
        }

    def close(self) -> None:
        """End the recording; the file is complete when this returns."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self._failure = f"the recorder did not end within {END_S:g} s"
