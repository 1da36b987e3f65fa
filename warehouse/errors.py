"""What can go wrong with the warehouse, told to a person."""

from common.errors import ProgramError


class WarehouseError(ProgramError):
    """The warehouse can't be had: the text says what happened, to what, and what to do. Exit code 1."""


class UsageError(WarehouseError):
    """The command or the configuration is wrong. Exit code 2."""

    exit_code = 2


class LockedError(WarehouseError):
    """Another program is at work on what this one would change."""
