"""Every card on real tables as the read-only role, with right numbers: each film is one in a total."""

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from metabase import analysis, loader, spec
from metabase.manifest import Manifest
from metabase.spec import Spec
from tests.metabase.conftest import Warehouse
from tests.metabase.films import CONTINENTS, GENRES, SECOND, films

Rows = list[tuple[Any, ...]]
FILMS = films(1)
BEFORE = films(0)
CHOICES: dict[str, Any] = {
    **{"genre": ("Drama",), "language": ("English",), "country": ("Switzerland",), "continent": ("Europe",)},
    **{"released_from": 1960, "released_to": 2020, "min_votes": 5, "min_films": 2, "days": 10},
    **{"film": ("Film 7",), "film_id": 7, "company": ("Pixar",), "period": "2026-03-01~2026-03-02"},
    **{"max_minutes": 190, "reason": "timeout", "watched_in": ("Switzerland",), "provider": ("Riverbox",)},
}
NOTHING_ROSE = {"tonight_rising"}
"""With two days there is no week to compare with; its own test makes one."""


@pytest.fixture(scope="module")
def loaded() -> Spec:
    return loader.load()


class Ask:
    """Runs a card as Metabase's role."""

    def __init__(self, warehouse: Warehouse, loaded: Spec) -> None:
        self.warehouse, self.loaded = warehouse, loaded

    def __call__(self, card: str, **values: Any) -> Rows:
        manifest: Manifest = self.warehouse.manifest
        sql, parameters = spec.render(self.loaded.cards[card], manifest.relations, manifest.variables, values)
        return self.warehouse.reader.execute(sql.encode(), parameters).fetchall()


@pytest.fixture
def ask(built: Warehouse, loaded: Spec) -> Ask:
    return Ask(built, loaded)


def test_every_card_runs_with_no_filter_with_each_and_with_all(
    built: Warehouse, loaded: Spec, ask: Ask
) -> None:
    columns = analysis.check(loaded, built.manifest)
    for key, card in loaded.cards.items():
        tags = {tag.key: CHOICES[tag.key] for tag in card.tags}
        for values in ({}, *({name: value} for name, value in tags.items()), tags):
            sql, parameters = spec.render(card, built.manifest.relations, built.manifest.variables, values)
            cursor = built.reader.execute(sql.encode(), parameters)
            assert cursor.description and tuple(c.name for c in cursor.description) == columns[key]
            if not values and key not in NOTHING_ROSE:
                assert cursor.fetchall(), f"{key} shows nothing"


