# SPDX-License-Identifier: Apache-2.0
"""A sensor's own clock, and the node's: events are given the node's time.

A camera counts from its own start, often microseconds since power-on, while commands are stamped
by the node's clock. A simulated camera shares the clock, and its times are left alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuro_control.events import Events

# Transport is faster than this; a larger difference means that the clocks count from elsewhere,
# or have drifted apart.
LARGEST_DELAY_NS = 50_000_000

# A packet is stamped before those that came before it by this much at most (ns); by more, and the
# node's clock has begun anew.
NEW_TIME_NS = 1_000_000_000


class SensorClock:
    """Shifts events by a constant, found anew when sensor and node disagree by over 50 ms.

    Times given out ascend, within a packet and from packet to packet, as those who take events in
    expect. Where the new constant is smaller (the sensor's clock is fast, or a packet before was
    stamped late), times go on from the last one given out, in their order, at half the speed of
    sensor or node, whichever is slower, until they are right again: after twice as long as they
    were ahead. They run back in one case only: after `begin_anew`.

    offset_ns: added to the sensor's times.
    reanchored: how often it was found anew, the first time not counted.
    """

    def __init__(self) -> None:
        self.offset_ns = 0
        self.reanchored = 0
        # The last event in the sensor's time, its packet's stamp, and as what it was given out.
        self._sensor_ns = self._stamp_ns = 0
        self._given_ns: int | None = None
        self._anew = True

    def begin_anew(self) -> None:
        """A new time begins: the next events may lie before the last ones given out.

        Whether it does is for those to judge who see the packets' stamps.
        """
        self._anew = True

    def to_node_time(self, events: Events, stamp_ns: int) -> Events:
        """The events in the node's time; stamp_ns is when the node's clock saw the packet.

        Events ascend in time; those of a sensor that began anew may begin before the last.
        """
        if len(events) == 0:
            return events
        first_ns, last_ns = int(events.t_ns[0]), int(events.t_ns[-1])
        if not -LARGEST_DELAY_NS <= last_ns + self.offset_ns - stamp_ns <= LARGEST_DELAY_NS:
            self.offset_ns = stamp_ns - last_ns
            self.reanchored += self._given_ns is not None
        given_ns, t_ns = self._given_ns, events.t_ns
        if self.offset_ns:
            t_ns = t_ns + self.offset_ns
        if self._anew:
            self._anew = False
        elif given_ns is not None and first_ns + self.offset_ns < given_ns:
            since_ns = self._sensor_ns if first_ns >= self._sensor_ns else first_ns
            most_ns = max(stamp_ns - self._stamp_ns, 0)
            slowly_ns = np.minimum(events.t_ns - since_ns, most_ns) // 2
            t_ns = np.maximum(t_ns, given_ns + slowly_ns)
        self._sensor_ns, self._stamp_ns, self._given_ns = last_ns, stamp_ns, int(t_ns[-1])
        return events if t_ns is events.t_ns else replace(events, t_ns=t_ns)
