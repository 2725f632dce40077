# SPDX-License-Identifier: Apache-2.0
"""How fast event packets are decoded: `python -m benchmarks.decoding`.

The packets of a recording (or synthetic ones, if there is none) are decoded one after another, as
a node does it, checks of the stream included, and in one piece; each pass gives one rate. What a
rate counts is the time of one core (`time.process_time`), which other work on the machine hardly
changes; the wall clock's stands beside it. In the same run: a plain Python loop over the words, and
what reads such files on PyPI (see `benchmarks.decoding_peers`). Then mono, random vectors as EVT
2.1, and what a node does with a packet of 4,000 events, from the bytes in the ROS message on.
"""

from __future__ import annotations

import argparse
import array
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import decoding_peers as peers
from benchmarks import report
from benchmarks.arguments import positive
from benchmarks.page import Bars
from neuro_control.events import Events, Packet, PacketStream, Replay, decoder, encoder

WIDTH, HEIGHT = 640, 480
PERIOD_NS = 4_000_000
RECORDING = Path("event_camera/evt3_640x480.db3")


def shared_recording() -> Path | None:
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("NEURO_CONTROL_SHARED_DATA", default)) / RECORDING
    return path if path.is_file() else None


def random_events(n: int, start_ns: int, rng: np.random.Generator) -> Events:
    return Events(
        start_ns + np.sort(rng.integers(0, PERIOD_NS // 1000, n)) * 1000,
        rng.integers(0, WIDTH, n).astype(np.uint16),
        rng.integers(0, HEIGHT, n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8),
        WIDTH,
        HEIGHT,
    )


def as_packets(parts: Sequence[Events], encoding: str) -> list[Packet]:
    packets = []
    made = encoder(encoding, parts[0].width, parts[0].height)
    for seq, events in enumerate(parts):
        payload, base_ns = made.encode(events)
        size = (events.width, events.height)
        packets.append(Packet("events", seq, base_ns, seq, encoding, *size, False, payload))
    return packets


Measured = tuple[int, list[float], list[float]]
"""Number of events, and seconds of every pass: the core's and the wall clock's."""


def measure(decode: Callable[[], int], passes: int) -> Measured:
    """Time passes, the first (compilation) left out."""
    n = decode()
    seconds, wall = [], []
    for _ in range(passes):
        start, wall_start = time.process_time(), time.perf_counter()
        decode()
        seconds.append(time.process_time() - start)
        wall.append(time.perf_counter() - wall_start)
    return n, seconds, wall


def through_stream(packets: Sequence[Packet]) -> int:
    first = packets[0]
    stream = PacketStream(first.width, first.height, first.encoding)
    n = 0
    for packet in packets:
        events = stream.receive(packet)
        n += 0 if events is None else len(events)
    return n


def plain_evt3(words: Sequence[int]) -> int:
    """The same format in a plain Python loop, without any check."""
    events = []
    y = x = p = upper = lower = 0
    for word in words:
        code, value = word >> 12, word & 0xFFF
        if code == 0x2:
            events.append((upper | lower, value & 0x7FF, y, value >> 11))
        elif code == 0x0:
            y = value & 0x7FF
        elif code == 0x6:
            lower = value
        elif code == 0x8:
            upper = value << 12
        elif code == 0x3:
            x, p = value & 0x7FF, value >> 11
        elif code in {0x4, 0x5}:
            size = 12 if code == 0x4 else 8
            events += [(upper | lower, x + i, y, p) for i in range(size) if value >> i & 1]
            x += size
    return len(events)


def random_vectors(n: int, rng: np.random.Generator) -> np.ndarray:
    """EVT 2.1 words of one time, each with about sixteen events."""
    words = np.full(n + 1, 0x8 << 60, np.uint64)
    words[1:] = 1 << 60 | rng.integers(0, WIDTH - 32, n).astype(np.uint64) << np.uint64(43)
    words[1:] |= rng.integers(0, HEIGHT, n).astype(np.uint64) << np.uint64(32)
    words[1:] |= rng.integers(0, 2**32, n).astype(np.uint64)
    return words.view(np.uint8)


def one_piece(payload: np.ndarray, encoding: str, size: tuple[int, int]) -> Callable[[], int]:
    """One decoder for all passes, as a stream has one; it begins anew with each."""
    made = decoder(encoding, *size)

    def decode() -> int:
        made.reset()
        return len(made.decode(payload))

    return decode


def from_message(encoding: str, passes: int, rng: np.random.Generator) -> dict[str, Any]:
    """Packets of 4,000 events: bytes as the ROS message has them, to checked events."""
    parts = [random_events(4000, seq * PERIOD_NS, rng) for seq in range(200)]
    packets = as_packets(parts, encoding)
    received = [array.array("B", packet.payload.tobytes()) for packet in packets]

    def decode() -> int:
        stream = PacketStream(WIDTH, HEIGHT, encoding)
        n = 0
        for packet, data in zip(packets, received, strict=True):
            events = stream.receive(replace(packet, payload=np.frombuffer(data, np.uint8)))
            n += 0 if events is None else len(events)
        return n

    name = "neuro_control, packets of 4,000 from the message"
    return row(encoding, name, measure(decode, passes), 200 * 4000, 200)


def row(name: str, what: str, measured: Measured, size: int, packets: int) -> dict[str, Any]:
    """One line of the table; size is the number of words (evt3: 2 bytes, mono: 8)."""
    n, seconds, wall = measured
    time_s = report.summary(seconds, digits=9)
    return {
        "encoding": name,
        "decoder": what,
        "events": n,
        "Mev/s": round(n / time_s["median"] / 1e6, 2),
        "Mwords/s": round(size / time_s["median"] / 1e6, 2),
        "p99 Mev/s": round(n / time_s["p99"] / 1e6, 2),
        "wall Mev/s": round(n / float(np.median(wall)) / 1e6, 2),
        "us/packet": round(time_s["median"] / packets * 1e6, 2) if packets else None,
        "p99 us/packet": round(time_s["p99"] / packets * 1e6, 2) if packets else None,
    }


def bars(rows: list[dict[str, Any]]) -> Bars:
    """Million events a second of each decoder."""
    return Bars(
        "Million events a second, median; the mark is the slowest hundredth of the passes",
        rows,
        ("encoding", "decoder"),
        "Mev/s",
        "million events a second",
        mark="p99 Mev/s",
        log=True,
    )


def show(
    options: argparse.Namespace, source: str, rows: list[dict[str, Any]], ratios: dict[str, float]
) -> None:
    """Print what was found, and write what was asked for."""
    extra = {"source": source, "passes": options.passes, "ratio": ratios}
    title = f"Decoding {source}, median of {options.passes} passes"
    report.print_table(rows, title)
    for peer, ratio in ratios.items():
        print(f"neuro_control in one piece over {peer}: {ratio}")
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(options.json, "decoding", rows, extra)
    notes = [f"neuro_control in one piece over {name}: {ratio}" for name, ratio in ratios.items()]
    plots = [bars(rows)]
    report.write_page(options, "decoding", __doc__, {title: rows}, versions, plots, notes)


def main() -> None:
    arguments = report.parser("decoding", "How fast event packets are decoded.")
    arguments.add_argument("--recording", metavar="PATH", type=Path, help="decode this evt3 bag")
    arguments.add_argument(
        "--passes", type=positive(int), default=50, help="passes over the packets"
    )
    peers.add_options(arguments)
    options = arguments.parse_args()

    pythons = peers.pythons(options)
    recording = options.recording or shared_recording()
    rng = np.random.default_rng(0)
    if recording is None:
        source = "synthetic events, uniform over the sensor"
        parts = [random_events(700, seq * PERIOD_NS, rng) for seq in range(500)]
        evt3 = as_packets(parts, "evt3")
    else:
        source = recording.name
        played = list(Replay(recording))
        evt3 = [packet for packet, _ in played]
        parts = [events for _, events in played]
        if evt3[0].encoding != "evt3":
            raise SystemExit(f"{recording} has encoding {evt3[0].encoding}; give an evt3 recording")

    payload = np.concatenate([packet.payload for packet in evt3])
    words = payload.view("<u2").tolist()
    rows = []
    measured = measure(lambda: through_stream(evt3), options.passes)
    rows.append(row("evt3", "neuro_control, packet by packet", measured, len(words), len(evt3)))
    size = (evt3[0].width, evt3[0].height)
    ratios = {}
    joined = np.concatenate([packet.payload for packet in as_packets(parts, "evt2")])
    for encoding, given, bytes_each in (("evt3", payload, 2), ("evt2", joined, 4)):
        n_words = len(given) // bytes_each
        ours = measure(one_piece(given, encoding, size), options.passes)
        found, missing = peers.read_by_all(given, encoding, size, options.passes, pythons)
        # Half of ours before the peers and half after: a machine's load changes.
        again = measure(one_piece(given, encoding, size), options.passes)
        both = (ours[0], ours[1] + again[1], ours[2] + again[2])
        rows.append(row(encoding, "neuro_control, in one piece", both, n_words, 0))
        rate = rows[-1]["Mev/s"]
        for name, measured in found.items():
            rows.append(row(encoding, name, measured, n_words, 0))
            ratios[f"{encoding}, {name}"] = round(rate / rows[-1]["Mev/s"], 2)
        for name, why in missing.items():
            print(f"{encoding}, {name}: {why}")
    measured = measure(lambda: plain_evt3(words), max(3, options.passes // 10))
    rows.append(row("evt3", "plain Python loop", measured, len(words), 0))

    mono = as_packets(parts, "mono")
    measured = measure(lambda: through_stream(mono), options.passes)
    n = sum(map(len, parts))
    rows.append(row("mono", "neuro_control, packet by packet", measured, n, len(mono)))
    vectors = random_vectors(50_000, rng)
    measured = measure(one_piece(vectors, "evt21", (WIDTH, HEIGHT)), options.passes)
    rows.append(row("evt21", "neuro_control, random vectors", measured, 50_001, 0))
    rows += [from_message(name, options.passes, rng) for name in ("evt3", "evt2", "mono")]
    show(options, source, rows, ratios)


if __name__ == "__main__":
    main()
