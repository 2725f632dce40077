# SPDX-License-Identifier: Apache-2.0
"""Run a robot on spikes: event sensors in, a spiking network in the loop, joint commands out."""

__version__ = "0.1.0"
