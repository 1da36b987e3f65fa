"""What `docker compose config` would make of the files, as far as these tests need it: no Docker here."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<how>:[-?+])(?P<rest>[^}]*))?\}")


class MissingVariable(Exception):
    """A variable that must be set is not, or is empty."""


def load(paths: list[Path], variables: Mapping[str, str]) -> dict[str, Any]:
    """The merged project with its variables put in. Raises `MissingVariable`."""
    merged: dict[str, Any] = {}
    for path in paths:
        merged = _merge(merged, _interpolated(yaml.safe_load(path.read_text()), variables))
    return merged


def variables_of(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Each variable with how it is used: (`:-`, default), (`:?`, message), (`:+`, other) or (``, ``)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for match in _VARIABLE.finditer(path.read_text()):
        found.setdefault(match["name"], []).append((match["how"] or "", match["rest"] or ""))
    return found


def _interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(item, variables) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), value)
    return value


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    given = variables.get(match["name"], "")
    if match["how"] == ":+":
        return (match["rest"] or "") if given else ""
    if given:
        return given
    if match["how"] == ":?":
        raise MissingVariable(f"{match['name']}: {match['rest']}")
    return match["rest"] or "" if match["how"] == ":-" else ""


def _merge(base: Any, over: Any) -> Any:
    """Mappings merge key by key, everything else (here: commands, names) is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merge(base.get(key), item) for key, item in over.items()}
    return over
