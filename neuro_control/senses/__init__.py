# SPDX-License-Identifier: Apache-2.0
"""What a sensor's physics makes of the world: light, sound and touch to events."""
