# SPDX-License-Identifier: Apache-2.0
"""Which packets are not decoded when more come than can be answered: those that waited longest."""

from __future__ import annotations


class LoadShedder:
    """Sheds packets, oldest first, from the moment that one has waited too long.

    To let a packet go costs a small part of what it costs to decode and answer it. When one has
    waited for more than `after_ns`, it and those behind it are shed until one has waited for no
    more than half as long: what the robot is told is then about now, and not about the moment when
    the storm began. Where even fetching the packets takes nearly all the time that is far off; so
    one is answered after every `after_ns` of shedding, however old it is, and commands do not stop.

    after_ns: wait in the middleware beyond which packets are shed; 0: never.
    """

    def __init__(self, after_ns: int) -> None:
        self._after_ns = after_ns
        self._since_ns: int | None = None

    def sheds(self, waited_ns: int, now_ns: int) -> bool:
        """Whether the packet that is next is shed.

        waited_ns: from its arrival in the middleware until now; negative if that is unknown.
        now_ns: of any clock that does not run backwards.
        """
        since_ns, after_ns = self._since_ns, self._after_ns
        limit_ns = after_ns if since_ns is None else after_ns // 2
        tired = since_ns is not None and now_ns - since_ns > after_ns
        if after_ns == 0 or waited_ns <= limit_ns or tired:
            self._since_ns = None
            return False
        if since_ns is None:
            self._since_ns = now_ns
        return True
