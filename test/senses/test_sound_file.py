# SPDX-License-Identifier: Apache-2.0
"""WAV files of every width and format are the same sound."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

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


def extensible(
    path: Path, data: bytes, kind: int, width: int, ears: int, bits: int | None = None
) -> Path:
    """A WAV file with an extensible header and a chunk of another kind, of odd length."""
    guid = struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
    bits = bits or 8 * width
    form = struct.pack("<HHIIHH", 0xFFFE, ears, 16000, 16000 * width * ears, width * ears, bits)
    form += struct.pack("<HHI", 22, bits, 0) + guid
    chunks = [(b"LIST", b"odd"), (b"fmt ", form), (b"data", data)]
    body = b"".join(
        name + struct.pack("<I", len(of)) + of + bytes(len(of) % 2) for name, of in chunks
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    return path


def whole(path: Path) -> np.ndarray:
    return np.concatenate(list(open_sound(path).blocks(3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_is_taken_as_it_is(dtype, tmp_path: Path):
    values = np.array([[-1.0, 0.25], [0.5, 1.5], [0.0, -0.125], [0.1, 0.2]], dtype)
    wavfile.write(tmp_path / "a.wav", 44100, values)
    sound = open_sound(tmp_path / "a.wav")
    assert (sound.samples, sound.ears, sound.sample_rate_hz, sound.missing) == (4, 2, 44100, 0)
    np.testing.assert_array_equal(whole(tmp_path / "a.wav"), values)


@pytest.mark.parametrize(
    ("kind", "width", "ears", "bits"),
    [(1, 2, 2, 16), (1, 3, 1, 24), (1, 4, 2, 24), (3, 4, 2, 32), (3, 8, 1, 64)],
)
def test_extensible_headers_are_read_as_scipy_reads_them(kind, width, ears, bits, tmp_path: Path):
    rng = np.random.default_rng(width)
    if kind == 3:
        data = rng.uniform(-1, 1, 6 * ears).astype(f"<f{width}").tobytes()
        scale = 1.0
    else:
        data = rng.integers(0, 256, 6 * ears * width, np.uint8).tobytes()
        scale = 2.0 ** (31 if width == 3 else 8 * width - 1)
    path = extensible(tmp_path / "a.wav", data, kind, width, ears, bits)
    _, theirs = wavfile.read(path)
    np.testing.assert_array_equal(whole(path), theirs.reshape(-1, ears) / scale)


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("cut", range(14))
def test_of_a_file_that_was_cut_off_what_is_whole_is_heard(cut, width, tmp_path: Path):
    data = np.random.default_rng(0).integers(0, 256, 10 * 2 * width, np.uint8).tobytes()
    path = written(tmp_path / "a.wav", data, width, ears=2)
    expected = whole(path)
    path.write_bytes(path.read_bytes()[: -cut or None])
    sound = open_sound(path)
    lost = -(-cut // (2 * width))
    assert (sound.samples, sound.missing) == (10 - lost, lost)
    np.testing.assert_array_equal(whole(path), expected[: 10 - lost])


def test_a_file_that_was_cut_since_it_was_opened_ends_there(tmp_path: Path):
    path = written(tmp_path / "a.wav", bytes(20), 2)
    sound = open_sound(path)
    path.write_bytes(path.read_bytes()[:-11])
    assert [len(block) for block in sound.blocks(3)] == [3, 1]


def test_a_length_that_was_never_filled_in_is_to_the_end(tmp_path: Path):
    path = written(tmp_path / "a.wav", bytes(20), 2)
    head = path.read_bytes()
    path.write_bytes(head[:40] + b"\xff" * 4 + head[44:])
    assert (open_sound(path).samples, open_sound(path).missing) == (10, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"RIFF nonsense", "a.wav is no WAV file: it does not begin with RIFF and WAVE"),
        (b"", "a.wav is no WAV file: it ends within its header"),
        (b"RIFF....WAVE", "a.wav is no WAV file: it has no samples"),
        (b"RIFF....WAVEdata\4\0\0\0....", "its samples come before their format"),
        (b"RIFF....WAVEfmt \4\0\0\0....", "it ends within its header"),
        (b"RIFX....WAVE", "a WAV file of the kind RIFX; convert it: ffmpeg -i IN.wav"),
    ],
)
def test_what_is_no_wav_file_is_refused(data, message, tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        open_sound(tmp_path / "a.wav")


def test_what_is_no_sound_for_ears_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"of the format 0x0006; whole numbers .* convert it"):
        open_sound(extensible(tmp_path / "law.wav", bytes(4), 6, 1, 1))
    with pytest.raises(ValueError, match="has 40 bits in 5 bytes for 1 channels; convert it"):
        open_sound(extensible(tmp_path / "five.wav", bytes(5), 1, 5, 1))
    with pytest.raises(FileNotFoundError, match="no sound file"):
        open_sound(tmp_path / "nowhere.wav")
    six = written(tmp_path / "six.wav", bytes(24), 2, ears=6)
    with pytest.raises(ValueError, match="has 6 channels; a cochlea has one or two"):
        open_sound(six)
    with pytest.raises(ValueError, match="samples is 0; it must be at least 1"):
        next(open_sound(written(tmp_path / "b.wav", bytes(4), 2)).blocks(0))


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_length_that_was_never_filled_in_is_all_that_there_is(length: int, tmp_path: Path):
    data = np.arange(6, dtype="<i2")
    path = written(tmp_path / "a.wav", data.tobytes(), 2)
    whole_file = path.read_bytes()
    at = whole_file.index(b"data") + 4
    path.write_bytes(whole_file[:at] + struct.pack("<I", length) + whole_file[at + 4 :])
    assert open_sound(path).missing == 0
    np.testing.assert_array_equal(whole(path)[:, 0] * 32768, data)
