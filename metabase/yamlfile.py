"""A YAML file whose values know their lines, so that each mistake can be told with its place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from metabase.errors import Problem, SpecError

_YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where it was built: five times faster


class YamlFile:
    """What a file says (`data`), and where. Raises `SpecError` for one that can't be read or is no YAML."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SpecError([Problem(path, 1, f"can't be read: {error.strerror}")]) from error
        try:
            loader = _YamlLoader(text)
            self._node = loader.get_single_node()
            self.data: Any = loader.construct_document(self._node)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SpecError([Problem(path, line, f"is no YAML: {error.problem}")]) from error

    def line(self, *steps: str | int) -> int:
        """The line of the value at a path; that of the nearest thing above it if it is not there."""
        node, line = self._node, 1
        for step in steps:
            found = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(step):
                        found, line = value, key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = node.value[step]
                line = found.start_mark.line + 1
            if found is None:
                break
            node = found
        return line

    def problem(self, message: str, *steps: str | int) -> Problem:
        """A problem with the value at a path."""
        return Problem(self.path, self.line(*steps), message)

    def repeated_keys(self) -> Iterator[Problem]:
        """YAML takes the last of two equal keys; here that is a mistake."""
        stack = [self._node]
        while stack:
            node = stack.pop()
            if isinstance(node, yaml.MappingNode):
                seen = set()
                for key, value in node.value:
                    if key.value in seen:
                        yield Problem(self.path, key.start_mark.line + 1, f"{key.value!r} is here twice")
                    seen.add(key.value)
                    stack.append(value)
            elif isinstance(node, yaml.SequenceNode):
                stack.extend(node.value)
