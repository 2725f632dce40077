# SPDX-License-Identifier: Apache-2.0
"""The controller: from events to commands, and the guard that lets through what is permitted."""
