"""Write docs/model.md from the catalog of a built warehouse: ``.venv/bin/python -m tools.model_page``.

Tables, keys and foreign keys are those that PostgreSQL has, the words are the comments that dbt put there: so
the page cannot say what is not so. The picture of the layers is the one of the docs site.
"""

import sys
from collections.abc import Sequence
from typing import Any

import psycopg

import warehouse
from warehouse.environment import PROJECT

PAGE = PROJECT / "docs" / "model.md"
OVERVIEW = PROJECT / "dbt_project" / "docs" / "overview.md"
RELATIONS = """
    select c.relname, obj_description(c.oid), n.nspname
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where
        n.nspname in ('staging', 'marts', 'analytics')
        and c.relkind in ('r', 'v')
        and c.relname ~ '^(dim|bridge|fact|agg|vw|int|stg_tmdb_)_'
    order by
        array_position(array['fact', 'dim_', 'brid', 'agg_'], left(c.relname, 4)),
        c.relname
"""
KEYS = """
    select t.relname, c.contype, array_agg(a.attname order by k.place), p.relname
    from pg_constraint as c
    inner join pg_class as t on t.oid = c.conrelid
    left join pg_class as p on p.oid = c.confrelid
    cross join lateral unnest(c.conkey) with ordinality as k (attnum, place)
    inner join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.attnum
    where c.connamespace::regnamespace::text in ('staging', 'marts') and c.contype in ('p', 'f')
    group by c.oid, t.relname, c.contype, p.relname
    order by t.relname, p.relname, 3
"""


def page(connection: psycopg.Connection) -> str:
    """The page's Markdown. Raises psycopg.Error where the tables are not there."""
    relations = connection.execute(RELATIONS.encode()).fetchall()
    keys = connection.execute(KEYS.encode()).fetchall()

    def rows(schema: str) -> list[str]:
        return [
            f"| `{name}` | {key_of(name, keys)} | {first_sentence(says)} |"
            for name, says, its_schema in relations
            if its_schema == schema
        ]

    lines = [
        "# The model",
        "",
        "Written by `tools/model_page.py` from the catalog of a built warehouse. Every column is described in"
        " the docs site (`make docs-serve`) and in PostgreSQL's comments; how to change it:"
        " [changing.md](changing.md).",
        "",
        "## The layers",
        "",
        layers(OVERVIEW.read_text(encoding="utf-8")),
        "",
        "## Tables (schema `marts`)",
        "",
        "| table | key | grain |",
        "| --- | --- | --- |",
        *rows("marts"),
        "",
        "Every line below is a foreign key that PostgreSQL enforces.",
        "",
        "```mermaid",
        "erDiagram",
        *(
            f"    {parent} ||--o{{ {child} : {'_'.join(columns)}"
            for child, kind, columns, parent in keys
            if kind == "f"
        ),
        "```",
        "",
        "## Views (schema `analytics`)",
        "",
        "| view | what it has |",
        "| --- | --- |",
        *(
            f"| `{name}` | {first_sentence(says)} |"
            for name, says, schema in relations
            if schema == "analytics"
        ),
        "",
        "## What marts are made of (schema `staging`)",
        "",
        "Not for queries of yours: their columns may change with any version.",
        "",
        "| table | key | grain |",
        "| --- | --- | --- |",
        *rows("staging"),
        "",
    ]
    return "\n".join(lines)


def layers(overview: str) -> str:
    """The picture of the layers, a block of code: the first one in the overview of the docs site."""
    return "```" + overview.split("```")[1] + "```"


def key_of(table: str, keys: Sequence[Any]) -> str:
    """The columns of the table's primary key."""
    return ", ".join(
        f"`{column}`"
        for name, kind, columns, _ in keys
        if name == table and kind == "p"
        for column in columns
    )


def first_sentence(text: str | None) -> str:
    """Up to the first full stop that ends a sentence."""
    words = " ".join((text or "").split())
    end = words.find(". ")
    return (words if end < 0 else words[: end + 1]).replace("|", "\\|")


def main() -> int:
    """Write the page; exit 2 when the warehouse cannot be reached or has no tables."""
    try:
        warehouse.enter()
        with warehouse.connect(application_name="tmdb-elt model page") as connection:
            text = page(connection)
    except (warehouse.WarehouseError, psycopg.Error) as error:
        print(f"docs/model.md was not written: {error}".strip(), file=sys.stderr)
        return 2
    if "dim_movie" not in text:
        print("docs/model.md was not written: build the tables first, with `make dbt`.", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
