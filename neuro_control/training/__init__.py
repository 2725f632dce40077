# SPDX-License-Identifier: Apache-2.0
"""Networks as torch modules that spike exactly as the engine does, to train what is deployed.

Needs torch, which the package does not ask for by itself: pip install torch.
"""

from neuro_control.training.surrogates import SURROGATES, Surrogate
from neuro_control.training.twin import TorchNetwork, TwinRun
from neuro_control.training.twin_state import TwinState

__all__ = ["SURROGATES", "Surrogate", "TorchNetwork", "TwinRun", "TwinState"]
