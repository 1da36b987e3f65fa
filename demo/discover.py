"""/discover/movie: what a request asks for, and the rows of one page."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from demo.answers import ApiError
from demo.draws import scramble
from demo.edits import Edited
from demo.source import Film, Query

PAGE_ROWS: Final = 20
PAGE_MAX: Final = 500
SORTS: Final = tuple(
    f"{field}.{way}"
    for field in ("popularity", "primary_release_date", "vote_count")
    for way in ("desc", "asc")
)
#: Parameters that change nothing here.
_IGNORED: Final = {"language", "region", "page", "api_key"}
_ROW_KEYS: Final = (
    "adult", "backdrop_path", "genre_ids", "id", "original_language", "original_title", "overview",
    "popularity", "poster_path", "release_date", "softcore", "title", "video", "vote_average", "vote_count",
)  # fmt: skip


def page_number(text: str | None) -> int:
    """The page asked for. Raises ApiError 22 for one that is not 1 to 500."""
    if text is None:
        return 1
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= PAGE_MAX:
        raise ApiError(22)
    return int(text)


def iso_date(text: str) -> str:
    """A date as TMDB takes it. Raises ApiError 23 for anything else."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ApiError(23) from error


def parse(parameters: Mapping[str, str]) -> Query:
    """The query of a request. Raises ApiError for a wrong value or a filter that is not had here."""
    values: dict[str, Any] = {}
    for name, text in parameters.items():
        if name in _IGNORED:
            continue
        if name == "sort_by":
            if text not in SORTS:
                raise ApiError(5, f"The stand-in sorts by {', '.join(SORTS)}, not by {text!r}.")
            values["sort_by"] = text
        elif name in ("include_adult", "include_video"):
            values[name] = text.lower() == "true"
        elif name in ("primary_release_date.gte", "release_date.gte"):
            values["released_from"] = max(iso_date(text), values.get("released_from", ""))
        elif name in ("primary_release_date.lte", "release_date.lte"):
            values["released_to"] = min(iso_date(text), values.get("released_to", "9999-12-31"))
        elif name == "with_genres":
            values["genres"] = tuple(tuple(map(_number, choice.split("|"))) for choice in text.split(","))
        elif name == "with_original_language":
            values["language"] = text
        elif name == "vote_count.gte":
            values["votes_from"] = _number(text)
        elif name == "vote_count.lte":
            values["votes_to"] = _number(text)
        else:
            raise ApiError(5, f"The stand-in has no parameter {name!r} of /discover/movie.")
    return Query(**values)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ApiError(5) from error


def page(films: Edited, query: Query, number: int, day: int, repeats: float) -> dict[str, Any]:
    """The body of one page.

    `repeats` is the share of rows that give a film of the page before once more, while as many films are on
    no page at all: TMDB's pages are not cut at one moment (measured: 9 and 14 rows of 1,000; none in a list
    by date). Which rows they are depends on the day alone.
    """
    ids, total = films.ranking(query, day)
    moves = repeats if query.sort_by == "popularity.desc" else 0.0
    start = (number - 1) * PAGE_ROWS
    rows = list(ids[start : start + PAGE_ROWS])
    drawn = scramble(day, number)
    if start and rows and drawn % 10_000 < moves * PAGE_ROWS * 10_000:
        rows[0] = ids[start - 1 - (drawn >> 16) % 3]
    if moves:
        # total_results takes 33 values within one run of 50 pages
        total = max(len(ids), total + (drawn >> 8) % 33 - 16) if total > 100 else total
    return {
        "page": number,
        "results": [_row(films.listed(film_id, day)) for film_id in rows],
        "total_pages": -(-total // PAGE_ROWS),
        "total_results": total,
    }


def _row(film: Film) -> dict[str, Any]:
    row = {key: film[key] for key in _ROW_KEYS if key in film}
    if "genres" in film:
        row["genre_ids"] = [genre["id"] for genre in film["genres"]]
    return {key: row[key] for key in _ROW_KEYS if key in row}
