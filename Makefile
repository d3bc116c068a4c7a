# make app    set up and open the program        make test      set up and run the fast tests
# make lint   style and types                    make test-all  and the slow ones
# make lock   write requirements.lock again      make clean     remove the environment
# make weights  fetch CLIP ViT-L/14, with which GeoCLIP places pictures without writing (1.7 GB, MIT)
# make ray    add Ray, for batches on a cluster   make schema    write tests/report/finding.schema.json again
# Variables: PYTHON=/path/to/python3.12, PORT=8600, VENV=folder, UV=/path/to/uv (for make lock), FROM=address or folder (for make
# weights: a mirror, a web folder, a stick or a file share in place of the hub).

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests wait for workers and browsers now and then, so one more than there are cores; each may take 3 GB, so four at most.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); [ $$n -lt 3 ] && echo $$((n + 1)) || echo 4)

# Tests start hundreds of processes, workers and decoders; where no byte code may be kept, each compiles the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: app setup test test-all lint schema lock clean ray weights

app: setup
	@$(BIN)/earwitness app $(if $(PORT),--port $(PORT))

setup: $(STAMP)

# The stamp is newer than the lock once everything in it is installed. --no-deps: the lock is complete, and what it leaves out
# (the windowed OpenCV) is left out on purpose.
$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh $(VENV)
	@touch $(STAMP)

# In order of folders: the pages, which take longest, come first, so that no worker is left alone with them at the end.
test: setup
	@sh scripts/chromium.sh
	@sh scripts/postgres.sh
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not slow and not browser"
	$(BIN)/python -m pytest -m "browser and not slow" tests/browser

test-all: test
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

schema: setup
	$(BIN)/python -m engine.report.formats.schema > tests/report/finding.schema.json

lock:
	sh scripts/lock.sh

# Ray is an extra: large, and of use only to those who have a cluster. What it needs besides is in the lock already.
ray: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[ray]'

# Resumed where it was cut, checked by hash; the only target, beside the set-up, that uses the network.
weights: setup
	@$(BIN)/earwitness models pull clip-vit-large-patch14 $(if $(FROM),--from "$(FROM)")

clean:
	rm -rf $(VENV)
