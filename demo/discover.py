"""/discover/movie and /find: rows of films, in pages; and films in other languages."""

from typing import Any, Final

import orjson

from demo.answers import ApiError
from demo.draws import scramble
from demo.edits import Edited
from demo.query import regional_date
from demo.reference import GENRE_NAMES_IN
from demo.source import Film, Query

PAGE_ROWS: Final = 20
PAGE_MAX: Final = 500
_ROW_KEYS: Final = (
    "adult", "backdrop_path", "genre_ids", "id", "original_language", "original_title", "overview",
    "popularity", "poster_path", "release_date", "softcore", "title", "video", "vote_average", "vote_count",
)  # fmt: skip


def page_number(text: str | None) -> int:
    """The page asked for, 1 if none is. Raises ApiError 22 for one that is not 1 to 500."""
    text = "1" if text is None else text
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= PAGE_MAX:
        raise ApiError(22)
    return int(text)


def page(
    films: Edited, query: Query, number: int, day: int, repeats: float, language: str, region: str
) -> dict[str, Any]:
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
    if moves and total > 100:
        # total_results takes 33 values within one run of 50 pages
        total = max(len(ids), total + (drawn >> 8) % 33 - 16)
    return {
        "page": number,
        "results": [row(films, film_id, day, language, region) for film_id in rows],
        "total_pages": -(-total // PAGE_ROWS),
        "total_results": total,
    }


def row(films: Edited, film_id: int, day: int, language: str = "", region: str = "") -> Film:
    """A film as lists have it: in the language, with the region's release date."""
    film = films.listed(film_id, day)
    if language and (said := films.block("translations", film_id, day)):
        film = translated(film, said, language)
    if region:
        film = film | {"release_date": regional_date(films.whole(film_id, day), region)}
    if "genres" in film:
        film = film | {"genre_ids": [genre["id"] for genre in film["genres"]]}
    return {key: film[key] for key in _ROW_KEYS if key in film}


def found(films: Edited, film_id: int | None, day: int, language: str) -> dict[str, Any]:
    """The body of /find: a film, or nothing of whatever kind."""
    rows = [] if film_id is None else [row(films, film_id, day, language) | {"media_type": "movie"}]
    others = ("person_results", "tv_results", "tv_episode_results", "tv_season_results")
    return {"movie_results": rows, **{kind: [] for kind in others}}


def translated(film: Film, translations: bytes, language: str) -> Film:
    """A film as TMDB gives it in a language ("fr-FR", "fr"), by its block of translations: overview and
    tagline are "" where there is none, the title falls back to the original one, a genre's name to English.
    """
    code, _, country = language.partition("-")
    rows = [row for row in orjson.loads(translations)["translations"] if row["iso_639_1"] == code]
    rows.sort(key=lambda row: row["iso_3166_1"] != country)
    said = rows[0]["data"] if rows else {}
    names = GENRE_NAMES_IN.get(code, {})
    texts = {
        "title": said.get("title") or film.get("original_title"),
        "overview": said.get("overview") or "",
        "tagline": said.get("tagline") or "",
        "genres": [{**row, "name": names.get(row["id"], row["name"])} for row in film.get("genres") or ()],
    }
    return film | {key: text for key, text in texts.items() if key in film}
