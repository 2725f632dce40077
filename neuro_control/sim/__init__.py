# SPDX-License-Identifier: Apache-2.0
"""MuJoCo worlds and the sensors in them."""
