"""`python -m extractor`: options → settings → command → exit code.

Every option has its variable; option > environment > `.env` > default. Exit: 0 done, 1 failed, 2 wrong use or
configuration, 130 and 143 ended by Ctrl-C and SIGTERM. Diagnostics go to stderr, data to stdout.

A command imports what it needs when it runs, so that status, dump and prune start without an HTTP client.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import click

import warehouse
from common import notify, signals
from common.errors import ConfigurationError, ProgramError, StoppedError
from common.files import standard_output
from common.program import Program
from common.version import version
from extractor import options
from warehouse import environment

log = logging.getLogger(__name__)

T = TypeVar("T")

_GOES_ON: Final = "stopped before the end; the same command goes on where it stopped"
_pass_program = click.make_pass_decorator(Program)


def _command(name: str, short_help: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of the program, with the options of its name."""

    def decorate(function: Callable[..., None]) -> click.Command:
        return cli.command(name, short_help=short_help)(options.taken_by(name)(_pass_program(function)))

    return decorate


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit: 0 done, 1 failed, 2 wrong use or configuration, 128 + N ended by signal N.",
)
@click.version_option(version(), message="tmdb-elt %(version)s")
def cli() -> None:
    """Fetch films from TMDB and land their JSON in PostgreSQL, schema raw.

    The token comes from TMDB_TOKEN (environment or .env) only: options show in the process list. PostgreSQL
    is what the PG* variables name; without PGHOST the project's embedded one is started.
    """


@_command("run", "Fetch the films of one snapshot date and land them.")
def run(program: Program, /, **given: Any) -> None:
    """Fetch the films of one snapshot date and land them.

    popular: the most popular films and those tracked since; export: the whole catalogue by the daily id file;
    changes: what changed since the last run; ids: a list of your own. A run that was ended goes on where it
    stopped when it is started again.
    """
    given["token"] = os.environ.get("TMDB_TOKEN")
    program.mask(given["token"])
    program.use_webhook(os.environ.get(notify.VARIABLE))
    if given["dry_run"]:
        program.webhook = None  # a person looks at a dry run
    _begin_log(program, given)
    from extractor import pipeline, plan, progress, settings

    checked = settings.checked(given)
    program.report.mode, program.report.snapshot_date = checked.mode, checked.snapshot_date
    if checked.dry_run:
        found = signals.execute(_in_warehouse(plan.plan(checked)))
        with standard_output() as stream:
            print(found, file=stream)
        return
    with progress.display(checked.progress_seconds, bar=program.log_format == "text") as display:
        _execute_run(pipeline.extract(checked, display, program.report), program)


@_command("status", "Show the last runs, what is landed, what failed, how old it is.")
def status_command(program: Program, **given: Any) -> None:
    """Show the last runs, what is landed, what failed, and how old it is."""
    _begin_log(program, given)
    checked = options.checked("status", given)
    from extractor.keeping import status

    found = signals.execute(_in_warehouse(status.look()))
    with standard_output() as stream:
        status.show(found, stream, as_json=checked["status_json"])
    age = checked["max_age"]
    if age is not None and found.is_older_than(age):
        when = found.last_finished_at
        raise ProgramError(
            f"no run has finished within {given['max_age']}: "
            + (f"the last one did at {when:%Y-%m-%d %H:%M:%S} UTC" if when else "none ever did")
        )


