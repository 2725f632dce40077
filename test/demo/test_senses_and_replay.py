# SPDX-License-Identifier: Apache-2.0
"""The demo with all its senses leaves a recording, which is played through the real nodes again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from neuro_control.events.recording import Recording

LIMIT_S = 250.0
ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def neuro_control(tmp_path: Path, *words: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("ROS_DOMAIN_ID", "DISPLAY")}
    process = subprocess.Popen(
        [sys.executable, "-m", "neuro_control.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=environment | {"ROS_LOG_DIR": str(tmp_path / "log")},
    )
    try:
        output, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.terminate()  # it ends its nodes then
        output, _ = process.communicate()
    assert process.returncode == 0, output


def report_of(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def test_a_run_with_all_senses_is_recorded_and_played_again(tmp_path: Path) -> None:
    bag = tmp_path / "run.mcap"
    words = ("--headless", "--senses", "--lockstep", "--seconds", "2", "--bag", str(bag))
    neuro_control(tmp_path, "demo", "arm", *words)
    recorded = Recording(bag)
    counts = Counter(message.topic for message in recorded.messages(list(recorded.topics)))
    # A picture each 2 ms, skin and ears each 10 ms; what may be lost on a busy machine is left.
    assert counts["/event_camera/events"] > 700
    assert counts["/joint_states"] > 700
    assert counts["/taxels"] > 150
    assert counts["/skin/events"] > 100
    assert counts["/cochlea/events"] > 100
    assert counts["/network/spikes"] > 10
    assert counts["/network/description"] == 1
    neuro_control(
        tmp_path, "replay", str(bag), "--rate", "0.5", "--report", str(tmp_path / "again.json")
    )
    again = report_of(tmp_path / "again.json")
    assert again["packets"] + again["packets_lost"] > 700
    assert again["spikes"] > 500
    assert again["commands"] > 50
    assert again["malformed"] == again["outside_sensor"] == 0
    assert not again["interrupted"]
