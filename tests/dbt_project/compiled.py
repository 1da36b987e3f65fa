"""The statements that dbt runs, compiled once and played again on another state of the tables.

A build of dbt takes seconds, of which all but a few tenths are dbt's own. Here dbt builds the project on an
empty landing zone in each of its ways, and what it sent to PostgreSQL is kept, model by model; a test then
plays that on whatever it has landed. Only the bounds of what is new, and whether all that a model reads has
come to one load, stand in these statements as literals; they are computed as
`dbt_project/macros/changes.sql` does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.dbt_project.runner import Dbt

#: How dbt is told to build, by what a person asks for.
WAYS: dict[str, tuple[str, ...]] = {
    "increment": (),
    "full refresh": ("--full-refresh",),
    "reparse": ("--full-refresh", "--vars", "reparse: true"),
}

_BOUND = re.compile(r"([\w.]*load_id (>|<=)) -?\d+")
#: Whether all that a model reads has come to one load.
_ONE_LOAD = re.compile(r"\(-?\d+ = -?\d+\)")
_WATERMARK = re.compile(
    r"(insert into ops\.watermark.*?select '\w+', )least\(.*?\)(\s+on conflict)", re.DOTALL
)


@dataclass
class Model:
    """A table of the project: the statements that each way of building it takes."""

    name: str
    parents: list[str]
    kept: bool
    statements: dict[str, list[str]] = field(default_factory=dict, repr=False)


def compile_project(dbt: Dbt) -> list[Model]:
    """The tables in the order of the graph, from builds of an empty landing zone, which stay."""
    dbt("seed")
    dbt("run", "--threads", "1")
    models: dict[str, Model] = {}
    for way, options in WAYS.items():
        events: list[Any] = []
        result = dbt.invoke(
            "run", "--threads", "1", "--exclude", "config.materialized:view", *options, seen=events.append
        )
        assert result.success, result.exception
        for event in events:
            if event.info.name != "SQLQuery":
                continue
            name = event.data.node_info.node_name
            node = dbt.manifest.nodes.get(f"model.tmdb.{name}")
            if node is None:
                continue
            statement = re.sub(r"^\s*/\*.*?\*/", "", event.data.sql, count=1, flags=re.DOTALL).strip()
            statement = statement.replace(
                f'"{node.database}".', ""
            )  # a copy of this database has another name
            if re.match(r"(create temporary table|insert|delete|drop table)", statement):
                model = models.setdefault(
                    name, Model(name, _parents(dbt, node), node.config.meta.get("kept", False))
                )
                model.statements.setdefault(way, []).append(statement)
    return list(models.values())


def _parents(dbt: Dbt, node: Any) -> list[str]:
    """The tables that a model reads, itself or through a view."""
    found = []
    for id_ in node.depends_on.nodes:
        parent = dbt.manifest.nodes.get(id_)
        if parent is None or parent.resource_type != "model":
            continue
        found += [parent.name] if parent.config.materialized == "incremental" else _parents(dbt, parent)
    return found


class Warehouse:
    """Plays builds on a connection, all within its transaction."""

    def __init__(self, connection: psycopg.Connection[Any], models: list[Model]) -> None:
        self._connection = connection
        self.models = models

    def build(
        self, way: str = "increment", only: Iterable[str] | None = None, stop_after: int | None = None
    ) -> None:
        """Build as ``way`` says: ``only`` some of the tables, or killed after so many of them."""
        chosen = None if only is None else set(only)
        horizon = self._one(
            "select greatest((select max(load_id) from raw.tmdb_response),"
            " (select max(load_id) from ops.watermark))"
        )
        self._connection.execute(
            "insert into ops.build (invocation_id, load_id) select gen_random_uuid()::text, %s", (horizon,)
        )
        taken = dict(self._connection.execute("select relation, load_id from ops.watermark").fetchall())
        played: list[str] = []
        for model in self.models[:stop_after]:
            if chosen is not None and model.name not in chosen:
                continue
            read = [taken.get(parent, 0) for parent in model.parents]
            available = min([horizon, *read])
            is_one_load = available == max(read, default=available)
            anew = way == "reparse" if model.kept else way != "increment"
            since = -1 if anew else taken[model.name]

            def bound(match: re.Match[str], since: int = since, available: int = available) -> str:
                return f"{match[1]} {since if match[2] == '>' else available}"

            for statement in model.statements[way]:
                bounded = _ONE_LOAD.sub(str(is_one_load), _BOUND.sub(bound, statement))
                played.append(_WATERMARK.sub(rf"\g<1>{available}\g<2>", bounded))
            is_whole = is_one_load or model.kept or not anew
            taken[model.name] = available if is_whole else min(available, taken[model.name])
        # all at once: hundreds of ways to the server and back would take longer than most statements
        self._connection.execute("\n;\n".join([*played, "discard temp"]).encode())

    def _one(self, query: str) -> Any:
        row = self._connection.execute(query.encode()).fetchone()
        assert row
        return row[0]
