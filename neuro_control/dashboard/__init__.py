# SPDX-License-Identifier: Apache-2.0
"""What a person looks at in a browser: senses, network, commands and guard, live."""
