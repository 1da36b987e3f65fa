"""Reading the marts back, and holding them against what they should be."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tests.dbt_project.expected import Landed
from tests.dbt_project.expected_views import Views

Read = Callable[[str], list[tuple[Any, ...]]]

RELATIONS = """
    select n.nspname, c.relname, array_agg(a.attname::text order by a.attnum)
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where
        n.nspname in ('marts', 'analytics')
        and c.relkind in ('r', 'v')
        and c.relname ~ '^(dim|bridge|fact|agg|vw)_'
        and a.attname not in ('load_id', 'content_hash')
    group by 1, 2
    order by 1, 2
"""
#: Views on the runs and the tests, which the films say nothing of.
ON_THE_RUNS = {"vw_pipeline_run", "vw_pipeline_failure", "vw_data_quality"}
#: Views that come in an order.
ORDERED = {"vw_top_movies", "vw_rising_movies", "vw_release_calendar"}


def everything(read: Read) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the tables of the marts, as text, without lineage; without the calendar, which is long."""
    return {
        table: sorted(read(f"select (to_jsonb(t) - 'load_id')::text from marts.{table} as t"))
        for schema, table, _ in read(RELATIONS)
        if schema == "marts" and table != "dim_date"
    }


def assert_as_landed(read: Read, landed: Iterable[Landed]) -> None:
    """Every table and view, in all rows and columns, equals what plain Python makes of the payloads."""
    expected = Views(landed, dt.datetime.now(dt.UTC).date())
    relations = [row for row in read(RELATIONS) if row[1] not in ON_THE_RUNS]
    assert {name for _, name, _ in relations} == {
        name for name in dir(Views) if name.partition("_")[0] in ("dim", "bridge", "fact", "agg", "vw")
    }
    for schema, name, columns in relations:
        shown = read(f"select {', '.join(columns)} from {schema}.{name}")
        computed = getattr(expected, name)()
        assert not computed or set(computed[0]) == set(columns), name
        wanted = [tuple(row[column] for column in columns) for row in computed]
        if name == "vw_release_calendar":
            place = columns.index("genre_names")
            shown = [(*row[:place], alphabetical(row[place]), *row[place + 1 :]) for row in shown]
        if name in ORDERED:
            assert shown == wanted, name
        wrong, missing = Counter(shown) - Counter(wanted), Counter(wanted) - Counter(shown)
        assert not (wrong or missing), (name, columns, list(wrong)[:3], list(missing)[:3])


def alphabetical(names: str | None) -> str | None:
    """A list of names in Python's order of letters, which is not each database's."""
    return ", ".join(sorted(names.split(", "))) if names else None
