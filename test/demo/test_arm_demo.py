# SPDX-License-Identifier: Apache-2.0
"""The arm's demo as a user runs it: real processes, real topics, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

pytest.importorskip("rclpy")

from benchmarks import arm_loop
from neuro_control.events import read_packets

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "neuro_control.cli", "demo", "arm", "--headless"]
LIMIT_S = 90.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The user's environment without a domain, so that each demo chooses its own."""
    chosen = {k: v for k, v in os.environ.items() if k not in ("ROS_DOMAIN_ID", "DISPLAY")}
    return chosen | {"ROS_LOG_DIR": str(tmp_path / "log")}


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """Whatever a test does, no node of its demos lives on, and no shared memory stays."""
    before = segments()
    yield
    left = [process.info["pid"] for process in nodes(tmp_path)]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert left == []
    wait_until(lambda: segments() <= before)


def segments() -> set[str]:
    """Names of the middleware's files in shared memory that nobody has removed."""
    return {path.name for path in Path("/dev/shm").glob("*fastrtps_*")} - in_use()


def in_use() -> set[str]:
    """Of those, what other programs on this machine hold at this moment."""
    names = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            text = Path(f"/proc/{process.pid}/maps").read_text()
            held = {Path(w).name for w in text.split() if w.startswith("/dev/shm/fastrtps_")}
            names |= held | {f"{n}_el" for n in held} | {f"sem.{n}_mutex" for n in held}
    return names


