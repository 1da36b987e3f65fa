"""`python -m extractor`: options → settings → command → exit code.

Every option has its variable; option > environment > `.env` > default. Exit: 0 done, 1 failed, 2 wrong use or
configuration, 130 and 143 ended by Ctrl-C and SIGTERM. Diagnostics go to stderr, data to stdout.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import click
import orjson
import psycopg

import warehouse
from extractor import dump, load, notify, pipeline, prune, settings, status
from extractor.errors import ConfigurationError, ExtractorError, StoppedError
from extractor.logs import FORMATS, set_up
from extractor.progress import Display
from extractor.report import Report
from extractor.secret import Secret
from extractor.settings import DEFAULTS, Settings
from extractor.version import version
from warehouse import environment
from warehouse.errors import UsageError

log = logging.getLogger(__name__)

T = TypeVar("T")

#: After a signal the program ends within 5 s, whatever the network and PostgreSQL do.
_LAST_SECONDS: Final = 4.5
#: A signal sent to a whole group, and handed on by a parent of that group, comes twice within this time, s.
_SAME_SECONDS: Final = 0.25
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


def _option(flag: str, variable: str, help_text: str, metavar: str = "N") -> Callable[[Any], Any]:
    """A text option; `settings` checks it together with the others and names all that are wrong."""
    default = DEFAULTS.get(variable)
    shown = f"{help_text}  [env: {variable}{f'; default: {default}' if default else ''}]"
    return click.option(flag, variable.lower(), envvar=variable, metavar=metavar, help=shown)


@dataclass
class _Program:
    """What holds for whichever command: how it logs, and for `run` whom to tell when it fails."""

    log_format: str
    secrets: list[Secret] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    notify: Secret | None = None

    def log_at(self, level: str) -> None:
        """Log from now on, without the secrets."""
        set_up(level, self.secrets, form=self.log_format, report=self.report)


_pass_program = click.make_pass_decorator(_Program)


def _set_log_format(context: click.Context, _: click.Parameter, text: str | None) -> None:
    if text:
        context.ensure_object(_Program).log_format = _format(text)


def _format(text: str) -> str:
    if text.lower() not in FORMATS:
        raise ConfigurationError(f"TMDB_LOG_FORMAT={text!r} must be one of {', '.join(FORMATS)}")
    return text.lower()


def _logging(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options on the log, which every command has."""
    level = _option("--log-level", "TMDB_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR; default INFO.", "LEVEL")
    form: Callable[..., Any] = click.option(
        "--log-format",
        envvar="TMDB_LOG_FORMAT",
        metavar="FORMAT",
        expose_value=False,
        callback=_set_log_format,
        help="text, or json: an object a line; default text.  [env: TMDB_LOG_FORMAT]",
    )
    command = level(form(command))
    return command


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"tmdb-elt {version()}")
        context.exit()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit: 0 done, 1 failed, 2 wrong use or configuration, 128 + N ended by signal N.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Fetch films from TMDB and land their JSON in PostgreSQL, schema raw.

    The token comes from TMDB_TOKEN (environment or .env) only: options show in the process list. PostgreSQL
    is what the PG* variables name; without PGHOST the project's embedded one is started.
    """


@cli.command()
@_option("--mode", "TMDB_MODE", "popular, export or changes.", "MODE")
@_option("--pages", "TMDB_PAGES", "popular: pages of 20 films; beyond 500 by windows of release dates.")
@_option("--snapshot-date", "TMDB_SNAPSHOT_DATE", "The date to land under; default today, UTC.", "YYYY-MM-DD")
@_option("--limit", "TMDB_LIMIT", "At most N films, the most popular ones where the source tells.")
@_option(
    "--min-popularity",
    "TMDB_MIN_POPULARITY",
    "Only films of at least this popularity; those tracked in any case.",
    "P",
)
@_option(
    "--track-days",
    "TMDB_TRACK_DAYS",
    "popular: go on with films that were popular in the last N days; 0 = off.",
)
@_option("--full-days", "TMDB_FULL_DAYS", "Days between two payloads with credits and keywords of one film.")
@_option("--max-rps", "TMDB_MAX_RPS", "Requests a second, at most.", "R")
@_option("--max-connections", "TMDB_MAX_CONNECTIONS", "Connections at once, at most.", "C")
@_option("--timeout", "TMDB_TIMEOUT", "Seconds until a request counts as lost.", "S")
@_option("--max-tries", "TMDB_MAX_TRIES", "How often a request is sent before it counts as failed.")
@_option("--base-url", "TMDB_BASE_URL", "The API's root.", "URL")
@_option("--export-url", "TMDB_EXPORT_URL", "Where the daily id exports are.", "URL")
@_option(
    "--progress-seconds",
    "TMDB_PROGRESS_SECONDS",
    "Between two progress lines, where there is no terminal.",
    "S",
)
@click.option(
    "--dry-run",
    is_flag=True,
    envvar="TMDB_DRY_RUN",
    help="Only say what would be fetched.  [env: TMDB_DRY_RUN]",
)
@_option("--notify", notify.VARIABLE, "A webhook to tell when the run fails: a POST of JSON.", "URL")
@_logging
@_pass_program
def run(
    program: _Program,
    /,
    dry_run: bool,
    tmdb_notify_url: str | None,
    tmdb_log_level: str | None,
    **given: str | None,
) -> None:
    """Fetch the films of one snapshot date and land them.

    popular: the most popular films and those tracked since; export: the whole catalogue by the daily id file;
    changes: what changed since the last run. A run that was ended goes on where it stopped when it is started
    again.
    """
    variables = {name.upper(): value for name, value in given.items()}
    variables["TMDB_TOKEN"] = os.environ.get("TMDB_TOKEN")
    if token := (variables["TMDB_TOKEN"] or "").strip():
        program.secrets.append(Secret(token))
    webhook = notify.address(tmdb_notify_url)
    if webhook is not None:
        program.secrets += notify.secrets_of(webhook)
        program.notify = None if dry_run else webhook  # a person looks at a dry run
    program.log_at(_level(tmdb_log_level))
    checked = settings.load(variables, dry_run=dry_run)
    program.report.mode, program.report.snapshot_date = checked.mode, checked.snapshot_date
    _use_warehouse()
    if dry_run:
        click.echo(_plan_in_words(_execute(pipeline.plan(checked)), checked))
        return
    with Display(checked.progress_seconds, bar=program.log_format == "text") as reporter:
        summary = _execute(pipeline.run(checked, reporter, program.report))
    log.info("run %d finished: %s", summary.run_id, summary)


@cli.command("status", short_help="Show the last runs, what is landed, what failed, how old it is.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="TMDB_STATUS_JSON",
    help="For a program.  [env: TMDB_STATUS_JSON]",
)
@_option(
    "--max-age",
    "TMDB_MAX_AGE",
    "Exit 1 when no run has finished within this time: 36h, 2d, 90m; a number is hours.",
    "AGE",
)
@_logging
@_pass_program
def status_command(
    program: _Program, as_json: bool, tmdb_max_age: str | None, tmdb_log_level: str | None
) -> None:
    """Show the last runs, what is landed, what failed, and how old it is."""
    program.log_at(_level(tmdb_log_level))
    try:
        age = settings.age(tmdb_max_age) if tmdb_max_age else None
    except ValueError as error:
        raise ConfigurationError(f"TMDB_MAX_AGE={tmdb_max_age!r} {error}") from None
    _use_warehouse()
    read = _execute(status.read())
    if as_json:
        click.echo(orjson.dumps(read.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        status.show(read, sys.stdout)
    if age is not None and read.is_older_than(age):
        when = read.last_finished_at
        raise ExtractorError(
            f"no run has finished within {tmdb_max_age}: "
            + (f"the last one did at {when:%Y-%m-%d %H:%M:%S} UTC" if when else "none ever did")
        )


@cli.command("load", short_help="Land history from files: of another instance, or films as JSON Lines.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@_option("--date", "TMDB_LOAD_DATE", "The files hold films as TMDB sends them, of this date.", "YYYY-MM-DD")
@_option("--progress-seconds", "TMDB_PROGRESS_SECONDS", "Between two progress lines.", "S")
@_logging
@_pass_program
def load_command(
    program: _Program,
    files: tuple[str, ...],
    tmdb_load_date: str | None,
    tmdb_progress_seconds: str | None,
    tmdb_log_level: str | None,
) -> None:
    """Land history from FILEs, JSON Lines as they are or packed by gzip; - is standard input.

    Without --date each line is a row of a landing zone, as dump writes them, and keeps its date. Loading a
    file again changes nothing. Needs no token and asks TMDB nothing.
    """
    program.log_at(_level(tmdb_log_level))
    program.report.mode = "load"
    day = settings.optional_day("TMDB_LOAD_DATE", tmdb_load_date)
    seconds = settings.progress_seconds(tmdb_progress_seconds)
    _use_warehouse()
    loaded = _execute(load.load(files, day, seconds, program.report))
    log.info("run %d finished: %s", loaded.run_id, loaded)


@cli.command("dump", short_help="Write the landing zone, or some days of it, as JSON Lines for load.")
@click.argument("file", default=dump.STDOUT)
@_option("--from", "TMDB_DUMP_FROM", "The first snapshot date; default: that of all.", "YYYY-MM-DD")
@_option("--to", "TMDB_DUMP_TO", "The last snapshot date; default: that of all.", "YYYY-MM-DD")
@_logging
@_pass_program
def dump_command(
    program: _Program,
    file: str,
    tmdb_dump_from: str | None,
    tmdb_dump_to: str | None,
    tmdb_log_level: str | None,
) -> None:
    """Write the landing zone to FILE as JSON Lines, packed when it is named .gz; - is standard output.

    It needs no lock and shows one moment, whatever is written meanwhile.
    """
    program.log_at(_level(tmdb_log_level))
    first = settings.optional_day("TMDB_DUMP_FROM", tmdb_dump_from)
    last = settings.optional_day("TMDB_DUMP_TO", tmdb_dump_to)
    _use_warehouse()
    rows = _execute(dump.dump(file, first, last))
    log.info("%s rows dumped", f"{rows:,}")


@cli.command("prune", short_help="Drop whole months of the landing zone beyond N days.")
@_option("--keep-days", "TMDB_KEEP_DAYS", "Days to keep; TMDB's terms allow about 180.")
@click.option(
    "--dry-run",
    is_flag=True,
    envvar="TMDB_DRY_RUN",
    help="Only say what would be dropped.  [env: TMDB_DRY_RUN]",
)
@_logging
@_pass_program
def prune_command(
    program: _Program, tmdb_keep_days: str | None, dry_run: bool, tmdb_log_level: str | None
) -> None:
    """Drop whole months of the landing zone that lie more than N days back.

    Refuses what the marts have not taken yet.
    """
    program.log_at(_level(tmdb_log_level))
    if not tmdb_keep_days:
        raise ConfigurationError("say how many days to keep: --keep-days N or TMDB_KEEP_DAYS")
    days = settings.whole("TMDB_KEEP_DAYS", tmdb_keep_days, 1, 36600)
    _use_warehouse()
    pruned = _execute(prune.prune(days, dry_run=dry_run))
    verb = "would drop" if dry_run else "dropped"
    for partition in pruned.partitions:
        click.echo(
            f"{verb} raw.{partition.name}: {partition.rows:,} rows of {partition.first_date}"
            f" to {partition.last_date}, {partition.bytes / 1e6:,.1f} MB"
        )
    if not pruned.partitions:
        click.echo(f"nothing to drop: no whole month lies before {pruned.keep_from}")
    if pruned.failures:
        click.echo(f"{verb} the records of {pruned.failures:,} failures of those days")


def main() -> None:
    """The program: runs the command and exits."""
    environment.load()
    program = _Program(log_format="text")
    try:
        program.log_format = _format(os.environ.get("TMDB_LOG_FORMAT") or "text")
        cli.main(standalone_mode=False, obj=program)
    except click.Abort:
        sys.exit(130)
    except Exception as error:
        code, reason = _complain(error, program)
        with contextlib.suppress(KeyboardInterrupt):
            _notify(error, code, reason, program)
        sys.exit(code)


def _complain(error: Exception, program: _Program) -> tuple[int, str]:
    """What went wrong on stderr, through the log's redaction; the exit code and the reason."""
    if isinstance(error, click.UsageError) and program.log_format == "text":
        error.show()
        return error.exit_code, error.format_message()
    if not logging.getLogger().handlers:
        program.log_at("INFO")
    if isinstance(error, click.ClickException):
        code, reason = error.exit_code, error.format_message()
    elif isinstance(error, ExtractorError):
        code, reason = error.exit_code, str(error)
    elif isinstance(error, warehouse.WarehouseError):
        code, reason = 2 if isinstance(error, UsageError) else 1, str(error)
    elif isinstance(error, psycopg.Error):
        # what is not foreseen: no right to make a schema, a table of another make
        code, reason = 1, f"PostgreSQL refused the landing zone: {' '.join(str(error).split())}"
    else:
        log.error("a fault of the extractor itself, please report it:", exc_info=error)
        return 1, f"a fault of the extractor itself: {type(error).__name__}: {error}"
    logging.getLogger().error("%s", reason)
    return code, reason


