"""The settings of a run, from text wherever it comes from, checked once, with every wrong one named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from common.secret import SHORTEST, Secret
from extractor import options
from extractor.options import DEFAULTS, WrongSettingsError
from extractor.values import today

HOW_TO_BEGIN: Final = (
    "no TMDB_TOKEN is set: put your TMDB v4 read access token into .env or the environment"
    " (https://www.themoviedb.org/settings/api), or see it all work without an account: make demo"
)


@dataclass(frozen=True)
class Settings:
    """What one run does. Rates are requests a second, times seconds, `pages` are of 20 films."""

    token: Secret
    base_url: str
    export_url: str
    mode: str
    snapshot_date: date
    pages: int
    discover: str | None
    region: str | None
    ids_file: str | None
    limit: int | None
    min_popularity: float | None
    track_days: int
    language: str | None
    blocks: tuple[str, ...]
    full_days: int
    max_rps: float
    max_connections: int
    timeout: float
    max_tries: int
    progress_seconds: float
    dry_run: bool

    @property
    def unused(self) -> list[str]:
        """Variables that are set, and are of another mode than this one."""
        others = [o for o in options.of("run") if o.mode not in (None, self.mode) and not o.default]
        return [option.variable for option in others if getattr(self, option.name)]

    @property
    def asks_tmdb_itself(self) -> bool:
        """Is the API TMDB's own, and no stand-in?"""
        return self.base_url == DEFAULTS["TMDB_BASE_URL"]


def checked(given: Mapping[str, Any]) -> Settings:
    """The settings in `given`, text by variable or by name; what is missing or empty takes its default.
    Raises `WrongSettingsError` that names each wrong setting and what it may be.
    """
    texts = {name.removeprefix("TMDB_").lower(): value for name, value in given.items()}
    wrong: list[str] = []
    token = (texts.get("token") or "").strip()
    if not token:
        wrong.append(HOW_TO_BEGIN)
    elif not re.fullmatch(r"[\x21-\x7e]+", token):  # its value stays out of the message
        wrong.append("TMDB_TOKEN has characters that no token has (a space, a line break?): copy it again")
    elif len(token) < SHORTEST:
        few = f"fewer than {SHORTEST} characters, and no token is so short"
        wrong.append(f"TMDB_TOKEN has {few}: copy it again")
    read: dict[str, Any] = {}
    try:
        read = options.checked("run", texts)
        wrong += _at_odds(read)
    except WrongSettingsError as error:
        wrong += error.lines
    if wrong:
        raise WrongSettingsError(wrong)
    read |= {"token": Secret(token), "snapshot_date": read["snapshot_date"] or today()}
    return Settings(**{field.name: read[field.name] for field in fields(Settings)})


def _at_odds(read: Mapping[str, Any]) -> list[str]:
    """Settings that are right each by itself, and not together."""
    mode, wrong = read["mode"], []
    if mode == "ids" and not read["ids_file"]:
        wrong.append("TMDB_MODE=ids needs a list of films: TMDB_IDS_FILE, one id a line")
    if mode == "popular" and read["discover"] and read["pages"] > 500:
        wrong.append(
            "TMDB_PAGES must be at most 500 with TMDB_DISCOVER: beyond that the daily id export names the"
            " films, which knows no filters"
        )
    return wrong
