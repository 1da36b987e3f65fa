"""`make demo`: a month of films from the stand-in through the real extractor and the real dbt, to look at.

Works in a database of its own and never touches that of `make elt`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from unittest.mock import patch

import click
import psycopg
from psycopg import sql
from rich.console import Console
from rich.progress import track
from rich.table import Table

import extractor.cli
import warehouse
from demo.server import StandInProcess
from tools import dbt_command

DATABASE = "tmdb_demo"
PROJECT = Path(__file__).resolve().parent.parent
LOG = PROJECT / "build" / "demo.log"
PREVIEW = PROJECT / "build" / "preview.html"
#: Where dbt writes: not where `make elt` has it write, whose manifest and results are of other tables.
DBT_FOLDER = PROJECT / "build" / "demo-dbt"

SUMMARY = """
    select
        (select count(*) from marts.dim_movie),
        (select count(*) from marts.fact_movie_daily),
        (select count(distinct date_id) from marts.fact_movie_daily),
        (select count(*) from marts.dim_movie where vanished_on is not null),
        (select string_agg(number || ' × ' || reason, ', ' order by number desc)
         from (select reason, count(*) as number from raw.extract_failure group by reason) as failed)
"""
TABLES = {
    "Top films today (vw_top_movies)": """
        select rank as "#", title as film, popularity::numeric(9, 1), vote_average::numeric(3, 1) as rating,
            vote_count as votes
        from analytics.vw_top_movies order by rank limit 10
    """,
    "Genres (vw_genre_popularity)": """
        select genre_name as genre, avg_popularity::numeric(9, 1) as "mean popularity", movie_count as films,
            total_votes as votes
        from analytics.vw_genre_popularity order by avg_popularity desc
    """,
}

NEXT = """\
What to type next
  make psql PGDATABASE=tmdb_demo             ask it yourself: select * from vw_top_movies limit 10;
  make preview SERVE=1 PGDATABASE=tmdb_demo  the same dashboards live, every filter in any combination
  make check PGDATABASE=tmdb_demo            the checks a careful client would make
  make docs-serve                            what every table and column means
  make env && make elt                       the real films, with a TMDB token in .env"""


class StepFailedError(Exception):
    """A program that the demo ran did not succeed; its output is in the log."""

    def __init__(self, arguments: Sequence[str], code: object) -> None:
        super().__init__(f"`{' '.join(['python', *arguments])}` ended with exit code {code}")


@click.command(context_settings={"show_default": True})
@click.option("--films", default=2000, type=click.IntRange(20, 1_000_000), help="Films to serve.")
@click.option("--days", default=30, type=click.IntRange(1, 365), help="Snapshot dates, up to today.")
@click.option("--pages", default=25, type=click.IntRange(1, 500), help="Pages of 20 films a day.")
@click.option(
    "--preview/--no-preview",
    default=True,
    help="Draw the dashboards as a page and say what to type next; not in a container.",
)
def run(films: int, days: int, pages: int, preview: bool) -> None:
    """Land a history of synthetic films, build the tables, show what is in them."""
    console = Console()
    began = time.monotonic()
    try:
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_text("")
        variables = demo_database()
        keep_apart(variables)
        # dbt reads its project while the films are landed
        options = ["--wait", "build", "--exclude-resource-type", "unit_test"]
        with begun("-m", "tools.dbt_command", *options) as build:
            with StandInProcess("--films", str(films)) as tmdb:
                today = datetime.now(UTC).date()
                dates = [today - timedelta(days=ago) for ago in reversed(range(days))]
                for day in track(dates, "Landing a month, a day at a time", console=console):
                    land(tmdb, day, pages)
            with console.status("Building the star schema and testing it (dbt build)"):
                finish(build, dbt_command.GO)
        summarise(console, variables)
        if preview:
            manifest = dbt_command.folder() / "target" / "manifest.json"
            options = ["--output", str(PREVIEW), "--manifest", str(manifest), "--note", "synthetic films"]
            step("-m", "metabase.preview", *options)
    except StepFailedError as error:
        # in a container the log is gone with it: all of it is said
        lines = LOG.read_text().splitlines()
        said = "\n".join(lines[-15:]) + f"\n(all of it: {LOG})" if preview else "\n".join(lines)
        click.echo(f"demo: {error}:\n{said}", err=True)
        sys.exit(1)
    except (warehouse.WarehouseError, psycopg.Error, RuntimeError, OSError) as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(1)
    console.print(f"\n{time.monotonic() - began:.0f} s. The films are made up; TMDB was not asked.\n")
    if preview:
        page = f"The dashboards as one page, for your browser: {PREVIEW}\n"
        console.print(page, NEXT, sep="\n", highlight=False, soft_wrap=True)


def demo_database() -> dict[str, str]:
    """The PG* variables of the demo's own database, made when it is missing."""
    if warehouse.is_external():
        with warehouse.connect(warehouse.ensure(database="postgres")) as connection:
            found = connection.execute("select from pg_database where datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return warehouse.ensure(database=DATABASE)


def keep_apart(variables: Mapping[str, str]) -> None:
    """Make the environment that of the demo's database, without what the shell or `.env` says to the
    extractor: the demo is the same for everyone, and a variable that is meant for `make elt` must not
    redirect it. What dbt writes goes to a folder of the demo's own, or to that of the image.
    """
    kept = {
        name: value
        for name, value in warehouse.overlay(variables).items()
        if not name.startswith("TMDB_") or name == "TMDB_BUILD_FOLDER"
    }
    os.environ.clear()
    os.environ.update({"TMDB_BUILD_FOLDER": str(DBT_FOLDER)} | kept | {"TMDB_ENV_FILE": ""})


def land(tmdb: StandInProcess, day: date, pages: int) -> None:
    """`python -m extractor run` for one day, its output into the log. Raises `StepFailedError`.

    It runs in this process: thirty starts of a program would take longer than what it does.
    """
    tmdb.today = day
    os.environ.update(
        {
            "TMDB_TOKEN": tmdb.token,
            "TMDB_BASE_URL": tmdb.base_url,
            "TMDB_EXPORT_URL": tmdb.export_url,
            # the real API allows 40 a second; this one is ours
            "TMDB_MAX_RPS": "10000",
        }
    )
    options = ["run", "--mode", "popular", "--pages", str(pages), "--snapshot-date", day.isoformat()]
    with LOG.open("a") as log, redirect_stderr(log), patch.object(sys, "argv", ["extractor", *options]):
        try:
            extractor.cli.main()
        except SystemExit as ended:
            if ended.code in (130, 143):  # Ctrl-C and SIGTERM, which mean the whole demo
                raise
            if ended.code:
                raise StepFailedError(["-m", *sys.argv], ended.code) from None


@contextmanager
def begun(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python program of the project, its output into the log; it is ended with the block if that fails."""
    with (
        LOG.open("a") as log,
        subprocess.Popen(
            [sys.executable, *arguments], cwd=PROJECT, stdin=subprocess.PIPE, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def finish(process: "subprocess.Popen[bytes]", told: bytes = b"") -> None:
    """Wait for the program to end, once it is told to begin. Raises `StepFailedError`."""
    process.communicate(told)
    if process.returncode:
        raise StepFailedError(cast(list[str], process.args)[1:], process.returncode)


def step(*arguments: str) -> None:
    """Run a Python program of the project, its output into the log. Raises `StepFailedError`."""
    with begun(*arguments) as process:
        finish(process)


def summarise(console: Console, variables: dict[str, str]) -> None:
    """What was landed and built, in tables."""
    with warehouse.connect(variables) as connection:
        films, facts, days, vanished, failed = connection.execute(SUMMARY).fetchone() or (0, 0, 0, 0, None)
        console.print(f"\n[bold]{films:,} films, {facts:,} facts, {days} days[/bold]", highlight=False)
        kept = f"{vanished} films vanished from TMDB on the way; their history is kept."
        console.print(f"{kept}\nFailed: {failed or 'nothing'}\n", highlight=False)
        for title, query in TABLES.items():
            found = connection.execute(query)
            table = Table(title=title)
            for column in found.description or ():
                table.add_column(column.name, justify="left" if column.type_display == "text" else "right")
            for row in found:
                table.add_row(*("" if value is None else str(value) for value in row))
            console.print(table)
