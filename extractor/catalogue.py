"""Which films a run fetches: the popular and the tracked, the whole catalogue, or what changed."""

import asyncio
import heapq
import logging
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from extractor import export
from extractor.errors import SourceError
from extractor.idset import IdSet
from extractor.settings import Settings
from extractor.tmdb import Ask, FailedError, Failure, Tmdb

log = logging.getLogger(__name__)

Query = Callable[[str, dict[str, Any]], Awaitable[list[tuple[Any, ...]]]]

#: TMDB serves no page beyond this (error 22, "Pages start at 1 and max at 500").
LAST_PAGE: Final = 500
PAGE_FILMS: Final = 20
#: `/movie/changes` takes no longer range (error 20).
CHANGES_DAYS: Final = 14
#: Films asked of the landing zone at once.
CHUNK: Final = 1000
#: The first film was released in 1874; the last announced one lies years ahead.
_FIRST_RELEASE: Final = date(1874, 1, 1)
_YEARS_AHEAD: Final = 20

#: Films that were on the popular pages of the window before a date: from an index alone.
_TRACKED: Final = """
select distinct resource_id from raw.tmdb_response
where resource = 'movie' and selected_by = 'popular' and http_status = 200
    and snapshot_date >= %(date)s - %(days)s and snapshot_date < %(date)s
order by resource_id
"""

#: Of the films asked for: those that no unfinished run of the date has landed, and whether the full payload
#: is due. Full: never had; the row it would replace is full; older than the period; or the film's own day of
#: the period, which spreads over the days what came new on one.
_SIFT: Final = """
with asked as (
    select resource_id, place from unnest(%(ids)s::bigint[]) with ordinality as ids (resource_id, place)
),
known as (
    select
        asked.resource_id,
        asked.place,
        today.run_id,
        today.http_status,
        last_full.snapshot_date as full_date,
        exists (
            select from raw.tmdb_response as same_day
            where same_day.resource = 'movie' and same_day.snapshot_date = %(date)s
                and same_day.resource_id = asked.resource_id and same_day.payload ? 'credits'
        ) as is_full_today
    from asked
    left join lateral (
        select response.run_id, response.http_status from raw.tmdb_response as response
        where response.resource = 'movie' and response.snapshot_date = %(date)s
            and response.resource_id = asked.resource_id
    ) as today on true
    left join lateral (
        select response.snapshot_date from raw.tmdb_response as response
        where response.resource = 'movie' and response.resource_id = asked.resource_id
            and response.payload ? 'credits'
        order by response.snapshot_date desc limit 1
    ) as last_full on true
)
select
    resource_id,
    %(always_full)s or full_date is null or is_full_today or %(date)s - full_date >= %(full_days)s
    or (full_date < %(date)s and mod(%(date)s - date '2000-01-01' + resource_id, %(full_days)s) = 0)
from known
where run_id is null or not run_id = any(%(chain)s)
    or (%(always_full)s and http_status = 200 and not is_full_today)
order by place
"""

#: Popularity at the newest snapshot; a film never landed has none.
_POPULARITY: Final = """
select asked.resource_id
from unnest(%(ids)s::bigint[]) with ordinality as asked (resource_id, place)
left join lateral (
    select response.payload -> 'popularity' as popularity from raw.tmdb_response as response
    where response.resource = 'movie' and response.resource_id = asked.resource_id
        and response.http_status = 200
    order by response.snapshot_date desc limit 1
) as newest on true
where newest.popularity is null or jsonb_typeof(newest.popularity) <> 'number'
    or newest.popularity::numeric >= %(least)s
order by asked.place
"""

#: The newest finished run before a date that went through all changes or the whole catalogue, as widely as
#: this run would. Failing that the first finished run of all: what it landed is as old as that.
_BASELINE: Final = """
select snapshot_date from raw.extract_run
where status = 'finished' and snapshot_date < %(date)s and mode in ('changes', 'export')
    and parameters ->> 'limit' is null
    and coalesce((parameters ->> 'min_popularity')::numeric, 0) <= %(least)s
union all
select min(snapshot_date) from raw.extract_run
where status = 'finished' and snapshot_date < %(date)s and not exists (
    select from raw.extract_run as wide
    where wide.status = 'finished' and wide.snapshot_date < %(date)s and wide.mode in ('changes', 'export')
        and wide.parameters ->> 'limit' is null
        and coalesce((wide.parameters ->> 'min_popularity')::numeric, 0) <= %(least)s
)
order by snapshot_date desc nulls last limit 1
"""


@dataclass
class Selection:
    """The films of a run, in the order in which they are fetched; those from `tracked_from` on are tracked
    ones.

    `failures`: what of the catalogue could not be read. `origin`: the mode that chose them (a `changes` run
    that fell back to a full pass has `export`).
    """

    origin: str
    ids: "array[int]"
    tracked_from: int
    failures: list[Failure] = field(default_factory=list)

    def selected_by(self, place: int) -> str:
        """Why the film at `place` is fetched."""
        return self.origin if place < self.tracked_from else "tracked"


