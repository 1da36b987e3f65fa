"""What can go wrong with the dashboards, told to a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class DashboardError(Exception):
    """Something failed: the text says what happened, to what, and what to do. Exit code 1."""


class UsageError(DashboardError):
    """The command, the configuration or a file is wrong. Exit code 2."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one line of one file."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}: {self.message}"


class SpecError(UsageError):
    """The files are wrong; every problem found is told, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def shown(path: Path) -> str:
    """The path as a person types it: relative to where he is, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
