# SPDX-License-Identifier: Apache-2.0
"""A recording read by another library: `python decoding_peer.py NAME RAW PASSES OUT.json`.

Each reads the same Prophesee RAW file (its bytes are in the page cache) into arrays, by the
fastest of its public ways. It imports nothing of this project: the peer's interpreter runs it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

Read = Callable[[], int]


def encoding_of(raw: Path) -> str:
    return "evt3" if b"EVT3" in raw.read_bytes()[:200] else "evt2"


def expelliarmus(raw: Path) -> Read:
    from expelliarmus import Wizard

    # It stops at the first word that it does not know (triggers, the vendor's own).
    encoding = encoding_of(raw)
    if encoding == "evt3":
        header, payload = raw.read_bytes().split(b"% end\n", 1)
        words = np.frombuffer(payload, "<u2")
        known = words[np.isin(words >> 12, (0, 2, 3, 4, 5, 6, 8))]
        raw = raw.with_name("known_words.raw")
        raw.write_bytes(header + b"% end\n" + known.tobytes())
    wizard = Wizard(encoding=encoding)
    return lambda: len(wizard.read(str(raw)))


def evt3(raw: Path) -> Read:
    import evt3 as peer

    payload = raw.read_bytes().split(b"% end\n", 1)[1]
    return lambda: len(peer.decode_bytes(payload, 640, 480))


def evutils(raw: Path) -> Read:
    from evutils.io import EventReader

    def read() -> int:
        with_reader = EventReader(raw, mode="all", width=640, height=480)
        found: Any = with_reader.read_all()
        with_reader.close()
        return len(found)

    return read


def eventcv(raw: Path) -> Read:
    import eventcv as peer

    return lambda: len(peer.load(str(raw), sensor_size=(640, 480)))


def faery(raw: Path) -> Read:
    import faery as peer

    return lambda: len(peer.events_stream_from_file(raw).to_array())


def evlib(raw: Path) -> Read:
    import evlib as peer

    return lambda: len(peer.load_events(str(raw), sort=False).collect())


READERS = {
    "expelliarmus": expelliarmus,
    "evt3": evt3,
    "evutils": evutils,
    "eventcv": eventcv,
    "faery": faery,
    "evlib": evlib,
}


def main() -> None:
    name, raw, passes, out = sys.argv[1:]
    read = READERS[name](Path(raw))
    n, seconds, wall = read(), [], []
    for _ in range(int(passes)):
        start, wall_start = time.process_time(), time.perf_counter()
        read()
        seconds.append(time.process_time() - start)
        wall.append(time.perf_counter() - wall_start)
    found = {"events": n, "seconds": seconds, "wall": wall, "version": metadata.version(name)}
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
