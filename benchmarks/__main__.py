"""`python -m benchmarks [NAME …]`."""

import os
import sys

import click
from rich.console import Console

from benchmarks import extract, increment, landing, memory, parquet


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure speed and memory; without a name, everything."""
    # a file takes whole lines, too
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(
        f"{os.cpu_count()} cores, {gibibytes():.0f} GiB of memory, load {os.getloadavg()[0]:.1f} before"
    )
    context.obj = console
    if context.invoked_subcommand is None:
        for command in main.commands.values():
            context.invoke(command)


@main.command(name="increment")
@click.option("--films", default=10_000, show_default=True, type=click.IntRange(1))
@click.option(
    "--short", default=3, show_default=True, type=click.IntRange(1), help="Days of the short history."
)
@click.option(
    "--long", default=365, show_default=True, type=click.IntRange(2), help="Days of the long history."
)
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1), help="More days to measure.")
@click.pass_obj
def increment_command(console: Console, films: int, short: int, long: int, repeats: int) -> None:
    """dbt's time for one more day after a short and a long history, for a rebuild, and each view's."""
    increment.measure(console, films, short, long, repeats)


@main.command(name="catalogue")
@click.option("--films", default=60_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option(
    "--cast", default=12, show_default=True, type=click.IntRange(0), help="Of each film; 0: no blocks."
)
@click.pass_obj
def catalogue_command(console: Console, films: int, cast: int) -> None:
    """dbt's time for the first two days of mode export."""
    increment.measure_catalogue(console, films, cast)


@main.command(name="extract")
@click.option(
    "--films",
    default=[1_000, 10_000],
    show_default=True,
    multiple=True,
    type=click.IntRange(20, 10_000),
    help="Films of a case; may be given several times.",
)
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(1), help="Runs of each case.")
@click.option("--large", is_flag=True, help="Also the cases that take a contender minutes: 25 minutes more.")
@click.pass_obj
def extract_command(console: Console, films: tuple[int, ...], repeats: int, large: bool) -> None:
    """This extractor, a sequential script and dlt: wall time, CPU time, peak memory."""
    extract.measure(console, films, repeats, large=large)


@main.command(name="landing")
@click.option("--films", default=10_000, show_default=True, type=click.IntRange(1, 700_000))
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1), help="Runs of each.")
@click.pass_obj
def landing_command(console: Console, films: int, repeats: int) -> None:
    """Landing films that are at hand, against a bare COPY of the same JSON."""
    landing.measure(console, films, repeats)


@main.command(name="memory")
@click.option("--small", default=10_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option(
    "--large",
    default=50_000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Films of the large catalogue; the goal is about 1000000, which takes half an hour or more.",
)
@click.pass_obj
def memory_command(console: Console, small: int, large: int) -> None:
    """The extractor's peak memory for a small and a large catalogue."""
    memory.measure(console, [small, large])


@main.command(name="parquet")
@click.option("--films", default=10_000, show_default=True, type=click.IntRange(20, 1_000_000))
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650))
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1), help="Runs of each.")
@click.pass_obj
def parquet_command(console: Console, films: int, days: int, repeats: int) -> None:
    """The marts as Parquet files, against psql's COPY of the same to CSV: time, memory, bytes."""
    parquet.measure(console, films, days, repeats)


def gibibytes() -> float:
    """GiB of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


if __name__ == "__main__":
    main()
