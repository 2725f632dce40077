# SPDX-License-Identifier: Apache-2.0
"""What `neuro_control backend check` says that its comparison proves, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuro_control.backend_command.report import reservations, write_report


def compared(name: str, spikes: int, membranes: int) -> dict[str, object]:
    counts = {"spikes": spikes, "membranes": membranes, "states": 2}
    return {"network": name, "exact": True, **counts}


def test_the_verdict_says_what_it_does_not_prove() -> None:
    refused = {"network": "refused", "refused": "too large"}
    assert reservations([refused]) == []
    assert reservations([compared("arm.nir", 3, 40), refused]) == []
    silent = [compared(f"random {n}", 0, 40) for n in range(10)]
    (said,) = reservations([compared("arm.nir", 3, 40), *silent])
    assert said.startswith("no output spiked in 10 of them, so that equal spikes prove little")
    assert said.endswith(
        "random 0, random 1, random 2, random 3, random 4, random 5, random 6, random 7 and 2 more"
    )
    (said,) = reservations([compared("arm.nir", 3, 0), compared("drone.nir", 1, 0)])
    assert "no membrane was compared tick by tick" in said
    assert said.endswith("only those of 4 states")


def test_a_disk_that_fills_is_said_by_check_with_the_reports_name() -> None:
    with pytest.raises(ValueError, match=r"--report /dev/full cannot be written \(No space left"):
        write_report(Path("/dev/full"), "lava", {}, [{"network": "x"}])
