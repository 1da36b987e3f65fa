"""A dry run: which films a run would fetch, and how long that would take. It fetches none of them."""

from datetime import timedelta
from typing import Any

from extractor import connection, landing, schema, tmdb
from extractor.choice import films
from extractor.pace import Pace
from extractor.settings import Settings


async def plan(settings: Settings) -> str:
    """What a run would do, in lines, by the catalogue and the landing zone. Raises what a run does before its
    first film.
    """
    async with (
        connection.opened() as reader,
        tmdb.client(settings, Pace(settings.max_rps)) as client,
    ):
        exists = await schema.exists(reader, "raw.tmdb_response")

        async def query(text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
            if not exists:
                return []
            cursor = await reader.execute(text.encode(), parameters)
            return await cursor.fetchall()

        selection = await films.select(client, query, settings)
        resumes = await landing.unfinished(reader, settings.snapshot_date) if exists else ()
        landed = full = 0
        async for asks, skipped in films.sift(query, selection, settings, resumes):
            landed += skipped
            full += sum(ask.full for ask in asks)
    to_fetch = len(selection.ids) - landed
    lines = [
        f"mode {settings.mode}, snapshot date {settings.snapshot_date}",
        f"{len(selection.ids):,} films chosen, {selection.tracked:,} of them tracked;"
        f" the first: {', '.join(map(str, selection.ids[:10]))}",
    ]
    if landed:
        lines.append(f"{landed:,} landed already by unfinished run {', '.join(map(str, resumes))}")
    blocks = ", ".join(settings.blocks) or "no block"
    lines.append(f"would fetch {to_fetch:,} films, {full:,} of them in full (with {blocks})")
    seconds = timedelta(seconds=round(to_fetch / settings.max_rps))
    lines.append(f"at {settings.max_rps:g} requests a second: {seconds}")
    lines += [f"could not read {f.resource} {f.resource_id}: {f.reason}" for f in selection.failures[:10]]
    lines += [f"the run would fail: {problem}" for problem in selection.problems]
    return "\n".join(lines)
