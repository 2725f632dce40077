# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control backend`: what can step a network here, set up and proven."""
