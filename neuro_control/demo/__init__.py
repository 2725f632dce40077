# SPDX-License-Identifier: Apache-2.0
"""The demo: starts a robot's nodes, watches them, and reports with figures and a picture.

Modules are imported where they are needed, so that `neuro_control --help` stays quick.
"""
