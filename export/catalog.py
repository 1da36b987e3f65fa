"""The marts and views as they are in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from common.errors import ConfigurationError
from export.columns import Column
from export.model import Model

# The catalog is open to everybody: what may not be read is seen here, before anything is written.
_RELATIONS: Final = """
    select
        n.nspname, c.relname, c.oid, c.relpages,
        has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
        array(
            select row(a.attname, format_type(a.atttypid, a.atttypmod))
            from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            order by a.attnum
        )
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and n.nspname = any(%s)
"""


@dataclass(frozen=True)
class Relation:
    """A model with its columns in the database; `pages`: of 8 KiB, 0 for a view."""

    model: Model
    columns: Sequence[Column]
    pages: int

    @property
    def sql(self) -> sql.Composable:
        """Its name."""
        return sql.Identifier(self.model.schema, self.model.alias)


def find(connection: psycopg.Connection, models: Sequence[Model]) -> list[Relation]:
    """The relations of the models. `ConfigurationError` names what is missing, or may not be read."""
    schemas = sorted({model.schema for model in models})
    found = {(row[0], row[1]): row[2:] for row in connection.execute(_RELATIONS.encode(), [schemas])}
    database, user = connection.info.dbname, connection.info.user
    missing = [model.name for model in models if (model.schema, model.alias) not in found]
    if len(missing) == len(models):
        raise ConfigurationError(
            f"the database {database} has no tables yet. Build them with `make elt` or, without an account,"
            " `make demo`; the demo's are in PGDATABASE=tmdb_demo"
        )
    if missing:
        raise ConfigurationError(
            f"the database {database} lacks {_listed(missing)}: build the tables with `make dbt`,"
            " or name those you want with --only"
        )
    relations = []
    forbidden = []
    for model in models:
        _, pages, may_read, columns = found[model.schema, model.alias]
        relations.append(Relation(model, [Column(*each) for each in columns], pages))
        forbidden += [] if may_read else [model.name]
    if forbidden:
        raise ConfigurationError(f"the role {user} may not read {_listed(forbidden)} in {database}")
    for relation in relations:
        for column in relation.columns:
            try:
                _ = column.decimal
            except ConfigurationError as error:
                raise ConfigurationError(f"{relation.model.name}.{error}") from None
    return relations


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
