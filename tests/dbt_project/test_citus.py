"""The project on Citus, of which a stub on plain PostgreSQL has the functions: each table is placed by its
key, with the same rows; and no statement has a form that Citus refuses, or takes by moving all of history.
"""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import warehouse
from extractor import schema
from metabase import loader
from metabase.manifest import load
from metabase.spec import render
from tests.databases import Databases
from tests.dbt_project.compiled import Model
from tests.dbt_project.conftest import PROJECT, LandingZone
from tests.dbt_project.correlated import Cluster
from tests.dbt_project.marts import assert_as_landed
from tests.dbt_project.runner import Dbt, failures
from tests.dbt_project.test_blocks import BLOCK_LISTS, FULL
from tests.dbt_project.test_histories import CREDITS, KEYWORDS
from tests.metabase.test_cards import CHOICES

STUB = (PROJECT / "tests" / "citus_stub.sql").read_bytes()
PLACEMENT = (Path(schema.__file__).parent / "placement.sql").read_bytes()

DAY = dt.date(2026, 3, 1)
LATER = DAY + dt.timedelta(days=1)

FILM: dict[str, Any] = {
    **FULL,
    "genres": [{"id": 18, "name": "Drama"}, {"id": 35, "name": "Comedy"}],
    "production_companies": [{"id": 7, "name": "Seven", "origin_country": "US"}, {"id": 8, "name": "Eight"}],
    "production_countries": [{"iso_3166_1": "US", "name": "USA"}],
    "spoken_languages": [{"iso_639_1": "cn", "name": "粤语"}],
    "belongs_to_collection": {"id": 4, "name": "Saga"},
    "credits": CREDITS[3],
    "keywords": KEYWORDS[2],
}
OTHER = {**FILM, "id": 2, "title": "Two", "genres": [{"id": 99, "name": "Documentary"}]}
#: What the next day withdraws: a genre, a company, a collection, credits and keywords.
NEXT = {
    **FILM,
    "genres": [{"id": 18, "name": "Drama"}],
    "production_companies": [{"id": 8, "name": "Eight & Co"}],
    "belongs_to_collection": None,
    "credits": CREDITS[4],
    "keywords": KEYWORDS[3],
    "popularity": 6,
}

PLACED = """
    select n.nspname || '.' || c.relname, p.partkey, p.was_empty
    from pg_dist_partition as p
    inner join pg_class as c on c.oid = p.logicalrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    order by 1
"""
FOREIGN_KEYS = """
    select conrelid::regclass::text, confrelid::regclass::text, conkey, confdeltype::text
    from pg_constraint where contype = 'f' and connamespace = 'marts'::regnamespace order by 1, 2, 3
"""

#: What is said otherwise than by the key.
BY_THEIR_OWN_KEY = {"agg_genre_daily": "genre_id", "agg_person_popularity": "person_id"}


def wanted(dbt: Dbt) -> dict[str, str | None]:
    """How each table is to be placed, by its key."""
    tables: dict[str, str | None] = {"raw.tmdb_response": "resource_id"}
    for node in dbt.manifest.nodes.values():
        if str(node.resource_type) == "model" and node.config.materialized == "incremental":
            key = node.config.unique_key
            by_film = "movie_id" in ([key] if isinstance(key, str) else key)
            tables[f"{node.schema}.{node.name}"] = BY_THEIR_OWN_KEY.get(
                node.name, "movie_id" if by_film else None
            )
    return tables


