"""Metabase's published OpenAPI file (0.54, requests only), to hold every request against."""

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


class OpenApi:
    """Says what is wrong with a request's body; None without the file."""

    def __init__(self, path: Path) -> None:
        self._document = _satisfiable(json.loads(path.read_text()))
        resource = Resource(contents=self._document, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("urn:metabase", resource)
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template.rstrip("/")) + "/?"), template)
            for template in self._document["paths"]
        ]
        self._validators: dict[tuple[str, str], Draft202012Validator | None] = {}

    def problems(self, method: str, path: str, body: Any) -> list[str]:
        """What the file says against a request; an operation that it lacks is one, too."""
        if path == "/api/health":  # answered before any of the API is reached
            return []
        shape = re.sub(r"/\d+(?=/|$)", "/1", path)
        if (method, shape) not in self._validators:
            self._validators[(method, shape)] = self._validator(method, shape)
        validator = self._validators[(method, shape)]
        if validator is None:
            return [f"{method} {path} is not in the OpenAPI file"]
        return [
            f"{method} {path}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(_without_null(body if body is not None else {}))
        ]

    def _validator(self, method: str, path: str) -> Draft202012Validator | None:
        """Of the body of an operation; None for an operation that the file lacks."""
        operations = [
            (template, self._document["paths"][template][method.lower()])
            for pattern, template in self._paths
            if pattern.fullmatch(path) and method.lower() in self._document["paths"][template]
        ]
        if not operations:
            return None
        # /api/session/properties before /api/session/{id}
        template, operation = min(operations, key=lambda entry: entry[0].count("{"))
        if "requestBody" not in operation:
            return Draft202012Validator(True)
        steps = ("paths", template, method.lower(), "requestBody", "content", "application/json", "schema")
        pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
        return Draft202012Validator({"$ref": f"urn:metabase#/{pointer}"}, registry=self._registry)


def _satisfiable(part: Any) -> Any:
    """The file writes alternatives as `oneOf`, an empty one among them: so no body could be right."""
    if isinstance(part, list):
        return [_satisfiable(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    plain = {key: _satisfiable(inner) for key, inner in part.items()}
    if isinstance(plain.get("oneOf"), list):
        options = plain.pop("oneOf")
        plain["anyOf"] = [option for option in options if option] or options
    return plain


def _without_null(value: Any) -> Any:
    """The file has lost which values may be null."""
    if isinstance(value, dict):
        return {key: _without_null(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_null(inner) for inner in value]
    return value
