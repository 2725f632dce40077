# SPDX-License-Identifier: Apache-2.0
"""WAV files of every width are the same sound."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from neuro_control.senses.sound_file import open_sound


def written(path: Path, data: bytes, width: int, ears: int = 1, rate: int = 16000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(ears)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_samples_are_in_units_of_full_scale(width, tmp_path: Path):
    values = np.array([-1.0, -0.5, 0.0, 0.5])
    if width == 1:
        data = ((values + 1) * 128).astype(np.uint8).tobytes()
    else:
        whole = (values * 2 ** (8 * width - 1)).astype("<i4")
        data = whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    sound = open_sound(written(tmp_path / "a.wav", data, width))
    assert (sound.samples, sound.ears, sound.sample_rate_hz) == (4, 1, 16000)
    np.testing.assert_array_equal(np.concatenate(list(sound.blocks(3)))[:, 0], values)


def test_two_ears_are_two_columns(tmp_path: Path):
    data = np.array([[1, 2], [3, 4]], "<i2")
    sound = open_sound(written(tmp_path / "a.wav", data.tobytes(), 2, ears=2))
    assert [len(block) for block in sound.blocks(1)] == [1, 1]
    np.testing.assert_array_equal(next(sound.blocks(9)) * 32768, data)


def test_what_is_no_sound_is_refused(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(b"RIFF nonsense")
    with pytest.raises(ValueError, match=r"a.wav is no WAV file of whole numbers"):
        open_sound(tmp_path / "a.wav")
    with pytest.raises(FileNotFoundError, match="no sound file"):
        open_sound(tmp_path / "nowhere.wav")
    six = written(tmp_path / "six.wav", bytes(24), 2, ears=6)
    with pytest.raises(ValueError, match="has 6 channels; a cochlea has one or two"):
        open_sound(six)
    with pytest.raises(ValueError, match="samples is 0; it must be at least 1"):
        next(open_sound(written(tmp_path / "b.wav", bytes(4), 2)).blocks(0))
