# SPDX-License-Identifier: Apache-2.0
"""The process that Lava lives in: what it and its host say to each other, and what it does.

It is started by its path with the interpreter that has Lava (``PYTHON neuro_control/worker``), so
everything here needs that interpreter's numpy and the standard library only, and nothing of the
rest of the package. `protocol` is read by both sides.
"""
