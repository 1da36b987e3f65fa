"""The command line: ``python -m warehouse start|env|psql|stop|run -- CMD…|reader|roles|backup|restore``."""

import os
import shlex
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from common import signals
from common.errors import one_line
from warehouse import binaries, connection, environment
from warehouse.errors import UsageError, WarehouseError
from warehouse.paths import default_home
from warehouse.server import Server

_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        # so that nothing half done is left behind, as a file of backup's
        for number in signals.not_ignored():
            signal.signal(number, lambda ended_by, _: sys.exit(128 + ended_by))
        try:
            environment.load()  # options have variables, too
            return super().invoke(ctx)
        except WarehouseError as error:
            click.echo(f"warehouse: {error}", err=True)
            ctx.exit(error.exit_code)
        except Exception as error:
            import psycopg  # which the embedded server's commands need not wait for

            if not isinstance(error, psycopg.Error):
                raise
            click.echo(f"warehouse: PostgreSQL refused: {one_line(error)}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The PostgreSQL to work on: the one that PGHOST names, or else an embedded PostgreSQL 16.

    The embedded server's data is in .warehouse (or WAREHOUSE_HOME); it keeps running for the next command.
    """


@main.command()
def start() -> None:
    """Start the embedded server, or check that the one PGHOST names can be used."""
    variables = connection.ensure()
    names = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")
    click.echo(" ".join(f"{name}={variables[name]}" for name in names))


@main.command()
def env() -> None:
    """Print the PG* variables for the shell: eval "$(python -m warehouse env)"."""
    variables = connection.ensure()
    dropped = sorted(name for name in os.environ if name not in connection.overlay(variables))
    if dropped:
        click.echo(f"unset {' '.join(dropped)}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command(context_settings=_PASS_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql in the warehouse; ARGUMENTS go to psql (-- -c 'select 1').

    How it shows dates and text is the person's own business: PGTZ, PGDATESTYLE, PGCLIENTENCODING and
    PGOPTIONS hold here.
    """
    own = {name: os.environ.get(name) for name in ("PGTZ", "PGDATESTYLE", "PGCLIENTENCODING")}
    options = os.environ.get("PGOPTIONS", "")
    variables = connection.ensure()
    variables |= {name: value or variables[name] for name, value in own.items()}
    if not own["PGCLIENTENCODING"]:
        del variables["PGCLIENTENCODING"]  # psql takes the terminal's
    if "PGOPTIONS" in variables:
        variables["PGOPTIONS"] += f" {options}"  # the last one counts
    # the wheel's psql cannot do TLS, which an external server may ask for
    system = shutil.which("psql") if connection.is_external() else None
    _become([system or binaries.program("psql"), *arguments], connection.overlay(variables))


@main.command(context_settings=_PASS_ON)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...]) -> None:
    """Run COMMAND with the PG* variables set (-- COMMAND …)."""
    variables = connection.ensure()
    _become(list(command), connection.overlay(variables))


@main.command()
def stop() -> None:
    """End the embedded server; its data stays."""
    stopped = Server(default_home()).stop()
    click.echo("stopped" if stopped else "not running", err=True)


@main.command()
@click.option("--owner", metavar="ROLE", help="The role that runs dbt; default: the one that PGUSER names.")
@click.option(
    "--statement-timeout",
    envvar="METABASE_READER_TIMEOUT",
    default="60s",
    show_default=True,
    metavar="TIME",
    help="How long one of its queries may take.  [env: METABASE_READER_TIMEOUT]",
)
def reader(owner: str | None, statement_timeout: str) -> None:
    """Make metabase_reader, which may only read the marts, or bring it up to date.

    Its password comes from METABASE_READER_PASSWORD (the embedded server asks for none). It can SELECT from
    the schemas marts and analytics of PGDATABASE, and nothing else.
    """
    is_external = connection.is_external()
    variables = connection.enter()
    password = os.environ.get("METABASE_READER_PASSWORD") or None
    if password is None and is_external:
        raise UsageError(
            "METABASE_READER_PASSWORD is not set: set it in .env (`make env` makes one) or in the environment"
        )
    from warehouse import roles

    with connection.connect(variables) as opened:
        roles.make_reader(opened, password=password, owner=owner, statement_timeout=statement_timeout)
        click.echo(f"{roles.READER} can read {' and '.join(roles.READABLE_SCHEMAS)} of {opened.info.dbname}")


@main.command("roles")
@click.option(
    "--database",
    envvar="WAREHOUSE_DATABASE",
    default=connection.DATABASE,
    show_default=True,
    metavar="NAME",
    help="The warehouse's database.  [env: WAREHOUSE_DATABASE]",
)
def server_roles(database: str) -> None:
    """Make all roles and databases, on a server that is this project's alone.

    PG* must be its superuser's. Makes the role tmdb (WAREHOUSE_PASSWORD) with the warehouse's database,
    metabase (METABASE_DB_PASSWORD) with Metabase's own, and metabase_reader (METABASE_READER_PASSWORD); to be
    run again after a password changed.
    """
    from warehouse import roles

    if not connection.is_external():
        raise UsageError("the embedded server needs no roles: this is for the server that PGHOST names")
    named = {
        roles.OWNER: "WAREHOUSE_PASSWORD",
        roles.METABASE: "METABASE_DB_PASSWORD",
        roles.READER: "METABASE_READER_PASSWORD",
    }
    missing = [name for name in named.values() if not os.environ.get(name)]
    if missing:
        raise UsageError(f"{', '.join(missing)} must be set: `make env` puts random ones into .env")
    variables = connection.enter(database="postgres")  # the warehouse's own may not be there yet
    roles.make_server_roles(
        lambda name: connection.connect({**variables, "PGDATABASE": name}),
        database,
        {role: os.environ[name] for role, name in named.items()},
    )
    click.echo(f"roles {', '.join(named)}; databases {database}, {roles.METABASE}")


@main.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path | None) -> None:
    """Write the warehouse to FILE (default: backups/DATABASE-TIME.dump), in pg_dump's custom format.

    Prints the file's path. Consistent whatever else runs meanwhile.
    """
    from warehouse import backup as backups

    path = backups.backup(connection.enter(), file)
    click.echo(f"{path.stat().st_size:,} bytes", err=True)
    click.echo(str(path))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Drop what the database holds already.")
def restore(file: Path, replace: bool) -> None:
    """Put the warehouse in FILE, which `backup` wrote, into the database PGDATABASE.

    All of it or, when that fails, nothing. The next run of the extractor and of dbt goes on from there.
    """
    from warehouse import backup as backups

    for note in backups.restore(connection.enter(), file, replace=replace):
        click.echo(f"warehouse: {note}", err=True)
    click.echo(f"restored {file}", err=True)


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process, so that signals and the exit code are the command's own."""
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 (the caller's own command)
    except OSError as error:
        raise UsageError(f"cannot run {command[0]}: {error.strerror}") from error
