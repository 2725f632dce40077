# SPDX-License-Identifier: Apache-2.0
"""What a film shows of a run, kept while it goes on: one moment a frame, in bounded memory.

Nothing is drawn here. An event is looked at if it falls into a frame's window; of postures and
targets the last one before each frame stays. The number of frames has a limit, so a long run is
filmed at a multiple of its own speed instead of in a longer film.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from neuro_control.events import Events
from neuro_control.reports.event_image import Polarity, add_events

EVENTS_S = 0.02
SPEEDS = tuple(m * 10**e for e in range(6) for m in (1, 2, 5))


@dataclass(frozen=True)
class FilmSchedule:
    """When the frames of a film are.

    frames: how many a whole run has. fps: shown a second. speed: how many times faster than the
    run the film is. Frame k shows the time (k + 1) * step_ns.
    """

    frames: int
    fps: int
    speed: int

    @classmethod
    def of(cls, seconds: float, fps: int, longest_s: float) -> FilmSchedule:
        """The film of a run of some seconds, at the least whole speed that keeps it short.

        Raises ValueError if the run is shorter than two frames.
        """
        speed = next((s for s in SPEEDS if seconds / s <= longest_s), SPEEDS[-1])
        frames = math.floor(seconds * fps / speed + 1e-9)
        if frames < 2:
            raise ValueError(f"{seconds:g} s are less than two pictures of a film at {fps}/s")
        return cls(frames, fps, speed)

    @property
    def step_ns(self) -> int:
        """Time of the run between two frames."""
        return round(1e9 * self.speed / self.fps)

    def frame_at(self, t_ns: int) -> int:
        """The frame that shows a time: the first one not before it."""
        return -(-t_ns // self.step_ns) - 1

    def time_s(self, frame: int) -> float:
        """The time of the run that a frame shows."""
        return (frame + 1) * self.step_ns * 1e-9


@dataclass
class FilmTape:
    """Fills while a run goes on. vectors: names of what `note` may be given."""

    schedule: FilmSchedule
    size: tuple[int, int] | None = None
    last_frame: int = -1
    _images: dict[int, bytes] = field(default_factory=dict)
    _vectors: dict[str, dict[int, tuple[float, ...]]] = field(default_factory=dict)
    _open: int = -1
    _image: Polarity | None = None

    @property
    def window_ns(self) -> int:
        """How long before a frame its events reach back."""
        return min(round(EVENTS_S * 1e9), self.schedule.step_ns)

    def wants(self, begin_ns: int, end_ns: int) -> bool:
        """Whether a frame shows any event between two times (so that a packet may be left shut)."""
        frame = self.schedule.frame_at(begin_ns)
        return end_ns > self.schedule.step_ns * (frame + 1) - self.window_ns

    def add_events(self, events: Events) -> None:
        """Keep the events that frames show, of a packet that is ascending in time.

        Those of a frame that is finished come too late.
        """
        self.size = (events.width, events.height)
        if len(events) == 0:
            return
        schedule, t_ns = self.schedule, events.t_ns
        first = max(schedule.frame_at(int(t_ns[0])), self._open, 0)
        last = min(schedule.frame_at(int(t_ns[-1])), schedule.frames - 1)
        for frame in range(first, last + 1):
            end_ns = schedule.step_ns * (frame + 1)
            begin, end = np.searchsorted(t_ns, (end_ns - self.window_ns, end_ns), side="right")
            if begin == end:
                continue
            if frame > self._open or self._image is None:
                self._shut()
                self._open = frame
                self._image = np.zeros((events.height, events.width), np.int8)
                self.last_frame = max(self.last_frame, frame)
            add_events(self._image, events[int(begin) : int(end)])

    def note(self, name: str, t_ns: int, values: Sequence[float]) -> None:
        """Keep a vector, such as a posture, as the latest before the frame that follows it."""
        frame = self.schedule.frame_at(t_ns)
        if 0 <= frame < self.schedule.frames:
            self._vectors.setdefault(name, {})[frame] = tuple(values)
            self.last_frame = max(self.last_frame, frame)

    def events_of(self, frame: int) -> Polarity | None:
        """The events of a frame, int8[height, width]; None if no camera was heard at all."""
        if self.size is None:
            return None
        width, height = self.size
        if frame == self._open and self._image is not None:
            return self._image
        if frame not in self._images:
            return np.zeros((height, width), np.int8)
        raw = zlib.decompress(self._images[frame])
        return np.frombuffer(raw, np.int8).reshape(height, width)

    def vector(self, name: str, frame: int) -> tuple[float, ...] | None:
        """The latest of that name up to a frame; None if there was none yet."""
        kept = self._vectors.get(name, {})
        return next((kept[k] for k in range(frame, -1, -1) if k in kept), None)

    def has(self, name: str) -> bool:
        """Whether anything of that name was kept."""
        return name in self._vectors

    def _shut(self) -> None:
        if self._image is not None:
            self._images[self._open] = zlib.compress(self._image.tobytes(), 1)
