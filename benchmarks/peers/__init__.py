# SPDX-License-Identifier: Apache-2.0
"""Other frameworks stepping the same layers, each a script for an environment of its own."""
