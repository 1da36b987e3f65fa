"""The questions a careful client asks of the warehouse before trusting it, each printed with its answer.

Exit 0 when every answer is as it should be, 1 when one is not, 2 when there is nothing to ask yet.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

import warehouse
from common.errors import ProgramError, one_line
from common.files import open_standard_streams, standard_output

Row = Sequence[Any]

BRIDGES = {
    "bridge_movie_genre": ("dim_genre", "genre_id"),
    "bridge_movie_company": ("dim_company", "company_id"),
    "bridge_movie_country": ("dim_country", "iso_3166_1"),
    "bridge_movie_language": ("dim_language", "iso_639_1"),
    "bridge_movie_keyword": ("dim_keyword", "keyword_id"),
    "bridge_movie_cast": ("dim_person", "person_id"),
    "bridge_movie_crew": ("dim_person", "person_id"),
}

INDEXES = {
    "fact_movie_daily": ["(date_id, movie_id)", "(movie_id, date_id DESC)"],
    "dim_movie": ["(movie_id)"],
    **{
        # a person may have several credits in one film
        bridge: [
            "(movie_id, credit_id)" if key == "person_id" else f"(movie_id, {key})",
            f"({key}, movie_id)",
        ]
        for bridge, (_, key) in BRIDGES.items()
    },
}

# Below this PostgreSQL rightly reads a table whole and an index proves nothing.
ROWS_WORTH_AN_INDEX = 10_000


@dataclass
class Answer:
    """One question: the SQL as a client would type it, what came back, and whether that is right."""

    question: str
    passed: bool
    says: str
    rows: Sequence[Row] = ()


def questions() -> Iterator[tuple[str, Callable[[psycopg.Connection], Answer]]]:
    """All questions in turn: what each is about, and who asks it."""
    yield "films", films
    yield "today's facts", todays_facts
    for query in (
        "SELECT * FROM vw_top_movies LIMIT 10",
        "SELECT * FROM vw_genre_popularity ORDER BY avg_popularity DESC LIMIT 10",
    ):
        yield query, partial(listing, query=query)
    for bridge in BRIDGES:
        yield f"orphans in {bridge}", partial(orphans, bridge=bridge)
    yield "duplicates of (date_id, movie_id) in fact_movie_daily", duplicates
    yield "indexes", indexes
    yield "the last snapshot of a film", last_snapshot


def answers(connection: psycopg.Connection) -> Iterator[Answer]:
    """The answers to all questions; what a half-built database lacks is an answer, too."""
    for about, ask in questions():
        try:
            yield ask(connection)
        except psycopg.OperationalError:  # the server went away: there is nobody to ask any more
            raise
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            yield Answer(about, False, f"{said} (a build that did not finish? make dbt)")


def films(connection: psycopg.Connection) -> Answer:
    """There are films."""
    query = "SELECT COUNT(*) FROM dim_movie"
    count = value(connection, query)
    return Answer(query, count > 0, f"{count:,}")


def todays_facts(connection: psycopg.Connection) -> Answer:
    """Every film that was fetched today has its fact."""
    query = "SELECT COUNT(*) FROM fact_movie_daily WHERE date_id = CURRENT_DATE"
    count = value(connection, query)
    if value(connection, "SELECT to_regclass('raw.tmdb_response') IS NULL"):
        return Answer(query, True, f"{count:,}; there is no landing zone to compare with")
    fetched = value(
        connection,
        "SELECT COUNT(*) FROM raw.tmdb_response"
        " WHERE resource = 'movie' AND http_status = 200 AND snapshot_date = CURRENT_DATE",
    )
    if not fetched:
        newest = value(connection, "SELECT MAX(date_id) FROM fact_movie_daily")
        says = f"the newest facts are of {newest}" if newest else "there are no facts"
        return Answer(query, count == 0, f"{count:,}; nothing was fetched today, {says}")
    return Answer(query, count == fetched, f"{count:,} of {fetched:,} films fetched today")


def listing(connection: psycopg.Connection, query: str) -> Answer:
    """The view answers by its bare name and has rows."""
    rows = connection.execute(query.encode()).fetchall()
    return Answer(query, bool(rows), f"{len(rows)} rows", rows)


def orphans(connection: psycopg.Connection, bridge: str) -> Answer:
    """No row of the bridge points at a film or member that is not there."""
    dimension, key = BRIDGES[bridge]
    query = (
        f"SELECT COUNT(*) FROM {bridge} AS b"
        f" WHERE NOT EXISTS (SELECT 1 FROM dim_movie AS m WHERE m.movie_id = b.movie_id)"
        f" OR NOT EXISTS (SELECT 1 FROM {dimension} AS d WHERE d.{key} = b.{key})"
    )
    count = value(connection, query)
    return Answer(f"orphans in {bridge}", count == 0, f"{count:,}")


def duplicates(connection: psycopg.Connection) -> Answer:
    """One fact per film and day."""
    query = "SELECT COUNT(*) - COUNT(DISTINCT (date_id, movie_id)) FROM fact_movie_daily"
    count = value(connection, query)
    return Answer("duplicates of (date_id, movie_id) in fact_movie_daily", count == 0, f"{count:,}")


def indexes(connection: psycopg.Connection) -> Answer:
    """Every index that the model promises is in the catalog."""
    found = {
        (table, definition[definition.index("(") :])
        for table, definition in connection.execute(
            "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'marts'"
        )
    }
    missing = [
        f"{table} {columns}"
        for table, wanted in INDEXES.items()
        for columns in wanted
        if (table, columns) not in found
    ]
    count = sum(len(wanted) for wanted in INDEXES.values())
    return Answer(
        "indexes", not missing, f"missing: {', '.join(missing)}" if missing else f"all {count} are there"
    )


def last_snapshot(connection: psycopg.Connection) -> Answer:
    """The last snapshot of one film is found by an index, not by reading the fact."""
    movie_id = value(connection, "SELECT movie_id FROM fact_movie_daily ORDER BY date_id DESC LIMIT 1")
    query = "SELECT * FROM fact_movie_daily WHERE movie_id = {} ORDER BY date_id DESC LIMIT 1"
    if movie_id is None:
        return Answer(f"EXPLAIN {query.format('…')}", False, "there are no facts")
    statement = sql.SQL("EXPLAIN (FORMAT JSON) " + query).format(sql.Literal(movie_id))
    row = connection.execute(statement).fetchone()
    plan = row[0] if row else []
    plan = json.loads(plan) if isinstance(plan, str) else plan
    nodes = [node["Node Type"] for node in walk(plan[0]["Plan"])]
    says = " < ".join(reversed(nodes))
    facts = value(connection, "SELECT COUNT(*) FROM fact_movie_daily")
    if facts < ROWS_WORTH_AN_INDEX * shards(connection, "marts.fact_movie_daily"):
        return Answer(
            f"EXPLAIN {query.format(movie_id)}", True, f"{says} (only {facts:,} facts: either is right)"
        )
    return Answer(f"EXPLAIN {query.format(movie_id)}", any("Index" in node for node in nodes), says)


def walk(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's nodes, from the top; on Citus also those of the plans that its nodes carry out."""
    yield plan
    for child in plan.get("Plans", []):
        yield from walk(child)
    for task in plan.get("Distributed Query", {}).get("Job", {}).get("Tasks", []):
        for remote in task["Remote Plan"]:
            for explained in remote:
                yield from walk(explained["Plan"])


