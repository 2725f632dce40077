# SPDX-License-Identifier: Apache-2.0
"""The sequence numbers of a publisher's packets: what is lost, sent twice, late, or begins anew."""

from __future__ import annotations

from enum import Enum, auto


class Place(Enum):
    """Where a packet stands in the sequence."""

    NEXT = auto()
    """It follows the one before, or is the first."""
    AFTER_LOSS = auto()
    """Packets between the one before and this are missing."""
    DUPLICATE = auto()
    """Its sequence number has come already."""
    OUT_OF_ORDER = auto()
    """It comes after packets that were sent later; it was counted as lost when they came."""
    ANEW = auto()
    """The publisher began anew, and counts from this one on."""


_SEEN = 64
"""Sequence numbers remembered, to tell a duplicate from a packet that comes late."""

_LARGEST_LOSS = 1 << 20
"""A longer gap is a publisher that counts anew: over half an hour at 500 packets a second."""

STUBBORN = 8
"""As many packets from the past in a row are a publisher that began anew, not stragglers."""


class PacketSequence:
    """Follows the `seq` of one publisher.

    lost: sequence numbers that were missing when a later one came.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._next = -1
        self._seen = 0
        self._stragglers = 0

    def follow(self, seq: int) -> Place:
        """Put the next packet that came into the sequence."""
        ahead = seq - self._next
        if ahead == 0 or self._next < 0:
            self._advance(seq, 1)
            return Place.NEXT
        if 0 < ahead <= _LARGEST_LOSS:
            self.lost += ahead
            self._advance(seq, ahead + 1)
            return Place.AFTER_LOSS
        if -_SEEN <= ahead < 0 and self._stragglers + 1 < STUBBORN:
            self._stragglers += 1
            bit = 1 << (-ahead - 1)
            if self._seen & bit:
                return Place.DUPLICATE
            self._seen |= bit
            return Place.OUT_OF_ORDER
        self._seen = 0
        self._advance(seq, 1)
        return Place.ANEW

    def copy(self) -> PacketSequence:
        """One that stands where this one does, and goes on by itself."""
        other = PacketSequence()
        other.lost, other._next = self.lost, self._next
        other._seen, other._stragglers = self._seen, self._stragglers
        return other

    def _advance(self, seq: int, steps: int) -> None:
        """Note seq as received; bit k of `_seen` stands for the packet k + 1 before the next."""
        self._next = seq + 1
        self._stragglers = 0
        self._seen = ((self._seen << steps) | 1) & ((1 << _SEEN) - 1) if steps <= _SEEN else 1
