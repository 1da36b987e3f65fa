"""Which subqueries Citus would refuse, found without Citus: those that name what is in the query around them.

Rows of a distributed table can be looked up for each row that is on the same node. Rows of a reference
table, and all that Citus gathers first (a CTE that is read twice, a sum, a rank, the first ten), are on no
node alone: nothing distributed can be looked up for them.
"""

from collections.abc import Iterable, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, ScopeType, traverse_scope


class Cluster:
    """Tables by ``schema.name`` with the column that distributes them (None: reference), and views' SQL."""

    def __init__(self, tables: Mapping[str, str | None], views: Mapping[str, str]) -> None:
        self._tables = tables
        self._views = {name: _parsed(sql) for name, sql in views.items()}

    def refused(self, statement: str) -> list[str]:
        """Each subquery that Citus refuses, as its text, with why."""
        query = _parsed(statement)
        return [f"{why}: {scope.expression.sql('postgres')}" for scope, why in self._refused(query)]

    def gathered(self, statement: str) -> list[str]:
        """Each query for which Citus gathers a ``union all`` of distributed tables, to join it."""
        query = _parsed(statement)
        return [
            scope.expression.sql("postgres")
            for scope in traverse_scope(query)
            if any(_is_outer_or_lateral(join) for join in scope.expression.args.get("joins") or ())
            and any(self._is_spread_union(source, query) for source in _sources(scope))
        ]

    def _is_spread_union(self, source: exp.Expr | Scope, query: exp.Expr) -> bool:
        return (
            isinstance(source, Scope)
            and isinstance(source.expression, exp.SetOperation)
            and not source.expression.args.get("distinct")
            and self._is_spread(source, query)
        )

    def _refused(self, query: exp.Expr) -> Iterator[tuple[Scope, str]]:
        for scope in traverse_scope(query):
            outside = _outside(scope)
            if not outside or not self._is_spread(scope, query):
                continue
            around = [self._is_source_spread(source, query) for source in outside]
            if not any(around):
                yield scope, "distributed rows for each row of what is not distributed"
            elif not all(around) and (scope.expression.args.get("limit") or _sums_up(scope)):
                yield scope, "a limit or a sum for each row of what is not distributed"

    def _is_spread(self, scope: Scope, query: exp.Expr) -> bool:
        """Whether the rows that a scope reads are on their nodes when it begins."""
        if scope.set_operation_scopes:
            return all(self._is_spread(part, query) for part in scope.set_operation_scopes)
        return any(self._is_source_spread(source, query) for source in _sources(scope))

    def _is_source_spread(self, source: exp.Expr | Scope, query: exp.Expr) -> bool:
        """Whether rows of a table, a view, a CTE or a subquery stay on their nodes."""
        if isinstance(source, exp.Table):
            name = f"{source.db}.{source.name}"
            if name in self._views:
                view = self._views[name]
                return self._is_kept(traverse_scope(view)[-1], view)
            return self._tables.get(name) is not None
        return isinstance(source, Scope) and self._is_kept(source, query)

    def _is_kept(self, scope: Scope, query: exp.Expr) -> bool:
        """Whether what a scope returns stays where its rows were."""
        if scope.scope_type == ScopeType.UDTF:
            # what a lateral subquery finds for a row is where that row is
            return all(_outside(part) or self._is_kept(part, query) for part in scope.subquery_scopes)
        select = scope.expression
        if isinstance(select, exp.SetOperation):
            return not select.args.get("distinct") and self._is_spread(scope, query)
        cte = select.parent
        if isinstance(cte, exp.CTE) and cte.args.get("materialized") is not False:
            read = [table for table in query.find_all(exp.Table) if table.name == cte.alias and not table.db]
            if len(read) > 1 or cte.args.get("materialized"):
                return False
        gathers = select.args.get("limit") or select.args.get("offset") or _sums_up(scope) or _ranks(select)
        return not gathers and self._is_spread(scope, query)


def _parsed(statement: str) -> exp.Expr:
    return sqlglot.parse_one(statement, dialect="postgres")


def _sources(scope: Scope) -> Iterable[exp.Expr | Scope]:
    return [source for _, source in scope.selected_sources.values()]


def _is_outer_or_lateral(join: exp.Join) -> bool:
    return bool(join.side) or isinstance(join.this, exp.Lateral)


def _outside(scope: Scope) -> list[exp.Expr | Scope]:
    """What a subquery names of the queries around it."""
    if scope.scope_type not in (ScopeType.SUBQUERY, ScopeType.DERIVED_TABLE, ScopeType.SET_OPERATION):
        return []
    own = set(scope.selected_sources)
    named = {column.table for column in scope.external_columns if column.table} - own
    found = {}
    parent = scope.parent
    while parent:
        for alias, (_, source) in parent.selected_sources.items():
            if alias in named - set(found):
                found[alias] = source
        # what stands in the same FROM before a lateral subquery
        for alias in named - set(found):
            if parent.scope_type == ScopeType.UDTF and alias in parent.sources:
                found[alias] = parent.sources[alias]
        parent = parent.parent
    return list(found.values())


def _sums_up(scope: Scope) -> bool:
    """Whether rows of several films become one."""
    select = scope.expression
    group = select.args.get("group")
    if group or select.args.get("distinct"):
        by = group.expressions if group else select.expressions
        return "movie_id" not in {column.name for key in by for column in key.find_all(exp.Column)}
    return any(
        found.find_ancestor(exp.Select) is select and not isinstance(found.parent, (exp.Window, exp.Filter))
        for found in select.find_all(exp.AggFunc)
    )


def _ranks(select: exp.Expr) -> bool:
    """Whether a window goes over rows of several films."""
    windows = (window for window in select.find_all(exp.Window) if window.find_ancestor(exp.Select) is select)
    return any(
        "movie_id" not in {key.name for key in window.args.get("partition_by") or ()} for window in windows
    )
