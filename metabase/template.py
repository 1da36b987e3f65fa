"""A card's SQL: the models it names, the filters it takes, its forms for Metabase and for PostgreSQL.

The language is Metabase's own, so that what is clicked together there can be kept here, with words of dbt's:

- ``{{ genre }}`` a template tag: the value of a filter;
- ``[[and name = {{ genre }}]]`` an optional clause, left out while one of its tags has no value;
- ``{{ ref('vw_top_movies') }}`` a dbt model;
- ``{{ var('latest_within_days') }}`` a variable of dbt_project.yml;
- ``{{ include('film_day') }}`` on a line of its own: the lines of ``cards/snippets/film_day.sql``; a comma
  may follow, where more `with` queries do.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from metabase.errors import Problem, SpecError

Value = str | int | float | bool

_CALL = re.compile(r"\{\{\s*(ref|var)\(\s*'([A-Za-z_][A-Za-z0-9_]*)'\s*\)\s*\}\}")
_INCLUDE = re.compile(r"^(\s*)\{\{\s*include\(\s*'([a-z0-9_]+)'\s*\)\s*\}\}(,?)\s*$")
_TAG = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_BRACES = re.compile(r"\{\{.*?\}\}|\{\{|\[\[|\]\]", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """SQL with its includes put in; `origin` has file and line of each line of `text`."""

    text: str
    origin: tuple[tuple[Path, int], ...]
    path: Path
    """The card's own file."""

    def problem(self, offset: int, message: str) -> Problem:
        """A problem at a character of `text`."""
        return self.problem_in_line(self.text.count("\n", 0, offset) + 1, message)

    def problem_in_line(self, line: int, message: str) -> Problem:
        """A problem in a line of `text`, from 1."""
        path, number = self.origin[min(line, len(self.origin)) - 1]
        return Problem(path, number, message)

    @cached_property
    def refs(self) -> Mapping[str, tuple[int, ...]]:
        """The dbt models named, with the offset of each mention."""
        return self._calls("ref")

    @cached_property
    def variables(self) -> Mapping[str, tuple[int, ...]]:
        """The dbt variables named, with the offset of each mention."""
        return self._calls("var")

    @cached_property
    def tags(self) -> Mapping[str, int]:
        """The template tags in order of appearance, with the offset of the first mention."""
        found: dict[str, int] = {}
        for match in _TAG.finditer(self.text):
            found.setdefault(match[1], match.start())
        return found

    @cached_property
    def required_tags(self) -> Mapping[str, int]:
        """The tags outside of every optional clause, without which the SQL can't run; with an offset."""
        found: dict[str, int] = {}
        for match in _TAG.finditer(_OPTIONAL.sub(lambda clause: " " * len(clause[0]), self.text)):
            found.setdefault(match[1], match.start())
        return found

    def for_metabase(self, relations: Mapping[str, str], variables: Mapping[str, Value]) -> str:
        """The SQL as Metabase stores it: models and variables resolved, tags and clauses as they are."""
        return self._resolved(relations, variables)

    def for_postgres(
        self,
        relations: Mapping[str, str],
        variables: Mapping[str, Value],
        values: Mapping[str, Value | None],
        conditions: Mapping[str, tuple[str, Mapping[str, Value]]],
    ) -> tuple[str, dict[str, Value]]:
        """The SQL as Metabase would run it with these values, and psycopg's parameters for it.

        Optional clauses with a tag that has no value are left out. Parameters are named after the tags
        (``%(genre)s``). A tag of `conditions` is such a condition, with parameters of its own. Raises
        `SpecError` when another tag outside of every optional clause has no value.
        """
        given = {name: value for name, value in values.items() if value is not None}

        def clause(match: re.Match[str]) -> str:
            wanted = [tag[1] for tag in _TAG.finditer(match[1])]
            # the line breaks stay, so that an error of PostgreSQL's names the right line
            return match[1] if all(name in given for name in wanted) else "\n" * match[1].count("\n")

        missing = sorted(set(self.required_tags) - set(given) - set(conditions))
        if missing:
            raise SpecError(
                self.problem(self.required_tags[name], f"{{{{{name}}}}} needs a value: the filter has none")
                for name in missing
            )
        text = _OPTIONAL.sub(clause, self._resolved(relations, variables).replace("%", "%%"))
        parameters: dict[str, Value] = {}

        def tag(match: re.Match[str]) -> str:
            name = match[1]
            if name in conditions:
                condition, own = conditions[name]
                parameters.update(own)
                return condition
            parameters[name] = given[name]
            return f"%({name})s"

        return _TAG.sub(tag, text), parameters

    def with_literals(
        self, relations: Mapping[str, str], variables: Mapping[str, Value], literal: Callable[[str], str]
    ) -> str:
        """The SQL with every optional clause in, each tag as `literal` writes it; lines stay lines."""
        text = _OPTIONAL.sub(lambda match: match[1], self._resolved(relations, variables))
        return _TAG.sub(lambda match: literal(match[1]), text)

    def _resolved(self, relations: Mapping[str, str], variables: Mapping[str, Value]) -> str:
        return _CALL.sub(
            lambda match: relations[match[2]] if match[1] == "ref" else str(variables[match[2]]), self.text
        )

    def _calls(self, kind: str) -> Mapping[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for match in _CALL.finditer(self.text):
            if match[1] == kind:
                found[match[2]] = (*found.get(match[2], ()), match.start())
        return found


def read(path: Path, snippets: Path) -> Template:
    """The template in a file. Raises `SpecError` for a missing file or include and for unknown braces."""
    lines, origin = _expanded(path, snippets, (path,))
    template = Template("\n".join(lines), tuple(origin), path)
    problems = [
        template.problem(match.start(), f"can't read {match[0].strip()!r}: {_HELP}")
        for match in _BRACES.finditer(_OPTIONAL.sub(_blank, template.text))
        if not _TAG.fullmatch(match[0]) and not _CALL.fullmatch(match[0])
    ]
    for match in _OPTIONAL.finditer(template.text):
        if not _TAG.search(match[1]):
            problems.append(template.problem(match.start(), "an optional clause [[…]] needs a {{tag}} in it"))
        if "[[" in match[1]:
            problems.append(template.problem(match.start(), "optional clauses [[…]] can't hold one another"))
    if problems:
        raise SpecError(problems)
    return template


_HELP = (
    "write {{ tag }} (lower case), {{ ref('model') }}, {{ var('name') }}, [[… {{ tag }} …]],"
    " or {{ include('snippet') }} on a line of its own"
)


def _blank(match: re.Match[str]) -> str:
    """The clause without its brackets, every character where it was."""
    return f"  {match[1]}  "


def _expanded(
    path: Path, snippets: Path, stack: tuple[Path, ...]
) -> tuple[list[str], list[tuple[Path, int]]]:
    try:
        content = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise SpecError([Problem(path, 1, f"can't be read: {error.strerror}")]) from error
    lines: list[str] = []
    origin: list[tuple[Path, int]] = []
    for number, line in enumerate(content, 1):
        match = _INCLUDE.match(line)
        if not match:
            lines.append(line.rstrip())
            origin.append((path, number))
            continue
        included = snippets / f"{match[2]}.sql"
        if included in stack:
            raise SpecError([Problem(path, number, f"the snippet {match[2]!r} includes itself")])
        if not included.is_file():
            raise SpecError([Problem(path, number, f"there is no snippet {match[2]!r} in {snippets.name}/")])
        inner, inner_origin = _expanded(included, snippets, (*stack, included))
        lines += [match[1] + text if text else "" for text in inner]
        lines[-1] += match[3]
        origin += inner_origin
    return lines, origin