def shards(connection: psycopg.Connection, table: str) -> int:
    """Into how many tables of its own Citus has divided a table; 1 on plain PostgreSQL."""
    if value(connection, "SELECT to_regclass('pg_dist_shard') IS NULL"):
        return 1
    query = sql.SQL("SELECT COUNT(*) FROM pg_dist_shard WHERE logicalrelid = {}::regclass").format(table)
    row = connection.execute(query).fetchone()
    return max(row[0], 1) if row else 1


def value(connection: psycopg.Connection, query: str) -> Any:
    """The one value that ``query`` returns."""
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def main() -> int:
    """Print each question with its answer."""
    open_standard_streams()
    try:
        warehouse.enter()
        with warehouse.connect(application_name="tmdb-elt check") as connection, standard_output() as stream:
            return ask_all(connection, stream)
    except ProgramError as error:
        print(f"make check: {error}", file=sys.stderr)
        return error.exit_code
    except psycopg.Error as error:  # it went away, or this role may not look
        print(f"make check: PostgreSQL ended the checks: {one_line(error)}", file=sys.stderr)
        return 1


def ask_all(connection: psycopg.Connection, stream: TextIO) -> int:
    """Print each question with its answer to `stream`; the exit code."""
    for kind in ("date", "timestamp", "timestamptz"):  # PostgreSQL's may lie beyond Python's year 9999
        connection.adapters.register_loader(kind, TextLoader)
    name = connection.info.dbname
    if value(connection, "SELECT to_regclass('marts.fact_movie_daily') IS NULL"):
        print(
            f"The database {name} has no tables yet. Build them with `make elt` or, without an account,"
            " `make demo`; the demo's are checked by `make check PGDATABASE=tmdb_demo`.",
            file=sys.stderr,
        )
        return 2
    print(f"database {name} at {connection.info.host}", file=stream)
    failed = 0
    for answer in answers(connection):
        failed += not answer.passed
        print(f"{'ok    ' if answer.passed else 'WRONG '} {answer.question}: {answer.says}", file=stream)
        for row in answer.rows:
            print("         " + " | ".join("" if cell is None else str(cell) for cell in row), file=stream)
    print(f"{failed} wrong" if failed else "all right", file=sys.stderr if failed else stream)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
