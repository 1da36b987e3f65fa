"""Every option of the extractor, said once: variable, flag, default, check, help and its place in the docs.

From this table come the command line's options, the settings, the lines of `.env.example` and of
docs/configuration.md (`python -m tools.options` writes both).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from common.errors import ConfigurationError
from common.logs import FORMATS
from extractor import values
from extractor.answer import BLOCKS
from extractor.choice import discover
from extractor.values import integer, number, one_of, shown, some_of

T = TypeVar("T")

MODES: Final = ("popular", "export", "changes", "ids")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_COMMANDS: Final = ("run", "status", "load", "dump", "prune")


@dataclass(frozen=True)
class Option:
    """One option. `flag`: None for a variable that no option must show in a process list. `default`: as text.
    `check`: text → value, raises `ValueError` with the rule. `is_switch`: on or off. `mode`: the only mode
    that takes notice of it.
    """

    section: str
    variable: str
    flag: str | None
    metavar: str
    default: str
    check: Callable[[str], Any]
    help: str
    commands: tuple[str, ...] = ("run",)
    is_switch: bool = False
    mode: str | None = None

    @property
    def name(self) -> str:
        """Its name among the settings, such as `max_rps`."""
        return self.variable.removeprefix("TMDB_").lower()


class WrongSettingsError(ConfigurationError):
    """All settings that are wrong, a line each."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        listed = "".join(f"\n  {line}" for line in lines)
        super().__init__(lines[0] if len(lines) == 1 else f"{len(lines)} settings are wrong:{listed}")


_TMDB: Final = "TMDB"
_WHICH: Final = "Which films"
_WHAT: Final = "What of them"
_FAST: Final = "How fast"
_RUNNING: Final = "Running it"

