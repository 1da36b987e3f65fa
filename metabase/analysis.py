"""Each card's SQL against dbt's models: every relation is a model, every column one of its columns.

PostgreSQL would say the same, but only when a card is run; this needs no database and names file and line.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from metabase.errors import Problem, SpecError
from metabase.loader import nearest, schema
from metabase.manifest import Manifest
from metabase.spec import FIELD, Card, CardValues, Column, Dashboard, Spec

_LITERALS = {"text": "'x'", "number": "1", "date": "date '2000-01-01'"}
_GRAPHS = ("bar", "line", "area", "combo", "row", "scatter", "waterfall")


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
        problems += [Problem(*card.source, text) for text in _settings_problems(card, columns[key])]
    for dashboard in spec.dashboards:
        problems += _dashboard_problems(dashboard, columns, manifest)
    for name in spec.tables:
        if name not in manifest.models:
            message = f"tables: there is no model {name!r}{nearest(name, manifest.models)}"
            problems.append(Problem(spec.folder / "metabase.yml", 1, message))
    if problems:
        raise SpecError(problems)
    return columns


def _dashboard_problems(
    dashboard: Dashboard, columns: Mapping[str, tuple[str, ...]], manifest: Manifest
) -> Iterator[Problem]:
    for item in dashboard.filters:
        for values in (item.values, item.preview.order):
            if isinstance(values, CardValues) and values.column not in columns.get(
                values.card, [values.column]
            ):
                message = (
                    f"the filter {item.key!r} offers {values.column!r}, which {values.card!r} does not return"
                )
                yield Problem(dashboard.path, 1, message)
        if item.column:
            for text in _column_problems(item.column, manifest):
                yield Problem(dashboard.path, 1, f"the filter {item.key!r}: {text}")
    for place in dashboard.items:
        known = columns.get(place.card or "")
        if known is None:
            continue
        where = f"{dashboard.name}: the place of {place.card!r}"
        named = [*_named_columns("place_settings", place.settings)]
        for click in place.clicks:
            named += [("click", name) for name in (click.column, *click.sets.values()) if name]
            named += [("click", name) for name in _template_columns(click.url or "")]
        for key, name in named:
            if name not in known:
                message = f"{where}: {key} names {name!r}, which its SQL does not return"
                yield Problem(dashboard.path, 1, message + nearest(name, known))


def _column_problems(column: Column, manifest: Manifest) -> Iterator[str]:
    model = manifest.models.get(column.model)
    if model is None:
        yield f"there is no model {column.model!r} for dashboards{nearest(column.model, manifest.models)}"
    elif column.name not in model.columns:
        yield f"{column.model} has no column {column.name!r}{nearest(column.name, model.columns)}"


def output_columns(card: Card, manifest: Manifest) -> tuple[str, ...]:
    """The names of the columns that the card's SQL returns. Raises `SpecError` for names that don't exist."""
    sql = card.sql
    problems = []
    for name, offsets in sql.refs.items():
        if name not in manifest.models:
            what = "is unknown"
            if name in manifest.others:
                what = "is not for dashboards (they read marts and analytics)"
            message = f"ref('{name}'): the model {what}{nearest(name, manifest.models)}"
            problems += [sql.problem(offset, message) for offset in offsets]
    for name, offsets in sql.variables.items():
        if name not in manifest.variables:
            problems += [
                sql.problem(offset, f"var('{name}') is not in dbt_project.yml") for offset in offsets
            ]
    for tag in card.tags:
        if tag.column:
            problems += [
                sql.problem(sql.tags[tag.key], text) for text in _column_problems(tag.column, manifest)
            ]
    if problems:
        raise SpecError(problems)
    tags = {tag.key: tag for tag in card.tags}

    def literal(name: str) -> str:
        column = tags[name].column
        if tags[name].type == FIELD and column:
            return f"({manifest.relations[column.model]}.{column.name} is not null)"
        return _LITERALS[tags[name].type]

    text = sql.with_literals(manifest.relations, manifest.variables, literal)
    try:
        statements = sqlglot.parse(text, dialect="postgres")
    except ParseError as error:
        first = error.errors[0] if error.errors else {"line": 1, "description": str(error)}
        message = f"is no SQL: {first['description']} near {first.get('highlight', '')!r}"
        raise SpecError([sql.problem_in_line(first["line"] or 1, message)]) from error
    except (SqlglotError, RecursionError) as error:
        raise SpecError([sql.problem_in_line(1, f"is no SQL: {str(error).splitlines()[0]}")]) from error
    query = statements[0] if len(statements) == 1 else None
    if not isinstance(query, exp.Query):
        raise SpecError([sql.problem_in_line(1, "must be one select statement")])

    by_relation = {model.relation: model for model in manifest.models.values()}
    try:
        for scope in traverse_scope(query):
            for line, message in _scope_problems(scope, by_relation):
                problems.append(sql.problem_in_line(line, message))
    except (SqlglotError, RecursionError) as error:
        raise SpecError([sql.problem_in_line(1, f"can't be checked: {error}")]) from error
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
        if column.args.get("db") and table not in known:
            yield (
                _line(column),
                f"a filter on {table}.{name} stands here, and {table} is not read here by its own name:"
                " Metabase writes the condition with that, so give it no alias",
            )
        elif table:
            if table in known:
                columns = known[table]
                if columns is not None and name not in columns:
                    yield _line(column), f"{table} has no column {name!r}{nearest(name, columns)}"
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


def _settings_problems(card: Card, columns: tuple[str, ...]) -> Iterable[str]:
    """Metabase stores any name in the settings and draws nothing for one that the query doesn't return."""
    settings = card.settings
    named = [*_named_columns("settings", settings)]
    metrics = settings.get("graph.metrics") or ()
    if card.display in _GRAPHS and len(settings.get("graph.dimensions") or ()) == 1 and metrics:
        # with a second dimension they are called by its values, which only the data know
        for name in settings.get("series_settings") or {}:
            if name not in metrics:
                yield f"series_settings of the card {card.key!r} names {name!r}, which is no metric of it"
    for key, name in named:
        if name not in columns:
            yield (
                f"{key} of the card {card.key!r} names {name!r}, which its SQL does not return"
                f"{nearest(name, columns)}"
            )


def _named_columns(kind: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Setting and column, for every column that known settings name; the schema says where they do."""
    known = _properties(kind)
    for key, value in settings.items():
        if key == "column_settings":
            for column, inner in value.items():
                yield "columns", json.loads(column)[1]
                for name in _names(_definitions()["column_settings"], inner):
                    yield "columns", name
        elif key in known:
            for name in _names(known[key], value):
                yield key, name


def _names(part: Mapping[str, Any], value: Any) -> Iterator[str]:
    kind = part.get("x-names")
    if isinstance(value, str) and kind == "column":
        yield value
    elif isinstance(value, str) and kind == "template":
        yield from _template_columns(value)
    elif isinstance(value, list):
        for one in value:
            yield from _names(part.get("items", {}), one)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _names(part.get("properties", {}).get(key, {}), one)


def _template_columns(text: str) -> Iterator[str]:
    """The columns in ``{{Film}}`` of a link; ``{{filter:genre}}`` is none."""
    for match in re.finditer(r"\{\{([^{}]+)\}\}", text):
        if ":" not in match[1]:
            yield match[1].strip()


@cache
def _definitions() -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = schema()["$defs"]
    return definitions


def _properties(kind: str) -> Mapping[str, Any]:
    part = _definitions()[kind]
    return {**_definitions()["known_settings"]["properties"], **part.get("properties", {})}
