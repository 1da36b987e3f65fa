"""A run: catalogue → client → buffer → landing.

Fetchers, one for each connection, take what to ask for from a short queue and put outcomes into a bounded
buffer; one writer lands them in batches. So memory is bounded by the batch and not by the catalogue. However
a run ends, what is in hand is landed first.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any, Final

from extractor import catalogue, landing
from extractor.buffer import Buffer
from extractor.catalogue import Selection
from extractor.errors import ConfigurationError, ExtractorError, RunFailedError, SourceError
from extractor.landing import Counts, Landing, Run
from extractor.pace import Pace
from extractor.progress import Reporter, words
from extractor.report import Report
from extractor.settings import DEFAULTS, Settings, today
from extractor.tmdb import LISTS, Ask, Failure, Tmdb, opened

log = logging.getLogger(__name__)

#: So many failures in a row, each after all its tries, are an outage: the run ends and can be resumed.
_OUTAGE: Final = 100
#: Between two looks at how far it is, s.
_REPORT_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Summary:
    """How a run ended, for its closing line."""

    run_id: int
    counts: Counts
    seconds: float

    def __str__(self) -> str:
        done = self.counts.landed + self.counts.not_found
        rate = done / self.seconds if self.seconds else 0.0
        took = f"{self.seconds:,.1f} s ({rate:,.0f}/s)"
        return f"{self.counts.requested:,} asked for: {words(self.counts)} in {took}"


async def run(settings: Settings, reporter: Reporter, report: Report | None = None) -> Summary:
    """Extract once. Raises an `ExtractorError`, or `CancelledError` when it was cancelled; in either case
    what was in hand is landed and the ledger says how it ended. `report` follows the run's counts.
    """
    async with landing.opened() as zone, opened(settings, Pace(settings.max_rps)) as client:
        started = time.monotonic()
        begun = await zone.begin(settings.mode, _parameters(settings), settings.snapshot_date)
        extraction = _Extraction(settings, zone, client, begun, reporter)
        if report is not None:
            report.follow(begun.run_id, lambda: extraction.counts)
        log.info("run %d: mode %s, snapshot date %s", begun.run_id, settings.mode, settings.snapshot_date)
        if settings.snapshot_date != today() and settings.base_url == DEFAULTS["TMDB_BASE_URL"]:
            log.warning(
                "TMDB answers for today only: what it says now is landed under %s", settings.snapshot_date
            )
        async with zone.closing(lambda: (extraction.requested, client.retried), settings.token.redact):
            await extraction.whole()
        summary = Summary(
            begun.run_id,
            extraction.counts,
            time.monotonic() - started,
        )
        problem = extraction.problem()
        await zone.conclude(extraction.requested, client.retried, problem)
        if problem:
            raise RunFailedError(f"run {begun.run_id} failed: {problem}. {summary}")
        return summary


class _Extraction:
    """One run's moving parts; `requested` counts the resources asked for."""

    def __init__(
        self, settings: Settings, zone: Landing, client: Tmdb, begun: Run, reporter: Reporter
    ) -> None:
        self.requested = 0
        self._settings = settings
        self._zone = zone
        self._client = client
        self._begun = begun
        self._reporter = reporter
        self._buffer = Buffer()
        self._asks: asyncio.Queue[Ask | None] = asyncio.Queue(2 * catalogue.CHUNK)
        self._in_a_row = 0
        self._missing: list[str] = []

    @property
    def counts(self) -> Counts:
        """What is committed, and what was asked for until now."""
        return replace(self._zone.committed, requested=self.requested, retried=self._client.retried)

    def problem(self) -> str | None:
        """Why the run has failed although it went to its end."""
        counts = self._zone.committed
        problems = []
        if self._missing:
            problems.append(f"could not read {', '.join(self._missing[:5])}{' …' * (len(self._missing) > 5)}")
        if too_many := counts.too_many_failed(self.requested):
            problems.append(too_many)
        return "; ".join(problems) or None

    async def whole(self) -> None:
        """Fetch and land everything; what is in hand is landed also when this is cancelled or fails."""
        writing = asyncio.create_task(self._write())
        fetching = asyncio.create_task(self._fetch())
        reporting = asyncio.create_task(self._report())
        try:
            await asyncio.wait({writing, fetching}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._zone.patience = landing.LAST_PATIENCE
            raise
        finally:
            fetching.cancel()
            reporting.cancel()
            await asyncio.gather(fetching, reporting, return_exceptions=True)
            self._buffer.close()
            await writing  # its error tells more than the fetchers'
        await fetching

    async def _write(self) -> None:
        while batch := await self._buffer.take():
            await self._zone.write(batch, self.requested, self._client.retried)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_SECONDS)
            self._reporter.update(replace(self._zone.committed, retried=self._client.retried))

    async def _fetch(self) -> None:
        await self._lists()
        selection = await catalogue.select(self._client, self._zone.query, self._settings)
        tracked = len(selection.ids) - selection.tracked_from
        log.info("%s films chosen, %s of them tracked", f"{len(selection.ids):,}", f"{tracked:,}")
        for failure in selection.failures:
            self.requested += 1
            self._missing.append(f"{failure.resource} {failure.resource_id}")
            await self._buffer.put(failure)
        self._reporter.begin(self.requested + len(selection.ids))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.max_connections):
                    group.create_task(self._fetcher())
                await self._feed(selection)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _lists(self) -> None:
        """The genre, country and language lists: the first thing asked for, so wrong settings show here."""
        landed = await self._zone.query(
            "select resource from raw.tmdb_response"
            " where resource = any(%(lists)s) and snapshot_date = %(date)s and resource_id = 0"
            " and run_id = any(%(chain)s)",
            {
                "lists": list(LISTS),
                "date": self._begun.snapshot_date,
                "chain": list(self._begun.resumes),
            },
        )
        asks = [Ask(name, 0, "list") for name in LISTS if (name,) not in landed]
        self.requested += len(asks)
        outcomes = await asyncio.gather(*(self._client.fetch(ask) for ask in asks))
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        for outcome in outcomes:
            await self._buffer.put(outcome)
        if asks and len(failures) == len(asks):
            raise self._unusable(failures[0])
        self._missing.extend(failure.resource for failure in failures)

    def _unusable(self, failure: Failure) -> ExtractorError:
        where = self._settings.base_url
        if failure.http_status == 404:
            return ConfigurationError(
                f"TMDB_BASE_URL={where} answers, but knows no list of genres (404):"
                " it must be the API's root, like https://api.themoviedb.org/3"
            )
        return SourceError(
            f"TMDB can't be read at {where}: {failure.reason}: {failure.detail}."
            " Check TMDB_BASE_URL and the network, then run the same command again"
        )

    async def _feed(self, selection: Selection) -> None:
        skipped = 0
        async for asks, landed in catalogue.sift(
            self._zone.query, selection, self._settings, self._begun.resumes
        ):
            skipped += landed
            self._reporter.skip(landed)
            for ask in asks:
                await self._asks.put(ask)
        for _ in range(self._settings.max_connections):
            await self._asks.put(None)
        if skipped:
            runs = ", ".join(map(str, self._begun.resumes))
            log.info("%s films were landed by unfinished run %s of this date", f"{skipped:,}", runs)

    async def _fetcher(self) -> None:
        while (ask := await self._asks.get()) is not None:
            self.requested += 1
            outcome = await self._client.fetch(ask)
            await self._buffer.put(outcome)
            if isinstance(outcome, Failure):
                self._in_a_row += 1
                if self._in_a_row >= _OUTAGE:
                    raise SourceError(
                        f"TMDB has failed {_OUTAGE} times in a row, last with {outcome.reason}:"
                        f" {outcome.detail}. What was landed stays; run the same command later: it goes on"
                        " where this run ended"
                    )
            else:
                self._in_a_row = 0


