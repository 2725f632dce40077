# SPDX-License-Identifier: Apache-2.0
"""A recording goes on whether or not anybody looks, and its end is told."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neuro_control.dashboard.recording import Recording
from test.dashboard.conftest import until

# As a recorder: it tells its count, and ends when its input ends.
TALKS = """
import sys
for count in range({lines}):
    print(count, flush=True)
{rest}
"""
WAITS = "sys.stdin.read()"
# More than a pipe holds (64 KiB).
MANY = 40_000


class Recorded:
    """A recording whose recorder is a script, and what it tells."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.begun = 0
        self.script = TALKS.format(lines=1, rest=WAITS)
        self.recording = Recording(str(folder), "/", self.told.append)
        monkeypatch.setattr(self.recording, "_command", self._command)

    def _command(self, path: Path) -> list[str]:
        self.begun += 1
        return [sys.executable, "-c", self.script, str(path)]

    def messages(self, count: int) -> Callable[[], bool]:
        # Not `says`, as long as no page asks.
        return lambda: self.recording._messages == count


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    made = Recorded(tmp_path, monkeypatch)
    yield made
    made.recording.close()
    for thread in threading.enumerate():
        if thread.name == "dashboard_recording":
            thread.join(20.0)


def test_a_recorder_that_nobody_asks_is_heard_to_its_last_word(recorded: Recorded) -> None:
    recorded.script = TALKS.format(lines=MANY, rest=WAITS)
    assert recorded.recording.set(True)["on"]
    until(recorded.messages(MANY - 1), "more than a pipe holds is heard", 60.0)
    said = recorded.recording.set(False)
    assert (said["on"], said["messages"], said["failure"]) == (False, MANY - 1, "")
    assert recorded.told == []


def test_it_is_counted_from_the_first_message_that_is_written(recorded: Recorded) -> None:
    recorded.script = "import sys\nprint(0, flush=True)\nsys.stdin.read()\nprint(3, flush=True)"
    assert recorded.recording.set(True)["began_s"] == 0.0, "the recorder starts"
    process = recorded.recording._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    until(recorded.messages(3), "the first messages are heard")
    until(lambda: abs(recorded.recording._began_s - time.time()) < 600.0, "it has begun")


def test_an_endless_line_is_no_count_and_fills_nothing(recorded: Recorded) -> None:
    rest = "print('x' * 10**6)\nprint(7, flush=True)\n" + WAITS
    recorded.script = TALKS.format(lines=3, rest=rest)
    recorded.recording.set(True)
    until(recorded.messages(7), "the count after it is heard", 60.0)


def test_a_recorder_that_ends_by_itself_is_told_at_once(recorded: Recorded) -> None:
    recorded.script = TALKS.format(lines=5, rest="sys.exit(3)")
    recorded.recording.set(True)
    until(lambda: recorded.told, "its end is told", 60.0)
    assert "exit code 3" in recorded.told[0]
    assert recorded.told[0].endswith(".mcap was not made")
    said = recorded.recording.says()
    assert not said["on"]
    assert said["failure"] == "the recorder ended with exit code 3"
    assert said["messages"] == 4
    recorded.script = TALKS.format(lines=1, rest=WAITS)
    said = recorded.recording.set(True)
    assert (said["on"], said["failure"]) == (True, "")


def test_of_a_recorder_that_was_killed_it_is_told_where_its_recording_is(
    recorded: Recorded,
) -> None:
    recorded.script = (
        "import os, signal, sys; from pathlib import Path\n"
        "path = Path(sys.argv[1]); bag = path.with_name(f'.{path.name}.recording') / 'bag'\n"
        "bag.mkdir(parents=True); (bag / 'bag.mcap').write_text('recorded')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    recorded.recording.set(True)
    until(lambda: recorded.told, "its end is told", 60.0)
    assert "exit code -9" in recorded.told[0]
    assert "was not made" not in recorded.told[0]
    left = Path(recorded.told[0].rpartition("was cut off; what it wrote is ")[2])
    assert left.read_text() == "recorded"


def test_two_pages_that_press_at_once_begin_one_recording(recorded: Recorded) -> None:
    together = threading.Barrier(8)

    def press(_: int) -> None:
        together.wait(10.0)
        recorded.recording.set(True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(press, range(8)))
    assert recorded.begun == 1


def test_it_is_off_only_when_the_file_is_there(recorded: Recorded, tmp_path: Path) -> None:
    file, gate = tmp_path / "file", tmp_path / "gate"
    recorded.script = TALKS.format(lines=1, rest=WAITS) + (
        f"open({str(gate)!r}).read()\nopen({str(file)!r}, 'w')"
    )
    os.mkfifo(gate)
    recorded.recording.set(True)
    ending = threading.Thread(target=recorded.recording.set, args=(False,))
    ending.start()
    # It opens once the recorder has been told to end, and before it has.
    with gate.open("w"):
        assert recorded.recording.says()["on"]
    ending.join(20.0)
    said = recorded.recording.says()
    assert (said["on"], said["failure"]) == (False, "")
    assert file.exists()


def test_a_recorder_that_fails_while_it_ends_is_told(recorded: Recorded) -> None:
    recorded.script = TALKS.format(lines=1, rest=WAITS + "\nsys.exit(4)")
    recorded.recording.set(True)
    assert recorded.recording.set(False)["failure"] == "the recorder ended with exit code 4"


def test_the_recorder_told_to_end_while_it_starts_leaves_a_whole_file(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path), "/")
    recording.set(True)
    said = recording.set(False)
    assert (said["on"], said["failure"]) == (False, "")
    assert Path(said["file"]).read_bytes().startswith(b"\x89MCAP0")
