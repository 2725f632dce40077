# SPDX-License-Identifier: Apache-2.0
"""``python -m neuro_control`` is the command ``neuro_control``."""

import sys

from neuro_control.cli import main

if __name__ == "__main__":
    sys.exit(main())
