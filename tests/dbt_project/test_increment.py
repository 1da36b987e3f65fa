"""An increment writes what changed and nothing else, and keys outlive every kind of rebuild."""

import datetime as dt
import re
from typing import Any

import psycopg
import pytest

from tests.dbt_project.compiled import Model
from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt

DAY = dt.date(2026, 3, 1)

FILMS: dict[int, dict[str, Any] | None] = {
    id_: {
        "id": id_,
        "title": f"Film {id_}",
        "original_language": "en",
        "genres": [{"id": 18, "name": "Drama"}],
        "production_companies": [{"id": id_, "name": "A", "logo_path": None, "origin_country": "US"}],
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "spoken_languages": [{"iso_639_1": "en", "english_name": "English", "name": "English"}],
        "popularity": id_,
        "vote_average": 5.5,
        "vote_count": 3,
    }
    for id_ in range(1, 21)
}

#: The tables without the views, which need not be made again.
TABLES = ("run", "--select", "config.materialized:incremental")

WRITES = """
    select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables
    where schemaname = 'marts' and relname ~ '^(dim|bridge|fact)_'
"""


def writes(zone: LandingZone) -> dict[str, int]:
    """Rows written so far, by table."""
    zone.rows("select pg_stat_force_next_flush()")
    return dict(zone.rows(WRITES))


def written(zone: LandingZone, before: dict[str, int]) -> dict[str, int]:
    """Rows written since ``before``; tables without any left out."""
    return {name: count - before[name] for name, count in writes(zone).items() if count != before[name]}


DEFINITIONS = "select relation, xmin::text from ops.definition order by 1"


def test_a_second_day_writes_no_dimension_and_no_definition(built_zone: LandingZone, dbt: Dbt) -> None:
    built_zone.land(DAY, FILMS)
    built_zone.build()
    before = writes(built_zone)

    built_zone.build()
    assert written(built_zone, before) == {}, "nothing new was landed"

    built_zone.land(DAY, FILMS)
    built_zone.build()
    assert written(built_zone, before) == {}, "the same day, landed again with the same values"

    built_zone.land(DAY + dt.timedelta(days=1), FILMS)
    dbt(*TABLES)
    assert written(built_zone, before) == {"fact_movie_daily": len(FILMS)}

    changed = {**FILMS, 7: {**(FILMS[7] or {}), "popularity": 99, "title": "New title", "genres": []}}
    before, definitions = writes(built_zone), built_zone.rows(DEFINITIONS)
    built_zone.land(DAY + dt.timedelta(days=1), changed)
    dbt(*TABLES)
    assert built_zone.rows(DEFINITIONS) == definitions, "to look at a model's columns takes longer than it"
    assert written(built_zone, before) == {
        "fact_movie_daily": 1,
        "dim_movie": 1,
        "dim_movie_history": 2,  # the version that ended, the one that began
        "bridge_movie_genre": 1,
    }
    measures = built_zone.rows(
        "select date_id, popularity from marts.fact_movie_daily where movie_id = 7 order by 1"
    )
    assert [int(popularity) for _, popularity in measures] == [7, 99]


KEYS = """
    select conrelid::regclass::text || ' ' || regexp_replace(pg_get_constraintdef(oid), ' ON DELETE .*', '')
    from pg_constraint
    where connamespace = 'marts'::regnamespace and contype in ('p', 'f')
"""

INDEXES = (
    "select tablename || ' ' || substring(indexdef from '[(].*') from pg_indexes where schemaname = 'marts'"
)