OPTIONS: Final = (
    Option(_TMDB, "TMDB_TOKEN", None, "TOKEN", "", str,
           "The API read access token (v4) from https://www.themoviedb.org/settings/api; `make demo` needs"
           " none."),
    Option(_TMDB, "TMDB_BASE_URL", "--base-url", "URL", "https://api.themoviedb.org/3", values.url,
           "The API's root."),
    Option(_TMDB, "TMDB_EXPORT_URL", "--export-url", "URL", "https://files.tmdb.org/p/exports", values.url,
           "Where the daily id exports are."),
    Option(_WHICH, "TMDB_MODE", "--mode", "MODE", "popular", one_of(*MODES),
           "popular: the most popular films and those tracked; export: the whole catalogue; changes: what"
           " changed; ids: a list of your own."),
    Option(_WHICH, "TMDB_PAGES", "--pages", "N", "50", integer(1, 1_000_000),
           "Mode popular: pages of 20 films; beyond 500 the daily id export names the most popular films.",
           mode="popular"),
    Option(_WHICH, "TMDB_DISCOVER", "--discover", "FILTERS", "", discover.filters,
           "Mode popular: only films that pass TMDB's own filters, such as"
           " with_original_language=fr&vote_count.gte=50.", mode="popular"),
    Option(_WHICH, "TMDB_REGION", "--region", "COUNTRY", "", values.country,
           "Mode popular: the country, such as FR, whose releases TMDB_DISCOVER's dates mean.",
           mode="popular"),
    Option(_WHICH, "TMDB_IDS_FILE", "--ids-file", "FILE", "", str,
           "Mode ids: a file with one id a line, TMDB's (603) or IMDb's (tt0133093).", mode="ids"),
    Option(_WHICH, "TMDB_TRACK_DAYS", "--track-days", "N", "30", integer(0, 3660),
           "Mode popular: go on with films that were popular in the last N days; 0 = off.", mode="popular"),
    Option(_WHICH, "TMDB_LIMIT", "--limit", "N", "", integer(1, 1_000_000_000),
           "At most N films, the most popular ones where the source tells."),
    Option(_WHICH, "TMDB_MIN_POPULARITY", "--min-popularity", "P", "", number(0, 1_000_000),
           "Only films of at least this popularity, in every mode but ids; those tracked in any case."),
    Option(_WHICH, "TMDB_SNAPSHOT_DATE", "--snapshot-date", "YYYY-MM-DD", "", values.day,
           "The date (UTC) to land under, from 2008 to tomorrow; none: today."),
    Option(_WHAT, "TMDB_LANGUAGE", "--language", "LANGUAGE", "en-US", values.language,
           "The language of titles, texts and genre names, such as fr-FR."),
    Option(_WHAT, "TMDB_BLOCKS", "--blocks", "BLOCKS",
           "credits,keywords,release_dates,watch/providers,translations,external_ids", some_of(*BLOCKS),
           f"What a full payload holds beside the film itself: some of {', '.join(BLOCKS)}; or none."),
    Option(_WHAT, "TMDB_FULL_DAYS", "--full-days", "N", "30", integer(1, 3660),
           "Days between two full payloads of one film."),
    Option(_FAST, "TMDB_MAX_RPS", "--max-rps", "R", "40", number(0.1, 1_000_000),
           "Requests a second, at most."),
    Option(_FAST, "TMDB_MAX_CONNECTIONS", "--max-connections", "C", "20", integer(1, 1000),
           "Connections at once, at most."),
    Option(_FAST, "TMDB_TIMEOUT", "--timeout", "S", "20", number(0.1, 3600),
           "Seconds until a request counts as lost."),
    Option(_FAST, "TMDB_MAX_TRIES", "--max-tries", "N", "6", integer(1, 100),
           "How often a request is sent before it counts as failed."),
    Option(_RUNNING, "TMDB_PROGRESS_SECONDS", "--progress-seconds", "S", "10", number(0.1, 86400),
           "Seconds between two progress lines, where there is no terminal for a bar.", ("run", "load")),
    Option(_RUNNING, "TMDB_LOG_LEVEL", "--log-level", "LEVEL", "INFO", one_of(*LOG_LEVELS, fold=str.upper),
           "How much the log tells: DEBUG, INFO, WARNING or ERROR.", _COMMANDS),
    Option(_RUNNING, "TMDB_LOG_FORMAT", "--log-format", "FORMAT", "text", one_of(*FORMATS, fold=str.lower),
           "text, or json: an object a line.", _COMMANDS),
    Option(_RUNNING, "TMDB_NOTIFY_URL", None, "URL", "", str,
           "A webhook to tell when the run fails: a POST of JSON. Its address is kept out of the log."),
    Option(_RUNNING, "TMDB_DRY_RUN", "--dry-run", "", "", str,
           "Only say what would be fetched (run) or dropped (prune).", ("run", "prune"), is_switch=True),
    Option(_RUNNING, "TMDB_MAX_AGE", "--max-age", "AGE", "", values.age,
           "status: exit 1 when no run has finished within this time: 36h, 2d, 90m; a number is hours.",
           ("status",)),
    Option(_RUNNING, "TMDB_STATUS_JSON", "--json", "", "", str, "status: print JSON, for a program.",
           ("status",), is_switch=True),
    Option(_RUNNING, "TMDB_LOAD_DATE", "--date", "YYYY-MM-DD", "", values.day,
           "load: the files hold films as TMDB sends them, of this date; none: rows of a landing zone.",
           ("load",)),
    Option(_RUNNING, "TMDB_DUMP_FROM", "--from", "YYYY-MM-DD", "", values.day,
           "dump: the first snapshot date; none: the first of all.", ("dump",)),
    Option(_RUNNING, "TMDB_DUMP_TO", "--to", "YYYY-MM-DD", "", values.day,
           "dump: the last snapshot date; none: the last of all.", ("dump",)),
    Option(_RUNNING, "TMDB_KEEP_DAYS", "--keep-days", "N", "", integer(1, 36600),
           "prune: days of the landing zone to keep; TMDB's terms allow about 180.", ("prune",)),
)  # fmt: skip

DEFAULTS: Final[Mapping[str, str]] = {o.variable: o.default for o in OPTIONS if o.default}


def of(command: str) -> list[Option]:
    """The options that a command takes."""
    return [option for option in OPTIONS if command in option.commands]


def taken_by(command: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that gives a click command its options. All arrive as text, by name, for `checked`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(of(command)):
            default = f"; default: {option.default}" if option.default else ""
            text = f"{option.help}  [env: {option.variable}{default}]"
            kind: dict[str, Any] = {"is_flag": True} if option.is_switch else {"metavar": option.metavar}
            if option.flag is not None:
                added = click.option(option.flag, option.name, envvar=option.variable, help=text, **kind)
                function = added(function)
        return function

    return decorate


def checked(command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a command's options by name, from their text by name; what is missing or empty takes its
    default, or is None. Raises `WrongSettingsError` that names each wrong one and what it may be.
    """
    read: dict[str, Any] = {}
    wrong = []
    for option in of(command):
        value = given.get(option.name)
        if option.is_switch:
            read[option.name] = bool(value)
            continue
        text = (value or "").strip() or option.default
        try:
            read[option.name] = option.check(text) if text else None
        except ValueError as error:
            wrong.append(f"{option.variable}={shown(text)!r} {error}")
    if wrong:
        raise WrongSettingsError(wrong)
    return read
