"""What a person can be told in one line."""


class ExportError(Exception):
    """The files could not be written; what was there before is untouched."""

    exit_code = 1


class UsageError(ExportError):
    """Something was asked for that cannot be."""

    exit_code = 2
