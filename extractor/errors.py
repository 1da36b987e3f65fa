"""What ends one of the extractor's commands, beside what ends any program (`common.errors`), and what one
request can come to.
"""

from dataclasses import dataclass
from typing import Any

from common.errors import ProgramError


class InputError(ProgramError):
    """A file that was given is not what it must be."""

    exit_code = 2


class SourceError(ProgramError):
    """TMDB can't be reached or keeps failing."""


class LandingError(ProgramError):
    """The landing zone can't be reached or written."""


class RunFailedError(ProgramError):
    """The run went to its end, but too much of it failed."""


class RefusedError(ProgramError):
    """A prune would lose what the marts have not taken."""


@dataclass(eq=False, repr=False)
class FailedError(Exception):
    """A request that no further try will mend, or that has had them all. `reason`: a short name for it.
    `document`: what came, if it could be read and was not what was asked for. `retry_after` (s): what the
    server asked for.
    """

    reason: str
    detail: str
    status: int | None = None
    body: bytes | None = None
    document: Any = None
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class RetriableError(FailedError):
    """May pass: the request is worth another try."""


class ThrottledError(FailedError):
    """429: the pace makes everyone wait; the request goes again when it gets its turn."""