def _notify(error: Exception, code: int, reason: str, program: _Program) -> None:
    """Tell the webhook, if there is one, unless the person who pressed Ctrl-C knows."""
    webhook = program.notify
    if isinstance(error, click.UsageError) and error.ctx and error.ctx.command is run:
        # the command has not begun, so that a wrong option in a crontab would go unnoticed
        with contextlib.suppress(ConfigurationError):
            webhook = notify.address(os.environ.get(notify.VARIABLE))
    if webhook is None or code == 128 + signal.SIGINT:
        return
    ended = "interrupted" if isinstance(error, StoppedError) else "failed"
    content = notify.summary(
        program.report,
        step="extract",
        status=ended,
        exit_code=code,
        reason=reason,
        secrets=program.secrets,
    )
    notify.send(webhook, content)


def _level(text: str | None) -> str:
    level = (text or "INFO").upper()
    if level not in _LEVELS:
        raise ConfigurationError(f"TMDB_LOG_LEVEL={text!r} must be one of {', '.join(_LEVELS)}")
    return level


def _use_warehouse() -> None:
    """Start the embedded PostgreSQL when PGHOST names none; libpq finds either in the environment."""
    variables = warehouse.overlay(warehouse.ensure())
    os.environ.clear()
    os.environ.update(variables)


