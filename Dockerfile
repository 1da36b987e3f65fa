# The extractor, dbt, the dashboards' program and the stand-in in one image; what a container does is its command.
#   docker build -t tmdb-elt .
#
# Pinned: every Python package by hash (requirements/run.lock). The base image is pinned by tag; for bit-for-bit builds
# add its digest (`docker buildx imagetools inspect python:3.12-slim-bookworm`).
# No secret is needed to build and none is copied in: .dockerignore lets through only what is listed there.

ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# --- the packages, built where a compiler and a cache do no harm ------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1
COPY requirements/run.lock /tmp/run.lock
# The lock is complete, so there is nothing to resolve. What only an installation or a build needs goes again: pip,
# sources of compiled modules, a package's own tests, and all languages but English of the one that formats numbers.
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-deps --require-hashes --requirement /tmp/run.lock \
    && /opt/venv/bin/python -m pip uninstall --yes setuptools wheel pip \
    && find /opt/venv \( -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' \
        -o -path '*/babel/locale-data/*.dat' -not -name 'root.dat' -not -name 'en*.dat' \) -delete \
    && find /opt/venv -path '*/networkx/*' -name tests -prune -exec rm -r {} +

# --- the dbt project, parsed: a container need not do it again --------------------------------------------
FROM packages AS parsed
WORKDIR /app
COPY dbt_project dbt_project
# dbt takes a parse over only for the server, role and database that it was made for: those of docker-compose.yml and
# of deploy/compose/demo.yml. Another one is parsed by the container itself.
RUN for database in tmdb tmdb_demo; do \
        PGHOST=postgres PGPORT=5432 PGUSER=tmdb PGDATABASE="${database}" /opt/venv/bin/dbt --quiet parse \
            --project-dir dbt_project --profiles-dir dbt_project --no-send-anonymous-usage-stats \
            --log-path /tmp --target-path "/tmp/${database}" || exit; \
        mkdir -p "/parsed/${database}" || exit; \
        cp "/tmp/${database}/manifest.json" "/tmp/${database}/partial_parse.msgpack" "/parsed/${database}" || exit; \
    done

# --- the program ------------------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS elt
LABEL org.opencontainers.image.title="tmdb-elt" \
      org.opencontainers.image.description="TMDB's films as a daily SQL star schema" \
      org.opencontainers.image.licenses="MIT"
# a number, so that Kubernetes can see that it is not root
RUN groupadd --gid 10001 elt \
    && useradd --uid 10001 --gid elt --no-create-home --home-dir /tmp --shell /usr/sbin/nologin elt
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
COPY --from=parsed /parsed parsed
# A container cannot write beside the modules, so it would compile them at each start.
RUN /opt/venv/bin/python -m compileall -q extractor warehouse metabase demo tools
# The project's files stay root's and cannot be changed by what runs; only /tmp need be writable. No terminal colours:
# what a container says is a log.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TMDB_ENV_FILE="" \
    TMDB_BUILD_FOLDER=/tmp/dbt \
    DBT_PROJECT_DIR=/app/dbt_project \
    DBT_PROFILES_DIR=/app/dbt_project \
    DBT_TARGET_PATH=/tmp/dbt/target \
    DBT_LOG_PATH=/tmp/dbt/logs \
    DBT_USE_COLORS=false \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false
USER 10001:10001
ENTRYPOINT ["/app/deploy/entrypoint"]
CMD ["deploy/elt"]
