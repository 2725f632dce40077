# SPDX-License-Identifier: Apache-2.0
"""The picture is drawn whatever was recorded, and shows what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from neuro_control.demo.options import DemoOptions
from neuro_control.demo.picture import draw_picture
from neuro_control.demo.record import RunRecord, Status
from neuro_control.demo.report import make_report
from neuro_control.events import Events, encode_mono


def full_record() -> RunRecord:
    rng = np.random.default_rng(0)
    record = RunRecord()
    for k in range(2500):
        t_ns = k * 2_000_000
        x, y = 0.06 * np.sin(k / 100) + 0.01 * rng.standard_normal(2)
        record.add_target(t_ns, float(x), float(y), 0.6, wall_s=k * 0.002)
        record.add_estimate(t_ns, float(x) / 0.6 + 0.005, float(y) / 0.6)
        n = 200
        events = Events(
            t_ns=np.sort(rng.integers(t_ns, t_ns + 2_000_000, n)),
            x=rng.integers(50, 80, n).astype(np.uint16),
            y=rng.integers(50, 80, n).astype(np.uint16),
            p=rng.integers(0, 2, n).astype(np.uint8),
            width=128,
            height=128,
        )
        payload, _ = encode_mono(events)
        record.add_packet(t_ns, k, (128, 128), payload.tobytes(), published_ns=0)
        record.add_command(t_ns, published_ns=int(1e6 * rng.lognormal(0.2, 0.4)))
        if k % 500 == 0:
            values = {"events": str(k * n), "spikes": str(k * 40)}
            record.add_status("controller", Status(t_ns * 1e-9, 0, "ok", values))
    return record


@pytest.mark.parametrize("record", [full_record(), RunRecord()], ids=["full", "empty"])
@pytest.mark.parametrize("with_scene", [False, True])
def test_a_picture_is_drawn(record: RunRecord, with_scene: bool, tmp_path: Path) -> None:
    report = make_report(
        record,
        DemoOptions(),
        task="track a target",
        field_of_view_deg=60.0,
        interrupted=not len(record.target),
        missing=0,
        totals={},
    )
    scene = np.full((60, 80, 3), 200, np.uint8) if with_scene else None
    path = tmp_path / "out.png"
    draw_picture(path, record, report, field_of_view_deg=60.0, scene=scene)
    drawn = image.imread(path)
    assert drawn.shape[1] > 1000
    assert drawn[..., :3].std() > 0.02


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_the_suffix_says_the_format(suffix: str, begins: bytes, tmp_path: Path) -> None:
    record = full_record()
    report = make_report(
        record,
        DemoOptions(),
        task="track a target",
        field_of_view_deg=60.0,
        interrupted=False,
        missing=0,
        totals={},
    )
    path = tmp_path / f"out{suffix}"
    draw_picture(path, record, report, field_of_view_deg=60.0)
    assert path.read_bytes().startswith(begins)
    assert list(tmp_path.iterdir()) == [path]
