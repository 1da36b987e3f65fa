"""What ends one of the extractor's commands, beside what ends any program (`common.errors`)."""

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
