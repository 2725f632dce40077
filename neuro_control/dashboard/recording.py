# SPDX-License-Identifier: Apache-2.0
"""A recording begun from the page, in a process of its own: no message waits for a page."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from neuro_control.nodes.recording_place import left_behind

# A recorder that is told to end while it starts first starts: it imports, then it writes its file.
END_S = 30.0
LONGEST_LINE = 4096
RECORDER = "neuro_control.nodes.recorder"


class Recording:
    """The recording that the page has begun, if any.

    folder: "" is where the node was started. tell: called, from a thread of its own, with the
    reason when a recorder has ended that nobody told to.
    """

    def __init__(
        self, folder: str, namespace: str, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._tell = tell
        # Of the process: two pages may press at once.
        self._lock = threading.RLock()
        self._listener: threading.Thread | None = None
        self._folder = Path(folder or ".")
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None
        self._path: Path | None = None
        self._began_s = 0.0
        self._failure = ""
        self._messages = 0

    def set(self, on: bool) -> dict[str, Any]:
        """Begin or end. Raises OSError if nothing can be written."""
        with self._lock:
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
        self._began_s = 0.0
        self._messages = 0
        process = subprocess.Popen(
            self._command(self._path),
            # Its end tells the recorder to end: it can come at any time, while the recorder
            # starts too, and comes by itself if this process dies.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._process = process
        self._listener = threading.Thread(
            target=self._listen,
            args=(process, process.stdin, process.stdout),
            name="dashboard_recording",
            daemon=True,
        )
        self._listener.start()

    def _command(self, path: Path) -> list[str]:
        ros = ["--ros-args", "-r", f"__ns:={self._namespace}"]
        return [sys.executable, "-m", RECORDER, str(path), "--until-input-ends", *ros]

    def _listen(self, process: subprocess.Popen[bytes], end: IO[bytes], output: IO[bytes]) -> None:
        """The recorder tells on its output how many messages it has written, a line each time.

        Read whether or not a page is open: a pipe that fills stops the recorder.
        """
        with output:
            while line := output.readline(LONGEST_LINE):
                if line.strip().isdigit() and process is self._process:
                    self._messages = int(line)
                    if self._messages and not self._began_s:
                        self._began_s = time.time()
        code = process.wait()
        end.close()
        with self._lock:
            if process is not self._process:  # it was told to end
                return
            self._process = None
            self._failure = f"the recorder ended with exit code {code}"
            failure = f"{self._failure}: {self._path} {self._kept()}"
        self._tell(failure)

    def _kept(self) -> str:
        assert self._path is not None
        if self._path.exists():
            return "has what it wrote until then"
        left = left_behind(self._path)
        return "was not made" if left is None else f"was cut off; what it wrote is {left}"

    def says(self) -> dict[str, Any]:
        """For the page: whether it records, where, since when, and why it does not.

        began_s: by this machine's clock, when it was first heard that messages are written; 0 while
        the recorder starts.
        """
        return {
            "on": self._process is not None,
            "file": "" if self._path is None else str(self._path),
            "began_s": self._began_s,
            "messages": self._messages,
            "failure": self._failure,
        }

    def close(self) -> None:
        """End the recording; the file is complete when this returns."""
        with self._lock:
            process = self._process
            if process is None:
                return
            assert process.stdin is not None
            process.stdin.close()
            try:
                code = process.wait(END_S)
                if code:
                    self._failure = f"the recorder ended with exit code {code}"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self._failure = f"the recorder did not end within {END_S:g} s"
            # Only now: whoever is told that it is off may open the file.
            self._process = None
