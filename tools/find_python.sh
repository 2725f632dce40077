#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print the Python that the environment shall be made with, or say why there is none.
# PYTHON=... names one; otherwise python3 is taken if it fits, else the first that does.
set -u

fits='
import sys
version = sys.version_info[:2]
if not (3, 10) <= version <= (3, 13):
    sys.exit("is Python %d.%d; 3.10, 3.11, 3.12 or 3.13 is needed" % version)
if sys.implementation.name != "cpython":
    sys.exit("is " + sys.implementation.name + "; the wheels are made for CPython")
import platform
if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    sys.exit("runs on " + sys.platform + " " + platform.machine() + "; the ROS 2 wheels are"
             " made for Linux on x86_64 only (elsewhere: an apt ROS 2 and colcon)")
if platform.libc_ver()[0] != "glibc" or [int(n) for n in platform.libc_ver()[1].split(".")] < [2, 28]:
    sys.exit("is built on " + " ".join(platform.libc_ver()) + "; the wheels need glibc 2.28 or newer")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv (Debian, Ubuntu: apt install python%d.%d-venv)" % version)
import os, sysconfig
if not os.path.isfile(os.path.join(sysconfig.get_paths()["include"], "Python.h")):
    sys.exit("has no Python.h (Debian, Ubuntu: apt install python%d.%d-dev)" % version)
'

reasons=''
for candidate in ${PYTHON:-python3 python3.12 python3.11 python3.13 python3.10}; do
    if ! command -v "$candidate" >/dev/null 2>&1; then
        [ -z "${PYTHON:-}" ] || reasons="$candidate is not there"
        continue
    fi
    if why=$("$candidate" -c "$fits" 2>&1); then
        command -v "$candidate"
        exit 0
    fi
    reasons="$reasons
  $candidate $(printf '%s\n' "$why" | sed -n '/./{p;q;}')"
done
echo "No Python fits: CPython 3.10 to 3.13 with venv is needed (PYTHON=/path/to/python names one).$reasons" >&2
exit 1
