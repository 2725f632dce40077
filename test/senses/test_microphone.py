# SPDX-License-Identifier: Apache-2.0
"""A microphone's samples come whole and in order; one that is missing or gone says why."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuro_control.senses.microphone import Microphone, MicrophoneError

Recorder = Callable[[str], None]


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A script in the place of `arecord`, given its arguments."""

    def make(script: str) -> None:
        path = tmp_path / "arecord"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return make


def heard(microphone: Microphone, samples: int) -> np.ndarray:
    """As many samples as were asked for, waited for."""
    parts, n, end = [], 0, time.monotonic() + 20.0
    while n < samples:
        assert time.monotonic() < end, "the samples did not come"
        parts.append(microphone.read())
        n += len(parts[-1])
    return np.concatenate(parts)


def test_samples_come_as_they_were_recorded_whatever_pieces_they_come_in(
    recorder: Recorder, tmp_path: Path
) -> None:
    sound = np.arange(-3000, 3000, dtype="<i2").reshape(-1, 2)
    (tmp_path / "sound").write_bytes(sound.tobytes())
    # In pieces that end within a sample, and then silence without an end.
    recorder(f'dd if="{tmp_path}/sound" bs=997 2>/dev/null; exec sleep 60')
    microphone = Microphone("default", 16_000, 2)
    try:
        assert heard(microphone, len(sound)).tolist() == sound.tolist()
        assert microphone.read().shape == (0, 2)
    finally:
        microphone.close()


def test_the_recorder_is_told_device_rate_and_channels(recorder: Recorder, tmp_path: Path) -> None:
    recorder(f'echo "$@" > "{tmp_path}/told"; printf "\\1\\0"; exec sleep 60')
    microphone = Microphone("hw:1,0", 48_000, 1)
    try:
        assert heard(microphone, 1).tolist() == [[1]]
    finally:
        microphone.close()
    assert (tmp_path / "told").read_text().split()[1:] == (
        ["-D", "hw:1,0", "-t", "raw", "-f", "S16_LE", "-r", "48000", "-c", "1"]
    )


def test_a_recorder_that_fails_is_an_error_with_its_last_words(recorder: Recorder) -> None:
    recorder("echo 'arecord: main: audio open error: No such device' >&2; exit 1")
    microphone = Microphone("nothing", 16_000, 2)
    try:
        with pytest.raises(MicrophoneError, match=r"microphone nothing: .* No such device"):
            heard(microphone, 1)
    finally:
        microphone.close()


def test_without_a_recorder_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MicrophoneError, match="alsa-utils"):
        Microphone("default", 16_000, 2)
