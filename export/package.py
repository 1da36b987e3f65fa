"""The data package descriptor, datapackage.json: https://specs.frictionlessdata.io/data-package/"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from common.version import version
from export.catalog import Relation
from export.columns import Column
from export.files import Format, Written
from export.model import Model

Described = tuple[Relation, Written]


def descriptor(
    form: Format, database: str, moment: dt.datetime, written: Sequence[Described]
) -> dict[str, Any]:
    """The whole of it; foreign keys to relations that are not among `written` are left out."""
    names = {relation.model.name for relation, _ in written}
    return {
        "profile": "data-package",
        "name": database.lower().replace("_", "-"),
        "title": "TMDB's films with daily measures",
        "description": (
            f"The marts and views of the database {database} as of {moment:%Y-%m-%d %H:%M:%S} UTC, written by"
            f" tmdb-elt {version()}. Days are UTC. This product uses the TMDB API but is not endorsed or"
            " certified by TMDB."
        ),
        "created": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "sources": [{"title": "TMDB", "path": "https://www.themoviedb.org"}],
        "resources": [_resource(form, names, *each) for each in written],
    }


def _resource(form: Format, names: set[str], relation: Relation, written: Written) -> Mapping[str, Any]:
    model = relation.model
    schema: dict[str, Any] = {"fields": [_field(form, model, column) for column in relation.columns]}
    if form.name == "csv":
        schema["missingValues"] = [""]
    if model.primary_key:
        schema["primaryKey"] = list(model.primary_key)
    keys = [key for key in model.foreign_keys if key.target in names]
    if keys:
        schema["foreignKeys"] = [
            {"fields": [key.column], "reference": {"resource": key.target, "fields": [key.target_column]}}
            for key in keys
        ]
    return {
        "name": model.name,
        "path": written.path.name,
        "profile": "tabular-data-resource" if form.name == "csv" else "data-resource",
        "description": model.description,
        "format": form.name,
        "mediatype": form.media_type,
        "encoding": "utf-8",
        "rowCount": written.rows,
        "schema": schema,
    }


def _field(form: Format, model: Model, column: Column) -> Mapping[str, Any]:
    """A column; `postgresType`, beside what the standard has, says of how many digits a number is."""
    field: dict[str, Any] = {"name": column.name, "type": column.package_type, "postgresType": column.type}
    if form.name == "csv" and column.package_type == "datetime":
        field["format"] = "%Y-%m-%d %H:%M:%S.%f" + ("%z" if "with time zone" in column.type else "")
    if description := model.columns.get(column.name):
        field["description"] = description
    constraints = {
        name: True
        for name, holds in (
            ("required", column.name in model.required),
            ("unique", column.name in model.unique and [column.name] != list(model.primary_key)),
        )
        if holds
    }
    return {**field, "constraints": constraints} if constraints else field
