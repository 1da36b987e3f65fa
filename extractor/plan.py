"""A dry run: which films a run would fetch, and how long that would take. It fetches none of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from extractor import connection, films, landing, schema, tmdb
from extractor.films import Selection
from extractor.pace import Pace
from extractor.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What a run would do: how many films of the selection are `landed` already, by the unfinished runs
    `resumes`, and how many of the others would be fetched in full.
    """

    settings: Settings
    selection: Selection
    landed: int
    full: int
    resumes: tuple[int, ...]

    def __str__(self) -> str:
        settings, selection = self.settings, self.selection
        chosen, to_fetch = len(selection.ids), len(selection.ids) - self.landed
        first = ", ".join(map(str, selection.ids[:10]))
        blocks = ", ".join(settings.blocks) or "no block"
        lines = [
            f"mode {settings.mode}, snapshot date {settings.snapshot_date}",
            f"{chosen:,} films chosen, {chosen - selection.tracked_from:,} of them tracked;"
            f" the first: {first}",
        ]
        if self.landed:
            runs = ", ".join(map(str, self.resumes))
            lines.append(f"{self.landed:,} landed already by unfinished run {runs}")
        seconds = timedelta(seconds=round(to_fetch / settings.max_rps))
        lines.append(f"would fetch {to_fetch:,} films, {self.full:,} of them in full (with {blocks})")
        lines.append(f"at {settings.max_rps:g} requests a second: {seconds}")
        lines += [f"could not read {f.resource} {f.resource_id}: {f.reason}" for f in selection.failures[:10]]
        return "\n".join(lines)


async def plan(settings: Settings) -> Plan:
    """Read the catalogue and the landing zone. Raises what a run does before its first film."""
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
        chain = await landing.unfinished(reader, settings.snapshot_date) if exists else ()
        landed = full = 0
        async for asks, skipped in films.sift(query, selection, settings, chain):
            landed += skipped
            full += sum(ask.full for ask in asks)
        return Plan(settings, selection, landed, full, chain)
