"""The files are checked where they are read, and each mistake is told with file and line."""

from pathlib import Path
from typing import Any

import pytest

from metabase import conditions, loader, spec
from metabase.errors import SpecError, UsageError
from metabase.spec import CardValues
from tests.metabase.conftest import PROJECT, edit

OVERVIEW, FILM, TABS = "dashboards/overview.yml", "dashboards/film.yml", "dashboards/genres_and_countries.yml"
NOTICE = (
    "This product uses the [TMDB](https://www.themoviedb.org) API but is not endorsed or certified by TMDB."
)


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().split("\n"), 1) if text in line)


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "marked"),
    [
        (OVERVIEW, "display: row", "display: rows", "'rows' is not one of", "display: rows"),
        (OVERVIEW, "width: full\n", "widht: full\n", "unknown: 'widht'; is it 'width'?", None),
        (OVERVIEW, "name: Films\n", "nome: Films\n", "'name' is a required property", "films:"),
        (OVERVIEW, "  films:\n", "  films: {}\n  films:\n", "'films' is here twice", None),
        (OVERVIEW, "name: Overview", "name: [Over", "is no YAML", None),
        (OVERVIEW, "type: string/=", "type: string/has", "is not one of", "type: string/has"),
        (OVERVIEW, "col: 18, width: 6", "col: 19, width: 6", "more than the grid's 24 columns", "col: 19"),
        (OVERVIEW, "row: 3, col: 6", "row: 4, col: 5", "overlaps what line", "row: 4, col: 5"),
        (OVERVIEW, "{card: films,", "{card: filmz,", "there is no card 'filmz'", "card: filmz"),
        (OVERVIEW, "{card: genre_table,", "{card: genres,", "there is no card 'genres'", "card: genres,"),
        (OVERVIEW, "  moved_most:", "  moved_more:", "moved_more.sql is missing", "moved_more:"),
        (OVERVIEW, "name: Mean rating", "name: Films", "there are two cards 'Films'", "mean_rating:"),
        (
            OVERVIEW,
            "  min_votes:",
            "  least_votes:",
            "the filter 'least_votes' reaches no card",
            "least_votes",
        ),
        (OVERVIEW, "name: Overview", "name: Film", "there are two dashboards 'Film'", None),
        (OVERVIEW, "collection: TMDB\n", "collection: Other\n", "the collection 'Other' is not in", "Other"),
        (
            OVERVIEW,
            "{card: films, at",
            "{card: films, text: x, at",
            "exactly one of card, text, heading",
            "text: x",
        ),
        (FILM, "film_votes:\n    name", "films:\n    name", "there is a card 'films' in", None),
        (FILM, "search: true", "default: 7", "7 is no text", "default: 7"),
        (TABS, "default: 90", "default: many", "'many' is no number", "default: many"),
        (
            TABS,
            "- name: Countries",
            "- name: Genres",
            "there are two tabs 'Genres'",
            "row: 0, col: 0, width: 15",
        ),
        (
            "metabase.yml",
            "  TMDB/Cards/Film: {}",
            "  Cards/Film: {}",
            "its parent 'Cards' must",
            "  Cards/Film",
        ),
        ("cards/films.sql", "count(*)", "{{ Genre }}", "can't read '{{ Genre }}'", "{{ Genre }}"),
        ("cards/films.sql", "count(*)", "[[count(*)]]", "needs a {{tag}} in it", "[[count(*)]]"),
        ("cards/films.sql", "count(*)", "count(*) [[", "can't read '[['", "[["),
        ("cards/films.sql", "'film_day'", "'film_days'", "there is no snippet 'film_days'", "film_days"),
        ("cards/films.sql", "count(*)", "{{ unheard_of }}", "has neither a filter nor", "unheard_of"),
        (
            "cards/snippets/film_conditions.sql",
            "movie.movie_id and {{ genre }}",
            "true]] [[and {{ gen",
            "can't read",
            None,
        ),
        (
            "cards/films.sql",
            "count(*)",
            "{{ min_votes }}",
            "its filter (or `tags`) needs a default",
            "min_votes",
        ),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    files: Path, file: str, old: str, new: str, message: str, marked: str | None
) -> None:
    edit(files / file, old, new)
    with pytest.raises(SpecError) as error:
        loader.load(files)
    told = [problem for problem in error.value.problems if message in problem.message]
    assert told, error.value
    if marked and marked != "row: 0, col: 0, width: 15":
        assert (told[0].path.name, told[0].line) == (Path(file).name, line_of(files / file, marked))
    assert f"{told[0].path.name}:{told[0].line}: " in str(error.value)