async def select(client: Tmdb, query: Query, settings: Settings) -> Selection:
    """The films that `settings` ask for. Raises `SourceError` when the catalogue can't be read at all."""
    if settings.mode == "popular":
        return await _popular(client, query, settings)
    if settings.mode == "export":
        return await _export(client, settings)
    return await _changes(client, query, settings)


async def sift(
    query: Query, selection: Selection, settings: Settings, chain: tuple[int, ...]
) -> AsyncIterator[tuple[list[Ask], int]]:
    """What of `selection` is to be fetched, chunk by chunk, and how many films of the chunk the unfinished
    runs `chain` have landed already.
    """
    for start in range(0, len(selection.ids), CHUNK):
        chunk = selection.ids[start : start + CHUNK]
        reasons = {film: selection.selected_by(start + place) for place, film in enumerate(chunk)}
        rows = await query(
            _SIFT,
            {
                "ids": chunk.tolist(),
                "date": settings.snapshot_date,
                "chain": list(chain),
                "always_full": settings.mode == "changes",
                "full_days": settings.full_days,
            },
        )
        yield [Ask("movie", film, reasons[film], full) for film, full in rows], len(chunk) - len(rows)


async def _popular(client: Tmdb, query: Query, settings: Settings) -> Selection:
    pages = _Discover(client, settings)
    seen = IdSet()
    ids = array("q")
    await pages.unsliced(seen, ids, min(settings.pages, LAST_PAGE))
    if settings.pages > LAST_PAGE and len(pages.failures) < LAST_PAGE:
        await pages.sliced(seen, ids, settings.pages * PAGE_FILMS)
    del ids[settings.limit or len(ids) :]
    selection = Selection("popular", ids, len(ids), pages.failures)
    if settings.track_days:
        rows = await query(_TRACKED, {"date": settings.snapshot_date, "days": settings.track_days})
        ids.extend(film for (film,) in rows if seen.add(film))
        del ids[settings.limit or len(ids) :]
    return selection


async def _export(client: Tmdb, settings: Settings) -> Selection:
    read = await export.read(
        client, settings.snapshot_date, settings.limit, settings.min_popularity, settings.max_tries
    )
    return Selection("export", read.ids, len(read.ids), read.failures)


async def _changes(client: Tmdb, query: Query, settings: Settings) -> Selection:
    day, least = settings.snapshot_date, settings.min_popularity or 0.0
    rows = await query(_BASELINE, {"date": day, "least": least})
    since: date | None = rows[0][0] if rows else None
    if since is None or day - since > timedelta(days=CHANGES_DAYS):
        why = f"the last run was on {since}" if since else "there was no run before"
        log.warning(
            "changes: %s, and TMDB lists changes of the last %d days only: fetching the whole catalogue",
            why,
            CHANGES_DAYS,
        )
        return await _export(client, settings)
    # details are cached for 8 hours, so what changed late on that day may have been read as it was before
    first = max(since - timedelta(days=1), day - timedelta(days=CHANGES_DAYS))
    log.info("changes: reading what changed from %s to %s", first, day)
    pages = _Changes(client, settings)
    ids = array("q")
    await pages.read(IdSet(), ids, first, day)
    if settings.min_popularity:
        kept = array("q")
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK].tolist()
            kept.extend(film for (film,) in await query(_POPULARITY, {"ids": chunk, "least": least}))
        ids = kept
    del ids[settings.limit or len(ids) :]
    return Selection("changes", ids, len(ids), pages.failures)


class _Pages:
    """Pages of one list, some at a time; what can't be had is in `failures`."""

    def __init__(self, client: Tmdb, settings: Settings) -> None:
        self.failures: list[Failure] = []
        self._client = client
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_connections)

    async def page(self, path: str, label: str, page: int, **query: str | int) -> dict[str, Any] | None:
        try:
            async with self._slots:
                return await self._client.page(path, **query, page=page)
        except FailedError as error:
            log.warning("cannot read page %d of %s: %s", page, label, error.reason)
            self.failures.append(self._client.failure(label, page, error))
            return None

    async def first_page(self, path: str, label: str, **query: str | int) -> dict[str, Any]:
        """Page 1, without which there is nothing to do. Raises `SourceError`."""
        page = await self.page(path, label, 1, **query)
        if page is None:
            failure = self.failures[-1]
            raise SourceError(
                f"TMDB can't be read at {self._settings.base_url}: {failure.reason}: {failure.detail}."
                " Check TMDB_BASE_URL and the network, then run the same command again"
            )
        return page


