# make run: set up and run the main job on real data. make test: set up and run the tests. make types: check types.
# make docs: write the documentation site to build/site, where any warning is an error.
PYTHON ?= python3
EXTRAS ?= experiments,data,test
BIN := .venv/bin
STAMP := .venv/.installed-$(EXTRAS)

.PHONY: run test types docs site

run: $(STAMP)
	$(BIN)/python -m experiments $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 $(ARGS)

types: $(STAMP)
	$(BIN)/python -m mypy

docs:
	@$(MAKE) --no-print-directory site EXTRAS=$(EXTRAS),docs

site: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict $(ARGS)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt "torch==$$(sed -n 's/^torch==//p' constraints.txt)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@touch "$@"