def test_every_mistake_is_told_at_once(files: Path) -> None:
    edit(files / OVERVIEW, "display: row", "display: rows")
    edit(files / FILM, "display: line", "display: lines")
    with pytest.raises(SpecError) as error:
        loader.load(files)
    assert {problem.path.name for problem in error.value.problems} == {"overview.yml", "film.yml"}


def test_sql_that_no_card_shows_is_told(files: Path) -> None:
    (files / "cards" / "left_over.sql").write_text("select 1 as one\n")
    with pytest.raises(SpecError, match=r"left_over\.sql:1: no card shows this"):
        loader.load(files)


def test_the_attribution_stands_on_every_dashboard_and_tab() -> None:
    dashboards = loader.load().dashboards
    assert len(dashboards) == 6
    for dashboard in dashboards:
        for tab in dashboard.tabs:
            assert NOTICE in [item.text for item in tab.items]
    assert "not endorsed or certified by TMDB" in str(loader.load().collections[0].description)


def test_every_card_says_what_it_shows() -> None:
    cards = loader.load().cards.values()
    assert len(cards) > 30
    for card in cards:
        assert card.description, card.key


def test_a_filter_on_a_column_is_the_whole_condition() -> None:
    card = loader.load().cards["films_with_money"]
    relations = {name: f"marts.{name}" for name in [*card.sql.refs, "dim_genre", "dim_company"]}
    sql, values = spec.render(card, relations, {}, {"genre": ("Drama", "War")})
    assert "marts.dim_genre.name in (%(genre__1)s, %(genre__2)s)" in sql
    assert values == {"genre__1": "Drama", "genre__2": "War"}
    assert "dim_company" not in spec.render(card, relations, {}, {"company": ()})[0]
    assert "%(company__1)s" in spec.render(card, relations, {}, {"company": "Pixar"})[0]


@pytest.mark.parametrize(
    ("widget", "value", "condition"),
    [
        ("string/=", "a", "c in (%(x__1)s)"),
        ("string/!=", ("a", "b"), "(c is null or c not in (%(x__1)s, %(x__2)s))"),
        ("string/contains", "5%", "(lower(c) like lower(%(x__1)s))"),
        ("number/between", (1, 2), "c between %(x__1)s and %(x__2)s"),
        ("number/>=", 3, "c >= %(x__1)s"),
        ("date/single", "2026-01-31", "c = date '2026-01-31'"),
        ("date/range", "2026-01-01~2026-01-31", "c >= date '2026-01-01' and c < date '2026-01-31' + 1"),
        ("date/range", "2026-01-01~", "c >= date '2026-01-01'"),
        (
            "date/month-year",
            "2026-02",
            "c >= date '2026-02-01' and c < date '2026-02-01' + interval '1 month'",
        ),
        ("date/all-options", "past30days", "c >= date_trunc('day', current_date) - 30 * interval '1 day'"),
        ("date/range", "", "true"),
    ],
)
def test_conditions_are_those_that_metabase_writes(widget: str, value: Any, condition: str) -> None:
    sql, values = conditions.condition("c", widget, value or None, "x")
    assert sql.startswith(condition)
    if widget == "string/contains":
        assert values == {"x__1": "%5\\%%"}, "what LIKE gives a meaning is itself"


@pytest.mark.parametrize(
    ("widget", "value"),
    [("date/range", "2026-02-30~2026-03-01"), ("number/between", (1,)), ("number/=", "x"), ("string/=", 7)],
)
def test_a_value_that_a_filter_does_not_take_is_told(widget: str, value: Any) -> None:
    with pytest.raises(UsageError, match="x: "):
        conditions.condition("c", widget, value, "x")


