# SPDX-License-Identifier: Apache-2.0
"""Known sensors and known ways to emulate them.

Sizes and, where a source is named, constants are from the literature; everything else is what
v2e takes by default (threshold mismatch 0.03, refractory period 0.5 ms, leak 0.01 Hz).

- dvs128: Lichtsteiner, Posch, Delbruck, "A 128x128 120 dB 15 us latency asynchronous temporal
  contrast vision sensor", IEEE JSSC 43(2), 2008: mismatch 2.1 % contrast, bandwidth 3 kHz.
- davis346: 346 x 260 pixels; v2e's parameters for good light (cut-off 300 Hz, little noise).
- gen4_hd: Finateu et al., "A 1280x720 back-illuminated stacked temporal contrast event-based
  vision sensor with 4.86 um pixels", ISSCC 2020: nominal contrast threshold 25 %, latency 100 us
  (taken as a cut-off of 1.6 kHz).
- noisy: v2e's parameters for low light (Hu, Liu, Delbruck, "v2e: from video frames to realistic DVS
  events", CVPR workshops 2021): mismatch 0.05, leak 0.1 Hz, noise 5 Hz, cut-off 30 Hz.
- clean: v2e's parameters without noise: no leak, no noise, no limit of bandwidth.
- ideal: nothing but thresholds: no mismatch and no deaf time either.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from neuro_control.senses.event_camera import EventCameraSettings

SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"dvs128": (128, 128), "davis346": (346, 260), "gen4_hd": (1280, 720)}
)
"""(width, height) of the presets that are a certain sensor."""

PRESETS: Mapping[str, EventCameraSettings] = MappingProxyType(
    {
        "dvs128": EventCameraSettings(
            threshold_on=0.25,
            threshold_off=0.25,
            threshold_sigma=0.021,
            response="linear_log",
            cutoff_hz=3000.0,
            leak_rate_hz=0.05,
            leak_sigma=0.1,
            shot_rate_hz=0.05,
            shot_bright_factor=0.25,
        ),
        "davis346": EventCameraSettings(
            threshold_on=0.2,
            threshold_off=0.2,
            threshold_sigma=0.03,
            response="linear_log",
            cutoff_hz=300.0,
            leak_rate_hz=0.01,
            leak_sigma=0.1,
            shot_rate_hz=0.001,
            shot_bright_factor=0.25,
        ),
        "gen4_hd": EventCameraSettings(
            threshold_on=0.25,
            threshold_off=0.25,
            threshold_sigma=0.03,
            response="linear_log",
            cutoff_hz=1600.0,
            leak_rate_hz=0.01,
            leak_sigma=0.1,
            shot_rate_hz=0.01,
            shot_bright_factor=0.25,
            refractory_us=100.0,
        ),
        "noisy": EventCameraSettings(
            threshold_on=0.2,
            threshold_off=0.2,
            threshold_sigma=0.05,
            response="linear_log",
            cutoff_hz=30.0,
            leak_rate_hz=0.1,
            leak_sigma=0.1,
            shot_rate_hz=5.0,
            shot_bright_factor=0.25,
        ),
        "clean": EventCameraSettings(
            threshold_on=0.2,
            threshold_off=0.2,
            threshold_sigma=0.02,
            response="linear_log",
            leak_rate_hz=0.0,
            shot_rate_hz=0.0,
        ),
        "ideal": EventCameraSettings(
            threshold_on=0.2,
            threshold_off=0.2,
            threshold_sigma=0.0,
            refractory_us=0.0,
            leak_rate_hz=0.0,
            shot_rate_hz=0.0,
        ),
    }
)
"""Settings by name; `model_copy(update=...)` changes single ones."""