def _execute(work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; a signal cancels it, and the program ends within 5 seconds, at a second signal at once."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_stoppable(work))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _stoppable(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    received: list[signal.Signals] = []
    first_at = 0.0

    def stop(number: signal.Signals) -> None:
        nonlocal first_at
        code = 128 + number
        if received:
            if loop.time() - first_at > _SAME_SECONDS:
                os._exit(code)
            return
        received.append(number)
        first_at = loop.time()
        log.warning("%s: landing what is in hand", number.name)
        watchdog = threading.Timer(_LAST_SECONDS, os._exit, [code])
        watchdog.daemon = True
        watchdog.start()
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise StoppedError(
            "stopped before the end; the same command goes on where it stopped", 128 + received[0]
        ) from None


def _plan_in_words(plan: pipeline.Plan, checked: Settings) -> str:
    films = plan.films - plan.landed
    seconds = films / checked.max_rps
    took = (
        time.strftime("%H:%M:%S", time.gmtime(seconds)) if seconds < 86400 else f"{seconds / 86400:.1f} days"
    )
    lines = [
        f"mode {checked.mode}, snapshot date {checked.snapshot_date}",
        f"{plan.films:,} films chosen, {plan.tracked:,} of them tracked;"
        f" the first: {', '.join(map(str, plan.first))}",
    ]
    if plan.landed:
        lines.append(f"{plan.landed:,} landed already by unfinished run {', '.join(map(str, plan.resumes))}")
    lines.append(f"would fetch {films:,} films, {plan.full:,} of them with credits and keywords")
    lines.append(f"at {checked.max_rps:g} requests a second: {took}")
    lines += [f"could not read {f.resource} {f.resource_id}: {f.reason}" for f in plan.failures[:10]]
    return "\n".join(lines)
