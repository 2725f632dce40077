# SPDX-License-Identifier: Apache-2.0
"""A live microphone, by the recorder that every Linux has: ALSA's `arecord`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

_SAMPLE_BYTES = 2
_LONGEST_READ = 1 << 20


class MicrophoneError(OSError):
    """A microphone that cannot be had, or has gone; the message says why."""


class Microphone:
    """Samples of a sound device as they come, from a process that records; `close` ends it.

    What is not fetched waits in the system's pipe (64 KiB: a second of two channels at 16 kHz);
    beyond that the recorder drops, and says so: memory does not grow.

    Args:
        device: ALSA's name, such as `default` or `hw:1,0` (`arecord -L` lists them).
        sample_rate_hz: whole, 8,000 to 48,000.
        channels: 1 or 2.

    Raises:
        MicrophoneError: there is no `arecord`; the message says what installs it.
    """

    def __init__(self, device: str, sample_rate_hz: int, channels: int) -> None:
        recorder = shutil.which("arecord")
        if recorder is None:
            raise MicrophoneError(
                "microphone: the command arecord is missing; Debian and Ubuntu have it in the"
                " package alsa-utils"
            )
        self.device = device
        self._frame_bytes = _SAMPLE_BYTES * channels
        self._channels = channels
        self._rest = b""
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        command = [recorder, "-q", "-D", device, "-t", "raw", "-f", "S16_LE"]
        command += ["-r", str(sample_rate_hz), "-c", str(channels)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._complaints
        )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)

    def read(self) -> NDArray[np.int16]:
        """What has been recorded since the last call, int16[n, channels]; n may be 0.

        Raises:
            MicrophoneError: the recorder has ended; what it said last.
        """
        try:
            found = os.read(self._pipe.fileno(), _LONGEST_READ)
        except BlockingIOError:
            return np.empty((0, self._channels), np.int16)
        if not found:
            code = self._process.wait()
            raise MicrophoneError(f"microphone {self.device}: {self._last_words(code)}")
        found = self._rest + found
        whole = len(found) - len(found) % self._frame_bytes
        self._rest = found[whole:]
        return np.frombuffer(found[:whole], "<i2").astype(np.int16).reshape(-1, self._channels)

    def close(self) -> None:
        """End the recorder."""
        self._process.terminate()
        self._process.wait()
        self._pipe.close()
        self._complaints.close()

    def _last_words(self, code: int) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read()[-2000:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"arecord ended with {code}"
