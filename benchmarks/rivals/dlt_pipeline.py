"""dlt, tuned as its documentation advises; each setting names the page (under https://dlthub.com/docs/)."""

import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

#: "reference/performance", where nothing else is said.
SETTINGS = {
    # "Parallelism within a pipeline: Extract": threads for what is `parallelized`; as many as the extractor
    # has connections. max_parallel_items "applies to thread pools as well": no thread waits for work
    "EXTRACT__WORKERS": os.environ.get("TMDB_MAX_CONNECTIONS", "20"),
    "EXTRACT__MAX_PARALLEL_ITEMS": str(4 * int(os.environ.get("TMDB_MAX_CONNECTIONS", "20"))),
    # "Normalize": processes, but "never allow dlt to use all cores on your local machine"; one is none
    "NORMALIZE__WORKERS": str(max(1, (os.cpu_count() or 1) - 1)),
    # "Load": rotated files load in parallel threads, 20 by default
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "2500",
    # "Controlling in-memory buffers": the default of 5,000 would hold 5,000 films with their credits
    "DATA_WRITER__BUFFER_MAX_ITEMS": "500",
    # "Disabling and enabling file compression": what is loaded from this disk need not be packed first
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    # "dlt-ecosystem/destinations/postgres": CSV, streamed with COPY, is advised for Arrow tables. For Python
    # objects it was measured here to take as much CPU as this, the default
    "NORMALIZE__LOADER_FILE_FORMAT": "insert_values",
    # "reference/telemetry"
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}
os.environ.update(SETTINGS)

import dlt  # noqa: E402  (reads the settings)
from dlt.common import json  # noqa: E402  ("Use built-in JSON parser": orjson, on bytes)
from dlt.sources.helpers.requests import Client  # noqa: E402  ("Use the built-in requests wrapper")

from benchmarks.rivals.common import Job, Turns, without_nul  # noqa: E402


@dlt.source(max_table_nesting=0)
def tmdb(job: Job) -> Any:
    """The films of the job."""
    turns = Turns(job.max_rps)
    # retries of its own, also on 429; a film that is gone (404) is no error
    client = Client(max_connections=job.connections, raise_for_status=False)
    date = dt.date.fromisoformat(job.date)
    seen: set[int] = set()

    def get(url: str) -> tuple[int, Any]:
        turns.wait()
        answer = client.get(url, headers=job.headers)
        if answer.status_code != 404:
            answer.raise_for_status()
        return answer.status_code, json.loadb(without_nul(answer.content))

    @dlt.resource
    def numbers() -> Iterator[int]:
        yield from range(1, job.pages + 1)

    # "Yield pages instead of rows": what goes from step to step is a page of ids
    @dlt.transformer(data_from=numbers, parallelized=True)
    def pages(number: int) -> list[int]:
        ids = [row["id"] for row in get(job.page(number))[1]["results"]]
        fresh = [film_id for film_id in ids if film_id not in seen]
        seen.update(fresh)
        return fresh

    # "Parallelism within a pipeline: Extract": a deferred function a film, so that no thread idles while
    # another has a page of films to itself (`parallelized` would defer the whole page; it takes as much CPU).
    # "general-usage/merge-loading": `upsert` is one MERGE, the default, delete-insert, several statements.
    # "general-usage/schema": a column of type json is not taken apart, like the landing zone's payload
    @dlt.transformer(
        data_from=pages,
        name="movie",
        write_disposition={"disposition": "merge", "strategy": "upsert"},
        primary_key=("movie_id", "snapshot_date"),
        columns={
            "movie_id": {"data_type": "bigint"},
            "snapshot_date": {"data_type": "date"},
            "payload": {"data_type": "json"},
        },
    )
    def movie(ids: list[int]) -> Iterator[Any]:
        for film_id in ids:
            yield film(film_id)

    @dlt.defer
    def film(film_id: int) -> Any:
        status, payload = get(job.film(film_id))
        return [] if status == 404 else {"movie_id": film_id, "snapshot_date": date, "payload": payload}

    return movie


def main() -> None:
    """Land the films of the job."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "tmdb",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(credentials=address()),
            dataset_name="dlt_films",
        )
        pipeline.run(tmdb(Job.from_environment())).raise_on_failed_jobs()


def address() -> str:
    """The warehouse that the PG* variables name, as dlt wants it: with a password, also where none is asked
    for.
    """
    host = quote(os.environ["PGHOST"], safe="")  # also a socket's folder
    port, user = os.environ.get("PGPORT", "5432"), os.environ.get("PGUSER", "postgres")
    password = quote(os.environ.get("PGPASSWORD") or "none", safe="")
    return f"postgresql://{user}:{password}@{host}:{port}/{os.environ['PGDATABASE']}"


if __name__ == "__main__":
    main()
