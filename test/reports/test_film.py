# SPDX-License-Identifier: Apache-2.0
"""Films: frames at known times, files with the right number of frames and size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from neuro_control.events import Events
from neuro_control.reports.event_image import polarity_pixels, polarity_rgba
from neuro_control.reports.film_file import write_film
from neuro_control.reports.film_frame import FilmCanvas, Panel
from neuro_control.reports.film_tape import FilmSchedule, FilmTape
from neuro_control.reports.palette import OFF, ON, rgb


def events(t_ms: list[float], p: list[int], x: list[int] | None = None) -> Events:
    n = len(t_ms)
    return Events(
        t_ns=np.array([round(t * 1e6) for t in t_ms], np.int64),
        x=np.array(x or [0] * n, np.uint16),
        y=np.zeros(n, np.uint16),
        p=np.array(p, np.uint8),
        width=4,
        height=2,
    )


@given(
    seconds=st.floats(0.2, 86_400), fps=st.integers(10, 30), longest_s=st.sampled_from([30.0, 60.0])
)
def test_a_film_is_short_and_shows_the_whole_run(
    seconds: float, fps: int, longest_s: float
) -> None:
    schedule = FilmSchedule.of(seconds, fps, longest_s)
    assert schedule.frames / fps <= longest_s + 1e-6
    assert seconds - 2 * schedule.speed / fps < schedule.time_s(schedule.frames - 1)
    assert schedule.time_s(schedule.frames - 1) <= seconds + 1e-6
    if seconds <= longest_s:
        assert schedule.speed == 1
    for frame in (0, schedule.frames - 1):
        shown_ns = (frame + 1) * schedule.step_ns
        assert schedule.frame_at(shown_ns) == frame
        assert schedule.frame_at(shown_ns + 1) == frame + 1


def test_a_run_too_short_for_a_film_is_refused() -> None:
    with pytest.raises(ValueError, match="less than two pictures"):
        FilmSchedule.of(0.05, 20, 60.0)


def test_a_frame_shows_the_last_polarity_of_the_moment_before_it() -> None:
    tape = FilmTape(FilmSchedule.of(1.0, 20, 60.0))  # a frame each 50 ms, of 20 ms
    tape.add_events(events([29.9, 30.1, 45.0, 50.0, 50.1], [1, 1, 0, 1, 1], [0, 1, 1, 2, 3]))
    tape.add_events(events([80.5, 99.0], [0, 0], [0, 3]))
    tape.add_events(events([49.0], [0], [3]))  # too late for a frame that is finished
    assert tape.size == (4, 2)
    first, second, third = (tape.events_of(frame) for frame in range(3))
    assert first is not None
    assert first[0].tolist() == [0, -1, 1, 0]
    assert second is not None
    assert second[0].tolist() == [-1, 0, 0, -1]
    assert third is not None
    assert not third.any()
    assert tape.last_frame == 1


def test_a_packet_without_events_for_any_frame_may_stay_shut() -> None:
    tape = FilmTape(FilmSchedule.of(1.0, 20, 60.0))
    assert not tape.wants(1_000_000, 30_000_000)
    assert tape.wants(1_000_000, 30_000_001)
    assert tape.wants(49_000_000, 50_000_000)


def test_a_frame_has_the_latest_posture_before_it() -> None:
    tape = FilmTape(FilmSchedule.of(1.0, 20, 60.0))
    for t_ms, value in ((10, 1.0), (50, 2.0), (51, 3.0), (210, 4.0), (99_999, 9.0)):
        tape.note("joints", t_ms * 1_000_000, [value])
    found = [tape.vector("joints", frame) for frame in range(6)]
    assert found == [(2.0,), (3.0,), (3.0,), (3.0,), (4.0,), (4.0,)]
    assert tape.vector("target", 3) is None
    assert tape.has("joints")
    assert not tape.has("target")
    assert tape.last_frame == 4


def test_no_event_is_no_camera() -> None:
    assert FilmTape(FilmSchedule.of(1.0, 20, 60.0)).events_of(0) is None


def test_memory_is_bounded_whatever_the_rate_of_events() -> None:
    tape = FilmTape(FilmSchedule.of(1.0, 20, 60.0))
    rng = np.random.default_rng(0)
    for k in range(100):
        t_ns = np.sort(rng.integers(k * 10**7, (k + 1) * 10**7, 5000))
        x, y = rng.integers(0, 128, (2, 5000)).astype(np.uint16)
        tape.add_events(Events(t_ns, x, y, np.ones(5000, np.uint8), 128, 128))
    kept = tape._images
    assert len(kept) == 19  # and the one that is open
    assert sum(map(len, kept.values())) < 20 * 128 * 128


def test_events_are_coloured_by_polarity_and_see_through_elsewhere() -> None:
    image = np.array([[1, 0, -1]], np.int8)
    assert polarity_pixels(image, (9, 9, 9)).tolist() == [[[*rgb(ON)], [9, 9, 9], [*rgb(OFF)]]]
    assert polarity_rgba(image)[0, :, 3].tolist() == [255, 0, 255]


def frames(count: int, width: int = 64, height: int = 48) -> Iterator[np.ndarray]:
    for k in range(count):
        frame = np.full((height, width, 3), 255, np.uint8)
        frame[:, : width * k // count] = (0, 114, 178)
        yield frame


# imageio-ffmpeg's reader leaves its pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_an_mp4_has_every_frame_at_its_size(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    assert write_film(path, frames(25), 20) == 25
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 25
    reader = imageio_ffmpeg.read_frames(str(path))
    facts = next(reader)
    assert facts["size"] == (64, 48)
    assert facts["fps"] == 20
    assert facts["pix_fmt"].startswith("yuv420p")
    last = [np.frombuffer(raw, np.uint8).reshape(48, 64, 3) for raw in reader][-1]
    assert np.abs(last[24, 10].astype(int) - (0, 114, 178)).max() < 40
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_a_gif_has_every_frame_at_its_size_and_pace(tmp_path: Path) -> None:
    path = tmp_path / "out.gif"
    assert write_film(path, frames(10), 10) == 10
    with Image.open(path) as gif:
        assert gif.n_frames == 10
        assert gif.size == (64, 48)
        assert gif.info["duration"] == 100
        assert gif.info["loop"] == 0


@pytest.mark.parametrize("name", ["out.mp4", "out.gif"])
def test_a_film_that_fails_half_way_leaves_nothing(name: str, tmp_path: Path) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from frames(3)
        yield np.zeros((2, 2, 3), np.uint8)

    with pytest.raises(ValueError, match="frame 3 is"):
        write_film(tmp_path / name, broken(), 20)
    with pytest.raises(ValueError, match="needs a frame"):
        write_film(tmp_path / name, iter(()), 20)
    with pytest.raises(ValueError, match="must be even"):
        write_film(tmp_path / name, frames(2, width=63), 20)
    assert list(tmp_path.iterdir()) == []


def test_a_frame_has_each_picture_in_its_panel() -> None:
    canvas = FilmCanvas("t", [Panel("a", "", 40, 40), Panel("b", "", 80, 40, left=30)])
    width, height = canvas.size
    red, blue = (
        np.full((20, w, 3), c, np.uint8) for w, c in ((20, (255, 0, 0)), (40, (0, 0, 255)))
    )
    frame = canvas.frame([red, blue], "now")
    assert frame.shape == (height, width, 3)
    assert (width % 2, height % 2) == (0, 0)
    assert ((frame == (255, 0, 0)).all(axis=2)).sum() == 40 * 40
    assert ((frame == (0, 0, 255)).all(axis=2)).sum() == 80 * 40
    assert (canvas.frame([red, blue], "later") != frame).any()
    with pytest.raises(ValueError, match="panel 'b'"):
        canvas.frame([red, red], "now")
