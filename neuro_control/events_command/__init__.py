# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control events`."""