def nodes(log_folder: Path) -> list[psutil.Process]:
    """Processes started with a parameter file below a folder, that is, by a demo of this test."""
    return [
        process
        for process in psutil.process_iter(["pid", "cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(str(log_folder) in word for word in process.info["cmdline"] or ())
        and "neuro_control.nodes" in " ".join(process.info["cmdline"])
    ]


def wait_until(condition: Callable[[], bool], seconds: float = LIMIT_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the condition never came true")
        time.sleep(0.02)


def demo(
    environment: dict[str, str], report: Path, *words: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    result = subprocess.run(
        [*COMMAND, "--report", str(report), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        timeout=200,
    )
    return result, json.loads(report.read_text()) if report.exists() else {}


@contextlib.contextmanager
def running_demo(
    environment: dict[str, str], tmp_path: Path, *words: str
) -> Iterator[subprocess.Popen[str]]:
    """A demo of a minute whose arm is being moved already."""
    command = [*COMMAND, "--seconds", "60", "--report", str(tmp_path / "out.json"), *words]
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment
        )
    try:
        wait_until(
            lambda: "tracking" in (tmp_path / "output").read_text() or process.poll() is not None
        )
        assert process.poll() is None, (tmp_path / "output").read_text()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


# What depends on simulated time alone, and so comes out the same every time in lockstep.
REPRODUCIBLE = (
    "seconds",
    "tracking_error_deg",
    "lost_fraction",
    "events_per_second",
    "spikes_per_second",
    "active_fraction",
    "packets_lost",
)


def test_in_lockstep_it_tracks_and_every_seed_has_its_own_figures_every_time(
    environment: dict[str, str], tmp_path: Path
) -> None:
    figures: dict[int, list[dict[str, Any]]] = {0: [], 1: []}
    for seed in (0, 1, 0):  # the next demo begins the moment that the last one has ended
        words = ("--lockstep", "--seconds", "2", "--seed", str(seed))
        result, report = demo(environment, tmp_path / "out.json", *words)
        assert result.returncode == 0, result.stdout + result.stderr
        assert report["tracking_error_deg"]["median"] < 3.0
        assert report["lost_fraction"] < 0.01
        assert report["target_samples_missing"] == 0
        assert report["guard_interventions"] is not None
        assert report["latency_ms"]["median"] > 0
        assert not report["interrupted"]
        figures[seed].append({key: report[key] for key in REPRODUCIBLE})
        assert None not in figures[seed][-1].values()
    assert figures[0][0] == figures[0][1]
    assert figures[0][0] != figures[1][0]


def test_in_lockstep_the_nodes_do_exactly_what_one_process_does(
    environment: dict[str, str], tmp_path: Path
) -> None:
    words = ("--lockstep", "--seconds", "2", "--seed", "3", "--set", "simulator.renderer=rays")
    result, report = demo(environment, tmp_path / "out.json", *words)
    assert result.returncode == 0, result.stdout + result.stderr
    alone = arm_loop.run("spiking", 2.0, {"seed": 3, "renderer": "rays"})
    assert report["guard_interventions"] == 0, report["guard_reasons"]
    assert report["tracking_error_deg"] == {
        "median": pytest.approx(np.median(alone.error_deg), rel=1e-12),
        "p95": pytest.approx(np.percentile(alone.error_deg, 95), rel=1e-12),
    }


def test_in_real_time_it_draws_films_and_records(
    environment: dict[str, str], tmp_path: Path, check_page: Callable[[str], Any]
) -> None:
    picture, bag, page, film = (tmp_path / f"out.{s}" for s in ("png", "mcap", "html", "gif"))
    words = ["--seconds", "2", "--picture", str(picture), "--bag", str(bag)]
    words += ["--report", str(page), "--film", str(film)]
    result, report = demo(environment, tmp_path / "out.json", *words)
    assert result.returncode == 0, result.stdout + result.stderr
    assert report["seconds"] == pytest.approx(2.0, abs=0.05)
    assert picture.stat().st_size > 10_000
    assert sum(1 for _ in read_packets(bag)) > 300
    with Image.open(film) as frames:
        assert frames.n_frames == 20
    outline = check_page(page.read_text())
    rows = {row[0]: row[1:] for row in outline.rows}
    populations = {p["name"]: p for p in report["network"]["populations"]}
    assert {"events", "retina", "field"} <= set(populations)
    assert populations["field"]["spikes"] > 100
    assert rows["field"][1] == "1024"
    assert f"{report['tracking_error_deg']['median']:.2f}°" in " ".join(outline.text)
    assert "--film" in report["command"]


def test_ctrl_c_half_way_ends_everything_and_still_reports(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running_demo(environment, tmp_path, "--bag", str(tmp_path / "out.mcap")) as process:
        assert len(nodes(tmp_path)) == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
    assert nodes(tmp_path) == []
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["interrupted"] is True
    assert 0.0 < report["seconds"] < 60.0
    assert report["tracking_error_deg"]["median"] is not None
    assert next(read_packets(tmp_path / "out.mcap")).encoding == "mono"


def test_a_second_interruption_says_what_is_not_written_and_ends_with_its_code(
    environment: dict[str, str], tmp_path: Path
) -> None:
    picture = tmp_path / "out.png"
    with running_demo(environment, tmp_path, "--picture", str(picture)) as process:
        # Of two that are the same, sent at once, only one would come.
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 128 + signal.SIGINT
    assert f"not written        {picture} (interrupted twice)" in (tmp_path / "output").read_text()
    assert not picture.exists()
    assert json.loads((tmp_path / "out.json").read_text())["interrupted"] is True


def test_ctrl_c_before_anything_moves_ends_everything_too(
    environment: dict[str, str], tmp_path: Path
) -> None:
    report = tmp_path / "out.json"
    with subprocess.Popen(
        [*COMMAND, "--report", str(report)],
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment,
    ) as process:
        wait_until(lambda: len(nodes(tmp_path)) > 0)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
    assert json.loads(report.read_text())["interrupted"] is True


def test_a_killed_node_ends_the_demo_with_its_last_words(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running_demo(environment, tmp_path) as process:
        victim = next(p for p in nodes(tmp_path) if "neuro_control.nodes.guard" in p.cmdline())
        victim.kill()
        assert process.wait(LIMIT_S) == 1
    output = (tmp_path / "output").read_text()
    assert "guard was killed by SIGKILL" in output
    assert "Traceback" not in output
    assert "guard was killed" in json.loads((tmp_path / "out.json").read_text())["failure"]


def test_a_killed_demo_leaves_no_node(environment: dict[str, str], tmp_path: Path) -> None:
    with running_demo(environment, tmp_path) as process:
        process.kill()
    wait_until(lambda: nodes(tmp_path) == [])
    # What SIGKILL left in shared memory is removed by the next demo.
    words = ("--lockstep", "--seconds", "0.2")
    result, _ = demo(environment, tmp_path / "next.json", *words)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_value_that_a_node_would_refuse_is_told_before_any_starts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    words = ("--set", "simulator.target.speed_m_s=99")
    result, _ = demo(environment, tmp_path / "out.json", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert "target.speed_m_s" in result.stderr
    assert not (tmp_path / "out.json").exists()
    assert "Traceback" not in result.stderr