PRIMARY_KEYS = {
    "dim_movie PRIMARY KEY (movie_id)",
    "dim_genre PRIMARY KEY (genre_id)",
    "dim_company PRIMARY KEY (company_id)",
    "dim_country PRIMARY KEY (iso_3166_1)",
    "dim_language PRIMARY KEY (iso_639_1)",
    "dim_date PRIMARY KEY (date_id)",
    "dim_person PRIMARY KEY (person_id)",
    "dim_keyword PRIMARY KEY (keyword_id)",
    "dim_collection PRIMARY KEY (collection_id)",
    "bridge_movie_cast PRIMARY KEY (movie_id, credit_id)",
    "bridge_movie_crew PRIMARY KEY (movie_id, credit_id)",
    "bridge_movie_keyword PRIMARY KEY (movie_id, keyword_id)",
    "bridge_movie_genre PRIMARY KEY (movie_id, genre_id)",
    "bridge_movie_company PRIMARY KEY (movie_id, company_id)",
    "bridge_movie_country PRIMARY KEY (movie_id, iso_3166_1)",
    "bridge_movie_language PRIMARY KEY (movie_id, iso_639_1)",
    "fact_movie_daily PRIMARY KEY (date_id, movie_id)",
    "bridge_movie_release PRIMARY KEY (movie_id, iso_3166_1, release_number)",
    "bridge_movie_provider PRIMARY KEY (movie_id, iso_3166_1, provider_id, offer_type)",
    "bridge_movie_translation PRIMARY KEY (movie_id, iso_639_1, iso_3166_1)",
}

FOREIGN_KEYS = {
    "dim_movie FOREIGN KEY (original_language) REFERENCES dim_language(iso_639_1)",
    "dim_movie FOREIGN KEY (collection_id) REFERENCES dim_collection(collection_id)",
    "bridge_movie_cast FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_cast FOREIGN KEY (person_id) REFERENCES dim_person(person_id)",
    "bridge_movie_crew FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_crew FOREIGN KEY (person_id) REFERENCES dim_person(person_id)",
    "bridge_movie_keyword FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_keyword FOREIGN KEY (keyword_id) REFERENCES dim_keyword(keyword_id)",
    "bridge_movie_genre FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_genre FOREIGN KEY (genre_id) REFERENCES dim_genre(genre_id)",
    "bridge_movie_company FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_company FOREIGN KEY (company_id) REFERENCES dim_company(company_id)",
    "bridge_movie_country FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_country FOREIGN KEY (iso_3166_1) REFERENCES dim_country(iso_3166_1)",
    "bridge_movie_language FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_language FOREIGN KEY (iso_639_1) REFERENCES dim_language(iso_639_1)",
    "bridge_movie_release FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_provider FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "bridge_movie_provider FOREIGN KEY (provider_id) REFERENCES dim_provider(provider_id)",
    "fact_movie_daily FOREIGN KEY (movie_id) REFERENCES dim_movie(movie_id)",
    "fact_movie_daily FOREIGN KEY (date_id) REFERENCES dim_date(date_id)",
}

SECONDARY_INDEXES = {
    "fact_movie_daily (movie_id, date_id DESC)",
    "bridge_movie_cast (person_id, movie_id)",
    "bridge_movie_crew (person_id, movie_id)",
    "bridge_movie_keyword (keyword_id, movie_id)",
    "dim_movie (collection_id)",
    "bridge_movie_genre (genre_id, movie_id)",
    "bridge_movie_company (company_id, movie_id)",
    "bridge_movie_country (iso_3166_1, movie_id)",
    "bridge_movie_language (iso_639_1, movie_id)",
}


def test_keys_hold(built_zone: LandingZone, dbt: Dbt) -> None:
    built_zone.connection.execute("set search_path to marts, public")
    built_zone.land(DAY, FILMS)
    built_zone.build()
    for command in (
        ["run", "--full-refresh", "--select", "dim_movie+"],
        ["run", "--full-refresh", "--select", "dim_language"],
        TABLES,
    ):
        dbt(*command)
        keys = {row[0] for row in built_zone.rows(KEYS)}
        assert keys >= PRIMARY_KEYS | FOREIGN_KEYS, command
        assert {row[0] for row in built_zone.rows(INDEXES)} >= SECONDARY_INDEXES, command
    assert built_zone.rows("select count(*) from marts.fact_movie_daily") == [(20,)]


