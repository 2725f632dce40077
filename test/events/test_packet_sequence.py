# SPDX-License-Identifier: Apache-2.0
"""A publisher's sequence numbers tell what is lost, sent twice, late, and begun anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events.packet_sequence import STUBBORN, PacketSequence, Place


def places(*seqs: int) -> list[Place]:
    sequence = PacketSequence()
    return [sequence.follow(seq) for seq in seqs]


def test_it_begins_anywhere_and_goes_on() -> None:
    assert places(40, 41, 42) == [Place.NEXT] * 3


def test_a_gap_is_a_loss_until_its_packet_comes_late_and_then_again() -> None:
    assert places(0, 2, 1, 1, 2, 3) == [
        Place.NEXT,
        Place.AFTER_LOSS,
        Place.OUT_OF_ORDER,
        Place.DUPLICATE,
        Place.DUPLICATE,
        Place.NEXT,
    ]


def test_far_back_or_stubbornly_back_is_a_publisher_that_began_anew() -> None:
    assert places(1000, 0, 1)[1:] == [Place.ANEW, Place.NEXT]
    back = places(10, *[10] * (STUBBORN - 1), 10)
    assert back[1:] == [Place.DUPLICATE] * (STUBBORN - 1) + [Place.ANEW]


@given(st.lists(st.integers(0, 200)), st.lists(st.integers(0, 200)))
def test_a_copy_goes_on_as_its_original_does_and_by_itself(
    before: list[int], after: list[int]
) -> None:
    sequence = PacketSequence()
    for seq in before:
        sequence.follow(seq)
    ahead = sequence.copy()
    looked = [ahead.follow(seq) for seq in after]
    assert [sequence.follow(seq) for seq in after] == looked
    assert ahead.lost == sequence.lost