def test_filters_reach_the_cards_that_take_them_and_only_those() -> None:
    loaded = loader.load()
    overview = next(d for d in loaded.dashboards if d.key == "overview")
    assert [f.key for f in overview.filters][:2] == ["genre", "language"]
    assert str(overview.filters[0].column) == "dim_genre.name" and overview.filters[0].multiple
    assert overview.filters[0].preview.order == CardValues("genre_table", "Genre")
    for item in overview.items:
        if item.card:
            assert set(item.filters) == {f.key for f in overview.filters}
    tabs = next(d for d in loaded.dashboards if d.key == "genres_and_countries")
    by_card = {item.card: item for item in tabs.items if item.card}
    assert set(by_card["genre_popularity_daily"].filters) == {f.key for f in tabs.filters}
    assert set(by_card["genre_table"].filters) == {f.key for f in tabs.filters} - {"days", "period"}
    days = next(f for f in tabs.filters if f.key == "days")
    assert days.required and days.default == 90
    assert loaded.cards["genre_popularity_daily"].defaults == {"days": 90}


def test_a_place_may_map_a_filter_to_another_tag_or_to_none(files: Path) -> None:
    path = files / OVERVIEW
    edit(
        path,
        "{card: films, ",
        "{card: films, filters: {released_from: released_to, released_to: released_from, genre: null}, ",
    )
    overview = next(d for d in loader.load(files).dashboards if d.key == "overview")
    films = next(item for item in overview.items if item.card == "films")
    assert films.filters["released_from"] == "released_to" and "genre" not in films.filters
    values = spec.tag_values(overview, films, {"released_from": 1990, "genre": "Drama"})
    assert values["released_to"] == 1990 and values["released_from"] is None and "genre" not in values


def test_a_card_renders_to_plain_sql(files: Path) -> None:
    (files / "cards" / "films.sql").write_text(
        "select 100 % 7 as \"Films\", {{ var('latest_within_days') }} as d -- 50 %\n"
        "from {{ ref('dim_movie') }}\n"
        "where true\n"
        "    [[and runtime > {{ released_from }}\n"
        "    or runtime < {{ released_from }}]]\n"
        "    [[and budget > {{ min_votes }}]]\n"
    )
    card = loader.load(files).cards["films"]
    relations, variables = {"dim_movie": "marts.dim_movie"}, {"latest_within_days": 30}
    sql, values = spec.render(card, relations, variables)
    assert values == {}
    assert (
        " ".join(sql.split())
        == 'select 100 %% 7 as "Films", 30 as d -- 50 %% from marts.dim_movie where true'
    )
    assert sql.count("\n") == 5, "lines stay lines, for PostgreSQL's messages"
    sql, values = spec.render(card, relations, variables, {"released_from": 90, "min_votes": None})
    assert values == {"released_from": 90}
    assert sql.count("%(released_from)s") == 2 and "budget" not in sql
    sent = card.sql.for_metabase(relations, variables)
    assert "marts.dim_movie" in sent and "[[and budget > {{ min_votes }}]]" in sent and "100 % 7" in sent


def test_a_value_that_the_sql_cannot_do_without_is_asked_for() -> None:
    card = loader.load().cards["rows_by_day"]
    relations, variables = dict.fromkeys([*card.sql.refs, "dim_date"], "t"), {}
    assert spec.render(card, relations, variables)[1] == {"days": 30}
    with pytest.raises(SpecError, match=r"shown_day\.sql:16: \{\{days\}\} needs a value"):
        spec.render(card, relations, variables, {"days": None})


def test_the_schemas_say_what_everything_is() -> None:
    """Editors complete and check by them."""
    import json

    for name in ("schema.json", "project.schema.json"):
        schema = json.loads((PROJECT / "metabase" / name).read_text())
        assert schema["$schema"].endswith("2020-12/schema")
        for key, part in schema["properties"].items():
            assert (
                "description" in part
                or "$ref" in part
                or "properties" in part
                or "items" in part
                or key
                in (
                    "width",
                    "tabs",
                )
            )
    paths = list((PROJECT / "metabase" / "dashboards").glob("*.yml"))
    assert len(paths) >= 5
    for path in paths:
        assert path.read_text().startswith("# yaml-language-server: $schema=../schema.json\n")