@pytest.mark.slow
def test_films_that_land_while_dbt_runs_wait_for_the_next_run(landing_zone: LandingZone, dbt: Dbt) -> None:
    """A model built alone takes no film that its dimensions have not taken: the foreign key would break."""
    landing_zone.land(DAY, FILMS)
    dbt("run", "--select", "+fact_movie_daily")
    landing_zone.land(DAY, {21: {**(FILMS[1] or {}), "id": 21}})
    dbt("run", "--select", "fact_movie_daily")
    assert landing_zone.rows("select count(*) from marts.fact_movie_daily") == [(20,)]
    dbt("run", "--select", "+fact_movie_daily")
    assert landing_zone.rows("select count(*) from marts.fact_movie_daily") == [(21,)]


def test_credits_follow_the_newest_payload_that_has_them(built_zone: LandingZone) -> None:
    def full(*parts: str) -> dict[str, Any]:
        person = {"id": 5, "name": "Ann", "gender": 1, "known_for_department": "Acting"}
        cast = [{**person, "credit_id": part, "character": part, "order": n} for n, part in enumerate(parts)]
        words = [{"id": len(part), "name": part} for part in parts]
        return {
            **(FILMS[1] or {}),
            "credits": {"cast": cast, "crew": []},
            "keywords": {"keywords": words},
        }

    def parts() -> list[str]:
        cast = built_zone.rows("select credit_id from marts.bridge_movie_cast order by 1")
        words = built_zone.rows(
            "select name from marts.bridge_movie_keyword"
            " inner join marts.dim_keyword using (keyword_id) order by 1"
        )
        assert cast == words
        return [row[0] for row in cast]

    days = [DAY + dt.timedelta(days=n) for n in range(5)]
    built_zone.land(days[0], {1: full("a", "bb")})
    built_zone.build()
    assert parts() == ["a", "bb"]

    built_zone.land(days[1], {1: FILMS[1]})
    built_zone.land(days[3], {1: full("bb")})
    built_zone.build()
    assert parts() == ["bb"], "a payload without credits says nothing of them; one with fewer does"

    built_zone.land(days[2], {1: full("a", "bb")})
    before = writes(built_zone)
    built_zone.build()
    assert written(built_zone, before) == {"fact_movie_daily": 1}, "late and older"

    built_zone.land(days[3], {1: FILMS[1]})
    built_zone.build()
    assert parts() == ["a", "bb"], "the newest full payload was overwritten: the one before counts again"

    built_zone.land(days[4], {1: full()})
    built_zone.build()
    assert parts() == []


@pytest.mark.slow
def test_a_replaced_landing_zone_is_noticed(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.land(DAY, FILMS)
    landing_zone.land(DAY, FILMS)
    dbt("run", "--select", "+dim_genre")
    landing_zone.connection.execute("truncate raw.tmdb_response; alter sequence raw.load_id_seq restart")
    for _ in range(2):  # it has issued fewer loads, and as many
        landing_zone.land(DAY + dt.timedelta(1), FILMS)
        refused = dbt.invoke("run", "--select", "+dim_genre")
        assert not refused.success
        assert "make dbt REPARSE=1" in str(refused.exception)
    dbt("run", "--full-refresh", "--vars", "reparse: true", "--select", "+dim_genre")
    dbt("run", "--select", "+dim_genre")


def test_what_landed_is_read_on_all_cores(
    connection: psycopg.Connection[Any], compiled: tuple[str, list[Model]]
) -> None:
    """The one pass over the landing zone, by far the longest read of a rebuild."""
    (snapshot,) = (model for model in compiled[1] if model.name == "stg_tmdb__movie_snapshot")
    statement = snapshot.statements["reparse"][0]
    reading = re.match(r"create temporary table .*? as \((.*?)\);\s*insert ", statement, re.DOTALL)
    assert reading, statement
    # then PostgreSQL gives to other processes whatever they may do, however little it is
    connection.execute("set local debug_parallel_query to on")
    plan = connection.execute(b"explain " + reading[1].encode()).fetchall()
    connection.rollback()
    assert "Gather" in plan[0][0], plan
