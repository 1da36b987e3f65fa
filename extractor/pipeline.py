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

from common.errors import ConfigurationError, ProgramError
from common.report import Counts, Report
from extractor import connection, films, landing, schema, tmdb
from extractor.answer import LISTS
from extractor.buffer import Buffer
from extractor.errors import RunFailedError, SourceError
from extractor.films import Selection
from extractor.landing import Landing, Run
from extractor.pace import Pace
from extractor.progress import Display
from extractor.rows import Ask, Failure
from extractor.settings import Settings
from extractor.tmdb import Tmdb
from extractor.values import today

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
        rate = self.counts.done / self.seconds if self.seconds else 0.0
        took = f"{self.seconds:,.1f} s ({rate:,.0f}/s)"
        return f"{self.counts.requested:,} asked for: {self.counts} in {took}"


async def extract(settings: Settings, reporter: Display, report: Report | None = None) -> Summary:
    """Extract once. Raises an `ExtractorError`, or `CancelledError` when it was cancelled; in either case
    what was in hand is landed and the ledger says how it ended. `report` follows the run's counts.
    """
    async with tmdb.client(settings, Pace(settings.max_rps)) as client, landing.writer() as zone:
        started = time.monotonic()
        begun = await zone.begin(settings.mode, _parameters(settings), settings.snapshot_date)
        extraction = _Extraction(settings, zone, client, begun, reporter)
        if report is not None:
            report.follow(begun.run_id, lambda: extraction.counts)
        log.info("run %d: mode %s, snapshot date %s", begun.run_id, settings.mode, settings.snapshot_date)
        for variable in settings.unused:
            log.warning("mode %s takes no notice of %s", settings.mode, variable)
        if settings.snapshot_date != today() and settings.asks_tmdb_itself:
            log.warning(
                "TMDB answers for today only: what it says now is landed under %s", settings.snapshot_date
            )
        async with zone.closing(lambda: (extraction.requested, client.retried), settings.token.redact):
            await extraction.to_the_end()
        summary = Summary(begun.run_id, extraction.counts, time.monotonic() - started)
        problem = extraction.problem()
        await zone.conclude(extraction.requested, client.retried, problem)
        if problem:
            raise RunFailedError(f"run {begun.run_id} failed: {problem}. {summary}")
        return summary


class _Extraction:
    """One run's moving parts; `requested` counts the resources asked for."""

    def __init__(
        self, settings: Settings, zone: Landing, client: Tmdb, begun: Run, reporter: Display
    ) -> None:
        self.requested = 0
        self._settings = settings
        self._zone = zone
        self._client = client
        self._begun = begun
        self._reporter = reporter
        self._buffer = Buffer()
        self._asks: asyncio.Queue[Ask | None] = asyncio.Queue(2 * films.CHUNK)
        self._in_a_row = 0
        self._missing: list[str] = []
        self._problems: list[str] = []

    @property
    def counts(self) -> Counts:
        """What is committed, and what was asked for until now."""
        return replace(self._zone.committed, requested=self.requested, retried=self._client.retried)

    def problem(self) -> str | None:
        """Why the run has failed although it went to its end."""
        counts = self._zone.committed
        problems = list(self._problems)
        if self._missing:
            problems.append(f"could not read {', '.join(self._missing[:5])}{' …' * (len(self._missing) > 5)}")
        if too_many := counts.too_many_failed(self.requested):
            problems.append(too_many)
        return "; ".join(problems) or None

    async def to_the_end(self) -> None:
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
        selection = await films.select(self._client, self._zone.query, self._settings)
        tracked = len(selection.ids) - selection.tracked_from
        log.info("%s films chosen, %s of them tracked", f"{len(selection.ids):,}", f"{tracked:,}")
        self._problems += selection.problems
        for failure in selection.failures:
            self.requested += 1
            if failure.resource != "ids_file":  # an id that leads to no film is one film less, as a 404 is
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
        """TMDB's lists: the first thing asked for, so that wrong settings show here."""
        wanted = [
            name for name, kind in LISTS.items() if not kind.block or kind.block in self._settings.blocks
        ]
        landed = await self._zone.query(
            "select resource from raw.tmdb_response"
            " where resource = any(%(lists)s) and snapshot_date = %(date)s and resource_id = 0"
            " and run_id = any(%(chain)s)",
            {
                "lists": wanted,
                "date": self._begun.snapshot_date,
                "chain": list(self._begun.resumes),
            },
        )
        asks = [Ask(name, 0, "list") for name in wanted if (name,) not in landed]
        self.requested += len(asks)
        outcomes = await asyncio.gather(*(self._client.fetch(ask) for ask in asks))
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        for outcome in outcomes:
            await self._buffer.put(outcome)
        if asks and len(failures) == len(asks):
            raise self._unusable(failures[0])
        self._missing.extend(failure.resource for failure in failures)

    def _unusable(self, failure: Failure) -> ProgramError:
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
        async for asks, landed in films.sift(
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
    async with (
        connection.read_only() as reader,
        tmdb.client(settings, Pace(settings.max_rps)) as client,
    ):
        exists = await schema.exists(reader, "raw.tmdb_response")

        async def query(text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
            if not exists:
                return []
            cursor = await reader.execute(text.encode(), parameters)
            return await cursor.fetchall()

        selection = await films.select(client, query, settings)
        chosen = len(selection.ids)
        tracked = chosen - selection.tracked_from
        first = selection.ids[:10].tolist()
        if not exists:
            return Plan(chosen, tracked, 0, chosen, first, selection.failures, ())
        chain = await landing.unfinished(reader, settings.snapshot_date)
        landed = full = 0
        async for asks, skipped in films.sift(query, selection, settings, chain):
            landed += skipped
            full += sum(ask.full for ask in asks)
        return Plan(chosen, tracked, landed, full, first, selection.failures, chain)


def _parameters(settings: Settings) -> dict[str, Any]:
    """What of the settings decides what is fetched, and how; never the token."""
    popular, ids = settings.mode == "popular", settings.mode == "ids"
    return {
        "pages": settings.pages if popular else None,
        "track_days": settings.track_days if popular else None,
        "discover": settings.discover if popular else None,
        "region": settings.region if popular else None,
        "ids_file": settings.ids_file if ids else None,
        "language": settings.language or "en-US",
        "blocks": ",".join(settings.blocks) or "none",
        "limit": settings.limit,
        "min_popularity": settings.min_popularity,
        "full_days": settings.full_days,
        "max_rps": settings.max_rps,
        "max_connections": settings.max_connections,
        "base_url": settings.base_url,
    }
