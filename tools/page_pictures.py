# SPDX-License-Identifier: Apache-2.0
"""Pictures of the page: `python tools/page_pictures.py docs/dashboard.png docs/dashboard_dark.png`.

Starts the arm's demo with all its senses in lockstep, opens its page in Chromium (Debian: `apt
install chromium`; or NEURO_CONTROL_CHROMIUM), once light and once dark, and waits until every
panel has something to show. The 3D scene is drawn without a GPU, so that any machine can do it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 900.0
HISTORY_S = 8.0
MARK = "see it in a browser: "
ARGUMENTS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PANELS = (
    "scene", "camera", "raster", "joints", "membranes", "skin", "ears", "delay", "health", "guard",
    "simulation", "profile",
)  # fmt: skip
# Seconds of simulated time that the joints' curves show.
COVERED = """(() => {
  const samples = window.dashboard?.panel("joints")?.samples;
  return samples?.length ? samples.at(-1).t - samples[0].t : 0;
})()"""


@contextlib.contextmanager
def demo(pace: float) -> Iterator[str]:
    """The address of the page of a running demo. pace: real-time factor that it keeps below."""
    words = [sys.executable, "-m", "neuro_control.cli", "demo", "arm", "--headless", "--dashboard"]
    words += ["--lockstep", "--senses", "--seconds", "3600", "--set", "dashboard.port=0"]
    words += ["--set", f"simulator.real_time_factor={pace}"]
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for line in process.stdout or ():
            if MARK in line:
                yield line.partition(MARK)[2].strip()
                return
        raise RuntimeError("the demo ended without telling where its page is")
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60.0)
        except subprocess.TimeoutExpired:
            process.kill()


def wait(page: Any, expression: str, what: str) -> None:
    """Wait until a JavaScript expression holds. Raises RuntimeError if it never does."""
    deadline = time.monotonic() + LIMIT_S
    while not page.evaluate(f"Boolean({expression})"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"it never came to this: {what}")
        page.wait_for_timeout(200)


def draw(browser: Any, address: str, path: Path, scheme: str, size: tuple[int, int]) -> None:
    """One picture of the page."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.set_default_timeout(LIMIT_S * 1e3)
    page.goto(f"{address}?scene")
    for panel in PANELS:
        wait(page, f"document.getElementById('panel_{panel}')", f"there is a panel {panel}")
    wait(page, f"{COVERED} > {HISTORY_S}", f"{HISTORY_S:g} s of the joints are shown")
    # What a machine without a GPU is warned of is nothing to show.
    page.click("#pause")
    page.wait_for_timeout(1000)
    page.screenshot(path=path)
    page.close()
    print(path)


def main() -> int:
    """Entry point."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Pictures of the page.")
    parser.add_argument("light", type=Path)
    parser.add_argument("dark", type=Path)
    parser.add_argument("--size", default="1920x1080", help="of the window (default: 1920x1080)")
    parser.add_argument(
        "--pace",
        type=float,
        default=1.0,
        help="real-time factor at most; where the page is slow, a low one leaves no gaps",
    )
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    chromium = os.environ.get("NEURO_CONTROL_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("error: there is no chromium", file=sys.stderr)
        return 1
    with demo(arguments.pace) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for path, scheme in ((arguments.light, "light"), (arguments.dark, "dark")):
            draw(browser, address, path, scheme, (int(width), int(height)))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
