# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network why --silent --running`: where the controller's network dies, by its
topics."""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from std_msgs.msg import String

from neuro_control.events import Events, Packet, encode_mono
from neuro_control.network import LIF, Input, Linear, Network, Output, write_nir
from neuro_control.network_command import running
from neuro_control.nodes import messages, qos

DT = 1e-3
SIZES = {"in": 4, "a": 3, "b": 2}
DESCRIPTION: dict[str, Any] = {
    "format": 1,
    "file": "nowhere.nir",
    "dt_s": DT,
    "rows": [
        {"row": i, "name": name, "role": role, "size": SIZES[name], "seen": True}
        for i, (name, role) in enumerate([("in", "input"), ("a", "hidden"), ("b", "output")])
    ],
    "projections": [{"from": "in", "to": "a"}, {"from": "a", "to": "b"}],
}


def packet(number: int, rows: tuple[int, ...]) -> Packet:
    """Ten ticks in which one neuron of each of these rows spikes."""
    t_ns = (number * 10 + np.arange(10, dtype=np.int64)).repeat(len(rows)) * 1_000_000
    zero = np.zeros(len(t_ns), np.uint16)
    y = np.tile(np.array(rows, np.uint16), 10)
    events = Events(t_ns, zero, y, np.ones(len(t_ns), np.uint8), 4, 3)
    payload, base = encode_mono(events)
    return Packet("", number, base, (number + 1) * 10_000_000, "mono", 4, 3, False, payload)


def asked(ros: Any, rows: tuple[int, ...], description: dict[str, Any], **given: Any) -> int:
    """The command's exit code, while a controller publishes."""
    publisher = ros.probe.create_publisher(String, "network/description", qos.LATCHED)
    publisher.publish(String(data=json.dumps(description)))
    spikes = ros.probe.create_publisher(EventPacket, "network/spikes", qos.best_effort(16))
    arguments = argparse.Namespace(**{"file": None, "seconds": 0.3, "json": False} | given)
    number = 0

    def done() -> bool:
        nonlocal number
        if spikes.get_subscription_count():
            spikes.publish(messages.packet_message(packet(number, rows)))
            number += 1
        return bool(answer.done())

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.why_running, arguments)
        ros.until(done, 30.0)
    ros.probe.destroy_publisher(publisher)
    ros.probe.destroy_publisher(spikes)
    return int(answer.result())


def test_the_place_is_found_without_the_file(ros: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(ros, (0, 1), DESCRIPTION) == 1
    said = capsys.readouterr()
    assert "b is silent although a spikes" in said.out
    assert "network 'nowhere.nir' is not here" in said.err
    assert asked(ros, (0, 1, 2), DESCRIPTION) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_the_cause_is_found_with_the_file(
    ros: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = {
        "in": Input((4,)),
        "w": Linear(np.full((3, 4), 0.5)),
        "a": LIF((3,), tau=0.02, r=20.0),
        "x": Linear(np.full((2, 3), -0.5)),
        "b": LIF((2,), tau=0.02, r=20.0),
        "out": Output((2,)),
    }
    edges = [("in", "w"), ("w", "a"), ("a", "x"), ("x", "b"), ("b", "out")]
    path = tmp_path / "network.nir"
    write_nir(Network(nodes, edges, DT), path)
    assert asked(ros, (0, 1), DESCRIPTION, file=str(path), json=True) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["node"], finding["cause"]) == ("b", "only inhibition")


def test_a_row_that_the_backend_does_not_show_is_not_called_silent(
    ros: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [dict(row, seen=row["name"] != "a") for row in DESCRIPTION["rows"]]
    assert asked(ros, (0, 2), DESCRIPTION | {"rows": rows}) == 0
    assert asked(ros, (2,), DESCRIPTION | {"rows": rows}) == 1
    assert "input in was given no spike" in capsys.readouterr().out


def test_nobody_who_publishes_is_told(monkeypatch: pytest.MonkeyPatch, ros: Any) -> None:
    monkeypatch.setattr(running, "DESCRIPTION_TIMEOUT_S", 0.2)
    with pytest.raises(ValueError, match="nobody publishes network/description"):
        running.listen(0.1)


def test_a_network_of_other_rows_is_not_taken_for_the_running_one(tmp_path: Path) -> None:
    assert running.load_same("arm_tracker", DESCRIPTION) is None
    assert running.load_same("nothing.nir", DESCRIPTION) is None
