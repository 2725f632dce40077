# SPDX-License-Identifier: Apache-2.0
# Everything runs in .venv, made on first use and kept; `make help` lists what there is.
# PYTHON=... chooses the interpreter, ARGS="..." is passed on to the program.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PYTEST = AMENT_PREFIX_PATH="$(CURDIR)/$(VENV)" OMP_NUM_THREADS=1 \
  ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST $(BIN)/python -m pytest

# A sourced ROS, another environment's libraries or packages must not leak into this one.
ifneq ($(AMENT_PREFIX_PATH)$(_ROS_WHEELS_BOOTSTRAP_COMPLETE),)
unexport LD_LIBRARY_PATH
endif
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH PYTHONHOME VIRTUAL_ENV
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE

.DEFAULT_GOAL := help
.PHONY: help setup demo test torch lava browser lint docs lock clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

setup: $(VENV)/.warm ## make the environment (the other commands do it by themselves)

demo: $(VENV)/.warm ## the arm follows a moving target (ARGS="--seconds 30 --headless ...")
	@$(BIN)/neuro_control demo arm $(ARGS)

test: $(VENV)/.ready ## run the tests (ARGS="-k guard")
	@$(PYTEST) $(or $(ARGS),-m "not alone" --numprocesses auto --dist worksteal)
	@$(if $(ARGS),,$(PYTEST) -m alone)

# torch asks for a newer setuptools than the lock's, colcon for one below 80.
torch: $(VENV)/.ready ## install torch, for training and its tests (ARGS="torch==2.13.0")
	@$(PIP) install "torch>=2.4,<3" "setuptools<80" $(ARGS)

lava: $(VENV)/.ready ## set Lava up in an environment of its own, for its backend and the tests
	@$(BIN)/neuro_control backend setup lava $(ARGS)

browser: ## a browser for the tests of the page (Debian, Ubuntu; needs root)
	@command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install --yes chromium; }

lint: $(VENV)/.ready ## style, types and the floors of the architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/.ready ## write the documentation as pages into site/ (ARGS=serve shows them)
	@AMENT_PREFIX_PATH="$(CURDIR)/$(VENV)" NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs $(or $(ARGS),build) --quiet

lock: $(VENV)/.ready ## resolve setup.cfg again and write requirements.lock (ARGS=--upgrade)
	@$(PIP) install --upgrade --target $(VENV)/uv uv
	@$(VENV)/uv/bin/uv pip compile --quiet $(ARGS) --universal --generate-hashes \
	  --extra ros --extra interfaces --extra test --extra docs --extra dev \
	  --no-annotate --no-strip-extras --python-version 3.10 --custom-compile-command "make lock" \
	  --output-file requirements.lock setup.cfg
	@rm -rf neuro_control.egg-info

clean: ## remove the environment and everything that was built
	@rm -rf $(VENV) build install log out site *.egg-info .cache .*_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The set-up, a stamp a step: an interrupted step has no stamp and is done again. The first
# stamp holds where the environment was made and with what; a moved tree, a Python that is gone
# or another PYTHON=... makes it anew.
MADE := $(shell test -x $(BIN)/python && cat $(VENV)/.python 2>/dev/null)
ifneq ($(firstword $(MADE)),$(firstword $(CURDIR)))
.PHONY: $(VENV)/.python
else ifneq ($(PYTHON),)
ifneq ($(lastword $(MADE)),$(shell command -v $(PYTHON)))
.PHONY: $(VENV)/.python
endif
endif

$(VENV)/.python:
	@command -v c++ >/dev/null || command -v g++ >/dev/null || { \
	  echo "No C++ compiler: install gcc with g++ (Debian, Ubuntu: apt install build-essential)"; \
	  exit 1; } >&2
	@python=$$(PYTHON="$(PYTHON)" tools/find_python.sh) && \
	  echo "[1/4] $(VENV) with $$python" && \
	  "$$python" -m venv --clear $(VENV) && \
	  printf '%s\n%s\n' "$(CURDIR)" "$$python" > $@

$(VENV)/.packages: $(VENV)/.python requirements.lock
	@echo "[2/4] the locked packages, ROS 2 among them (about a minute)"
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@touch $@

MESSAGES := $(shell find interfaces -type f)
$(VENV)/.messages: $(VENV)/.packages tools/build_messages.py $(MESSAGES)
	@echo "[3/4] event_camera_msgs"
	@$(BIN)/python tools/build_messages.py
	@touch $@

# An editable installation brings the command and the code but no data files. The links do, so
# that ROS finds the package in the index, and edits take effect at once.
SHARE := $(VENV)/share/neuro_control
INDEX := $(VENV)/share/ament_index/resource_index/packages
$(VENV)/.ready: $(VENV)/.messages Makefile setup.cfg setup.py package.xml pyproject.toml
	@echo "[4/4] neuro_control"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@mkdir -p $(SHARE) $(INDEX) $(VENV)/lib
	@ln -sfn "$(CURDIR)/resource/neuro_control" $(INDEX)/neuro_control
	@ln -sfn "$(CURDIR)/scripts" $(VENV)/lib/neuro_control
	@for name in package.xml config launch urdf; do ln -sfn "$(CURDIR)/$$name" $(SHARE)/$$name; done
	@touch $@

# numba keys its cache by the sources, so an edit of one compiles anew: better here than at the
# demo's start. A tree whose code does not run yet is told so by the demo, not by its set-up.
COMPILED := $(shell grep -rl numba --include=*.py neuro_control)
$(VENV)/.warm: $(VENV)/.ready $(COMPILED)
	@$(BIN)/python -m neuro_control.warm && touch $@ || \
	  echo "not compiled ahead: the first start takes longer"
