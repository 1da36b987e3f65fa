"""What dbt's manifest says of the marts and views: names, descriptions, primary and foreign keys."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from common.errors import ConfigurationError

SCHEMAS: Final = ("marts", "analytics")
"""The schemas of the dbt project that are for people."""

Node = Mapping[str, Any]


@dataclass(frozen=True)
class ForeignKey:
    """`column` points at `target_column` of the model `target`."""

    column: str
    target: str
    target_column: str


@dataclass
class Model:
    """A mart or view; `columns`: their descriptions by name, in the contract's order."""

    name: str
    schema: str
    alias: str
    description: str
    columns: Mapping[str, str]
    required: frozenset[str]
    """The columns that are never NULL."""
    unique: frozenset[str]
    """The columns of which no value occurs twice."""
    primary_key: Sequence[str] = ()
    foreign_keys: list[ForeignKey] = field(default_factory=list)


def load(path: Path) -> list[Model]:
    """The models of `SCHEMAS`, by name. Raises `ConfigurationError` when the file is no manifest."""
    try:
        nodes: Mapping[str, Node] = json.loads(path.read_bytes())["nodes"]
        tests = [n for n in nodes.values() if n["resource_type"] == "test" and n.get("test_metadata")]
        found = {
            key: _model(node, [test for test in tests if test.get("attached_node") == key])
            for key, node in nodes.items()
            if node["resource_type"] == "model"
            and node["config"]["schema"] in SCHEMAS
            and node["config"]["materialized"] != "ephemeral"
        }
    except OSError as error:
        raise ConfigurationError(
            f"dbt's manifest can't be read: {path}: {error.strerror}. `make dbt` writes it"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is no manifest of dbt's ({error!r})") from error
    models = sorted(found.values(), key=lambda model: model.name)
    dimension_keys = {model.primary_key[0] for model in models if len(model.primary_key) == 1}
    for model in models:
        if not model.primary_key:
            model.primary_key = _view_key(model, dimension_keys)
    for key, model in found.items():
        model.foreign_keys += _foreign_keys(test for test in tests if test.get("attached_node") == key)
    return models


def _model(node: Node, tests: Sequence[Node]) -> Model:
    constraints = [
        *((constraint, constraint["columns"]) for constraint in node["constraints"]),
        *((c, [name]) for name, column in node["columns"].items() for c in column["constraints"]),
    ]

    def constrained(kind: str) -> list[list[str]]:
        return [columns for constraint, columns in constraints if constraint["type"] == kind]

    def tested(kind: str) -> list[str]:
        """The columns with such a test, when a failure is an error and it is of all rows.

        A `where` of one word is the project's own for the rows that are new: in time it is of all, too.
        """
        return [
            test["test_metadata"]["kwargs"]["column_name"]
            for test in tests
            if test["test_metadata"]["name"] == kind
            and test["config"]["severity"].lower() == "error"
            and (test["config"].get("where") or "all").isidentifier()
        ]

    primary_key = next(iter(constrained("primary_key")), [])
    return Model(
        name=node["name"],
        schema=node["schema"],
        alias=node["alias"],
        description=node["description"].strip(),
        columns={name: column["description"].strip() for name, column in node["columns"].items()},
        required=frozenset(
            [*primary_key, *tested("not_null"), *(name for (name,) in constrained("not_null"))]
        ),
        unique=frozenset(tested("unique")) | {names[0] for names in constrained("unique") if len(names) == 1},
        primary_key=primary_key,
    )


def _view_key(model: Model, dimension_keys: set[str]) -> Sequence[str]:
    """The primary key of a model that has no constraint, as a view: what is tested to be unique and known.

    Of several, the key of a dimension goes before a rank.
    """
    candidates = [name for name in model.columns if name in model.unique & model.required]
    candidates.sort(key=lambda name: name not in dimension_keys)
    return candidates[:1]


def _foreign_keys(tests: Iterable[Node]) -> Iterator[ForeignKey]:
    """Every `relationships` test is a key, of PostgreSQL's too (dbt's macro ensure_foreign_keys)."""
    for test in tests:
        if test["test_metadata"]["name"] == "relationships":
            given = test["test_metadata"]["kwargs"]
            target = re.findall(r"['\"]([^'\"]+)['\"]", given["to"])[-1]
            yield ForeignKey(given["column_name"], target, given["field"])
