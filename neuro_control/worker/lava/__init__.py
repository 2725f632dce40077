# SPDX-License-Identifier: Apache-2.0
"""What imports Lava. A folder of its own: Lava imports every file beside a process's own."""

from . import compatibility  # noqa: F401
