# syntax=docker/dockerfile:1
# The extractor, dbt, the dashboards' program and the stand-in in one image; what a container does is its command.
#   docker build -t tmdb-elt .                         the program
#   docker build -t tmdb-elt-scheduler --target scheduler .   the same with a cron for containers
#
# Pinned: every Python package by hash (requirements/run.lock), supercronic by its release's checksum. The base image is
# pinned by tag; for bit-for-bit builds add its digest (`docker buildx imagetools inspect python:3.12-slim-bookworm`).
# No secret is needed to build and none is copied in: .dockerignore lets through only what is listed there.

ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# --- the packages, built where a compiler and a cache do no harm ------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1
RUN python -m venv /opt/venv
COPY requirements/run.lock /tmp/run.lock
# the lock is complete, so there is nothing to resolve
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/python -m pip install --no-deps --require-hashes --requirement /tmp/run.lock

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
# the project's files stay root's and cannot be changed by what runs; only /tmp need be writable
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TMDB_ENV_FILE="" \
    DBT_PROJECT_DIR=/app/dbt_project \
    DBT_PROFILES_DIR=/app/dbt_project \
    DBT_TARGET_PATH=/tmp/dbt/target \
    DBT_LOG_PATH=/tmp/dbt/logs \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false
USER 10001:10001
CMD ["deploy/elt"]

# --- the same, once a day ---------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS supercronic
ARG TARGETARCH
ARG SUPERCRONIC_VERSION=v0.2.49
# as published with https://github.com/aptible/supercronic/releases/tag/v0.2.49
ARG SUPERCRONIC_SHA1_AMD64=e63c11a9726b775a6a11801e81af4f3fb926aa68
ARG SUPERCRONIC_SHA1_ARM64=0b6c5bb743e0b0dafed1132198c81807927ac413
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN case "${TARGETARCH:-amd64}" in \
        amd64) sha1="${SUPERCRONIC_SHA1_AMD64}" ;; \
        arm64) sha1="${SUPERCRONIC_SHA1_ARM64}" ;; \
        *) echo "no pinned supercronic for ${TARGETARCH}" >&2; exit 1 ;; \
    esac; \
    url="https://github.com/aptible/supercronic/releases/download/${SUPERCRONIC_VERSION}/supercronic-linux-${TARGETARCH:-amd64}"; \
    python -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], "/supercronic")' "${url}"; \
    echo "${sha1}  /supercronic" | sha1sum --check -; \
    chmod 0755 /supercronic

FROM elt AS scheduler
COPY --from=supercronic /supercronic /usr/local/bin/supercronic
CMD ["deploy/schedule"]

# what `docker build .` makes
FROM elt
