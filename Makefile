# Every verb of the project; `make` alone prints them from their ## comments. The programs themselves are Python.
# Works with GNU make 3.81 and newer, from a path with spaces, as root and as a normal user.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PY := .venv/bin/python
PYTEST := $(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
READY := .venv/ready

export PYTHON
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

# Each option also has its variable in .env.example; these short names are for one run:
# make elt MODE=export LIMIT=1000 → python -m extractor run --mode export --limit 1000
# They count on make's own command line alone: a DATE or FILE that the shell exports is somebody else's.
given = $(if $(filter command,$(origin $(1))),$(value $(1)))
quoted = '$(subst ','\'',$(1))'
option = $(if $(call given,$(1)),$(2) $(call quoted,$(call given,$(1))))
# FULL_REFRESH=1, and not FULL_REFRESH=0, false, no or off
is_on = $(filter-out 0 false no off,$(call given,$(1)))
flag = $(if $(call is_on,$(1)),$(2))
file = $(call option,FILE,--)
# Words for the shell, quotes and all: ARGS="--mode changes 'my file'"
args = $(call given,ARGS)
EXTRACT_OPTIONS = \
	$(call option,MODE,--mode) \
	$(call option,PAGES,--pages) \
	$(call option,DISCOVER,--discover) \
	$(call option,REGION,--region) \
	$(call option,IDS_FILE,--ids-file) \
	$(call option,LANGUAGE,--language) \
	$(call option,BLOCKS,--blocks) \
	$(call option,LIMIT,--limit) \
	$(call option,MIN_POPULARITY,--min-popularity) \
	$(call option,DATE,--snapshot-date) \
	$(call option,TRACK_DAYS,--track-days) \
	$(call option,MAX_RPS,--max-rps) \
	$(call option,MAX_CONNECTIONS,--max-connections) \
	$(call flag,DRY_RUN,--dry-run)
BUILD_OPTIONS = $(call option,SELECT,--select) \
	$(if $(call is_on,REPARSE),--full-refresh --vars 'reparse: true',$(call flag,FULL_REFRESH,--full-refresh))

##@ Films into tables

elt: $(READY) ## Fetch films from TMDB and build the tables (MODE, PAGES, DISCOVER, LANGUAGE, LIMIT, DATE, ARGS)
	@$(PY) -m tools.elt $(EXTRACT_OPTIONS) $(args) -- $(BUILD_OPTIONS)

extract: $(READY) ## Only fetch films into the landing zone (also IDS_FILE, REGION, BLOCKS, MAX_RPS, DRY_RUN=1 …)
	@$(PY) -m extractor run $(EXTRACT_OPTIONS) $(args)

dbt: $(READY) ## Build and test the tables (SELECT=model+, FULL_REFRESH=1: marts anew, REPARSE=1: all anew, ARGS)
	@$(PY) -m tools.elt --build-only -- $(BUILD_OPTIONS) $(args)

demo: $(READY) ## 30 days of synthetic films in a database of their own: no account, no internet (ARGS)
	@$(PY) -m demo run $(args)

load: $(READY) ## Land history from a file: dumped rows, or films of one DATE as JSON Lines (FILE, ARGS)
	@$(if $(call given,FILE)$(args),,echo "make load: name the file: make load FILE=history.jsonl.gz" >&2; exit 2)
	@$(PY) -m extractor load $(call option,DATE,--date) $(args) $(file)

dump: $(READY) ## Write the landing zone, or the days FROM and TO, to a file that load takes (FILE, ARGS)
	@$(PY) -m extractor dump $(call option,FROM,--from) $(call option,TO,--to) $(args) $(file)

prune: $(READY) ## Drop months of the landing zone older than KEEP_DAYS (DRY_RUN=1 only says which)
	@$(PY) -m extractor prune $(call option,KEEP_DAYS,--keep-days) $(call flag,DRY_RUN,--dry-run) $(args)

forget: $(READY) ## Remove a wrong day or film everywhere, after saying what goes (DATE or FILM, YES=1: don't ask)
	@$(PY) -m tools.forget $(call option,DATE,--date) $(call option,FILM,--film) $(call flag,YES,--yes)

##@ Looking at them

status: $(READY) ## Show the last runs, what is landed, what failed, and how old it is (ARGS=--json)
	@$(PY) -m extractor status $(args)

check: $(READY) ## Run the sanity checks on the tables, each with its result (PGDATABASE=tmdb_demo)
	@$(PY) -m tools.check

preview: $(READY) ## Write the dashboards as one page, without Metabase; SERVE=1: live on a PORT (PGDATABASE)
	@$(PY) -m metabase.preview \
		$(if $(call is_on,SERVE),--serve $(call option,PORT,--port),--output build/preview.html) $(args)

metabase: $(READY) ## Apply the dashboards to Metabase: what differs, then run every card (ARGS=--prune)
	@$(PY) -m metabase apply $(args)

parquet: $(READY) ## Write the tables as files with a data package to exports/ (FORMAT=csv, ONLY="dim_*", TO)
	@$(PY) -m export $(call option,FORMAT,--format) $(call option,ONLY,--only) $(call option,TO,--to) $(args)

