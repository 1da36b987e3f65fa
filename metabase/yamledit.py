"""Changes to a YAML file in their place: comments, order and the way of writing of all else stay."""

import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import FoldedScalarString

_WIDTH = 110
_FLAT = 90
"""A list or mapping that is no longer as JSON stands on one line."""


@dataclass
class Document:
    """A file; `data` is what is in it, to be changed."""

    path: Path
    head: str
    data: CommentedMap

    @classmethod
    def read(cls, path: Path) -> "Document":
        """An existing file."""
        return cls(path, "", _yaml().load(path.read_text(encoding="utf-8")))

    @classmethod
    def new(cls, path: Path, head: str) -> "Document":
        """An empty one, which begins with `head`."""
        return cls(path, head, CommentedMap())

    def text(self) -> str:
        """The file's content now."""
        stream = io.StringIO()
        _yaml().dump(self.data, stream)
        return self.head + stream.getvalue()

    def at(self, steps: Sequence[str | int]) -> Any:
        """The value at a path."""
        value: Any = self.data
        for step in steps:
            value = value[step]
        return value

    def change(self, steps: Sequence[str | int], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Write into the mapping at a path what differs between the two, and nothing else."""
        _change(self.at(steps), before, after)


def inside(mapping: Any, key: str) -> Any:
    """The mapping at a key, made where there is none, to write into line by line."""
    if key not in mapping:
        mapping[key] = CommentedMap()
    return mapping[key]


def put(mapping: Any, key: str, value: Any) -> None:
    """Set a value, written as people would."""
    if isinstance(value, str) and isinstance(mapping.get(key), FoldedScalarString):
        mapping[key] = _folded(value)
    else:
        mapping[key] = node(value)


def node(value: Any) -> Any:
    """A value to put into a document: short lists and mappings on one line, long text folded."""
    if isinstance(value, CommentedMap | CommentedSeq):
        return value
    flat = isinstance(value, dict | list) and len(json.dumps(value, ensure_ascii=False)) <= _FLAT
    if isinstance(value, Mapping):
        mapping = CommentedMap((key, node(inner)) for key, inner in value.items())
        if flat:
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list | tuple):
        sequence = CommentedSeq(node(inner) for inner in value)
        if flat:
            sequence.fa.set_flow_style()
        return sequence
    if isinstance(value, str) and len(value) > _WIDTH and "\n" not in value:
        return _folded(value)
    return value


def _change(target: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for key in before:
        if key not in after and key in target:
            del target[key]
    for key, value in after.items():
        if before.get(key) == value and key in before:
            continue
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and isinstance(target.get(key), Mapping):
            _change(target[key], old, value)
        else:
            put(target, key, value)


def _folded(text: str) -> Any:
    folded = FoldedScalarString(text)
    places, at = [], 0
    for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)[:-1]:
        at += len(line)
        places.append(at)
        at += 1
    folded.fold_pos = places  # type: ignore[attr-defined]  # ruamel's own reader sets it, too
    return folded


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
