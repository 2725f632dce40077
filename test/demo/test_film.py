# SPDX-License-Identifier: Apache-2.0
"""The film of a run is made from what was kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from neuro_control.demo.film import film_frames, make_film
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.outputs import record_for
from neuro_control.demo.parameters import read_parameter_file
from neuro_control.demo.record import RunRecord
from neuro_control.events import Events, encode_mono
from neuro_control.reports.palette import ON, rgb
from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.robots.description import share_directory

REPORT = {"task": "arm: track a target", "seed": 0}
DESCRIPTION = json.dumps(
    {"format": 1, "rows": [{"name": "field", "role": "output", "size": 4, "shown": 4}]}
)


@pytest.fixture(scope="module")
def simulator() -> dict[str, Any]:
    parameters = read_parameter_file(share_directory() / "config" / "arm.yaml")
    return {**parameters["simulator"], "renderer": "rays"}


def heard(film: Path, seconds: float, network: bool = True) -> RunRecord:
    """A record of an arm at rest, a target that moves, and an event and a spike a millisecond."""
    arm = ArmModel.from_urdf(arm_urdf())
    record = record_for(DemoOptions(seconds=max(seconds, 0.5), film=film))
    assert record.network is not None
    if network:
        record.network.describe(DESCRIPTION)
    for k in range(round(seconds * 1000)):
        t_ns = (k + 1) * 1_000_000
        record.add_joints(t_ns, dict(zip(arm.joint_names, arm.home, strict=True)))
        record.add_target(t_ns, 0.2 * k / 1000, 0.0, 0.55, wall_s=0.0)
        events = Events(
            np.array([t_ns], np.int64),
            np.array([5], np.uint16),
            np.array([6], np.uint16),
            np.array([1], np.uint8),
            128,
            128,
        )
        payload, base_ns = encode_mono(events)
        record.add_packet(base_ns, k, (128, 128), payload.tobytes(), published_ns=0)
        if record.network.raster is not None:
            record.network.raster.add([t_ns], [0], [0])
    return record


def test_a_run_of_half_a_second_has_ten_frames(simulator: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    assert make_film(path, heard(path, 0.5), REPORT, simulator) == 10
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 10
    assert seconds == pytest.approx(0.5)


def test_frames_show_scene_events_and_spikes(simulator: dict[str, Any], tmp_path: Path) -> None:
    record = heard(tmp_path / "out.mp4", 0.5)
    assert record.tape is not None
    frames = list(film_frames(record.tape, record, REPORT, simulator))
    first, last = frames[0].astype(int), frames[-1].astype(int)
    scene, events, raster = (slice(18, 402), slice(484, 868), slice(868, None))
    rows = slice(86, 470)
    assert (first[rows, scene] != last[rows, scene]).any()  # the ball has moved
    orange = (last[rows, events] == rgb(ON)).all(axis=2)
    assert np.argwhere(orange).min(axis=0).tolist() == [18, 15]  # 3 pixels to one of the camera's
    assert orange.sum() == 9
    assert (last[245:265, 430:452] < 200).any(), "the camera's rows are named at their axis"
    spiking = [(frame[rows, raster] == rgb(ON)).all(axis=2).any(axis=0).sum() for frame in frames]
    assert all(np.diff(spiking) > 0)  # half a second of the two that are shown fills up


def test_what_was_not_heard_is_absent(simulator: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "out.gif"
    record = heard(path, 0.5, network=False)
    assert record.tape is not None
    assert record.tape.schedule.fps == 10
    record.tape._vectors.clear()
    (frame, *others) = film_frames(record.tape, record, REPORT, simulator)
    assert len(others) == 4
    assert frame.shape[1] < 600  # the events alone
    empty = record_for(DemoOptions(film=path))
    with pytest.raises(ValueError, match="nothing was heard"):
        make_film(path, empty, REPORT, simulator)
    with pytest.raises(ValueError, match="no tape"):
        make_film(path, RunRecord(), REPORT, simulator)


def test_an_interrupted_run_is_filmed_to_its_end(simulator: dict[str, Any], tmp_path: Path) -> None:
    options = DemoOptions(seconds=60.0, film=tmp_path / "out.mp4")
    record = record_for(options)
    assert record.tape is not None
    record.add_packet(*_packet(0.32), published_ns=0)
    frames = list(film_frames(record.tape, record, REPORT, simulator))
    assert len(frames) == 7  # of 1200: up to 0.35 s


def test_whoever_is_in_a_hurry_gets_a_shorter_film(
    simulator: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "out.gif"
    record = heard(path, 0.5)
    assert make_film(path, record, REPORT, simulator, lambda: False) == 1


def _packet(t_s: float) -> tuple[int, int, tuple[int, int], bytes]:
    events = Events(
        np.array([round(t_s * 1e9) + 20_000_000], np.int64),
        np.array([1], np.uint16),
        np.array([1], np.uint16),
        np.array([1], np.uint8),
        128,
        128,
    )
    payload, base_ns = encode_mono(events)
    return base_ns, 0, (128, 128), payload.tobytes()
