"""Each card's SQL against dbt's models: every relation is a model, every column one of its columns.

PostgreSQL would say the same, but only when a card is run; this needs no database and names file and line.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.optimizer.scope import Scope, traverse_scope

from metabase.errors import Problem, SpecError
from metabase.manifest import Manifest
from metabase.spec import Card, CardValues, Spec

_LITERALS = {"text": "'x'", "number": "1", "date": "date '2000-01-01'"}

_COLUMN_LISTS = ("graph.dimensions", "graph.metrics")
_COLUMN_NAMES = (
    "pie.dimension",
    "pie.metric",
    "scalar.field",
    "funnel.dimension",
    "funnel.metric",
    "map.dimension",
    "map.metric",
    "map.latitude_column",
    "map.longitude_column",
    "scatter.bubble",
)


def check(spec: Spec, manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Check all cards; the columns that each returns, by card key. Raises `SpecError` with every problem."""
    problems: list[Problem] = []
    columns: dict[str, tuple[str, ...]] = {}
    for key, card in spec.cards.items():
        try:
            columns[key] = output_columns(card, manifest)
        except SpecError as error:
            problems += error.problems
            continue
        problems += _settings_problems(card, columns[key])
    for dashboard in spec.dashboards:
        for item in dashboard.filters:
            values = item.values
            if isinstance(values, CardValues) and values.column not in columns.get(
                values.card, [values.column]
            ):
                message = (
                    f"the filter {item.key!r} offers {values.column!r}, which {values.card!r} does not return"
                )
                problems.append(Problem(dashboard.path, 1, message))
    if problems:
        raise SpecError(problems)
    return columns


def output_columns(card: Card, manifest: Manifest) -> tuple[str, ...]:
    """The names of the columns that the card's SQL returns. Raises `SpecError` for names that don't exist."""
    sql = card.sql
    problems = []
    for name, offsets in sql.refs.items():
        if name not in manifest.models:
            what = "is unknown"
            if name in manifest.others:
                what = "is not for dashboards (they read marts and analytics)"
            message = f"ref('{name}'): the model {what}{_nearest(name, manifest.models)}"
            problems += [sql.problem(offset, message) for offset in offsets]
    for name, offsets in sql.variables.items():
        if name not in manifest.variables:
            problems += [
                sql.problem(offset, f"var('{name}') is not in dbt_project.yml") for offset in offsets
            ]
    if problems:
        raise SpecError(problems)
    types = {tag.key: tag.type for tag in card.tags}
    text = sql.with_literals(manifest.relations, manifest.variables, lambda tag: _LITERALS[types[tag]])
    try:
        statements = sqlglot.parse(text, dialect="postgres")
    except ParseError as error:
        first = error.errors[0] if error.errors else {"line": 1, "description": str(error)}
        message = f"is no SQL: {first['description']} near {first.get('highlight', '')!r}"
        raise SpecError([sql.problem_in_line(first["line"] or 1, message)]) from error
    query = statements[0] if len(statements) == 1 else None
    if not isinstance(query, exp.Query):
        raise SpecError([sql.problem_in_line(1, "must be one select statement")])

    by_relation = {model.relation: model for model in manifest.models.values()}
    for scope in traverse_scope(query):
        for line, message in _scope_problems(scope, by_relation):
            problems.append(sql.problem_in_line(line, message))
    outputs = tuple(query.named_selects)
    for name in outputs:
        if not name or name == "*":
            problems.append(
                sql.problem_in_line(1, 'name every column that the last select returns (`as "…"`)')
            )
        elif outputs.count(name) > 1:
            problems.append(sql.problem_in_line(1, f"returns two columns {name!r}"))
    if problems:
        raise SpecError(problems)
    return outputs


def _scope_problems(scope: Scope, models: Mapping[str, Any]) -> Iterable[tuple[int, str]]:
    known: dict[str, set[str] | None] = {}
    for alias, source in _sources(scope).items():
        known[alias] = None
        if isinstance(source, Scope):
            outer = source.outer_columns
            known[alias] = set(outer) if outer else _outputs(source)
        elif isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            relation = f"{source.db}.{source.name}" if source.db else source.name
            if relation in models:
                known[alias] = set(models[relation].columns)
            elif not (source.args.get("alias") and source.alias_column_names):
                yield _line(source), f"{relation} is read by its name: write {{{{ ref('model') }}}}"
    joined = {
        name.name
        for join in scope.expression.args.get("joins") or ()
        for name in join.args.get("using") or ()
    }
    aliases = {select.alias for select in getattr(scope.expression, "selects", []) if select.alias}
    for column in scope.columns:
        name, table = column.name, column.table
        if isinstance(column.this, exp.Star):
            continue
        if table:
            if table in known:
                columns = known[table]
                if columns is not None and name not in columns:
                    yield _line(column), f"{table} has no column {name!r}{_nearest(name, columns)}"
            elif scope.parent is None:
                yield _line(column), f"nothing here is called {table!r}"
        elif name not in aliases and not any(
            columns is None or name in columns for columns in known.values()
        ):
            yield _line(column), f"there is no column {name!r}"
        else:
            here = [alias for alias in scope.selected_sources if name in (known.get(alias) or ())]
            if len(here) > 1 and name not in joined and name not in aliases:
                yield _line(column), f"{name!r} is a column of {' and of '.join(here)}: say whose"


def _sources(scope: Scope) -> dict[str, Any]:
    """What the names in a scope stand for, those of the queries around it included."""
    around = _sources(scope.parent) if scope.parent else {}
    return {**around, **{alias: source for alias, (_, source) in scope.selected_sources.items()}}


def _outputs(source: Scope) -> set[str] | None:
    """The columns a subquery returns; None where that can't be told."""
    expression = source.expression
    names = set(getattr(expression, "named_selects", []))
    return None if not names or "*" in names else names


def _line(node: exp.Expression) -> int:
    for identifier in node.find_all(exp.Identifier):
        if "line" in identifier.meta:
            return int(identifier.meta["line"])
    return 1


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, list(names), 1)
    return f"; is it {found[0]!r}?" if found else ""


def _settings_problems(card: Card, columns: tuple[str, ...]) -> Iterable[Problem]:
    """Metabase stores any name in the settings and draws nothing for one that the query doesn't return."""
    import json

    named: list[tuple[str, str]] = []
    for key in _COLUMN_LISTS:
        named += [(key, name) for name in card.settings.get(key, ())]
    for key in _COLUMN_NAMES:
        if card.settings.get(key):
            named.append((key, card.settings[key]))
    named += [("table.columns", column["name"]) for column in card.settings.get("table.columns", ())]
    named += [("columns", json.loads(key)[1]) for key in card.settings.get("column_settings", {})]
    path, line = card.source
    for key, name in named:
        if name not in columns:
            yield Problem(
                path, line, f"{key} of the card {card.key!r} names {name!r}, which its SQL does not return"
            )
