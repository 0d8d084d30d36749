# Two commands on a fresh machine: `make demo` and `make test`. Both set up what they need, once.
.PHONY: demo test images lint lock setup clean
.DELETE_ON_ERROR:

PYTHON ?= python3
OUTDIR ?= results/demo
WORKERS ?= 2

READY := .venv/.ready
UV := .venv/bin/uv

demo: $(READY)
	@./nextflow run main.nf -profile test --outdir $(OUTDIR)
	@echo "Report: $(OUTDIR)/report/multiqc_report.html"

test: $(READY) lint
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

lint: $(READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	./nextflow lint -o concise main.nf nextflow.config modules conf

setup: $(READY)

# uv, fetched by pip and checked by the hash of the lock, installs the rest in seconds. Bytecode is made at once:
# where the environment forbids to write it later, each task would compile its imports anew.
$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "ERROR: Python 3.11 or later is needed, and '$(PYTHON)' is not there: install it, or say which one by make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ERROR: Python 3.11 or later is needed, and '$(PYTHON)' is older: say which one by make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "ERROR: this Python cannot make environments: install its venv package (on Debian: python3-venv)." >&2; exit 1; }
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv --clear .venv
	@sed -n '/^uv==/,/^[a-z].*==/{/^uv==/p;/^ *--hash/p}' requirements.lock > .venv/uv.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
	@$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

# One image or several: make images NAMES="imputation imputation-torch"
images:
	containers/build.sh $(NAMES)

# The images hold the versions that are tested here.
lock: $(UV)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
		--upgrade --extra inputs --extra imputation --extra variants --extra population --extra augmentation --extra expression --extra expression-torch --extra torch --extra report --extra dev -o requirements.lock pyproject.toml > /dev/null
	PATH="$(CURDIR)/.venv/bin:$$PATH" UV_CONSTRAINT=requirements.lock containers/lock.sh

# Only for the first lock, when there is none to set up from.
$(UV):
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet uv

clean:
	rm -rf .venv work results .nextflow .nextflow.log*