def matching(day: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the filters of CHOICES leave, in plain Python."""
    return [
        film
        for film in day.values()
        if "Drama" in [g["name"] for g in film["genres"]]
        and film["original_language"] == "en"
        and "CH" in [c["iso_3166_1"] for c in film["production_countries"]]
        and 1960 <= int(film["release_date"][:4]) <= 2020
    ]


def test_totals_count_each_film_once(ask: Ask) -> None:
    assert [row[1] for row in ask("films")] == [len(BEFORE), len(FILMS)]
    votes = [sum(f["vote_count"] for f in day.values()) for day in (BEFORE, FILMS)]
    assert [row[1] for row in ask("total_votes")] == votes
    rated = [f["vote_average"] for f in FILMS.values() if f["vote_count"]]
    assert float(ask("mean_rating")[1][1]) == pytest.approx(sum(rated) / len(rated), abs=0.006)
    assert ask("films_tracked") == [(len(FILMS),)], "the stale film is in none of them"
    multiple = [f for f in FILMS.values() if len(f["genres"]) > 1 and len(f["production_countries"]) > 1]
    assert len(multiple) > 5, "else this shows nothing"


def test_filters_narrow_every_total_alike(ask: Ask) -> None:
    chosen = {k: CHOICES[k] for k in ("genre", "language", "country", "released_from", "released_to")}
    wanted = matching(FILMS)
    assert len(wanted) > 1
    assert ask("films", **chosen)[-1][1] == len(wanted)
    assert ask("total_votes", **chosen)[-1][1] == sum(f["vote_count"] for f in wanted)
    top = sorted(wanted, key=lambda f: -f["popularity"])[:10]
    assert [(row[0], row[2]) for row in ask("top_films", **chosen)] == [(f["title"], f["id"]) for f in top]
    assert [row[1] for row in ask("film_table", **chosen)] == [f["title"] for f in top]
    some = [f for f in wanted if f["vote_count"] >= 50]
    rows = ask("film_table", **chosen, min_votes=50)
    assert sorted(row[1] for row in rows) == sorted(f["title"] for f in some)


def test_a_film_that_vanished_neither_counts_nor_ranks(built: Warehouse, loaded: Spec) -> None:
    with built.owner.transaction(force_rollback=True):
        built.owner.execute(
            "update marts.dim_movie set vanished_on = date '2026-03-02' where movie_id % 2 = 0"
        )

        def rows(card: str, **values: Any) -> Rows:
            manifest = built.manifest
            sql, given = spec.render(loaded.cards[card], manifest.relations, manifest.variables, values)
            return built.owner.execute(sql.encode(), given).fetchall()

        left = {id_: film for id_, film in FILMS.items() if id_ % 2}
        assert rows("films_tracked") == [(len(left),)]
        assert [row[1] for row in rows("films")] == [len(BEFORE), len(left)], "the day before it was there"
        for card in ("top_films", "film_table", "place_films", "tonight_films"):
            shown = {row[-1] for row in rows(card, **({"min_votes": 1} if card == "tonight_films" else {}))}
            assert shown and shown <= set(left), card
        assert sum(row[1] for row in rows("language_films")) == len(left)


def test_a_genre_that_is_no_name_in_sql_is_only_a_value(ask: Ask) -> None:
    assert ask("films", genre=("Drama' or 'a' = 'a",)) == []
    assert ask("failure_table", reason="timeout' or 'a' = 'a") == []


def test_several_values_are_either_of_them(ask: Ask) -> None:
    both = [f for f in FILMS.values() if {"Drama", "Comedy"} & {g["name"] for g in f["genres"]}]
    assert ask("films", genre=("Drama", "Comedy"))[-1][1] == len(both)
    english = [f for f in both if f["original_language"] == "en"]
    assert ask("films", genre=("Drama", "Comedy"), language=("English",))[-1][1] == len(english)
    assert len(both) > len(english) > 1, "else this shows nothing"


def test_genres_countries_and_companies_count_a_film_in_each_of_theirs(ask: Ask) -> None:
    genres = {row[0]: row[1] for row in ask("genre_table")}
    for name in ("Drama", "Comedy", "Documentary"):
        assert genres[name] == sum(name in [g["name"] for g in f["genres"]] for f in FILMS.values())
    countries = {row[0]: row[2] for row in ask("country_map")}
    assert countries["CH"] == sum(
        "CH" in [c["iso_3166_1"] for c in f["production_countries"]] for f in FILMS.values()
    )
    companies = {row[11]: (row[0], row[2]) for row in ask("company_table", min_films=1)}
    assert companies[2][0] == companies[3][0] == "Pixar", "two companies of one name are two"
    for id_ in (2, 3):
        assert companies[id_][1] == sum(
            id_ in [c["id"] for c in f["production_companies"]] for f in FILMS.values()
        )
    assert ask("company_sentence", min_films=1)[0][0].startswith("Of 3 companies, ")
    assert {row[0]: row[3] for row in ask("country_table")}["France"] == countries["FR"]


def mean(values: Iterable[float]) -> Any:
    """What a card that rounds to one decimal shows."""
    numbers = list(values)
    return pytest.approx(sum(numbers) / len(numbers), abs=0.051)


def test_genres_have_the_same_figures_on_every_card(ask: Ask) -> None:
    """Also over time, where the filters choose films as everywhere else."""
    for chosen in ({}, {k: CHOICES[k] for k in ("genre", "continent", "released_from", "released_to")}):
        of_genre = {
            name: [
                f
                for f in FILMS.values()
                if name in (names := [g["name"] for g in f["genres"]])
                and (
                    not chosen
                    or (
                        "Drama" in names
                        and "Europe" in {CONTINENTS[c["iso_3166_1"]] for c in f["production_countries"]}
                        and 1960 <= int(f["release_date"][:4]) <= 2020
                    )
                )
            ]
            for name in GENRES.values()
        }
        assert all(of_genre.values()), "else this shows less"
        table = {row[0]: (row[1], float(row[2]), row[4]) for row in ask("genre_table", **chosen)}
        assert table == {
            name: (len(own), mean(f["popularity"] for f in own), sum(f["vote_count"] for f in own))
            for name, own in of_genre.items()
        }
        for card, place in (("genre_films_daily", 0), ("genre_popularity_daily", 1)):
            last = {row[1]: float(row[2]) for row in ask(card, **chosen) if row[0] == SECOND}
            assert last == {name: row[place] for name, row in table.items()}, card
    bars = {row[0]: (row[2], float(row[1])) for row in ask("popularity_by_genre")}
    assert bars == {row[0]: (row[1], float(row[2])) for row in ask("genre_table")}


def test_a_continent_counts_a_film_of_two_of_its_countries_once(ask: Ask) -> None:
    films_of = {
        continent: [
            f
            for f in FILMS.values()
            if continent in {CONTINENTS[c["iso_3166_1"]] for c in f["production_countries"]}
        ]
        for continent in CONTINENTS.values()
    }
    twice = [
        f for f in films_of["Europe"] if {"CH", "FR"} <= {c["iso_3166_1"] for c in f["production_countries"]}
    ]
    assert len(twice) > 3, "else this shows nothing"
    wanted = {name: (len(own), mean(f["popularity"] for f in own)) for name, own in films_of.items()}
    assert {row[0]: (row[1], float(row[2])) for row in ask("continent_films")} == wanted
    daily = [row for row in ask("continent_films_daily") if row[0] == SECOND]
    assert {row[1]: (row[3], float(row[2])) for row in daily} == wanted
    dramas = [f for f in films_of["Europe"] if "Drama" in [g["name"] for g in f["genres"]]]
    (europe,) = (
        row for row in ask("continent_films_daily", genre=("Drama",)) if row[:2] == (SECOND, "Europe")
    )
    assert europe[3] == len(dramas)


def test_no_chart_has_two_bars_of_one_name(built: Warehouse, loaded: Spec, ask: Ask) -> None:
    """Metabase adds their values up: two companies rated 7 would be one rated 14."""
    columns = analysis.check(loaded, built.manifest)
    with built.owner.transaction(force_rollback=True):
        built.owner.execute("update marts.dim_movie set title = 'Twins' where movie_id % 2 = 0")
        for key, card in loaded.cards.items():
            if dimensions := card.settings.get("graph.dimensions"):
                sql, values = spec.render(
                    card,
                    built.manifest.relations,
                    built.manifest.variables,
                    {"min_films": 1} if "min_films" in {tag.key for tag in card.tags} else {},
                )
                rows = built.owner.execute(sql.encode(), values).fetchall()
                places = [columns[key].index(name) for name in dimensions]
                names = Counter(tuple(row[place] for place in places) for row in rows)
                assert all(count == 1 for count in names.values()), key
            if key == "top_films":
                assert sum(name.startswith("Twins · ") for (name,) in names) > 1, "else this shows nothing"
    bars = {row[0]: row[1] for row in ask("company_films", min_films=1)}
    assert bars == {
        label: sum(id_ in [c["id"] for c in f["production_companies"]] for f in FILMS.values())
        for id_, label in ((1, "Gaumont"), (2, "Pixar · 2"), (3, "Pixar · 3"))
    }


def test_companies_are_rated_with_500_votes_of_the_mean_of_all_films(ask: Ask) -> None:
    rated = [f for f in FILMS.values() if f["vote_count"]]
    prior = sum(f["vote_average"] for f in rated) / len(rated)
    expected = {}
    for id_ in (1, 2, 3):
        of_company = [f for f in rated if id_ in [c["id"] for c in f["production_companies"]]]
        points = sum(f["vote_average"] * f["vote_count"] for f in of_company)
        expected[id_] = (points + 500 * prior) / (sum(f["vote_count"] for f in of_company) + 500)
    shown = {row[11]: float(row[4]) for row in ask("company_table", min_films=1)}
    assert shown == {id_: pytest.approx(rating, abs=0.0051) for id_, rating in expected.items()}
    bars = [float(row[1]) for row in ask("company_ratings", min_films=1)]
    assert bars == sorted(shown.values(), reverse=True)


def test_languages_add_up_to_all_films(ask: Ask) -> None:
    assert sum(row[1] for row in ask("language_films")) == len(FILMS)


def test_money_is_of_films_whose_budget_and_revenue_are_known(ask: Ask, built: Warehouse) -> None:
    suspect = {
        row[0]
        for row in built.owner.execute(
            "select movie_id from marts.dim_movie where is_budget_suspect or is_revenue_suspect"
        )
    }
    money = [f for f in FILMS.values() if f["budget"] and f["revenue"] and f["id"] not in suspect]
    assert ask("films_with_money") == [(len(money),)]
    ratio = sum(f["revenue"] for f in money) / sum(f["budget"] for f in money)
    assert float(ask("revenue_to_budget")[0][0]) == pytest.approx(ratio, abs=0.006)
    gaumont = [f for f in money if 1 in [c["id"] for c in f["production_companies"]]]
    row = next(r for r in ask("company_table", min_films=1) if r[11] == 1)
    assert (row[7], row[8], row[9]) == (
        len(gaumont),
        sum(f["budget"] for f in gaumont),
        sum(f["revenue"] for f in gaumont),
    )


def test_what_moved_most_is_the_change_since_the_day_before(ask: Ask) -> None:
    moved = {id_: film["popularity"] - BEFORE[id_]["popularity"] for id_, film in FILMS.items()}
    assert len({round(change) for change in moved.values()}) == 5
    for least_votes in (0, 50):
        counted = [id_ for id_, film in FILMS.items() if film["vote_count"] >= least_votes]
        most = sorted(counted, key=lambda id_: (-round(moved[id_], 3), id_))[:10]
        shown = ask("moved_most", min_votes=least_votes)
        assert [row[0] for row in shown] == [FILMS[id_]["title"] for id_ in most]
        for (_, before, now, change, percent, _), id_ in zip(shown, most, strict=True):
            assert float(before) == pytest.approx(BEFORE[id_]["popularity"], abs=0.06)
            assert float(now) == pytest.approx(FILMS[id_]["popularity"], abs=0.06)
            assert float(change) == pytest.approx(moved[id_], abs=0.06)
            assert float(percent) == pytest.approx(100 * moved[id_] / BEFORE[id_]["popularity"], abs=0.06)


def test_a_film_is_chosen_by_its_title_its_id_or_what_it_is(ask: Ask) -> None:
    votes = [BEFORE[7]["vote_count"], FILMS[7]["vote_count"]]
    for chosen in ({"film": ("Film 7",)}, {"film_id": 7}, {"film": ("Film 7",), "film_id": 8}):
        assert ask("film_title", **chosen)[0][0].startswith("Film 7 ("), (
            "a title chosen anew wins over a click"
        )
        assert [row[1] for row in ask("film_votes", **chosen)] == votes
    assert [row[1] for row in ask("film_votes", film_id=7, period="2026-03-02~2026-03-02")] == votes[1:]
    most = max(FILMS.values(), key=lambda f: f["popularity"])
    assert ask("film_title")[0][0].startswith(most["title"]), "without a choice today's first"
    foreign = [f for f in FILMS.values() if f["original_language"] == "cn"]
    most = max(foreign, key=lambda f: f["popularity"])
    assert ask("film_title", language=("Cantonese",))[0][0].startswith(most["title"])
    attributes = dict(ask("film_attributes", film_id=7))
    assert attributes["TMDB id"] == "7" and attributes["Status"] == "Released"
    assert ask("film_title", film=("Film 7",), language=("None",)) == []


def test_what_a_film_belongs_to_stands_side_by_side(ask: Ask) -> None:
    for id_ in (3, 7, 8, 9):
        rows = ask("film_belongs", film_id=id_)
        columns = [sorted(name for name in column if name) for column in zip(*rows, strict=True)]
        assert (columns or [[], [], []]) == [
            sorted(one["name"] for one in FILMS[id_][kind])
            for kind in ("genres", "production_countries", "production_companies")
        ]


def test_the_pipelines_ledger_is_shown(ask: Ask) -> None:
    assert ask("failures_by_reason") == [("timeout", 1)]
    assert ask("rows_by_day")[-1][1] == len(FILMS)
    assert len(ask("failure_table", reason="timeout")) == 1 and ask("failure_table", reason="other") == []
    sentence = ask("pipeline_sentence")[0][0]
    assert "The newest snapshot is of 2 March 2026" in sentence and "ended finished" in sentence
    assert sentence.endswith("in the last 30 days 1 resources could not be fetched.")


def test_every_dashboard_begins_with_a_sentence(loaded: Spec, ask: Ask) -> None:
    for dashboard in loaded.dashboards:
        first = min(dashboard.tabs[0].items, key=lambda item: (item.place.row, item.place.col))
        assert first.card
        ((sentence,),) = ask(first.card)
        assert sentence.endswith(".") and len(sentence) > 40, sentence
        assert "  " not in sentence and "None" not in sentence


def test_tonight_is_rated_well_by_enough_people(ask: Ask, built: Warehouse) -> None:
    rows = ask("tonight_films", min_votes=50)
    enough = {f["title"] for f in FILMS.values() if f["vote_count"] >= 50}
    assert {row[0] for row in rows} == enough and len(rows) > 5
    ratings = [float(row[5]) for row in rows]
    assert ratings == sorted(ratings, reverse=True), "where nothing rose, the best rated come first"
    assert f"Watch {rows[0][0]} (" in ask("tonight_sentence", min_votes=50)[0][0]
    assert ask("tonight_sentence", genre=("No such",))[0][0].startswith("No film answers these filters")
    swiss = {row[-1] for row in ask("tonight_films", min_votes=1, watched_in=("Switzerland",))}
    assert swiss == {row[-1] for row in ask("tonight_films", min_votes=1, provider=("Riverbox",))}
    assert swiss and {id_ % 2 for id_ in swiss} == {0}
    both = {"watched_in": ("France",), "provider": ("Riverbox",)}
    assert ask("tonight_films", min_votes=1, **both) == [], "in France it is another service that has them"
    assert ask("tonight_films", min_votes=1, provider=("Shop",)) == [], "which sells them"
    services = {row[0]: row[1] for row in ask("tonight_services", min_votes=1)}
    assert services.keys() == {"Riverbox", "Nimbus"} and services["Riverbox"] == len(swiss)
    short = {row[0]: row[4] for row in ask("tonight_films", min_votes=50, max_minutes=120)}
    assert short and max(short.values()) <= 120
    with built.owner.transaction(force_rollback=True):
        built.owner.execute(
            "update marts.agg_movie_trend set date_id_7d = date_id - 7,"
            " popularity_7d = popularity - movie_id,"
            " vote_count_7d = vote_count, vote_average_7d = vote_average"
        )
        sql, values = spec.render(
            ask.loaded.cards["tonight_rising"],
            built.manifest.relations,
            built.manifest.variables,
            {"min_votes": 50},
        )
        rose = built.owner.execute(sql.encode(), values).fetchall()
    ids = sorted((f["id"] for f in FILMS.values() if f["vote_count"] >= 50), reverse=True)[:10]
    assert [(row[2], float(row[1])) for row in rose] == [(id_, float(id_)) for id_ in ids]


def test_a_year_of_days_keeps_its_newest_within_what_metabase_shows(loaded: Spec, built: Warehouse) -> None:
    """Metabase cuts a query off after 2,000 rows, and of a line in the order of time that is its end."""
    with built.owner.transaction(force_rollback=True):
        built.owner.execute(
            "insert into marts.dim_date"
            " select (jsonb_populate_record(null::marts.dim_date, to_jsonb(old)"
            " || jsonb_build_object('date_id', day))).*"
            " from (select * from marts.dim_date limit 1) as old,"
            " (select day::date from generate_series(date '2025-03-01', date '2026-03-02', '1 day') as day)"
            " as days"
            " on conflict do nothing"
        )
        built.owner.execute(
            "insert into marts.fact_movie_daily"
            " (date_id, movie_id, popularity, vote_average, vote_count, load_id)"
            " select day::date, movie_id, popularity, vote_average, vote_count, load_id"
            " from marts.fact_movie_daily as fact,"
            " generate_series(date '2025-03-01', date '2026-03-01', '1 day') as day"
            " where fact.date_id = date '2026-03-02' on conflict do nothing"
        )
        series = set()
        for key, card in loaded.cards.items():
            tags = {tag.key for tag in card.tags}
            if "days" not in tags or card.display not in ("line", "bar", "area"):
                continue
            for days in (90, 240, 241, 365, 5000):
                sql, values = spec.render(
                    card, built.manifest.relations, built.manifest.variables, {"days": days}
                )
                rows = built.owner.execute(sql.encode(), values).fetchall()
                # as many lines as a chart may have
                lines = len({row[1] for row in rows}) if len(card.settings["graph.dimensions"]) > 1 else 1
                shown = sorted({row[0] for row in rows})
                if key == "run_speed":
                    continue
                series.add(key)
                assert len(rows) / lines * 8 <= 2000, (key, days)
                assert shown[-1] == SECOND, (key, days)
                assert len(shown) == days if days <= 240 else 120 < len(shown) <= 240, (key, days)
                steps = {later - earlier for earlier, later in itertools.pairwise(shown)}
                assert len(steps) == 1, "evenly spaced"
        assert len(series) == 4, "else this shows less"
