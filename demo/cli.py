"""Command line of the stand-in."""

import asyncio
import errno
import signal
import sys
from datetime import datetime
from pathlib import Path

import click
import uvloop

from demo.api import Api
from demo.edits import Edited
from demo.faults import Faults
from demo.server import DEFAULT_FILMS, DEFAULT_SEED, DEFAULT_TOKEN, origin, serving, source_of


class _Commands(click.Group):
    """Loads `run`, which needs the whole project, only when it is asked for: `serve` starts sooner."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["run", *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "run":
            from demo.run import run

            return run
        return super().get_command(ctx, name)


@click.group(cls=_Commands)
def main() -> None:
    """A local stand-in for TMDB's API, for demos, tests and benchmarks."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--films",
    default=DEFAULT_FILMS,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Films of the synthetic catalogue.",
)
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Another seed, another catalogue.")
@click.option(
    "--date", "today", type=click.DateTime(["%Y-%m-%d"]), help="The day to answer for.  [default: today, UTC]"
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Serve the real films of this JSON Lines file (.gz or plain) instead.",
)
@click.option("--token", default=DEFAULT_TOKEN, show_default=True, help="The bearer token to accept.")
@click.option(
    "--latency",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Milliseconds to hold back each answer.",
)
@click.option(
    "--repeats",
    type=click.FloatRange(0, 0.05),
    help="Share of discover's rows that repeat.  [default: 0.01; 0 with --data]",
)
@click.option("--max-rps", type=click.IntRange(1), help="Answer 429 to more requests in a second.")
@click.option(
    "--faults",
    default="",
    metavar="SPEC",
    help="Faults to inject, as in `500=0.05,reset=0.01` (demo/faults.py).",
)
@click.option("--end-with-stdin", is_flag=True, help="Also end when standard input does: with its caller.")
@click.option("--fault-seed", default=0, show_default=True, help="Another seed, other requests fail.")
def serve(
    host: str,
    port: int,
    films: int,
    seed: str,
    today: datetime | None,
    data: Path | None,
    token: str,
    latency: float,
    repeats: float | None,
    max_rps: int | None,
    faults: str,
    fault_seed: int,
    end_with_stdin: bool,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Prints its base URL when ready."""
    try:
        api = Api(Edited(source_of(data, films, seed)), token)
    except (OSError, ValueError) as error:
        _fail(f"cannot read the films: {error}")
    try:
        api.today = today.date() if today else None
        api.faults = Faults.parse(faults, fault_seed)
    except ValueError as error:
        _fail(str(error))
    api.latency = latency / 1000
    api.repeats = repeats
    api.traffic.max_rps = max_rps
    try:
        uvloop.run(_serve(api, host, port, end_with_stdin=end_with_stdin))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        _fail(f"cannot listen on {host}:{port}: {error.strerror}. Choose another --port, or 0 for a free one")


async def _serve(api: Api, host: str, port: int, *, end_with_stdin: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    if end_with_stdin:
        # nothing is ever written there: it becomes readable when the caller is gone
        loop.add_reader(sys.stdin.fileno(), stopped.set)
    async with serving(api, host, port) as taken:
        click.echo(f"{origin(host, taken)}/3")
        await stopped.wait()


def _fail(message: str) -> None:
    click.echo(f"python -m demo: {message}", err=True)
    sys.exit(2)
