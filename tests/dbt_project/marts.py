"""Reading the marts back, and holding them against what they should be."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.dbt_project import expected
from tests.dbt_project.expected import Landed

Read = Callable[[str], list[tuple[Any, ...]]]

MARTS = {
    "dim_movie": "movie_id",
    "dim_genre": "genre_id",
    "dim_company": "company_id",
    "dim_country": "iso_3166_1",
    "dim_language": "iso_639_1",
    "dim_date": "date_id",
    "bridge_movie_genre": "movie_id, genre_id",
    "bridge_movie_company": "movie_id, company_id",
    "bridge_movie_country": "movie_id, iso_3166_1",
    "bridge_movie_language": "movie_id, iso_639_1",
    "bridge_movie_keyword": "movie_id, keyword_id",
    "bridge_movie_cast": "movie_id, credit_id",
    "bridge_movie_crew": "movie_id, credit_id",
    "dim_person": "person_id",
    "dim_keyword": "keyword_id",
    "dim_collection": "collection_id",
    "dim_movie_history": "movie_id, valid_from",
    "agg_movie_trend": "movie_id",
    "agg_genre_daily": "date_id, genre_id",
    "agg_person_popularity": "person_id",
    "fact_movie_daily": "date_id, movie_id",
}


def everything(read: Read) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all marts, as text, without lineage."""
    return {
        mart: read(f"select (to_jsonb(t) - 'load_id')::text from marts.{mart} as t order by {key}")
        for mart, key in MARTS.items()
    }


def assert_as_landed(read: Read, landed: Iterable[Landed]) -> None:
    """Every mart and view equals what plain Python makes of the landed payloads."""
    landed = list(landed)
    facts = "select date_id, movie_id, popularity, vote_average, vote_count from marts.fact_movie_daily"
    assert {row[:2]: row[2:] for row in read(facts)} == expected.fact_movie_daily(landed)
    for mart, key, columns, compute in (
        (
            "dim_movie",
            "movie_id",
            "title, original_language, release_date, runtime, budget, revenue, imdb_id, vanished_on",
            expected.dim_movie,
        ),
        ("dim_genre", "genre_id", "name, is_listed", expected.dim_genre),
        ("dim_company", "company_id", "name, logo_path, origin_country", expected.dim_company),
        ("dim_country", "iso_3166_1", "name, is_listed", expected.dim_country),
        ("dim_language", "iso_639_1", "name, native_name, is_listed", expected.dim_language),
        (
            "dim_person",
            "person_id",
            "name, gender, known_for_department, profile_path",
            expected.dim_person,
        ),
        ("dim_keyword", "keyword_id", "name", expected.dim_keyword),
        ("dim_collection", "collection_id", "name, poster_path", expected.dim_collection),
    ):
        rows = {row[0]: row[1:] for row in read(f"select {key}, {columns} from marts.{mart}")}
        assert rows == compute(landed), mart
    for name, field, key, source_key in (
        ("genre", "genres", "genre_id", "id"),
        ("company", "production_companies", "company_id", "id"),
        ("country", "production_countries", "iso_3166_1", "iso_3166_1"),
        ("language", "spoken_languages", "iso_639_1", "iso_639_1"),
    ):
        pairs = set(read(f"select movie_id, {key} from marts.bridge_movie_{name}"))
        assert pairs == expected.bridge(landed, field, source_key), name
    for name, columns, members in (
        ("cast", "credit_id, person_id, character_name, cast_order", expected.bridge_movie_cast),
        ("crew", "credit_id, person_id, department, job", expected.bridge_movie_crew),
        ("keyword", "keyword_id", expected.bridge_movie_keyword),
    ):
        rows = {
            row[:2]: row[2:] for row in read(f"select movie_id, {columns} from marts.bridge_movie_{name}")
        }
        assert rows == members(landed), name
    history = read(
        "select movie_id, valid_from, valid_to, change_kind, changed_columns, title, budget, collection_id"
        " from marts.dim_movie_history"
    )
    assert {row[:2]: row[2:] for row in history} == expected.dim_movie_history(landed)
    genres = read(
        "select genre_id, avg_popularity, total_votes, movie_count from analytics.vw_genre_popularity"
    )
    assert {row[0]: row[1:] for row in genres} == expected.vw_genre_popularity(landed)
    ranked = [row[0] for row in read("select movie_id from analytics.vw_top_movies")]
    assert ranked == expected.vw_top_movies(landed)
    latest = {row[0]: row[1] for row in read("select movie_id, date_id from analytics.vw_movie_latest")}
    assert latest == {id_: row.snapshot_date for id_, row in expected.newest(landed).items()}
    assert_trends_as_landed(read, landed)


GROUP = "movie_count, avg_popularity, total_votes, avg_rating, weighted_rating"
MONEY = "total_budget, budget_movie_count, total_revenue, revenue_movie_count, suspect_money_count"


def assert_trends_as_landed(read: Read, landed: list[Landed]) -> None:
    """The same for the views on measures over time and on groups of films."""

    def view(name: str, key: str, columns: str) -> dict[Any, tuple[Any, ...]]:
        rows = read(f"select {key}, {columns} from analytics.{name}")
        width = len(key.split(","))
        assert len({row[:width] for row in rows}) == len(rows), name
        return {row[0] if width == 1 else row[:width]: row[width:] for row in rows}

    changes = ", ".join(
        f"compared_with_{days}d, popularity_change_{days}d, vote_count_change_{days}d,"
        f" vote_average_change_{days}d"
        for days in (1, 7, 30)
    )
    trend = view("vw_movie_trend", "movie_id", f"{changes}, weighted_rating")
    assert trend == expected.vw_movie_trend(landed)
    rising = [row[0] for row in read("select movie_id from analytics.vw_rising_movies")]
    assert rising == expected.vw_rising_movies(landed)
    genres = view(
        "vw_genre_trend",
        "date_id, genre_id",
        "movie_count, avg_popularity, total_votes, avg_rating, compared_with_7d, avg_popularity_change_7d",
    )
    assert genres == expected.vw_genre_trend(landed)
    for name, key, of in (
        ("vw_company_performance", "company_id", expected.companies_of),
        ("vw_collection_performance", "collection_id", expected.collection_of),
        ("vw_country_popularity", "iso_3166_1", expected.countries_of),
        ("vw_language_share", "original_language", expected.language_of),
        ("vw_person_popularity", "person_id", expected.principals(landed)),
    ):
        assert view(name, key, GROUP) == expected.groups(landed, of), name
        if name in ("vw_company_performance", "vw_collection_performance"):
            assert view(name, key, MONEY) == expected.money(landed, of), name
    calendar = read("select movie_id, days_until_release from analytics.vw_release_calendar")
    assert dict(calendar) == expected.vw_release_calendar(landed)
