"""`python -m benchmarks [NAME …]`."""

import os

import click
from rich.console import Console

from benchmarks import increment


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure speed and memory; without a name, everything."""
    console = Console()
    console.print(f"{os.cpu_count()} cores, {memory():.0f} GiB of memory")
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
    """dbt's time for one more day after a short and a long history, and each view's."""
    increment.measure(console, films, short, long, repeats)


def memory() -> float:
    """GiB of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


if __name__ == "__main__":
    main()
