# SPDX-License-Identifier: Apache-2.0
"""A ball on a finger pad of the simulated gripper: its spikes say when it comes, slips and goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import touch


@pytest.fixture(scope="module")
def contact() -> touch.Contact:
    return touch.simulate()


def test_onset_hold_slip_and_release_are_read_from_the_spikes(contact: touch.Contact) -> None:
    said = touch.judged(contact.events, touch.PHASES[-1][2])
    table = touch.rows(contact, said)
    names = [row["true"] for row in table]
    assert names == ["nothing", "onset", "hold", "slip", "hold", "release", "nothing"]
    share = {k: row["judged so"] / row["windows"] for k, row in enumerate(table)}
    for k in (0, 2, 3, 6):
        assert share[k] == 1.0
    # What slipped comes to rest over two windows; a contact ends within one.
    assert share[4] >= 0.8
    assert min(table[1]["judged so"], table[5]["judged so"]) >= 1
    first = [
        touch_.value for touch_, before in zip(said[1:], said, strict=False) if touch_ != before
    ]
    assert [name for name in first if name in ("onset", "slip")] == ["onset", "slip"]
    assert first[-2:] == ["release", "nothing"]


def test_each_kind_of_afferent_says_its_own(contact: touch.Contact) -> None:
    table = touch.rows(contact, touch.judged(contact.events, touch.PHASES[-1][2]))
    nothing, onset, hold, slip, _, release, after = table
    for row in (nothing, after):
        assert row["SA-I"] == row["FA-I"] == row["FA-II"] == 0
    assert hold["SA-I"] > 50
    assert hold["FA-I"] < 0.05 * slip["FA-I"]
    assert onset["FA-I"] > 50
    assert release["FA-II"] > hold["FA-II"]


def test_the_ball_slips_when_it_is_dragged_and_only_then(contact: touch.Contact) -> None:
    t, place = contact.t_s, contact.place_m
    moved = [np.ptp(place[(t > a) & (t < b)]) for a, b in ((0.3, 0.7), (0.72, 0.9), (0.95, 1.2))]
    assert moved[1] > 0.003
    assert max(moved[0], moved[2]) < 0.0003
    assert contact.force_n[(t > 0.4) & (t < 0.6)].mean() == pytest.approx(touch.PRESS_N, rel=0.02)


def test_the_picture_is_drawn(contact: touch.Contact, tmp_path: Path) -> None:
    said = touch.judged(contact.events, touch.PHASES[-1][2])
    touch.plot(contact, said, tmp_path / "touch.png")
    assert (tmp_path / "touch.png").stat().st_size > 10_000