class _Discover(_Pages):
    _PATH = "/discover/movie"

    async def unsliced(self, seen: IdSet, ids: "array[int]", pages: int) -> None:
        """The first `pages` pages into `ids`. Pages are not a snapshot: ids repeat between them, and are
        taken once.
        """
        first = await self.first_page(self._PATH, "discover", **self._query())
        last = min(pages, LAST_PAGE, first["total_pages"])
        others = await asyncio.gather(
            *(self.page(self._PATH, "discover", page, **self._query()) for page in range(2, last + 1))
        )
        for page in (first, *others):
            if page is not None:
                ids.extend(film for _, film in self._films(page) if seen.add(film))

    async def sliced(self, seen: IdSet, ids: "array[int]", wanted: int) -> None:
        """On from page 500 until `ids` has `wanted` films.

        Windows of release dates, each short enough to be read whole, are read side by side, always the one
        whose films are the most popular; so the films come in order, and no more pages are read than needed.
        Films without a release date are in no window: of these, the first 500 pages have had the popular
        ones.
        """
        windows = await self._windows(
            _FIRST_RELEASE, self._settings.snapshot_date.replace(day=1) + timedelta(days=366 * _YEARS_AHEAD)
        )
        waiting: list[tuple[float, int]] = []
        for window in windows:
            waiting.extend((-popularity, film) for popularity, film in window.films)
            window.films = []
        heapq.heapify(waiting)
        while len(ids) < wanted:
            windows = sorted((w for w in windows if w.page < w.pages), key=lambda w: -w.least)
            bound = windows[0].least if windows else float("-inf")
            while waiting and -waiting[0][0] >= bound and len(ids) < wanted:
                film = heapq.heappop(waiting)[1]
                if seen.add(film):
                    ids.append(film)
            if not windows:
                return
            if len(ids) < wanted:
                for films in await asyncio.gather(
                    *(self._next(window) for window in windows[: self._settings.max_connections])
                ):
                    for popularity, film in films:
                        heapq.heappush(waiting, (-popularity, film))

    async def _windows(self, first: date, last: date) -> "list[_Window]":
        window = _Window(first, last)
        page = await self.page(self._PATH, window.label, 1, **self._query(window))
        if page is None:
            return []
        if page["total_pages"] > LAST_PAGE and first < last:
            middle = first + (last - first) // 2
            halves = await asyncio.gather(
                self._windows(first, middle), self._windows(middle + timedelta(days=1), last)
            )
            return [*halves[0], *halves[1]]
        if page["total_pages"] > LAST_PAGE:
            log.warning(
                "%s has more films than TMDB lists: taking the first %d pages", window.label, LAST_PAGE
            )
        window.pages = min(page["total_pages"], LAST_PAGE)
        window.films = self._films(page)
        window.least = _least(page, float("inf"))
        return [window]

    async def _next(self, window: "_Window") -> list[tuple[float, int]]:
        window.page += 1
        page = await self.page(self._PATH, window.label, window.page, **self._query(window))
        if page is None:
            return []
        window.least = _least(page, window.least)
        return self._films(page)

    def _films(self, page: dict[str, Any]) -> list[tuple[float, int]]:
        least = self._settings.min_popularity
        films = [(_popularity(row), row["id"]) for row in page["results"]]
        return films if least is None else [film for film in films if film[0] >= least]

    def _query(self, window: "_Window | None" = None) -> dict[str, str | int]:
        query: dict[str, str | int] = {"sort_by": "popularity.desc", "include_adult": "false"}
        if window is not None:
            query["primary_release_date.gte"] = window.first.isoformat()
            query["primary_release_date.lte"] = window.last.isoformat()
        return query


@dataclass
class _Window:
    """Films released from `first` to `last`; read up to `page` of `pages`; none to come is above `least`."""

    first: date
    last: date
    page: int = 1
    pages: int = 1
    films: list[tuple[float, int]] = field(default_factory=list)
    least: float = float("inf")

    @property
    def label(self) -> str:
        return f"discover {self.first}..{self.last}"


def _popularity(row: dict[str, Any]) -> float:
    popularity = row.get("popularity")
    return float(popularity) if isinstance(popularity, int | float) else 0.0


def _least(page: dict[str, Any], before: float) -> float:
    return min((_popularity(row) for row in page["results"]), default=before)


class _Changes(_Pages):
    _PATH = "/movie/changes"

    async def read(self, seen: IdSet, ids: "array[int]", first: date, last: date) -> None:
        """The films that changed from `first` to `last`. A range with too many pages is halved; the halves
        share a day, because TMDB does not say whether the end belongs to a range. Adult films are left out;
        of those whose `adult` is null, which may be deleted ones, a 404 will tell.
        """
        label = f"changes {first}..{last}"
        query: dict[str, str | int] = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        page = await self.first_page(self._PATH, label, **query)
        pages = page["total_pages"]
        if pages > LAST_PAGE and last - first > timedelta(days=1):
            middle = first + (last - first) // 2
            await self.read(seen, ids, first, middle)
            await self.read(seen, ids, middle, last)
            return
        if pages > LAST_PAGE:
            error = FailedError("too_many_pages", f"{pages} pages of changes, TMDB serves {LAST_PAGE}")
            self.failures.append(self._client.failure(label, LAST_PAGE + 1, error))
            pages = LAST_PAGE
        others = await asyncio.gather(
            *(self.page(self._PATH, label, number, **query) for number in range(2, pages + 1))
        )
        for found in (page, *others):
            if found is not None:
                ids.extend(
                    row["id"]
                    for row in found["results"]
                    if row.get("adult") is not True and seen.add(row["id"])
                )
