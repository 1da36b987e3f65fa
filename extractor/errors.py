"""What ends a command, each with its exit code and a message for the person who typed it."""


class ExtractorError(Exception):
    """The command can't go on. The message says what happened, to what, and what to do."""

    exit_code = 1


class ConfigurationError(ExtractorError):
    """A setting, the token or an address is wrong: trying again without a change is of no use."""

    exit_code = 2


class InputError(ExtractorError):
    """A file to load is not what it must be."""

    exit_code = 2


class OutputError(ExtractorError):
    """What was asked for can't be written."""


class SourceError(ExtractorError):
    """TMDB can't be reached or keeps failing."""


class LandingError(ExtractorError):
    """The landing zone can't be reached or written."""


class LockedError(LandingError):
    """Another extractor writes to this landing zone."""


class RunFailedError(ExtractorError):
    """The run went to its end, but too much of it failed."""


class StoppedError(ExtractorError):
    """A signal ended the run; what was in hand is landed."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class RefusedError(ExtractorError):
    """A prune would lose what the marts have not taken."""
