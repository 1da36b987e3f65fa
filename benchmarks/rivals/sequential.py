"""The plain script: one request after the other with `requests`, one upsert a film."""

import json
import time

import psycopg
import requests
from psycopg.types.json import Jsonb

from benchmarks.rivals.common import Job, Turns, without_nul

TABLE = """
    create schema if not exists sequential;
    create table if not exists sequential.movie (
        movie_id bigint, snapshot_date date, payload jsonb not null, primary key (movie_id, snapshot_date)
    )
"""
UPSERT = """
    insert into sequential.movie (movie_id, snapshot_date, payload) values (%s, %s, %s)
    on conflict (movie_id, snapshot_date) do update set payload = excluded.payload
"""


def main() -> None:
    """Land the films of the job; one transaction a page."""
    job = Job.from_environment()
    turns = Turns(job.max_rps)
    seen: set[int] = set()
    with psycopg.connect() as connection, requests.Session() as session:
        session.headers.update(job.headers)
        connection.execute(TABLE)
        for number in range(1, job.pages + 1):
            page = get(session, turns, job.page(number))
            page.raise_for_status()
            for film_id in [row["id"] for row in page.json()["results"]]:
                if film_id in seen:
                    continue
                seen.add(film_id)
                answer = get(session, turns, job.film(film_id))
                if answer.status_code == 404:
                    continue
                answer.raise_for_status()
                payload = json.loads(without_nul(answer.content))
                connection.execute(UPSERT, (film_id, job.date, Jsonb(payload)))
            connection.commit()


def get(session: requests.Session, turns: Turns, url: str) -> requests.Response:
    """The answer, once the server has stopped answering 429."""
    while True:
        turns.wait()
        answer = session.get(url, timeout=20)
        if answer.status_code != 429:
            return answer
        time.sleep(float(answer.headers.get("Retry-After", 1)))


if __name__ == "__main__":
    main()
