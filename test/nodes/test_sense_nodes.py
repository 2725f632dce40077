# SPDX-License-Identifier: Apache-2.0
"""The emulated senses as nodes: what they publish, and what they refuse."""

from __future__ import annotations

import array
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import WrenchStamped
from scipy.io import wavfile
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray, Int16MultiArray

from neuro_control.events import Events, Packet, PacketStream, encode_mono, encoder
from neuro_control.nodes import messages, qos
from neuro_control.nodes.cochlea import CochleaNode
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.event_camera import EventCameraNode
from neuro_control.nodes.parameters import ParameterError
from neuro_control.nodes.skin import SkinNode
from neuro_control.nodes.spin import StartError

MS = 1_000_000


class Bench:
    """A sense, somebody who feeds it, and somebody who listens."""

    def __init__(self, ros: Any, node: Any) -> None:
        self.ros, self.node = ros, ros.add(node)
        node.start()
        self.heard = ros.listen(EventPacket, node.events_topic, qos.best_effort(100))
        self.input = ros.publisher(node.input_kind, node.input_topic, qos.best_effort(100))

    def send(self, *sent: Any) -> None:
        """Send messages, and wait until each has been received."""
        for message in sent:
            before = self.node.received
            self.input.publish(message)
            self.ros.until(lambda before=before: self.node.received > before)

    def events(self, packets: int) -> Events:
        """The events of so many packets."""
        self.ros.until(lambda: len(self.heard) >= packets)
        first = self.heard[0]
        stream = PacketStream(first.width, first.height, first.encoding)
        parts = [stream.receive(messages.packet(packet, "x")) for packet in self.heard]
        assert stream.counters.errors == stream.counters.packets_lost == 0
        return Events.concatenate(parts)

    def values(self) -> dict[str, Any]:
        return self.node.report().values


def picture(level: float, t_ns: int, encoding: str = "mono8", size: int = 8) -> Image:
    message = Image(width=size, height=size, encoding=encoding, step=size)
    message.header.stamp = messages.time_message(t_ns)
    message.header.frame_id = "camera_optical_frame"
    message.data = array.array("B", bytes([round(255 * level)]) * (size * size))
    return message


@pytest.fixture
def camera(ros: Any, overrides: Any) -> Bench:
    return Bench(ros, EventCameraNode(parameter_overrides=overrides(preset="ideal")))


def test_pictures_become_events(camera: Bench) -> None:
    camera.send(*(picture(level, t * MS) for t, level in ((10, 0.2), (20, 0.5), (30, 0.2))))
    events = camera.events(3)
    assert (events.width, events.height) == (8, 8)
    on, off = events.window(10 * MS, 20 * MS + 1), events.window(20 * MS + 1, 30 * MS + 1)
    assert len(on) == len(off) == 64 * 4
    assert on.p.all()
    assert not off.p.any()
    assert messages.time_ns(camera.heard[2].header.stamp) == 30 * MS
    assert camera.heard[2].header.frame_id == "camera_optical_frame"
    assert [packet.seq for packet in camera.heard] == [0, 1, 2]


def test_what_is_no_picture_is_refused_with_a_reason_and_the_next_is_taken(camera: Bench) -> None:
    camera.send(picture(0.2, 10 * MS))
    wrong = picture(0.2, 20 * MS)
    wrong.data = array.array("B", bytes(3))
    camera.send(wrong, picture(0.2, 25 * MS, "bayer_rggb8"), picture(0.2, 10 * MS))
    values = camera.values()
    assert (values["messages"], values["messages_refused"]) == (4, 3)
    assert "is that of the last picture" in values["refused_because"]
    camera.send(picture(0.5, 40 * MS))
    assert len(camera.events(2)) == 64 * 4


def test_a_clock_that_begins_anew_makes_no_events_of_the_jump(camera: Bench) -> None:
    camera.send(picture(0.2, 5000 * MS), picture(0.9, 10 * MS), picture(0.9, 20 * MS))
    assert len(camera.events(3)) == 0
    assert camera.values()["restarts"] == 1


