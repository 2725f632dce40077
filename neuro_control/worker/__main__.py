# SPDX-License-Identifier: Apache-2.0
"""``PYTHON neuro_control/worker --socket FD --backend lava``: started by its host, not by hand.

The folder is loaded as a package of its own name, wherever it lies: the interpreter that runs
this need not know neuro_control, and must not find its dependencies.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

NAME = "neuro_control_worker"

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    # The script's folder would shadow other people's modules.
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} is no worker")
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    sys.exit(importlib.import_module(f"{NAME}.program").main(sys.argv[1:]))
