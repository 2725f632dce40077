# SPDX-License-Identifier: Apache-2.0
"""What a spike can carry: nothing, or an integer of a few bits where it is graded."""

from __future__ import annotations

from operator import index

MESSAGE_BITS_MAX = 8
"""Of a graded spike here; Loihi 2's have up to 24. A payload of k costs as much as k spikes."""


def largest_payload(message_bits: int) -> int:
    """The largest payload of a spike of so many bits; 1 where it has none (0 bits).

    Raises:
        ValueError: the bits are no whole number, or not 0..`MESSAGE_BITS_MAX`.
    """
    try:
        bits = index(message_bits)
    except TypeError:
        bits = -1
    if not 0 <= bits <= MESSAGE_BITS_MAX:
        raise ValueError(f"message_bits must be 0..{MESSAGE_BITS_MAX}, not {message_bits}")
    return max((1 << bits) - 1, 1)
