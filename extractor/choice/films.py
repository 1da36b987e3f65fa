"""Which films a run fetches: the popular and the tracked, the whole catalogue, what changed, or a list."""

import asyncio
import logging
import re
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from extractor import answer
from extractor.answer import BLOCKS, CHANGES_PAGE_FILMS, PAGE_FILMS
from extractor.choice import discover, export
from extractor.choice.idset import IdSet
from extractor.errors import FailedError, InputError, SourceError
from extractor.rows import Ask, Failure
from extractor.settings import Settings
from extractor.tmdb import Tmdb

log = logging.getLogger(__name__)

Query = Callable[[str, dict[str, Any]], Awaitable[list[tuple[Any, ...]]]]

#: TMDB serves no page beyond this (error 22, "Pages start at 1 and max at 500").
LAST_PAGE: Final = 500
#: `/movie/changes` takes no longer range (error 20), and one day of it must overlap with the run before.
CHANGES_DAYS: Final = 14
#: Films asked of the landing zone at once.
CHUNK: Final = 1000
#: What of the films that TMDB's total promises may be missing although every page was full: ranks move
#: between two pages, so an id comes twice and another not at all (measured: 1.4 %).
_REPEATED: Final = 0.1
#: An id export that names less than this part of what a run before asked for is not the whole catalogue.
_WHOLE: Final = 0.5
#: Wrong lines of a list of ids that are named.
_NAMED_LINES: Final = 10

#: Films that were on the popular pages of the window before a date: from an index alone.
_TRACKED: Final = """
select distinct resource_id from raw.tmdb_response
where resource = 'movie' and selected_by = 'popular' and http_status = 200
    and snapshot_date >= %(date)s - %(days)s and snapshot_date < %(date)s
order by resource_id
"""

#: What the date has of these films already: the run, TMDB's status, and whether there is more than the film.
_LANDED: Final = f"""
select resource_id, run_id, http_status, payload ?| array[{", ".join(f"'{name}'" for name in BLOCKS)}]
from raw.tmdb_response
where resource = 'movie' and snapshot_date = %(date)s and resource_id = any(%(ids)s)
"""  # noqa: S608 (our own names of blocks)

#: The newest full payload of each of these films, if it is not older than the days between two of them. The
#: predicate on credits, which TMDB_BLOCKS nearly always has, is that of an index.
_FULL: Final = """
select resource_id, max(snapshot_date) from raw.tmdb_response
where resource = 'movie' and resource_id = any(%(ids)s) and snapshot_date > %(date)s - %(full_days)s
    and {index} payload @@ '{full}'
group by resource_id
"""

#: The popularity of these films at their newest snapshot, null where it has none (a film that is gone).
_POPULARITY: Final = """
select newest.resource_id, landed.payload -> 'popularity'
from (
    select resource_id, max(snapshot_date) as snapshot_date from raw.tmdb_response
    where resource = 'movie' and resource_id = any(%(ids)s)
    group by resource_id
) as newest
inner join raw.tmdb_response as landed
    on landed.resource = 'movie' and landed.resource_id = newest.resource_id
    and landed.snapshot_date = newest.snapshot_date
"""

#: The newest date before another of which a finished run went through all changes or the whole catalogue, as
#: widely as this run would. Failing that the first date of all: what was landed then is as old as that.
_BASELINE: Final = """
select coalesce(
    max(snapshot_date) filter (where
        mode in ('changes', 'export') and parameters ->> 'limit' is null
        and coalesce((parameters ->> 'min_popularity')::numeric, 0) <= %(least)s
    ),
    min(snapshot_date)
)
from raw.extract_run where status = 'finished' and snapshot_date < %(date)s
"""

#: The most that a finished run through the whole catalogue asked for, with the same bound of popularity.
_CATALOGUE: Final = """
select max(requested) from raw.extract_run
where mode = 'export' and status = 'finished' and parameters ->> 'limit' is null
    and coalesce((parameters ->> 'min_popularity')::numeric, 0) = %(least)s
"""


