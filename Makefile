# make demo    everything, running, with people and data to look at
# make test    every test, in a real browser too        make test ARGS="tests/embedded -x"
# make help    the rest
#
# Needs Python 3.11 or newer, and make (3.81 will do). Everything else is installed into .venv.

VENV ?= .venv
ARGS ?=
# Many tests wait for processes: two workers, each with a Postgres and a Valkey of its own, take little more than half the time.
EVERY_TEST := -n 2 --dist loadfile --no-loadscope-reorder
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test faults shots install fresh lint fmt types lock

python := $(VENV)/bin/python

help:
	@echo "make demo      run everything here, with a pretend GHL: nothing to set up, Ctrl-C stops it"
	@echo "make test      run every test"
	@echo "make faults    kill, cut, slow down and wipe, and see what is lost: up to an hour (ONLY=18,19+25 SEED=7 FULL=1)"
	@echo "make shots     pictures of every page of a running make demo, into .local/shots"
	@echo "make install   only make the environment ($(VENV))"
	@echo "make fresh     forget the local data (.local)"
	@echo "make lint      say what is not in order      make fmt    put it in order"
	@echo "make types     check the types               make lock   choose versions again"

demo:
	@$(call environment,requirements.txt)
	@exec "$(python)" manage.py demo $(ARGS)

test:
	@$(call environment,requirements-dev.txt)
	@exec "$(python)" -m pytest $(or $(ARGS),$(EVERY_TEST))

faults:
	@$(call environment,requirements-dev.txt)
	@"$(python)" -m tests.faults --only "$(ONLY)" --seed $(or $(SEED),1) $(if $(FULL),--full) $(ARGS)

shots:
	@$(call environment,requirements-dev.txt)
	@"$(python)" -m tests.shots $(ARGS)

install:
	@$(call environment,requirements-dev.txt)

fresh:
	@$(find_python); "$$python" -I rankr_dash/embedded wipe .

lint:
	@$(call environment,requirements-dev.txt)
	@"$(python)" -m ruff check . && "$(python)" -m ruff format --check .

fmt:
	@$(call environment,requirements-dev.txt)
	@"$(python)" -m ruff check --fix . ; "$(python)" -m ruff format .

types:
	@$(call environment,requirements-dev.txt)
	@"$(python)" -m mypy

# --universal: a lock made for this Python alone would leave out what another one needs.
lock:
	@$(call environment,requirements-dev.txt)
	@for name in requirements requirements-dev requirements-boot; do \
	  "$(VENV)/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header $(ARGS) $$name.in -o $$name.txt || exit 1; \
	done

# The newest Python that the lock was tried with comes first. A name on PATH proves nothing: ask it.
define find_python
for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3.14 python3 python; do \
  [ -n "$$python" ] && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
  python=; \
done; \
if [ -z "$$python" ]; then \
  echo "Rankr needs Python 3.11 or newer; if it is not on PATH, say make PYTHON=/where/it/is." >&2; exit 1; \
fi
endef

# Installs a lock file, once: the stamp is the checksum of what was installed. uv is quick; pip is the way without it.
define environment
set -e; \
lock=$(1); stamp="$(VENV)/.$$lock.sha256"; \
sum() { "$(python)" -c 'import hashlib, sys; print(*(hashlib.sha256(open(f, "rb").read()).hexdigest() for f in sys.argv[1:]))' "$$@"; }; \
if ! "$(python)" -c 'import pip' 2>/dev/null; then \
  $(find_python); \
  if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
    echo "Rankr needs Python's venv module; on Debian and Ubuntu: apt-get install python3-venv." >&2; exit 1; \
  fi; \
  echo "Making $(VENV) with $$("$$python" --version)"; \
  "$$python" -m venv --clear "$(VENV)"; \
fi; \
if [ "$$(sum $$lock)" != "$$(cat "$$stamp" 2>/dev/null)" ]; then \
  echo "Installing $$lock"; \
  boot="$(VENV)/.requirements-boot.txt.sha256"; \
  if [ "$$(sum requirements-boot.txt)" != "$$(cat "$$boot" 2>/dev/null)" ] && \
    "$(python)" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-boot.txt; then \
    sum requirements-boot.txt > "$$boot"; \
  fi; \
  "$(VENV)/bin/uv" pip install --quiet --python "$(python)" --require-hashes -r $$lock 2>"$(VENV)/uv.log" || \
    "$(python)" -m pip install --quiet --disable-pip-version-check --require-hashes -r $$lock; \
  sum $$lock > "$$stamp"; \
  if [ $$lock = requirements-dev.txt ]; then sum requirements.txt > "$(VENV)/.requirements.txt.sha256"; fi; \
fi
endef
