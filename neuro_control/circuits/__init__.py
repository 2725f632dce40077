# SPDX-License-Identifier: Apache-2.0
"""Networks known to neuroscience, built with their weights."""
