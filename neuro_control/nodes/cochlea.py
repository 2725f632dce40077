# SPDX-License-Identifier: Apache-2.0
"""The cochlea node: sound in, events out.

Subscribes `audio`: audio_common_msgs/AudioData (16-bit samples, little-endian, interleaved) with
`input: audio_data`, where that package is installed; by default std_msgs/Int16MultiArray, the same
samples as numbers. Neither has a stamp: time is counted in samples from the first message on, and
begins anew after a pause. With `wav` the sound of a file is played instead, with `microphone` a
sound device of this machine is heard. Publishes `cochlea/events`: x is the channel, y the ear.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from std_msgs.msg import Int16MultiArray

from neuro_control.events import Events
from neuro_control.nodes import qos
from neuro_control.nodes.diagnostics import Report
from neuro_control.nodes.lifecycle import run_managed
from neuro_control.nodes.sense import SenseNode, SenseSettings
from neuro_control.nodes.spin import StartError
from neuro_control.senses.cochlea import Cochlea, CochleaSettings
from neuro_control.senses.microphone import Microphone, MicrophoneError
from neuro_control.senses.sound_file import open_sound


class CochleaNodeSettings(SenseSettings):
    """The node's settings and the cochlea's."""

    queue_depth: int = Field(
        100, ge=1, le=1000, description="Messages that wait at most; the oldest are dropped"
    )
    ears: int = Field(2, ge=1, le=2, description="Channels of the sound")
    frame_id: str = Field("head_link", min_length=1, description="Frame of the ears")
    input: Literal["array", "audio_data"] = Field(
        "array",
        description="array: std_msgs/Int16MultiArray; audio_data: audio_common_msgs/AudioData",
    )
    wav: str = Field("", description="WAV file to be heard instead of the topic")
    microphone: str = Field(
        "",
        description="Sound device (ALSA: default, hw:1,0, ...) to be heard instead of the topic",
    )
    block_s: float = Field(
        0.005, ge=0.001, le=1.0, description="Length of a packet of a file or microphone (s)"
    )
    longest_pause_s: float = Field(
        0.5, ge=0.01, le=60.0, description="Silence of the topic after which time begins anew (s)"
    )
    hearing: CochleaSettings = Field(CochleaSettings(), description="The ears")

    @model_validator(mode="after")
    def _source_fits(self) -> CochleaNodeSettings:
        if self.microphone and self.wav:
            raise ValueError("wav and microphone are both given; only one can be heard")
        if self.microphone and self.hearing.sample_rate_hz % 1.0:
            raise ValueError(
                f"hearing.sample_rate_hz is {self.hearing.sample_rate_hz:g}; of a microphone it"
                " must be whole"
            )
        if self.wav:
            try:
                sound = open_sound(self.wav)
            except OSError as error:
                raise ValueError(f"wav: {error}") from error
            if sound.sample_rate_hz != self.hearing.sample_rate_hz:
                raise ValueError(
                    f"wav has {sound.sample_rate_hz} samples a second; hearing.sample_rate_hz is"
                    f" {self.hearing.sample_rate_hz:g}"
                )
            if sound.ears != self.ears:
                raise ValueError(f"wav has {sound.ears} channels; ears is {self.ears}")
        return self


class CochleaNode(SenseNode[CochleaNodeSettings]):
    """See the module."""

    input_topic = "audio"
    input_kind = Int16MultiArray
    input_type = "std_msgs/msg/Int16MultiArray"
    events_topic = "cochlea/events"

    _microphone: Microphone | None = None
    _microphone_gone = ""

    def __init__(self, **options: Any) -> None:
        super().__init__("cochlea", CochleaNodeSettings, **options)

    def make(self) -> None:
        """The ears, and what is played if it is a file."""
        settings = self.parameters.settings
        if settings.input == "audio_data":
            try:
                from audio_common_msgs.msg import AudioData
            except ImportError as error:
                raise StartError(
                    "input audio_data needs the ROS package audio_common_msgs, which is not"
                    " installed; or take input array (std_msgs/Int16MultiArray)"
                ) from error
            self.input_kind, self.input_type = AudioData, "audio_common_msgs/msg/AudioData"
        self._cochlea = Cochlea(settings.hearing, settings.ears)
        # Compiled before the first sound arrives: it would pass for a pause.
        self._cochlea.hear(np.zeros((1, settings.ears), np.int16))
        self._cochlea.reset(0)
        self._heard_ns: int | None = None
        self._blocks: Iterator[NDArray[np.float64]] | None = None
        if settings.wav:
            samples = round(settings.block_s * settings.hearing.sample_rate_hz)
            file = open_sound(settings.wav)
            if file.missing:
                self.get_logger().warning(
                    f"wav: {file.path} was cut off: {file.missing} of"
                    f" {file.samples + file.missing} samples are missing; the others are heard"
                )
            self._blocks = file.blocks(samples)
            self.add_timer(settings.block_s, self._on_file)

        self._microphone: Microphone | None = None
        self._microphone_gone = ""
        if settings.microphone:
            rate_hz = round(settings.hearing.sample_rate_hz)
            self._microphone = Microphone(settings.microphone, rate_hz, settings.ears)
            self.add_timer(settings.block_s, self._on_microphone, wall=True)

    def destroy_node(self) -> None:
        """End the recorder too, however the node ends."""
        self._close_microphone()
        super().destroy_node()

    def _close_microphone(self) -> None:
        microphone, self._microphone = self._microphone, None
        if microphone is not None:
            microphone.close()

    def release(self) -> None:
        """The topics are gone, and so is the microphone."""
        super().release()
        self._close_microphone()

    def profile(self) -> Any:
        """Best effort, so that whoever sends is heard; none is lost in a deep queue."""
        return qos.best_effort(self.parameters.settings.queue_depth)

    def sense(self, message: Any) -> tuple[Events, int, str] | None:
        """See `SenseNode.sense`."""
        settings = self.parameters.settings
        if settings.input == "audio_data":
            data = np.frombuffer(bytes(message.data), np.uint8)
            if len(data) % (2 * settings.ears):
                raise ValueError(f"data has {len(data)} bytes; {settings.ears} x 16 bit a sample")
            samples = data.view("<i2")
        else:
            samples = np.asarray(message.data, np.int16)
        if len(samples) % settings.ears:
            raise ValueError(f"data has {len(samples)} values; {settings.ears} a sample")
        return self._hear(samples.reshape(-1, settings.ears).astype(np.int16))

    def _hear(self, sound: NDArray[Any]) -> tuple[Events, int, str]:
        settings = self.parameters.settings
        now_ns = int(self.get_clock().now().nanoseconds)
        length_ns = round(len(sound) / settings.hearing.sample_rate_hz * 1e9)
        behind_ns = now_ns - self._cochlea.now_ns - length_ns
        if self._heard_ns is None or abs(behind_ns) > settings.longest_pause_s * 1e9:
            # What comes now was recorded until now.
            self.restarts += self._heard_ns is not None
            self._cochlea.reset(max(now_ns - length_ns, 0))
        self._heard_ns = now_ns
        events = self._cochlea.hear(sound)
        return events, self._cochlea.now_ns, settings.frame_id

    def _on_file(self) -> None:
        if not self.active or self._blocks is None:
            return
        try:
            block = next(self._blocks, None)
        except OSError as error:
            self._blocks = None
            self.get_logger().error(f"wav: it can be read no further: {error}")
            return
        if block is None:
            self._blocks = None
            self.get_logger().info("the file has been heard")
            return
        self.received += 1
        try:
            self._publish(*self._hear(block))
        except ValueError as error:  # floating point holds what is no number
            self._refuse(f"wav: {error}")

    def _on_microphone(self) -> None:
        if self._microphone is None or self._microphone_gone:
            return
        try:
            sound = self._microphone.read()
        except MicrophoneError as error:
            self._microphone_gone = str(error)
            self.get_logger().error(self._microphone_gone)
            return
        # What was recorded while nobody wanted it is not heard.
        if not self.active or not len(sound):
            return
        self.received += 1
        self._publish(*self._hear(sound))

    def report(self) -> Report:
        """See `SenseNode.report`; a microphone that has gone is an error."""
        report = super().report()
        if self._microphone_gone:
            report.values["no_data_because"] = self._microphone_gone
            report.fail(self._microphone_gone)
        return report


def main(args: Sequence[str] | None = None) -> int:
    """Entry point."""
    return run_managed(CochleaNode, args)


if __name__ == "__main__":
    sys.exit(main())
