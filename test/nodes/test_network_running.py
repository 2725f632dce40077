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
from neuro_control.inspection import Cause, Finding, SilenceReport, find_silence
from neuro_control.network import LIF, Input, Linear, Network, Output, quantize, write_nir
from neuro_control.network_command import running, running_network
from neuro_control.nodes import messages, qos
from neuro_control.reports.json_text import json_text

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


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is heard: on a busy machine it takes longer than a person would wait."""
    monkeypatch.setattr(running_network, "TIMEOUT_S", 60.0)


def packet(number: int, rows: tuple[int, ...]) -> Packet:
    """Ten ticks in which one neuron of each of these rows spikes."""
    t_ns = (number * 10 + np.arange(10, dtype=np.int64)).repeat(len(rows)) * 1_000_000
    zero = np.zeros(len(t_ns), np.uint16)
    y = np.tile(np.array(rows, np.uint16), 10)
    events = Events(t_ns, zero, y, np.ones(len(t_ns), np.uint8), 4, 3)
    payload, base = encode_mono(events)
    return Packet("", number, base, (number + 1) * 10_000_000, "mono", 4, 3, False, payload)


def network(weight: float) -> Network:
    """The one that is described; `weight` is that of the synapses to b."""
    nodes = {
        "in": Input((4,)),
        "w": Linear(np.full((3, 4), 0.5)),
        "a": LIF((3,), tau=0.02, r=20.0),
        "x": Linear(np.full((2, 3), weight)),
        "b": LIF((2,), tau=0.02, r=20.0),
        "out": Output((2,)),
    }
    edges = [("in", "w"), ("w", "a"), ("a", "x"), ("x", "b"), ("b", "out")]
    return Network(nodes, edges, DT)


def found_in(weight: float, ticks: int = 100) -> SilenceReport:
    """What a controller finds that goes through its last ticks again, all inputs in every third."""
    indices = np.tile(np.arange(4, dtype=np.int32), -(-ticks // 3))
    offsets = 4 * (-(-np.arange(ticks + 1, dtype=np.int64) // 3))
    return find_silence(quantize(network(weight)), indices, offsets)


def profile(silence: SilenceReport | None, missing: str = "") -> str:
    """A message of `network/profile`, as far as it is of silence."""
    said = None if silence is None else silence.as_json()
    return json_text({"format": 1, "silence": said, "times_missing": missing})


def asked(
    ros: Any,
    rows: tuple[int, ...],
    description: dict[str, Any],
    profiles: tuple[str, ...] = (),
    **given: Any,
) -> int:
    """The command's exit code, while a controller publishes; profiles: one after the other."""
    publisher = ros.probe.create_publisher(String, "network/description", qos.LATCHED)
    publisher.publish(String(data=json.dumps(description)))
    spikes = ros.probe.create_publisher(EventPacket, "network/spikes", qos.best_effort(16))
    profiled = ros.probe.create_publisher(String, "network/profile", qos.best_effort(4))
    waiting = list(profiles)
    arguments = argparse.Namespace(**{"file": None, "seconds": 0.3, "json": False} | given)
    number = 0

    def done() -> bool:
        nonlocal number
        if spikes.get_subscription_count():
            spikes.publish(messages.packet_message(packet(number, rows)))
            number += 1
        if waiting and profiled.get_subscription_count():
            profiled.publish(String(data=waiting[0] if len(waiting) == 1 else waiting.pop(0)))
        return bool(answer.done())

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.why_running, arguments)
        ros.until(done, 120.0)
    ros.probe.destroy_publisher(publisher)
    ros.probe.destroy_publisher(spikes)
    ros.probe.destroy_publisher(profiled)
    return int(answer.result())


def test_the_place_is_found_without_the_file(
    ros: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running_network, "CAUSES_TIMEOUT_S", 0.2)
    assert asked(ros, (0, 1), DESCRIPTION, (profile(None),)) == 1
    said = capsys.readouterr()
    assert "b is silent although a spikes" in said.out
    assert "network 'nowhere.nir' is not here" in said.err
    assert "no factors: none on network/profile within 0.2 s" in said.err
    assert asked(ros, (0, 1, 2), DESCRIPTION) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_the_cause_is_found_with_the_file(
    ros: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "network.nir"
    write_nir(network(-0.5), path)
    assert asked(ros, (0, 1), DESCRIPTION, file=str(path), json=True) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["node"], finding["cause"]) == ("b", "only inhibition")


