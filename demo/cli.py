"""Command line of the stand-in."""

import errno
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from demo.server import DEFAULT_FILMS, DEFAULT_SEED, DEFAULT_TOKEN, StandIn


class _Commands(click.Group):
    """Loads `run`, which needs the whole project, only when it is asked for: `serve` starts sooner."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["run", *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        command: click.Command | None = super().get_command(ctx, name)
        return import_module("demo.run").run if name == "run" else command


@click.group(cls=_Commands, context_settings={"show_default": True})
def main() -> None:
    """A local stand-in for TMDB's API, for demos, tests and benchmarks."""


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--films", default=DEFAULT_FILMS, type=click.IntRange(1, 1_000_000), help="Synthetic films.")
@click.option("--seed", default=DEFAULT_SEED, help="Another seed, another catalogue.")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Day to answer for.  [default: today, UTC]")
@click.option("--data", type=_FILE, help="Serve the films of this JSON Lines file (.gz or plain) instead.")
@click.option("--token", default=DEFAULT_TOKEN, help="The bearer token to accept.")
@click.option("--latency", default=0.0, type=click.FloatRange(0), help="Milliseconds to hold answers back.")
@click.option(
    "--repeats",
    type=click.FloatRange(0, 0.05),
    help="Share of discover's rows that repeat.  [default: 0.01; 0 with --data]",
)
@click.option("--max-rps", type=click.IntRange(1), help="Answer 429 to more requests in a second.")
@click.option("--faults", default="", help="Faults to inject, as in `500=0.05,reset=0.01` (demo/faults.py).")
@click.option("--fault-seed", default=0, help="Another seed, other requests fail.")
@click.option("--end-with-stdin", is_flag=True, help="Also end when standard input does: with its caller.")
def serve(end_with_stdin: bool, date: Any, latency: float, **options: Any) -> None:
    """Serve until SIGTERM or Ctrl-C. Prints its base URL when ready."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with StandIn(today=date and date.date(), latency=latency / 1000, **options) as tmdb:
            click.echo(tmdb.base_url)
            # nothing is ever written to standard input: it ends when the caller is gone
            sys.stdin.read() if end_with_stdin else signal.pause()
    except ValueError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL) and not error.filename:
            address = f"{options['host']}:{options['port']}"
            _fail(f"cannot listen on {address}: {error.strerror}. Choose another --port, or 0 for a free one")
        _fail(f"cannot read the films: {error}")


def _fail(message: str) -> None:
    click.echo(f"python -m demo: {message}", err=True)
    sys.exit(2)
