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


def run(
    details: Mapping[str, Any], sql: str, tags: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Rows and columns. `values` by tag; a tag without one has its default. Raises `QueryFailed`."""
    given = {}
    for name, tag in tags.items():
        value = values.get(name)
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
    text = "".join(_parts(sql.replace("%", "%%"), given, parameters))
    with _connect(details) as connection:
        try:
            cursor = connection.execute(text.encode(), parameters)
            rows = cursor.fetchall()
        except psycopg.Error as error:
            raise QueryFailed(f"ERROR: {error}") from error
        assert cursor.description
        columns = [
            {"name": c.name, "display_name": c.name, "base_type": "type/*"} for c in cursor.description
        ]
    return {"rows": [[_plain(value) for value in row] for row in rows], "cols": columns}


def _parts(sql: str, given: Mapping[str, Any], parameters: list[Any]) -> Sequence[str]:
    parts = []
    for piece in re.split(r"(\[\[.*?\]\])", sql, flags=re.DOTALL):
        optional = piece.startswith("[[")
        inner = piece[2:-2] if optional else piece
        names = re.findall(r"\{\{\s*([^\s}]+)\s*\}\}", inner)
        if any(name not in given for name in names):
            if optional:
                continue
            missing = next(name for name in names if name not in given)
            raise QueryFailed(f"You'll need to pick a value for '{missing}'")
        for number, part in enumerate(re.split(r"\{\{\s*([^\s}]+)\s*\}\}", inner)):
            if number % 2 == 0:
                parts.append(part)
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
