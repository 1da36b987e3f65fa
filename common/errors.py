"""What ends a command, each with its exit code and a message for the person who typed it."""

import re


class ProgramError(Exception):
    """The command can't go on. The message says what happened, to what, and what to do."""

    exit_code = 1


class ConfigurationError(ProgramError):
    """A setting, the token or an address is wrong: trying again without a change is of no use."""

    exit_code = 2


class OutputError(ProgramError):
    """What was asked for can't be written."""


class StoppedError(ProgramError):
    """A signal ended the command; `exit_code` is 128 + the signal's number."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def one_line(said: BaseException | str) -> str:
    """What a library or a server said, on one line that a terminal and PostgreSQL take as it is; an error's
    kind when it said nothing.
    """
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", str(said))
    return line.strip().rstrip(" .:") or type(said).__name__
