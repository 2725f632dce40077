# SPDX-License-Identifier: Apache-2.0
"""A browser's place in a benchmark: takes frames, and measures the process that makes them.

    python -m benchmarks.page_reader URL PARENT SECONDS [--reopen-s 1] --report FILE.json

PARENT is the process whose child the dashboard is. What a browser would draw is thrown away: on a
robot it runs on another machine. With --reopen-s the page is closed and opened again and again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from neuro_control.dashboard.wire import decode_frame

MODULE = "neuro_control.dashboard.node"
PROFILER = "neuro_control.inspection.profile_process"
SETTLE_S = 5.0
PATIENCE_S = 90.0


def dashboard_of(parent: int) -> psutil.Process:
    """The dashboard that a process has started. Raises RuntimeError if none comes."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children(recursive=True):
            if MODULE in child.cmdline():
                return child
        time.sleep(0.1)
    raise RuntimeError(f"process {parent} has started no dashboard")


class ProfilerTime:
    """Time that the controller's process for the page's profile has used; it comes and goes."""

    def __init__(self, parent: int) -> None:
        self._parent = psutil.Process(parent)
        self._used_s: dict[int, float] = {}

    def seconds(self) -> float:
        """Up to now, of all that were seen."""
        try:
            for child in self._parent.children(recursive=True):
                if child.pid in self._used_s or PROFILER in child.cmdline():
                    self._used_s[child.pid] = sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            pass  # it ended while it was looked at
        return sum(self._used_s.values())


class Reader:
    """Takes frames until a time, and counts them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.frames = 0
        self.bytes = 0
        self.opened = 0
        self.frame_ms: list[float] = []
        self.shown: list[float] = []

    async def read(self, until_s: float, reopen_s: float) -> None:
        """Open the page, again and again if it closes or `reopen_s` says so."""
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < until_s:
                try:
                    async with session.ws_connect(f"{self._url}ws", max_msg_size=0) as stream:
                        self.opened += 1
                        await self._take(stream, min(time.monotonic() + reopen_s, until_s))
                except aiohttp.ClientError:
                    await asyncio.sleep(0.2)

    async def _take(self, stream: Any, until_s: float) -> None:
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                message = await stream.receive(left_s)
            except asyncio.TimeoutError:
                return
            if message.type is aiohttp.WSMsgType.BINARY:
                await stream.send_str("drawn")
                self.frames += 1
                self.bytes += len(message.data)
                state, _ = decode_frame(message.data)
                self.frame_ms.append(float(state["busy_ms"]))
                if "camera" in state:
                    self.shown.append(float(state["camera"]["shown"]))
            elif message.type is not aiohttp.WSMsgType.TEXT:
                return


def growth_mb_per_h(samples: list[tuple[float, float]]) -> float:
    """Slope of memory over time of the second half of the samples, MB/h, robust (Theil-Sen)."""
    half = samples[len(samples) // 2 :]
    slopes = sorted(
        (b[1] - a[1]) / (b[0] - a[0])
        for i, a in enumerate(half)
        for b in half[i + 1 :]
        if b[0] - a[0] > 1.0
    )
    return slopes[len(slopes) // 2] * 3600.0 if slopes else 0.0


async def measure(url: str, parent: int, seconds: float, reopen_s: float) -> dict[str, Any]:
    """CPU (share of one core), memory (MB) and frames a second, after it has settled."""
    process = await asyncio.get_running_loop().run_in_executor(None, dashboard_of, parent)
    reader = Reader(url)
    warm_s = time.monotonic() + PATIENCE_S
    task = asyncio.create_task(reader.read(warm_s + seconds, reopen_s))
    while not reader.frames and time.monotonic() < warm_s:
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_S)
    frames, start_s, used = reader.frames, time.monotonic(), sum(process.cpu_times()[:2])
    amount, memory, profiler = reader.bytes, [], ProfilerTime(parent)
    profiler_s = profiler.seconds()
    while (now_s := time.monotonic()) < start_s + seconds:
        if not process.is_running():
            break
        memory.append((now_s - start_s, process.memory_info().rss / 1e6))
        used_now, profiler_now_s = sum(process.cpu_times()[:2]), profiler.seconds()
        await asyncio.sleep(0.5)
    task.cancel()
    elapsed_s = memory[-1][0] if memory else 0.0
    if elapsed_s <= 0.0:
        raise RuntimeError("the dashboard ended before it was measured")
    return {
        "frames_per_s": (reader.frames - frames) / elapsed_s,
        "kb_per_frame": (reader.bytes - amount) / max(reader.frames - frames, 1) / 1e3,
        "core_share": (used_now - used) / elapsed_s,
        "profile_core_share": (profiler_now_s - profiler_s) / elapsed_s,
        "frame_ms": sorted(reader.frame_ms)[len(reader.frame_ms) // 2] if reader.frame_ms else None,
        "shown": sorted(reader.shown)[len(reader.shown) // 2] if reader.shown else None,
        "opened": reader.opened,
        "memory_mb_first": memory[0][1],
        "memory_mb_last": memory[-1][1],
        "growth_mb_per_h": growth_mb_per_h(memory),
    }


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="benchmarks.page_reader")
    parser.add_argument("url")
    parser.add_argument("parent", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--reopen-s", type=float, default=1e9)
    parser.add_argument("--report", type=Path, required=True)
    arguments = parser.parse_args()
    found = asyncio.run(
        measure(arguments.url, arguments.parent, arguments.seconds, arguments.reopen_s)
    )
    arguments.report.write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
