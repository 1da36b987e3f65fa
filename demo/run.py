"""`make demo`: a month of films from the stand-in through the real extractor and the real dbt, to look at.

Works in a database of its own and never touches that of `make elt`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import psycopg
from psycopg import sql
from rich.console import Console
from rich.progress import track
from rich.table import Table

import warehouse
from demo.server import StandInProcess

DATABASE = "tmdb_demo"
PROJECT = Path(__file__).resolve().parent.parent
DBT_PROJECT = PROJECT / "dbt_project"
LOG = PROJECT / "build" / "demo.log"
PREVIEW = PROJECT / "build" / "preview.html"
#: Where dbt writes: not where `make elt` has it write, whose manifest and results are of other tables.
DBT_FOLDER = PROJECT / "build" / "demo-dbt"

SUMMARY = """
    select
        (select count(*) from marts.dim_movie) as films,
        (select count(*) from marts.fact_movie_daily) as facts,
        (select count(distinct date_id) from marts.fact_movie_daily) as days,
        (select count(*) from marts.dim_movie where vanished_on is not null) as vanished
"""
FAILURES = "select reason, count(*) from raw.extract_failure group by reason order by 2 desc"
TOP_MOVIES = """
    select rank, title, popularity::numeric(9, 1), vote_average::numeric(3, 1), vote_count
    from analytics.vw_top_movies order by rank limit 10
"""
GENRES = """
    select genre_name, avg_popularity::numeric(9, 1), movie_count, total_votes
    from analytics.vw_genre_popularity order by avg_popularity desc
"""

NEXT = """\
What to type next
  make psql PGDATABASE=tmdb_demo    ask it yourself: select * from vw_top_movies limit 10;
  make check PGDATABASE=tmdb_demo   the checks a careful client would make
  make docs-serve                   what every table and column means
  make env && make elt              the real films, with a TMDB token in .env"""


class StepFailedError(Exception):
    """A program that the demo ran did not succeed; its output is in the log."""


@click.command()
@click.option(
    "--films", default=2000, show_default=True, type=click.IntRange(20, 1_000_000), help="Films to serve."
)
@click.option(
    "--days", default=30, show_default=True, type=click.IntRange(1, 365), help="Snapshot dates, up to today."
)
@click.option(
    "--pages", default=25, show_default=True, type=click.IntRange(1, 500), help="Pages of 20 films a day."
)
@click.option(
    "--preview/--no-preview",
    default=True,
    help="Draw the dashboards as a page and say what to type next; not in a container.  [default: preview]",
)
def run(films: int, days: int, pages: int, preview: bool) -> None:
    """Land a history of synthetic films, build the tables, show what is in them."""
    console = Console()
    began = time.monotonic()
    try:
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_text("")
        variables = demo_database()
        environment = apart_from_the_shell(warehouse.overlay(variables))
        with StandInProcess("--films", str(films)) as tmdb:
            tmdb_variables = {
                "TMDB_TOKEN": tmdb.token,
                "TMDB_BASE_URL": tmdb.base_url,
                "TMDB_EXPORT_URL": tmdb.export_url,
                # the real API allows 40 a second; this one is ours
                "TMDB_MAX_RPS": "10000",
            }
            for day in track(snapshot_dates(days), "Landing a month, a day at a time", console=console):
                tmdb.today = day
                options = ["--mode", "popular", "--pages", str(pages), "--snapshot-date", day.isoformat()]
                step(["-m", "extractor", "run", *options], {**environment, **tmdb_variables})
        target = dbt_folder("DBT_TARGET_PATH", "target")
        with console.status("Building the star schema and testing it (dbt build)"):
            folders = {
                "--project-dir": DBT_PROJECT,
                "--profiles-dir": DBT_PROJECT,
                "--target-path": target,
                "--log-path": dbt_folder("DBT_LOG_PATH", "logs"),
            }
            options = [text for name, folder in folders.items() for text in (name, str(folder))]
            step(
                ["-m", "dbt.cli.main", "build", *options, "--exclude-resource-type", "unit_test"], environment
            )
        summarise(console, variables)
        if preview:
            options = ["--output", str(PREVIEW), "--manifest", str(target / "manifest.json")]
            step(["-m", "metabase.preview", *options, "--note", "synthetic films"], environment)
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


def snapshot_dates(days: int) -> Sequence[date]:
    """The last `days` UTC dates, today's last."""
    today = datetime.now(UTC).date()
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


def demo_database() -> dict[str, str]:
    """The PG* variables of the demo's own database, made when it is missing."""
    os.environ["PGDATABASE"] = DATABASE
    variables = warehouse.ensure()
    if os.environ.get("PGHOST"):
        with psycopg.connect(dbname="postgres", autocommit=True) as connection:
            found = connection.execute("select from pg_database where datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return variables


def apart_from_the_shell(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the shell or `.env` says to the extractor or to dbt: the demo is the same
    for everyone, and a variable meant for `make elt` or for another dbt project must not redirect it.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith(("TMDB_", "DBT_"))}
    return kept | {"TMDB_ENV_FILE": "", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def dbt_folder(variable: str, name: str) -> Path:
    """Where dbt writes: what `variable` says if DBT_PROJECT_DIR names this project, as in its image; else a
    folder of the demo's own.
    """
    meant = os.environ.get(variable) and Path(os.environ.get("DBT_PROJECT_DIR", "")).resolve() == DBT_PROJECT
    return Path(os.environ[variable]) if meant else DBT_FOLDER / name


def step(arguments: Sequence[str], environment: dict[str, str]) -> None:
    """Run a Python program of the project, its output into the log. Raises `StepFailedError`."""
    with LOG.open("a") as log:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=PROJECT, env=environment, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        command = " ".join(["python", *arguments])
        raise StepFailedError(f"`{command}` ended with exit code {done.returncode}")


def summarise(console: Console, variables: dict[str, str]) -> None:
    """What was landed and built, in tables."""
    connection = psycopg.connect(
        host=variables["PGHOST"],
        port=variables.get("PGPORT"),
        user=variables.get("PGUSER"),
        password=variables.get("PGPASSWORD"),
        dbname=DATABASE,
    )
    with connection:
        films, facts, days, vanished = connection.execute(SUMMARY).fetchone() or (0, 0, 0, 0)
        failures = connection.execute(FAILURES).fetchall()
        console.print(f"\n[bold]{films:,} films, {facts:,} facts, {days} days[/bold]", highlight=False)
        console.print(
            f"{vanished} films vanished from TMDB on the way; their history is kept.", highlight=False
        )
        what_failed = ", ".join(f"{count} × {reason}" for reason, count in failures) or "nothing"
        console.print(f"Failed: {what_failed}\n", highlight=False)
        top = Table("#", "film", "popularity", "rating", "votes", title="Top films today (vw_top_movies)")
        for row in connection.execute(TOP_MOVIES):
            top.add_row(*("" if value is None else f"{value}" for value in row))
        genres = Table("genre", "mean popularity", "films", "votes", title="Genres (vw_genre_popularity)")
        for row in connection.execute(GENRES):
            genres.add_row(*(f"{value}" for value in row))
        for table in (top, genres):
            for column in table.columns[2 if table is top else 1 :]:
                column.justify = "right"
            console.print(table)
