# SPDX-License-Identifier: Apache-2.0
"""What this machine has, what it lacks, and the command that mends it.

    for check in run_checks():
        print(check.name, check.status, check.found, check.mend)

A check never imports here what could take this process down (OpenGL, the middleware): that runs
in a child process. Nothing needs more than the standard library, so that the doctor can say what
is missing where everything is.
"""

from neuro_control.doctor.command import main, run_checks
from neuro_control.doctor.finding import Check, Status

__all__ = ["Check", "Status", "main", "run_checks"]
