# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control network`: look at a network file, run it, time it."""