def test_a_first_picture_that_no_event_can_name_locks_nobody_out(camera: Bench) -> None:
    wide = picture(0.2, 5 * MS, size=1)
    wide.width = wide.step = (1 << 16) + 1
    wide.data = array.array("B", bytes(wide.step))
    camera.send(wide)
    assert "width is 65537; it must be 1 to 65536" in camera.values()["refused_because"]
    camera.send(picture(0.2, 10 * MS), picture(0.5, 20 * MS))
    assert len(camera.events(2)) == 64 * 4
    assert camera.values()["restarts"] == 0


def test_a_webcam_that_changes_its_size_begins_anew(camera: Bench) -> None:
    camera.send(picture(0.2, 10 * MS), picture(0.5, 20 * MS))
    camera.send(picture(0.9, 30 * MS, size=6), picture(0.2, 40 * MS, size=6))
    camera.ros.until(lambda: len(camera.heard) == 4)
    assert [(packet.width, packet.height) for packet in camera.heard] == [(8, 8)] * 2 + [(6, 6)] * 2
    counts = [len(packet.events) // 8 for packet in camera.heard]
    assert counts[:3] == [0, 64 * 4, 0]
    assert counts[3] == 36 * 7
    values = camera.values()
    assert (values["restarts"], values["messages_refused"]) == (1, 0)
    assert values["no_data_because"] == ""


def test_pictures_that_each_begin_anew_are_told_with_the_reason(camera: Bench) -> None:
    camera.send(*(picture(0.2, t * 10 * MS, size=8 + t % 2) for t in range(1, 5)))
    report = camera.node.report()
    assert report.warning
    assert report.message == report.values["no_data_because"]
    assert report.message == (
        "each of the last 3 pictures began anew: it has 8x8 pixels, the one before it has 9x9"
    )
    camera.send(picture(0.2, 5000 * MS), picture(0.2, 10_000 * MS))
    because = camera.values()["no_data_because"]
    assert because.endswith("it comes more than 1 s (longest_pause_s) after the one before it")
    # Once nothing comes any more, how it came is no reason.
    assert "began anew" not in camera.values()["no_data_because"]


def test_silence_has_a_reason(ros: Any, overrides: Any) -> None:
    node = ros.add(EventCameraNode(parameter_overrides=overrides()))
    assert node.report().values["lifecycle_state"] == "unconfigured"
    node.start()
    assert node.report().values["no_data_because"] == "no publisher on /image"


def test_an_unknown_encoding_is_the_reason_for_silence(camera: Bench) -> None:
    camera.values()
    camera.send(picture(0.2, 10 * MS, "jpeg"))
    assert "encoding 'jpeg' is not one of: mono8" in camera.values()["no_data_because"]


def test_only_an_active_node_publishes(camera: Bench) -> None:
    camera.node.trigger_deactivate()
    camera.node._on_message(picture(0.2, 10 * MS), {})
    assert camera.node.received == 0
    camera.node.trigger_activate()
    camera.send(picture(0.2, 20 * MS))
    camera.events(1)


# The ear


def sound(samples: int, frequency_hz: float = 800.0) -> np.ndarray:
    t = np.arange(samples) / 16000
    return np.round(10_000 * np.sin(2 * np.pi * frequency_hz * t)).astype(np.int16)


def test_sound_becomes_events_in_time_counted_by_samples(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, CochleaNode(parameter_overrides=overrides(longest_pause_s=60.0)))
    both = np.repeat(sound(1600), 2)
    parts = np.split(both, 10)
    bench.send(*(Int16MultiArray(data=array.array("h", part.tobytes())) for part in parts))
    events = bench.events(10)
    assert (events.width, events.height) == (64, 2)
    left, right = (events.t_ns[events.y == ear] for ear in (0, 1))
    assert len(left) > 100
    assert np.array_equal(left, right)
    stamps = [messages.time_ns(packet.header.stamp) for packet in bench.heard]
    assert np.diff(stamps).tolist() == [10 * MS] * 9
    assert bench.heard[0].header.frame_id == "head_link"
    assert bench.values()["restarts"] == 0


def test_half_a_sample_is_refused(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, CochleaNode(parameter_overrides=overrides()))
    bench.send(Int16MultiArray(data=array.array("h", [1, 2, 3])))
    assert bench.values()["refused_because"] == "data has 3 values; 2 a sample"


def test_a_file_is_heard(ros: Any, overrides: Any, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(sound(1600).tobytes())
    said = overrides(wav=str(tmp_path / "a.wav"), ears=1, block_s=0.01)
    bench = Bench(ros, CochleaNode(parameter_overrides=said))
    ros.until(lambda: bench.node.received == 10)
    assert bench.node.events > 50
    with pytest.raises(ParameterError, match="wav has 1 channels; ears is 2"):
        CochleaNode(parameter_overrides=overrides(wav=str(tmp_path / "a.wav")))


def written(path: Path, samples: np.ndarray, rate_hz: int = 16000) -> Path:
    wavfile.write(path, rate_hz, samples)
    return path


def test_a_file_that_cannot_be_heard_is_refused_in_one_line(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    del ros
    (tmp_path / "text.wav").write_text("no sound at all")
    for name, reason in (("nowhere", "wav: no sound file"), ("text", "text.wav is no WAV file")):
        with pytest.raises(ParameterError, match=reason) as caught:
            CochleaNode(parameter_overrides=overrides(wav=str(tmp_path / f"{name}.wav")))
        assert len(str(caught.value).splitlines()) == 1


def test_of_a_file_that_was_cut_off_the_rest_is_heard_and_the_loss_is_told(
    ros: Any, overrides: Any, tmp_path: Path, capfd: Any
) -> None:
    path = written(tmp_path / "a.wav", sound(1600))
    path.write_bytes(path.read_bytes()[:-3])
    said = overrides(wav=str(path), ears=1, block_s=0.02)
    bench = Bench(ros, CochleaNode(parameter_overrides=said))
    ros.until(lambda: bench.node._blocks is None)
    assert (bench.node.received, bench.node.refused) == (5, 0)
    assert "a.wav was cut off: 2 of 1600 samples are missing" in capfd.readouterr().err


def test_what_is_no_number_in_a_file_is_refused_and_the_rest_is_heard(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    values = (sound(1600) / 32768).astype(np.float32)
    values[700] = np.nan
    said = overrides(wav=str(written(tmp_path / "a.wav", values)), ears=1, block_s=0.02)
    bench = Bench(ros, CochleaNode(parameter_overrides=said))
    ros.until(lambda: bench.node._blocks is None)
    assert (bench.node.received, bench.node.refused) == (5, 1)
    assert "wav: sound has values that are no finite" in bench.values()["refused_because"]


def test_a_microphone_is_heard_and_one_that_goes_is_an_error(ros, overrides, tmp_path, monkeypatch):
    tone = (20_000 * np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)).astype("<i2")
    (tmp_path / "tone").write_bytes(np.repeat(tone, 2).tobytes())
    recorder = tmp_path / "arecord"
    recorder.write_text(
        f'#!/bin/sh\nwhile [ ! -e "{tmp_path}/go" ]; do sleep 0.05; done\n'
        f'cat "{tmp_path}/tone"\necho "arecord: it was pulled out" >&2\nexit 1\n'
    )
    recorder.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    node = ros.add(CochleaNode(parameter_overrides=overrides(microphone="default")))
    node.start()
    heard = ros.listen(EventPacket, "cochlea/events", qos.best_effort(64))
    (tmp_path / "go").touch()
    ros.until(lambda: sum(len(packet.events) for packet in heard) > 0)
    ros.until(lambda: node.report().error)
    report = node.report()
    assert report.message == "microphone default: arecord: it was pulled out"
    assert report.values["no_data_because"] == report.message
    assert report.values["events"] > 100


def test_a_file_and_a_microphone_at_once_are_refused(ros, overrides):
    del ros
    said = overrides(wav="some.wav", microphone="default")
    with pytest.raises(ParameterError, match="wav and microphone are both given"):
        CochleaNode(parameter_overrides=said)


def test_a_message_that_is_not_installed_is_named(ros: Any, overrides: Any) -> None:
    pytest.importorskip("rclpy")
    try:
        import audio_common_msgs  # noqa: F401
    except ImportError:
        node = ros.add(CochleaNode(parameter_overrides=overrides(input="audio_data")))
        with pytest.raises(StartError, match="needs the ROS package audio_common_msgs"):
            node.start()


# The skin


def taxels(level: float, t_ns: int, rows: int = 3, columns: int = 4) -> Image:
    message = Image(width=columns, height=rows, encoding="32FC1", step=4 * columns)
    message.header.stamp = messages.time_message(t_ns)
    values = np.full((rows, columns), level, np.float32)
    message.data = array.array("B", values.tobytes())
    return message


def test_pressures_become_spikes_of_three_kinds(ros: Any, overrides: Any) -> None:
    said = overrides(rows=3, columns=4, full_scale=2.0)
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    levels = [0.0, *np.linspace(0, 1.2, 10), *np.full(30, 1.2)]
    bench.send(*(taxels(level, (k + 1) * 5 * MS) for k, level in enumerate(levels)))
    events = bench.events(len(levels))
    assert (events.width, events.height) == (4, 9)
    assert set((events.y // 3).tolist()) >= {0, 1}
    assert bench.heard[0].header.frame_id == "left_finger_pad_link"


def test_afferents_fitted_to_recordings_take_pressures(ros: Any, overrides: Any) -> None:
    said = overrides(rows=3, columns=4, model="fitted", unit="Pa")
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    levels = [0.0, *np.linspace(0, 50_000, 10), *np.full(20, 50_000)]
    bench.send(*(taxels(level, (k + 1) * 5 * MS) for k, level in enumerate(levels)))
    events = bench.events(len(levels))
    assert (events.width, events.height) == (4, 9)
    assert set((events.y // 3).tolist()) >= {0, 1}
    other = ros.add(SkinNode(parameter_overrides=overrides(model="fitted")))
    with pytest.raises(StartError, match="unit is 'N'; model fitted needs pressures in kPa"):
        other.start()


def test_samples_further_apart_than_is_filled_begin_anew_and_the_setting_is_named(
    ros: Any, overrides: Any
) -> None:
    said = overrides(rows=1, columns=1, model="fitted", unit="kPa", fitted__longest_gap_us=2000)
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    bench.send(*(taxels(50.0, t * MS, 1, 1) for t in (5, 10, 15, 17, 18)))
    values = bench.values()
    assert (values["messages_refused"], values["restarts"]) == (0, 2)
    assert "longest_gap" not in values["no_data_because"]
    bench.send(*(taxels(50.0, t * MS, 1, 1) for t in (23, 28, 33)))
    report = bench.node.report()
    assert report.warning
    assert report.message == report.values["no_data_because"]
    assert report.message == (
        "the last 3 samples each came more than 0.002 s after the one before"
        " (fitted.longest_gap_us) and began anew"
    )


def test_a_longer_gap_is_filled_where_the_setting_says_so(ros: Any, overrides: Any) -> None:
    said = overrides(
        rows=1, columns=1, model="fitted", unit="kPa", fitted__longest_gap_us=3_000_000
    )
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    bench.send(*(taxels(50.0, t * MS, 1, 1) for t in (5, 2005)))
    assert (bench.values()["restarts"], bench.node.refused) == (0, 0)
    assert len(bench.events(2)) > 20


@pytest.mark.parametrize("model", ["gains", "fitted"])
def test_a_tared_sensor_may_lie_a_hair_below_zero(ros: Any, overrides: Any, model: str) -> None:
    said = overrides(rows=1, columns=1, model=model, unit="kPa")
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    bench.send(*(taxels(level, t * MS, 1, 1) for t, level in ((5, -1e-4), (10, 0.0), (15, -1e-4))))
    assert bench.values()["messages_refused"] == 0


def test_arrays_are_taken_row_by_row(ros: Any, overrides: Any) -> None:
    said = overrides(rows=1, columns=2, input="array")
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    bench.send(Float32MultiArray(data=[0.0, 0.0]), Float32MultiArray(data=[0.0, 1.0]))
    bench.send(Float32MultiArray(data=[1.0]))
    assert bench.values()["refused_because"] == "data has 1 values; 1 x 2 are needed"
    assert set(bench.events(2).x.tolist()) <= {1}


def test_a_force_sensor_stands_for_taxels(ros: Any, overrides: Any) -> None:
    said = overrides(rows=3, columns=4, input="wrench", pitch_m=0.01, contact_radius_m=0.001)
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    levels = [0.0, *np.linspace(0, 1.0, 10), *np.full(30, 1.0)]
    sent = []
    for k, level in enumerate(levels):
        message = WrenchStamped()
        message.header.stamp = messages.time_message((k + 1) * 5 * MS)
        message.wrench.force.z = -float(level)
        # At x = 2 cm, y = 1 cm: torque_x = y force_z, torque_y = -x force_z.
        message.wrench.torque.x, message.wrench.torque.y = -0.01 * level, 0.02 * level
        sent.append(message)
    bench.send(*sent)
    events = bench.events(len(levels))
    assert set(zip(events.x.tolist(), (events.y % 3).tolist(), strict=True)) == {(2, 1)}
    other = ros.add(SkinNode(parameter_overrides=overrides(input="wrench", unit="raw")))
    with pytest.raises(StartError, match="unit is 'raw'; input wrench needs N, Pa or kPa"):
        other.start()


def test_a_wrench_in_another_frame_is_refused_for_it_acts_elsewhere(
    ros: Any, overrides: Any
) -> None:
    bench = Bench(ros, SkinNode(parameter_overrides=overrides(input="wrench", frame_id="palm")))
    for number, frame_id in enumerate(("", "palm", "tool0")):
        message = WrenchStamped()
        message.header.stamp = messages.time_message((number + 1) * 5 * MS)
        message.header.frame_id = frame_id
        bench.send(message)
    values = bench.values()
    assert (values["messages"], values["messages_refused"]) == (3, 1)
    assert values["refused_because"] == (
        "frame_id is 'tool0'; a wrench must be in the taxels' frame, 'palm'"
    )


def skin_packet(seq: int, t_ns: int, **changes: Any) -> EventPacket:
    """One press at column 3, row 2 of a skin of 4 x 3, by a clock that started at nothing."""
    x, y = np.array([3], np.uint16), np.array([2], np.uint16)
    events = Events(np.array([t_ns]), x, y, np.ones(1, np.uint8), 4, 3)
    payload, base_ns = encode_mono(events)
    packet = Packet("", seq, base_ns, t_ns + 1000 * MS, "mono", 4, 3, False, payload)
    return messages.packet_message(replace(packet, **changes), "palm")


def test_a_skin_that_makes_events_passes_through(ros: Any, overrides: Any) -> None:
    said = overrides(rows=3, columns=4, input="events")
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    bench.send(skin_packet(0, 5 * MS), skin_packet(2, 7 * MS))
    events = bench.events(2)
    assert (events.width, events.height, len(events)) == (4, 3, 2)
    assert (events.x.tolist(), events.y.tolist(), events.p.tolist()) == ([3, 3], [2, 2], [1, 1])
    assert events.t_ns.tolist() == [1005 * MS, 1007 * MS], "in the node's time"
    assert bench.heard[0].header.frame_id == "palm"
    assert bench.values()["packets_lost"] == 1
    bench.send(skin_packet(3, 8 * MS, width=5))
    assert bench.values()["refused_because"] == "a packet is dropped for its size"
    assert documented("packets_lost")


def test_a_skin_whose_clock_is_set_back_keeps_its_events_in_order(ros: Any, overrides: Any) -> None:
    """What is published is what those take who drop events from before others."""
    said = overrides(rows=3, columns=4, input="events")
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    # The second packet is stamped 60 ms late; at the last the node's clock has begun anew.
    stamps_ms = [1010, 1080, 1030, 1040]
    for seq, stamp_ms in enumerate(stamps_ms):
        bench.send(skin_packet(seq, (seq + 1) * 10 * MS, stamp_ns=stamp_ms * MS))
    assert np.diff(bench.events(4).t_ns).min() >= 0
    assert bench.values()["sensor_clock_reanchored"] == 2
    assert bench.values()["restarts"] == 0
    bench.send(skin_packet(4, 50 * MS, stamp_ns=5 * MS))
    assert bench.values()["restarts"] == 1
    assert documented("sensor_clock_reanchored")


@pytest.mark.parametrize(
    ("encoding", "span_ms", "stamp_ms", "reason"),
    [
        ("evt2", 5000, 105_000, "t_ns spans 5000000000 ns"),
        ("mono", 20, 5, "t_ns[0] is -15000000, before 0"),
    ],
)
def test_events_that_no_mono_packet_can_hold_are_refused_and_the_node_goes_on(
    ros: Any, overrides: Any, encoding: str, span_ms: int, stamp_ms: int, reason: str
) -> None:
    """A skin's own encoding may hold a longer time than mono; its stamp may be missing."""
    x = np.zeros(2, np.uint16)
    t_ns = np.array([100_000 * MS, (100_000 + span_ms) * MS])
    payload, base_ns = encoder(encoding, 4, 3).encode(
        Events(t_ns, x, x, np.ones(2, np.uint8), 4, 3)
    )
    packet = Packet("", 0, base_ns, stamp_ms * MS, encoding, 4, 3, False, payload)
    said = overrides(rows=3, columns=4, input="events")
    bench = Bench(ros, SkinNode(parameter_overrides=said))
    bench.send(messages.packet_message(packet))
    assert reason in bench.values()["refused_because"]
    assert not bench.heard


def test_taxels_of_another_layout_are_refused(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, SkinNode(parameter_overrides=overrides(rows=3, columns=4)))
    bench.send(taxels(0.0, MS, rows=4), taxels(float("nan"), MS))
    assert bench.values()["messages_refused"] == 2
    assert "pressure of taxel [0, 0] is nan" in bench.values()["refused_because"]


def test_a_full_scale_without_end_is_refused(ros: Any, overrides: Any) -> None:
    del ros
    with pytest.raises(ParameterError, match="full_scale: Input should be a finite number"):
        SkinNode(parameter_overrides=overrides(full_scale=float("inf")))


def test_a_layout_file_that_cannot_be_read_is_named(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    (tmp_path / "skin.yaml").write_text("rows: 0\n")
    node = ros.add(SkinNode(parameter_overrides=overrides(layout=str(tmp_path / "skin.yaml"))))
    with pytest.raises(StartError, match=r"skin.yaml: rows: Input should be greater"):
        node.start()


@pytest.mark.parametrize("kind", [EventCameraNode, CochleaNode, SkinNode])
def test_their_keys_are_documented(ros: Any, overrides: Any, kind: type) -> None:
    node = ros.add(kind(parameter_overrides=overrides()))
    node.start()
    assert all(documented(key) for key in node.report().values)