def test_the_controller_is_asked_by_what_factor_weights_miss(
    ros: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the process beside it, which takes a while; without the network's file, and in words."""
    found = found_in(0.02)
    (cause,) = found.findings
    said_later = (profile(None), profile(None), profile(found))
    assert asked(ros, (0, 1), DESCRIPTION, said_later, json=True) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["node"], finding["cause"]) == ("b", "weights miss the threshold")
    assert finding["figures"]["weight_factor"] == cause.figures["weight_factor"] > 1
    assert asked(ros, (0, 1), DESCRIPTION, said_later) == 1
    said = capsys.readouterr()
    factor = f"weights x {cause.figures['weight_factor']:.4g} bring the first spike"
    assert factor in " ".join(said.out.split())
    assert "thresholds x" in said.out
    assert "no factors" not in said.err


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (profile(None, "the network has 6,000,000 synapses"), "no factors: the network has 6,0"),
        (profile(found_in(0.5)), "no factors of b: stepped from rest on its last input"),
        ("{", "no factors: network/profile is not what was expected: "),
        (json.dumps({"silence": {"ticks": 1}}), "no report of silence: KeyError: 'inputs'"),
        ('{"silence": {"ticks": Infinity}}', "no report of silence: OverflowError: cannot"),
    ],
)
def test_why_there_are_no_factors_is_told(
    ros: Any, capsys: pytest.CaptureFixture[str], message: str, reason: str
) -> None:
    assert asked(ros, (0, 1), DESCRIPTION, (message,)) == 1
    said = capsys.readouterr()
    assert "b is silent although a spikes" in said.out
    assert reason in said.err


def test_what_the_controller_takes_for_no_harm_is_a_note() -> None:
    seen = SilenceReport(
        9, (), (),
        tuple(Finding(name, Cause.WEIGHTS_MISS, "seen") for name in ("gain", "b")),
        silent_because={"c": ("gain",), "d": ("gain", "b")},
    )  # fmt: skip
    told = [Finding(name, Cause.DECAY, "told") for name in ("b", "alive", "gain")]
    found = SilenceReport(5, (), (), tuple(told[:2]), tuple(told[2:]))
    merged = running.explained(seen, found)
    assert (merged.findings, merged.notes) == ((told[0],), (told[2],))
    assert merged.silent_because == {"d": ("gain", "b")}
    assert merged.ticks == 9


def test_a_cause_that_its_structure_shows_stays_a_finding() -> None:
    """Also where the controller, whose network may be another by then, takes it for no harm."""
    seen = SilenceReport(9, (), (), (Finding("gain", Cause.NO_SYNAPSES, "seen"),))
    found = SilenceReport(5, (), (), (), (Finding("gain", Cause.DECAY, "told"),))
    assert running.explained(seen, found) == seen


def test_whatever_is_raised_while_it_listens_node_and_executor_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    ended: list[str] = []

    class Ends(SingleThreadedExecutor):
        def shutdown(self, timeout_sec: float | None = None) -> bool:
            ended.append("executor")
            return super().shutdown(timeout_sec)

    made = rclpy.create_node

    def create(*args: Any, **options: Any) -> Any:
        node = made(*args, **options)
        destroy = node.destroy_node
        node.destroy_node = lambda: (ended.append("node"), destroy())
        return node

    monkeypatch.setattr("rclpy.executors.SingleThreadedExecutor", Ends)
    monkeypatch.setattr(rclpy, "create_node", create)
    with pytest.raises(KeyboardInterrupt), running_network.running_network():
        raise KeyboardInterrupt
    assert ended == ["executor", "node"]


def test_a_row_that_the_backend_does_not_show_is_not_called_silent(
    ros: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [dict(row, seen=row["name"] != "a") for row in DESCRIPTION["rows"]]
    assert asked(ros, (0, 2), DESCRIPTION | {"rows": rows}) == 0
    assert asked(ros, (2,), DESCRIPTION | {"rows": rows}) == 1
    assert "input in was given no spike" in capsys.readouterr().out


def test_nobody_who_publishes_is_told(monkeypatch: pytest.MonkeyPatch, ros: Any) -> None:
    monkeypatch.setattr(running_network, "TIMEOUT_S", 0.2)
    with (
        pytest.raises(ValueError, match="nobody publishes network/description"),
        running_network.running_network() as network,
    ):
        network.description()


def test_a_network_of_other_rows_is_not_taken_for_the_running_one(tmp_path: Path) -> None:
    assert running.load_same("arm_tracker", DESCRIPTION) is None
    assert running.load_same("nothing.nir", DESCRIPTION) is None