@dataclass
class Selection:
    """The films of a run, in the order in which they are fetched, the `tracked` ones last.

    `origin`: the mode that chose the others (a `changes` run that fell back to a full pass has `export`).
    `failures`: what of the catalogue could not be read. `problems`: why the run has failed all the same, when
    the catalogue is not what TMDB says it is.
    """

    origin: str
    ids: "array[int]" = field(default_factory=lambda: array("q"))
    tracked: int = 0
    failures: list[Failure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def selected_by(self, place: int) -> str:
        """Why the film at `place` is fetched."""
        return self.origin if place < len(self.ids) - self.tracked else "tracked"


async def select(client: Tmdb, query: Query, settings: Settings) -> Selection:
    """The films that `settings` ask for. Raises `SourceError` when the catalogue can't be read at all,
    `InputError` for a list of ids that is none.
    """
    choice = _Choice(client, query, settings)
    modes = {
        "popular": choice.popular,
        "export": choice.export,
        "changes": choice.changes,
        "ids": choice.listed,
    }
    await modes[settings.mode]()
    selection = choice.selection
    del selection.ids[settings.limit or len(selection.ids) :]
    is_empty = len(selection.ids) == selection.tracked and not (selection.problems or selection.failures)
    if is_empty and settings.mode in ("popular", "export"):
        least = settings.min_popularity
        why = f": none has TMDB_MIN_POPULARITY={least:g}" if least else ""
        selection.problems.append(f"no film was chosen{why}")
    return selection


async def sift(
    query: Query, selection: Selection, settings: Settings, chain: tuple[int, ...]
) -> AsyncIterator[tuple[list[Ask], int]]:
    """What of `selection` is to be fetched, chunk by chunk, and how many films of the chunk the unfinished
    runs `chain` have landed already.
    """
    day, always_full = settings.snapshot_date, settings.mode == "changes"
    last_full = last_full_query(settings.blocks)
    for start, chunk in _chunks(selection.ids):
        parameters = {"ids": chunk, "date": day, "full_days": settings.full_days}
        landed = {film: state for film, *state in await query(_LANDED, parameters)}
        full: dict[int, date] = {film: last for film, last in await query(last_full, parameters)}
        asks = []
        for place, film in enumerate(chunk, start):
            run, status, has_blocks = landed.get(film, (None, None, False))
            # What an unfinished run of the date has landed is not fetched again, unless this run fetches all
            # in full and finds less than that.
            if run in chain and not (always_full and status == 200 and not has_blocks):
                continue
            # A full payload is due when the last one is older than the period or was of other blocks, and
            # when the row of the same day, which the new one replaces, has blocks. It is also due on one day
            # of the period that is the film's own: so films that came new on one day, all in full, are
            # spread over the period's days.
            last = full.get(film)
            is_own_day = ((day - date(2000, 1, 1)).days + film) % settings.full_days == 0
            is_full = always_full or has_blocks or last is None or (last < day and is_own_day)
            asks.append(Ask("movie", film, selection.selected_by(place), is_full))
        yield asks, len(chunk) - len(asks)


def last_full_query(blocks: tuple[str, ...]) -> str:
    """The query for films' newest payloads that hold all these blocks."""
    index = "payload ? 'credits' and" if "credits" in blocks else ""
    return _FULL.format(index=index, full=answer.full_jsonpath(blocks) or "true == true")


class _Listing(NamedTuple):
    """A list of films in pages: where it is, its name in messages, films on a page, and what is asked."""

    path: str
    label: str
    films: int
    query: Mapping[str, str | None]


class _Choice:
    """A selection in the making, by one of the four modes."""

    def __init__(self, client: Tmdb, query: Query, settings: Settings) -> None:
        self.selection = Selection(settings.mode)
        self._client = client
        self._query = query
        self._settings = settings
        self._least = settings.min_popularity or 0.0
        self._seen = IdSet()

    async def popular(self) -> None:
        """Discover's films, beyond its last page those of the daily id export, then those to be tracked."""
        settings, selection = self._settings, self.selection
        total = await self._discovered()
        wanted = min(settings.pages * PAGE_FILMS, settings.limit or settings.pages * PAGE_FILMS)
        if settings.pages > LAST_PAGE and (found := len(selection.ids)) < wanted:
            try:
                named = await export.films_of(self._client, settings, limit=wanted + found, videos=False)
            except SourceError as error:
                # What discover has named is landed all the same, and the run says that it is not all.
                selection.failures.append(Failure("export", LAST_PAGE, "no_export", str(error)))
            else:
                selection.failures += named.failures
                self._take(named.ids)
                promised, found = min(wanted, total), len(selection.ids)
                if found < promised * (1 - _REPEATED) and not self._least:
                    selection.problems.append(
                        f"TMDB's discover and id export named {found:,} films, and discover's own total"
                        f" promises {promised:,}"
                    )
        del selection.ids[wanted:]
        if settings.track_days:
            chosen = len(selection.ids)
            dates = {"date": settings.snapshot_date, "days": settings.track_days}
            self._take(film for (film,) in await self._query(_TRACKED, dates))
            del selection.ids[settings.limit or len(selection.ids) :]
            selection.tracked = len(selection.ids) - chosen

    async def export(self) -> None:
        """The whole catalogue, by the daily id export."""
        limit = self._settings.limit
        named = await export.films_of(self._client, self._settings, limit=limit)
        self.selection = Selection("export", named.ids, failures=named.failures)
        rows = await self._query(_CATALOGUE, {"least": self._least})
        most = (rows and rows[0][0]) or 0
        if not limit and len(named.ids) < most * _WHOLE:
            self.selection.problems.append(
                f"the id export names {len(named.ids):,} films, and a run before asked for {most:,}: it is"
                " not the whole catalogue, though what it names is landed"
            )

    async def changes(self) -> None:
        """What changed since the last run that went as far; the whole catalogue when that is too long ago."""
        day = self._settings.snapshot_date
        rows = await self._query(_BASELINE, {"date": day, "least": self._least})
        since: date | None = rows[0][0] if rows else None
        if since is None or day - since >= timedelta(days=CHANGES_DAYS):
            log.warning(
                "changes: %s, and TMDB lists changes of the last %d days only, of which one must overlap:"
                " fetching the whole catalogue",
                f"the last run was on {since}" if since else "there was no run before",
                CHANGES_DAYS,
            )
            await self.export()
            return
        # Details are cached for 8 hours: what changed late on that day may have been read as it was before.
        first = since - timedelta(days=1)
        log.info("changes: reading what changed from %s to %s", first, day)
        await self._changed(first, day)
        if self._least:
            await self._leave_out_unpopular()

    async def listed(self) -> None:
        """The films of a list of one's own, in its order. IMDb's ids are resolved by TMDB's `/find`."""
        lines = read_ids(Path(self._settings.ids_file or ""))
        found = await asyncio.gather(*(self._film_of(number, given) for number, given in lines))
        self._take(film for film in found if film is not None)

    def _take(self, films: Iterable[int]) -> None:
        self.selection.ids.extend(film for film in films if self._seen.add(film))

    def _fail(self, label: str, number: int, error: FailedError) -> None:
        log.warning("cannot read %s %d: %s", label, number, error)
        self.selection.failures.append(self._client.failure(label, number, error))

    async def _discovered(self) -> int:
        """The films of discover's pages, which are not a snapshot: ids repeat between them. Returns how many
        films there are on all its pages.
        """
        settings, problems = self._settings, self.selection.problems
        query = {
            **discover.query(settings.discover),
            "sort_by": "popularity.desc",
            "include_adult": "false",
            "language": settings.language,
            "region": settings.region,
        }
        listing = _Listing("/discover/movie", "discover", PAGE_FILMS, query)
        first = await self._first(listing)
        last = min(settings.pages, LAST_PAGE, answer.page_count(first, PAGE_FILMS))
        found = await self._pages(listing, first, last)
        films = [film for page in found for film in page["results"]]
        self._take(film["id"] for film in films if _popularity(film) >= self._least)
        totals = [answer.at_least(page, PAGE_FILMS) for page in found if page["results"]]
        total = min(totals, default=0)
        promised = min(last * PAGE_FILMS, total)
        different = len({film["id"] for film in films})
        if not films:
            which = f" for TMDB_DISCOVER={settings.discover}" if settings.discover else ""
            problems.append(f"TMDB's discover lists no film at all{which}")
        elif len(films) < promised or different < promised * (1 - _REPEATED):
            problems.append(
                f"TMDB's discover listed {different:,} films, and its own total promises {promised:,} on"
                f" these {last:,} pages"
            )
        return total

    async def _changed(self, first: date, last: date) -> None:
        """The films that changed from `first` to `last`. A range with too many pages is halved; the halves
        share a day, because TMDB does not say whether the end belongs to a range. Adult films are left out;
        of those whose `adult` is null, which may be deleted ones, a 404 will tell.
        """
        query = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        listing = _Listing("/movie/changes", f"changes {first}..{last}", CHANGES_PAGE_FILMS, query)
        page = await self._first(listing)
        count = answer.page_count(page, CHANGES_PAGE_FILMS)
        if count > LAST_PAGE and last - first > timedelta(days=1):
            middle = first + (last - first) // 2
            await self._changed(first, middle)
            await self._changed(middle, last)
            return
        if count > LAST_PAGE:
            error = FailedError("too_many_pages", f"{count} pages of changes, TMDB serves {LAST_PAGE}")
            self._fail(listing.label, LAST_PAGE + 1, error)
        for found in await self._pages(listing, page, min(count, LAST_PAGE)):
            self._take(row["id"] for row in found["results"] if row.get("adult") is not True)

    async def _leave_out_unpopular(self) -> None:
        """Keep the films that are popular enough, or were never landed, or of which it is not known."""
        kept = array("q")
        for _, chunk in _chunks(self.selection.ids):
            known = {film: value for film, value in await self._query(_POPULARITY, {"ids": chunk})}
            kept.extend(
                film
                for film in chunk
                if not isinstance(known.get(film), int | float) or known[film] >= self._least
            )
        self.selection.ids = kept

    async def _film_of(self, line: int, given: int | str) -> int | None:
        """TMDB's id of a film in a list of ids; None when IMDb's id leads to none."""
        if isinstance(given, int):
            return given
        try:
            found = await self._client.page(f"/find/{given}", answer.find, external_source="imdb_id")
            if found["movie_results"]:
                return int(found["movie_results"][0]["id"])
            raise FailedError("not_at_tmdb", f"line {line}: TMDB knows no film by IMDb's id {given}")
        except FailedError as error:
            self._fail("ids_file", line, error)
            return None

    async def _first(self, listing: _Listing) -> dict[str, Any]:
        """Page 1, without which there is nothing to do. Raises `SourceError`."""
        page = await self._page(listing, 1)
        if page is None:
            raise SourceError(unreadable(self._settings.base_url, self.selection.failures[-1]))
        return page

    async def _pages(self, listing: _Listing, first: dict[str, Any], last: int) -> list[dict[str, Any]]:
        """The pages up to `last`, of which `first` is there, without those that can't be had."""
        total = answer.at_least(first, listing.films)
        others = await asyncio.gather(*(self._page(listing, n, total) for n in range(2, last + 1)))
        return [first, *(page for page in others if page is not None)]

    async def _page(self, listing: _Listing, number: int, total: int = 0) -> dict[str, Any] | None:
        """One page; None when it can't be had. `total`: the films of all pages, where it is known."""
        check = answer.whole_page(number, listing.films, total)
        try:
            return await self._client.page(listing.path, check, **listing.query, page=number)
        except FailedError as error:
            self._fail(listing.label, number, error)
            # A page with too few films is better than none, and recorded as what it is.
            return error.document if error.reason == "short_page" else None


def read_ids(file: Path) -> list[tuple[int, int | str]]:
    """The ids in `file` with their lines' numbers: TMDB's as numbers, IMDb's as text. A line holds one id;
    blank lines, and what follows a `#`, say nothing. Raises `InputError`, which names the wrong lines.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read TMDB_IDS_FILE={file}: {error.strerror}") from None
    except ValueError:
        raise InputError(f"TMDB_IDS_FILE={file} is no text in UTF-8") from None
    lines: list[tuple[int, int | str]] = []
    wrong = []
    for number, line in enumerate(text.splitlines(), 1):
        given = line.partition("#")[0].strip()
        is_tmdbs = re.fullmatch(r"[0-9]{1,10}", given) and 0 < int(given) < 1 << 31
        if is_tmdbs or re.fullmatch(r"tt[0-9]{7,10}", given):
            lines.append((number, int(given) if is_tmdbs else given))
        elif given:
            wrong.append(f"line {number} ({given[:30]!r})")
    if wrong:
        named = ", ".join(wrong[:_NAMED_LINES]) + " …" * (len(wrong) > _NAMED_LINES)
        raise InputError(
            f"TMDB_IDS_FILE={file}: {named} {'is' if len(wrong) == 1 else 'are'} no id of TMDB's (603) or"
            " IMDb's (tt0133093); one a line is needed. Nothing was fetched"
        )
    if not lines:
        raise InputError(f"TMDB_IDS_FILE={file} names no film: one id a line is needed")
    return lines


def unreadable(root: str, failure: Failure) -> str:
    """What to say when TMDB's first answer could not be had."""
    return (
        f"TMDB can't be read at {root}: {failure.reason}: {failure.detail}."
        " Check TMDB_BASE_URL and the network, then run the same command again"
    )


def _popularity(row: dict[str, Any]) -> float:
    popularity = row.get("popularity")
    return float(popularity) if isinstance(popularity, int | float) else 0.0


def _chunks(ids: "array[int]") -> Iterator[tuple[int, list[int]]]:
    """The ids, some at a time, with the place of the first of them."""
    for start in range(0, len(ids), CHUNK):
        yield start, ids[start : start + CHUNK].tolist()