class Seen:
    """The statements that dbt sends, with the model that sends them."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, str]] = []

    def __call__(self, event: Any) -> None:
        if event.info.name == "SQLQuery":
            text = re.sub(r"/\*.*?\*/", "", event.data.sql, flags=re.DOTALL)
            self.statements.append((event.data.node_info.node_name, text))


@pytest.mark.slow
def test_each_way_of_building_places_and_fills_the_tables(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.connection.execute(STUB)
    landing_zone.connection.execute(PLACEMENT)
    placement = wanted(dbt)
    seen = Seen()

    def build(*options: str) -> None:
        result = dbt.invoke("run", *options, seen=seen)
        assert result.success, result.exception or failures(result)
        assert_as_landed(landing_zone.rows, landing_zone.landed.values())

    dbt("seed")
    landing_zone.land(DAY, {1: FILM, 2: OTHER, 3: {**FILM, "id": 3}}, BLOCK_LISTS)
    build()
    placed = landing_zone.rows(PLACED)
    assert {name: column for name, column, _ in placed if "tmdb_response_" not in name} == placement
    assert all(was_empty for *_, was_empty in placed), "a table with rows sends them through the coordinator"
    foreign_keys = landing_zone.rows(FOREIGN_KEYS)
    assert foreign_keys

    landing_zone.land(LATER, {1: NEXT, 2: None, 3: {**FILM, "id": 3}}, BLOCK_LISTS)
    build("--select", "config.materialized:incremental")
    landing_zone.land(LATER, {2: {**OTHER, "title": "Two again"}, 3: None}, BLOCK_LISTS)
    build("--select", "config.materialized:incremental")
    build("--select", "config.materialized:incremental", "--full-refresh")
    assert landing_zone.rows(FOREIGN_KEYS) == foreign_keys
    assert [row[:2] for row in landing_zone.rows(PLACED)] == [row[:2] for row in placed]

    refused = [
        (name, statement)
        for name, sent in seen.statements
        for statement in re.sub(r"do (\$\w+\$).*?\1", "", sent, flags=re.DOTALL).split(";")
        if is_refused_write(statement, {table: placement.get(table) for table in placement})
    ]
    assert not refused, refused[:3]


def is_refused_write(statement: str, placement: dict[str, str | None]) -> bool:
    """Whether Citus refuses a statement on a placed table, or takes it by moving all of that table."""
    words = " ".join(statement.split())
    if re.search(r'\banalyze "\w+"\."marts"', words):
        return True  # where the transaction has touched a reference table, as foreign keys do
    match = re.search(r'\b(delete from|insert into) "\w+"\."(\w+)"\."(\w+)"', words)
    if match is None or f"{match[2]}.{match[3]}" not in placement or "__dbt_tmp" not in words:
        return False
    distributed = placement[f"{match[2]}.{match[3]}"] is not None
    if match[1] == "insert into":
        # the outer join with new rows would fetch the whole table
        return distributed and "left join" in words
    # a temporary table is on the coordinator alone; for reference tables, a block looks the keys up first
    return not (distributed and words.startswith("with "))


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ('delete from "d"."marts"."fact" using "fact__dbt_tmp" as n where true', True),
        (
            'with "fact__dbt_tmp" as materialized (select 1) delete from "d"."marts"."fact" where exists'
            ' (select from "fact__dbt_tmp")',
            False,
        ),
        ('with "dim__dbt_tmp" as (select 1) delete from "d"."marts"."dim" where true', True),
        ('insert into "d"."marts"."fact" select 1 from "fact__dbt_tmp" left join "d"."marts"."fact"', True),
        ('insert into "d"."marts"."dim" select 1 from "dim__dbt_tmp" left join "d"."marts"."dim"', False),
        ('delete from "d"."ops"."build" where true', False),
        ('analyze "d"."marts"."dim"', True),
        ('analyze "d"."staging"."film"', False),
    ],
)
def test_that_check_knows_what_is_refused(statement: str, *, refused: bool) -> None:
    assert is_refused_write(statement, {"marts.fact": "movie_id", "marts.dim": None}) is refused


def test_a_warehouse_that_is_moved_in_is_placed(
    databases: Databases, compiled: tuple[str, list[Model]], tmp_path: Path
) -> None:
    """Built on plain PostgreSQL, then restored into a cluster: one load, one build."""
    with (
        databases.new(compiled[0]) as pg,
        warehouse.connect(pg) as connection,
        Dbt(PROJECT / "dbt_project", pg, tmp_path) as dbt,
    ):
        foreign_keys = connection.execute(FOREIGN_KEYS).fetchall()
        connection.execute(
            "insert into marts.dim_genre (genre_id, is_listed, name_source, load_id)"
            " values (1, true, 'list', 0)"
        )
        connection.execute(STUB)
        connection.execute(PLACEMENT)
        # by an older version
        connection.execute(
            "select pg_advisory_xact_lock(1), create_reference_table('staging.int_movie_latest')"
        )
        dbt("run", "--select", "dim_genre")
        placed = connection.execute(PLACED).fetchall()
        assert {name: column for name, column, _ in placed} == wanted(dbt)
        assert ("marts.dim_genre", None, False) in placed
        assert connection.execute(FOREIGN_KEYS).fetchall() == foreign_keys


# What Citus 13 and 14 refuse, or mistake, of what PostgreSQL takes; each was seen.
FORMS = {
    "a recursive query needs a filter on the distribution column": r"\bwith recursive\b",
    "`case x when y` comes out as x = true": r"\bcase (?!when\b)",
    "the STABLE function brings all rows to the coordinator": r"\bjsonb_(to_record|populate)",
    "arrays of ids in a lateral join": r"\bunnest\(\s*%",
}
#: They are STABLE: what they return may depend on a setting.
STABLE = re.compile(
    r"::date\b|\b(pg_input_is_valid|jsonb_build_\w+|to_jsonb?|to_char|concat_ws|now|current_date)\b"
)
AGGREGATE = re.compile(r"\b(sum|avg|min|max|count|array_agg|string_agg|bool_or|bool_and)$")


def wrong_forms(statement: str) -> list[str]:
    """What Citus refuses in a query, by what it says of it."""
    text = re.sub(r"--[^\n]*", "", statement)
    text = re.sub(r"[eEuU]?&?'(?:[^']|'')*'", "''", text)
    text = " ".join(text.lower().split())
    found = [says for says, form in FORMS.items() if re.search(form, text)]
    for before, inside in parenthesised(text):
        if AGGREGATE.search(before) and "(select " in inside:
            found.append("a query inside an aggregate")
        if not re.search(r"\blateral$", before) or not re.match(r"(select|with)\b", inside):
            continue
        if " from " not in collapsed(inside) and STABLE.search(inside):
            found.append("a lateral query without FROM that calls a STABLE function")
        if re.search(r"\blateral\b", inside):
            found.append("a lateral join inside a lateral query, whose columns Citus mistakes")
    return found


def parenthesised(text: str) -> Iterator[tuple[str, str]]:
    """What stands before each parenthesis, and in it."""
    opened = []
    for place, letter in enumerate(text):
        if letter == "(":
            opened.append(place)
        elif letter == ")" and opened:
            start = opened.pop()
            yield text[max(0, start - 40) : start].rstrip(), text[start + 1 : place].strip()


def collapsed(text: str) -> str:
    """Without what stands in parentheses."""
    while (shorter := re.sub(r"\([^()]*\)", "", text)) != text:
        text = shorter
    return text


def test_no_model_test_or_card_has_a_form_that_citus_refuses(
    landing_zone: LandingZone, dbt: Dbt, compiled: tuple[str, list[Model]], tmp_path: Path
) -> None:
    statements = {
        f"{model.name}, {way}, {number}": statement
        for model in compiled[1]
        for way, sent in model.statements.items()
        for number, statement in enumerate(sent)
    }
    landing_zone.connection.execute(STUB)
    result: Any = dbt.invoke("compile").result
    nodes = {
        done.node.name: done.node for done in result if str(done.node.resource_type) in ("model", "test")
    }
    selects = {name: node.compiled_code or "" for name, node in nodes.items()} | card_statements(
        dbt, tmp_path
    )
    assert len(statements) > 100 and len(selects) > 200
    wrong = {name: found for name, text in (statements | selects).items() if (found := wrong_forms(text))}
    assert not wrong, wrong

    views = {
        f"{node.schema}.{node.name}": node.compiled_code
        for node in nodes.values()
        if node.config.materialized == "view"
    }
    cluster = Cluster(wanted(dbt), views)
    refused = {name: found for name, text in selects.items() if (found := cluster.refused(text))}
    assert not refused, refused
    gathered = {name: found for name, text in selects.items() if (found := cluster.gathered(text))}
    assert not gathered, gathered


def card_statements(dbt: Dbt, folder: Path) -> dict[str, str]:
    """The cards, each with all of its filters."""
    dbt.write_manifest(folder / "manifest.json")
    manifest = load(folder / "manifest.json", PROJECT / "dbt_project", ("marts", "analytics"))
    statements = {}
    for key, card in loader.load().cards.items():
        values = {tag.key: CHOICES[tag.key] for tag in card.tags}
        text, _ = render(card, manifest.relations, manifest.variables, values)
        statements[key] = re.sub(r"%\(\w+\)s", "null", text).replace("%%", "%")
    return statements


@pytest.mark.parametrize(
    "statement",
    [
        "with recursive x as (select 1) select * from x",
        "select case kind when '1' then 'one' end from t",
        "select * from t cross join lateral jsonb_to_record(t.payload) as r (a text)",
        "select * from t cross join lateral (select (t.payload ->> 'day')::date as day) as d",
        "select * from t cross join lateral (select jsonb_build_object('a', t.b) as c) as d",
        "select sum((select max(x) from u)) from t",
        "select * from t left join lateral (select e.* from f(t.a) as g, lateral f(g.b) as e) as d on true",
    ],
)
def test_that_check_finds_what_was_seen_to_fail(statement: str) -> None:
    assert len(wrong_forms(statement)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "select case when kind = '1' then 'one' end from t -- case x when",
        "select 'with recursive', to_char(day, 'YYYY') from t",
        "select * from t cross join lateral (select t.payload ->> 'day' as day) as d",
        "select * from t cross join lateral (select day::date from u where u.id = t.id) as d",
    ],
)
def test_and_nothing_else(statement: str) -> None:
    assert wrong_forms(statement) == []


CLUSTER = Cluster(
    {"m.fact": "movie_id", "m.film": "movie_id", "m.day": None}, {"v.top": "select * from m.fact limit 9"}
)
EACH_FACT = "(select 1 from m.fact where fact.movie_id = {} limit 1)"


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("select * from m.film where exists " + EACH_FACT.format("film.movie_id"), 0),
        ("select * from m.day where exists " + EACH_FACT.format("day.movie_id"), 1),
        ("select * from v.top where exists " + EACH_FACT.format("top.movie_id"), 1),
        ("select * from m.day where day.id in (select fact.day_id from m.fact)", 0),
        ("select * from m.fact where exists (select 1 from m.day where day.id = fact.day_id)", 0),
        ("select * from m.film cross join lateral " + EACH_FACT.format("film.movie_id") + " as f", 0),
        (
            "with d as (select max(id) as id from m.day) select * from d cross join m.film cross join lateral"
            " (select 1 from m.fact where fact.movie_id = film.movie_id and fact.day_id < d.id limit 1) as f",
            1,
        ),
        (
            "with d as (select max(id) as id from m.day) select * from m.film cross join lateral"
            " (select 1 from m.fact where fact.movie_id = film.movie_id and fact.day_id < (select id from d)"
            " limit 1) as f",
            0,
        ),
        (
            "with f as (select *, rank() over (order by x) from m.film)"
            " select (select sum(fact.x) from m.fact where fact.movie_id = f.movie_id) from f",
            1,
        ),
    ],
)
def test_that_check_knows_what_can_be_looked_up(statement: str, refused: int) -> None:
    assert len(CLUSTER.refused(statement)) == refused


BOTH = "(select movie_id, day_id from m.fact union all select movie_id, day_id from m.film) as u"


@pytest.mark.parametrize(
    ("statement", "gathered"),
    [
        (f"select * from {BOTH}", 0),
        (f"select * from {BOTH} join m.film on film.movie_id = u.movie_id", 0),
        (f"select * from {BOTH} left join m.film on film.movie_id = u.movie_id", 1),
        (f"select * from {BOTH} cross join lateral unnest(u.fields) as f (field)", 1),
        ("select * from m.film cross join lateral unnest(film.fields) as f (field)", 0),
    ],
)
def test_that_check_knows_which_unions_come_to_the_coordinator(statement: str, gathered: int) -> None:
    assert len(CLUSTER.gathered(statement)) == gathered
