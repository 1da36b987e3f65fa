"""Metabase's native queries, run on a real PostgreSQL as the role of the connection.

Written from Metabase's documentation, apart from the project's own templates: tags and optional clauses are
substituted here by another hand.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg


class QueryFailed(Exception):
    """What Metabase says in `error` of an answer with status failed."""


MOST_ROWS = 2000
"""Rows of a native query that Metabase shows; it cuts the rest off and says so in `rows_truncated`."""


def run(
    details: Mapping[str, Any],
    sql: str,
    tags: Mapping[str, Any],
    values: Mapping[str, Any],
    fields: Mapping[int, str],
) -> dict[str, Any]:
    """Rows and columns. `values` by tag; a tag without one has its default. Raises `QueryFailed`.

    `fields` are the columns that field filters may name, by id, as SQL writes them.
    """
    given = {}
    for name, tag in tags.items():
        value = values.get(name)
        if tag["type"] == "dimension":
            value = tag.get("default") if value in (None, []) else value
            column = fields[next(part for part in tag["dimension"][1:] if isinstance(part, int))]
            if value not in (None, []):
                given[name] = _Condition(*_field_filter(column, tag["widget-type"], value))
            continue
        if isinstance(value, list):
            if len(value) > 1:
                raise QueryFailed(f"{name}: a {tag['type']} variable takes one value")
            value = value[0] if value else None
        if value is None:
            value = tag.get("default")
        if value is None and tag.get("required"):
            raise QueryFailed(
                f"You'll need to pick a value for '{tag['display-name']}' before this query can run."
            )
        if value is not None:
            given[name] = _typed(tag, value)
    for name in re.findall(r"\{\{\s*([^\s}]+)\s*\}\}", sql):
        if name not in tags:
            raise QueryFailed(f"no template tag {name!r}")

    parameters: list[Any] = []
    bare = {name for name, tag in tags.items() if tag["type"] == "dimension"}
    text = "".join(_parts(sql.replace("%", "%%"), given, parameters, bare))
    with _connect(details) as connection:
        try:
            cursor = connection.execute(text.encode(), parameters)
            rows = cursor.fetchmany(MOST_ROWS)
            cut = cursor.rowcount > MOST_ROWS
        except psycopg.Error as error:
            raise QueryFailed(f"ERROR: {error}") from error
        assert cursor.description
        columns = [
            {"name": c.name, "display_name": c.name, "base_type": "type/*"} for c in cursor.description
        ]
    data = {"rows": [[_plain(value) for value in row] for row in rows], "cols": columns}
    return data | ({"rows_truncated": MOST_ROWS} if cut else {})


class _Condition:
    """What a field filter becomes."""

    def __init__(self, sql: str, parameters: list[Any]) -> None:
        self.sql, self.parameters = sql, parameters


def _field_filter(column: str, widget: str, value: Any) -> tuple[str, list[Any]]:
    """The condition that Metabase writes for a filter on a column."""
    values = value if isinstance(value, list) else [value]
    if widget in ("string/=", "number/="):
        return f"{column} = any(array[{', '.join(['%s'] * len(values))}])", values
    if widget == "string/contains":
        tests = [f"position(lower(%s) in lower({column})) > 0" for _ in values]
        return f"({' or '.join(tests)})", values
    if widget == "number/between":
        return f"({column} >= %s and {column} <= %s)", values
    if widget == "date/range":
        first, last = str(values[0]).split("~")
        return (
            f"{column} between %s::date and %s::date",
            [dt.date.fromisoformat(first), dt.date.fromisoformat(last)],
        )
    raise QueryFailed(f"the tests' server knows no filter {widget}")


def _parts(sql: str, given: Mapping[str, Any], parameters: list[Any], bare: set[str]) -> Sequence[str]:
    parts = []
    for piece in re.split(r"(\[\[.*?\]\])", sql, flags=re.DOTALL):
        optional = piece.startswith("[[")
        inner = piece[2:-2] if optional else piece
        names = re.findall(r"\{\{\s*([^\s}]+)\s*\}\}", inner)
        if any(name not in given for name in names):
            if optional:
                continue
            missing = next((name for name in names if name not in given and name not in bare), None)
            if missing is not None:
                raise QueryFailed(f"You'll need to pick a value for '{missing}'")
        for number, part in enumerate(re.split(r"\{\{\s*([^\s}]+)\s*\}\}", inner)):
            if number % 2 == 0:
                parts.append(part)
            elif part not in given:
                parts.append("1 = 1")
            elif isinstance(given[part], _Condition):
                parameters.extend(given[part].parameters)
                parts.append(given[part].sql)
            elif isinstance(given[part], str):
                parameters.append(given[part])
                parts.append("%s")
            else:
                parts.append(str(given[part]))
    return parts


def _typed(tag: Mapping[str, Any], value: Any) -> Any:
    if tag["type"] == "number":
        try:
            return int(value) if float(value) == int(float(value)) else float(value)
        except (TypeError, ValueError):
            raise QueryFailed(f"Error parsing value {value!r} as a number") from None
    if tag["type"] == "date":
        return dt.date.fromisoformat(value).isoformat()
    if tag["type"] == "text":
        return str(value)
    raise QueryFailed(f"the tests' server knows no tag of type {tag['type']}")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _connect(details: Mapping[str, Any]) -> psycopg.Connection:
    return psycopg.connect(
        host=details["host"],
        port=details["port"],
        dbname=details["dbname"],
        user=details["user"],
        password=details.get("password"),
        autocommit=True,
    )


def tables(details: Mapping[str, Any]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(schema, table, [(column, type)]) as the role sees them, of the schemas that the connection takes."""
    assert details["schema-filters-type"] == "inclusion"
    schemas = details["schema-filters-patterns"].split(",")
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    with _connect(details) as connection:
        for schema, table, column, kind in connection.execute(
            "select table_schema, table_name, column_name, data_type from information_schema.columns"
            " where table_schema = any(%s) order by 1, 2, ordinal_position",
            (schemas,),
        ):
            found.setdefault((schema, table), []).append((column, kind))
    return [(schema, table, columns) for (schema, table), columns in found.items()]