psql: $(READY) ## Open a SQL shell in the warehouse (ARGS="-c 'select 1'")
	@$(PY) -m warehouse psql -- $(args)

docs: $(READY) ## Write the documentation of the tables to build/docs/index.html
	@$(PY) -m tools.dbt_command docs generate --static
	@mkdir -p build/docs
	@cp dbt_project/target/static_index.html build/docs/index.html
	@echo "build/docs/index.html"

docs-serve: $(READY) ## Show that documentation on http://127.0.0.1:8080 (PORT)
	@test -f build/docs/index.html || $(MAKE) docs
	@$(PY) -m tools.serve build/docs $(call option,PORT,--port)

##@ The warehouse

start: $(READY) ## Start the embedded PostgreSQL (every command that needs it does)
	@$(PY) -m warehouse start

stop: $(READY) ## End the embedded PostgreSQL; its data stays
	@$(PY) -m warehouse stop

env: ## Make .env, the configuration, with random passwords; again: only adds what is missing
	@$(PYTHON) tools/make_env.py

backup: $(READY) ## Write the whole warehouse to a file (FILE; default: a new one in backups/)
	@$(PY) -m warehouse backup $(file)

restore: $(READY) ## Put a backup into the database, all of it or nothing (FILE, REPLACE=1, PGDATABASE)
	@$(if $(call given,FILE),,echo "make restore: name the backup: make restore FILE=backups/…" >&2; exit 2)
	@$(PY) -m warehouse restore $(call flag,REPLACE,--replace) $(file)

##@ With Docker: PostgreSQL, Metabase and the dashboards

up: ## Start the whole stack, load today's films, apply the dashboards, print the addresses
	@sh deploy/compose/stack up

up-demo: ## The same on made-up films: no token, volumes of its own (ARGS="--days 3 --films 100")
	@sh deploy/compose/stack up-demo $(args)

schedule: ## Beside that stack, fetch the films once a day (ELT_SCHEDULE in .env)
	@sh deploy/compose/stack schedule

down: ## Stop both stacks; their data stays (ARGS=--volumes drops it)
	@sh deploy/compose/stack down $(args)

logs: ## Follow what the services say (ARGS=metabase)
	@sh deploy/compose/stack logs $(args)

##@ Working on the project

setup: $(READY) ## Install everything into .venv; once, and again after the lock changed
	@echo ".venv is ready"

test: $(READY) ## Run the tests (ARGS=tests/warehouse; SLOW=1: also those a person need not wait for)
	@$(PYTEST) $(call flag,SLOW,--slow) $(args)

fuzz: $(READY) ## Run the property tests with thousands of drawn examples each, new ones every time (ARGS)
	@HYPOTHESIS_PROFILE=fuzz $(PYTEST) --slow -m hypothesis $(args)

test-docker: $(READY) ## Run the containers for real (as root on Debian without an engine: brings one up for it)
	@$(PY) -m pytest -m docker tests/deploy $(args)

lint: $(READY) ## Check style, types and what only runs elsewhere: Dockerfile, compose, workflows
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m sqlfluff lint --disable-progress-bar dbt_project
	@$(PY) -m tools.dbt_command parse --quiet --target-path $(call quoted,$(CURDIR)/build/lint)
	@.venv/bin/dbt-bouncer --config-file dbt-bouncer.yml
	@.venv/bin/hadolint Dockerfile
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml deploy/compose/*.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv/bin/zizmor --offline --no-progress --quiet .github

format: $(READY) ## Put Python and SQL into the project's style
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@$(PY) -m sqlfluff fix --disable-progress-bar dbt_project

bench: $(READY) .venv/ready-bench ## Measure speed and memory (ARGS)
	@$(PY) -m benchmarks $(args)

lock: $(READY) ## Write the locks anew from pyproject.toml (UPGRADE=1: with newer versions)
	@$(PY) -m tools.lock $(call flag,UPGRADE,--upgrade)

clean: ## Remove caches and built files; never data, .env or .venv
	@rm -rf build .pytest_cache .hypothesis .ruff_cache .mypy_cache dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -not -path './.venv/*' -not -path './.warehouse/*' -prune -exec rm -rf {} +

help: ## Print these lines
	@awk -f tools/help.awk Makefile

.PHONY: elt extract dbt demo load dump prune forget status check preview metabase parquet psql docs docs-serve start stop env backup restore up up-demo schedule down logs \
	setup test fuzz lint format bench lock clean help

# The stamps hold the lock's fingerprint, so a lock whose date alone changed costs nothing.
# A project that was moved, or whose Python is gone, gets a new .venv.
ifneq ($(shell cat .venv/location 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif
ifeq ($(wildcard $(PY)),)
.PHONY: $(READY)
endif

$(READY): requirements/dev.lock
	@sh tools/setup requirements/dev.lock $@

.venv/ready-bench: requirements/bench.lock $(READY)
	@sh tools/setup requirements/bench.lock $@