@dataclass(frozen=True)
class Plan:
    """What a run would fetch."""

    films: int
    tracked: int
    landed: int
    full: int
    first: list[int]
    failures: list[Failure]
    resumes: tuple[int, ...]


async def plan(settings: Settings) -> Plan:
    """Read the catalogue and the landing zone, fetch no film, write nothing."""
    async with landing.read_only() as connection, opened(settings, Pace(settings.max_rps)) as client:
        cursor = await connection.execute("select to_regclass('raw.tmdb_response') is not null")
        exists = await cursor.fetchall() == [(True,)]

        async def query(text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
            if not exists:
                return []
            cursor = await connection.execute(text.encode(), parameters)
            return await cursor.fetchall()

        selection = await catalogue.select(client, query, settings)
        films = len(selection.ids)
        tracked = films - selection.tracked_from
        first = selection.ids[:10].tolist()
        if not exists:
            return Plan(films, tracked, 0, films, first, selection.failures, ())
        chain = await landing.unfinished(connection, settings.snapshot_date)
        landed = full = 0
        async for asks, skipped in catalogue.sift(query, selection, settings, chain):
            landed += skipped
            full += sum(ask.full for ask in asks)
        return Plan(films, tracked, landed, full, first, selection.failures, chain)


def _parameters(settings: Settings) -> dict[str, Any]:
    """What of the settings decides what is fetched, and how; never the token."""
    return {
        "pages": settings.pages if settings.mode == "popular" else None,
        "track_days": settings.track_days if settings.mode == "popular" else None,
        "limit": settings.limit,
        "min_popularity": settings.min_popularity,
        "full_days": settings.full_days,
        "max_rps": settings.max_rps,
        "max_connections": settings.max_connections,
        "base_url": settings.base_url,
    }