@_command("load", "Land history from files: of another instance, or films as JSON Lines.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def load_command(program: Program, /, files: tuple[str, ...], **given: Any) -> None:
    """Land history from FILEs, JSON Lines as they are or packed by gzip; - is standard input.

    Without --date each line is a row of a landing zone, as dump writes them, and keeps its date. Loading a
    file again changes nothing. Needs no token and asks TMDB nothing.
    """
    _begin_log(program, given)
    program.report.mode = "load"
    checked = options.checked("load", given)
    from extractor.keeping import load

    day, seconds = checked["load_date"], checked["progress_seconds"]
    _execute_run(load.land_files(files, day, seconds, program.report), program)


@_command("dump", "Write the landing zone, or some days of it, as JSON Lines for load.")
@click.argument("file", default="-")
def dump_command(program: Program, /, file: str, **given: Any) -> None:
    """Write the landing zone to FILE as JSON Lines, packed when it is named .gz; - is standard output.

    It needs no lock and shows one moment, whatever is written meanwhile.
    """
    _begin_log(program, given)
    checked = options.checked("dump", given)
    first, last = checked["dump_from"], checked["dump_to"]
    if first and last and first > last:
        raise ConfigurationError(f"TMDB_DUMP_FROM={first} is after TMDB_DUMP_TO={last}")
    from extractor.keeping import dump

    rows = signals.execute(
        _in_warehouse(dump.write(file, first, last)),
        afterwards="stopped before the end: nothing of the dump is kept",
    )
    log.info("%s rows dumped", f"{rows:,}")


@_command("prune", "Drop whole months of the landing zone beyond N days.")
def prune_command(program: Program, **given: Any) -> None:
    """Drop whole months of the landing zone that lie more than N days back.

    Refuses what the marts have not taken yet.
    """
    _begin_log(program, given)
    checked = options.checked("prune", given)
    if checked["keep_days"] is None:
        raise ConfigurationError("say how many days to keep: --keep-days N or TMDB_KEEP_DAYS")
    from extractor.keeping import prune

    pruned = signals.execute(
        _in_warehouse(prune.drop_months(checked["keep_days"], dry_run=checked["dry_run"])),
        afterwards="stopped before the end: nothing was dropped",
    )
    with standard_output() as stream:
        prune.show(pruned, stream, "would drop" if checked["dry_run"] else "dropped")


def main() -> None:
    """The program: runs the command and exits."""
    program = Program()
    try:
        environment.load()
        program.use_format(os.environ.get("TMDB_LOG_FORMAT"))
        cli.main(standalone_mode=False, obj=program)
    except click.Abort:
        sys.exit(130)
    except Exception as error:
        code, reason = program.explain(error)
        if isinstance(error, click.NoSuchOption) and error.option_name == "--notify":
            click.echo(f"Options show in the process list. Its variable is {notify.VARIABLE}.", err=True)
        with contextlib.suppress(KeyboardInterrupt):
            _tell(error, code, reason, program)
        sys.exit(code)


def _begin_log(program: Program, given: dict[str, Any]) -> None:
    """Log as the command's options say; of a wrong level their check will tell."""
    program.use_format(given["log_format"])
    level = (given["log_level"] or "INFO").strip().upper()
    program.log_at(level if level in options.LOG_LEVELS else "INFO")


def _tell(error: Exception, code: int, reason: str, program: Program) -> None:
    """Tell the webhook, if there is one, unless the person who pressed Ctrl-C knows."""
    if isinstance(error, click.UsageError) and error.ctx and error.ctx.command is run:
        # The command has not begun, so that a wrong option in a crontab would go unnoticed.
        with contextlib.suppress(ConfigurationError):
            program.use_webhook(os.environ.get(notify.VARIABLE))
    if code != 128 + signal.SIGINT:
        ended = "interrupted" if isinstance(error, StoppedError) else "failed"
        program.tell(step="extract", status=ended, code=code, reason=reason)


def _execute_run(work: Coroutine[Any, Any, T], program: Program) -> T:
    """Run what writes to the landing zone and can be started again. The webhook hears of its end also when
    PostgreSQL or the network let it not end in time.
    """

    def at_last(code: int) -> None:
        if code != 128 + signal.SIGINT:
            seconds = signals.LAST_WORD_SECONDS
            program.tell(step="extract", status="interrupted", code=code, reason=_GOES_ON, seconds=seconds)

    return signals.execute(
        _in_warehouse(work), meanwhile="landing what is in hand", afterwards=_GOES_ON, at_last=at_last
    )


async def _in_warehouse(work: Coroutine[Any, Any, T]) -> T:
    """`work` in the settled warehouse; the embedded PostgreSQL is started when PGHOST names none.

    A server that does not answer is waited for in a thread, so that a signal is heard meanwhile.
    """
    try:
        await asyncio.to_thread(warehouse.enter)
    except BaseException:
        work.close()
        raise
    return await work
