# SPDX-License-Identifier: Apache-2.0
"""A sensor that never rests: `python -m benchmarks.event_flood --events-per-second 1e7`.

Publishes mono packets of 4 ms on event_camera/events as fast as it is told, or as the machine can;
says once a second how many events that were. For tests of what listens.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.executors import ExternalShutdownException

from benchmarks.arguments import positive
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes import messages, qos

PERIOD_NS = 4_000_000


def packets(events: int, width: int, height: int, count: int = 8) -> list[tuple[int, bytes]]:
    """Payloads of some packets of random events, each 4 ms long."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        t_ns = np.sort(rng.integers(0, PERIOD_NS, events))
        t_ns[0] = 0
        x, y = rng.integers(0, width, events), rng.integers(0, height, events)
        p = rng.integers(0, 2, events).astype(np.uint8)
        batch = Events(t_ns, x.astype(np.uint16), y.astype(np.uint16), p, width, height)
        made.append((events, bytes(encode_mono(batch)[0])))
    return made


def flood(rate_per_s: float, width: int, height: int) -> None:
    """Publish until ended."""
    node = rclpy.create_node("event_flood")
    publisher = node.create_publisher(EventPacket, "event_camera/events", qos.best_effort(64))
    payloads = packets(max(round(rate_per_s * PERIOD_NS * 1e-9), 1), width, height)
    made = []
    for _, payload in payloads:
        packet = Packet("", 0, 0, 0, "mono", width, height, False, np.frombuffer(payload, np.uint8))
        made.append(messages.packet_message(packet))
    seq, told_s, told = 0, time.monotonic(), 0
    start_ns = time.time_ns()
    while rclpy.ok():
        due_ns = start_ns + seq * PERIOD_NS
        now_ns = time.time_ns()
        if now_ns < due_ns:
            time.sleep((due_ns - now_ns) * 1e-9)
        elif now_ns - due_ns > 100_000_000:
            start_ns += now_ns - due_ns  # it cannot keep up, and does not try to catch up
            due_ns = now_ns
        message = made[seq % len(made)]
        message.seq = seq
        message.time_base = due_ns
        message.header.stamp = messages.time_message(due_ns + PERIOD_NS)
        publisher.publish(message)
        seq += 1
        if (elapsed_s := time.monotonic() - told_s) >= 1.0:
            rate = (seq - told) * payloads[0][0] / elapsed_s
            print(f"{rate:.3g} events/s", flush=True)
            told_s, told = time.monotonic(), seq


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks.event_flood")
    parser.add_argument("--events-per-second", type=positive(float), default=1e7)
    parser.add_argument("--width", type=positive(int), default=1280)
    parser.add_argument("--height", type=positive(int), default=720)
    arguments = parser.parse_args()
    rclpy.init(args=[])
    try:
        flood(arguments.events_per_second, arguments.width, arguments.height)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:
        if rclpy.ok():  # else it was ended while it published
            raise
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
