"""The project's folder, and the one reading of the environment: with `.env`, without other projects' dbt."""

import os
import re
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import load_dotenv
from dotenv.parser import parse_stream

from warehouse.errors import UsageError

PROJECT: Final = Path(__file__).resolve().parent.parent
"""The folder that holds ``warehouse/``, ``dbt_project/`` and ``.env``."""

#: What dbt may be told by inherited variables: how it speaks. Every other would lead it elsewhere (another
#: project, target or selection, a full refresh), and is most likely meant for another project.
_DBT_SPEECH: Final = re.compile(
    r"DBT_(ENGINE_)?((LOG_(FORMAT|LEVEL)|USE_COLORS)(_FILE)?|PRINTER_WIDTH|DEBUG|QUIET|(NO_)?PRINT"
    r"|SEND_ANONYMOUS_USAGE_STATS)"
)


def load() -> None:
    """Add the variables of ``.env`` that the environment lacks (environment > ``.env`` > default).

    The file is the project's own ``.env``, or what ``TMDB_ENV_FILE`` names; set and empty, none is read.
    A variable that is set and empty counts as set: ``PGHOST= make elt`` uses the embedded server whatever
    ``.env`` says. Variables that would lead dbt to another project are dropped. Raises ``UsageError`` for a
    file, or a line of it, that can't be read.
    """
    named = os.environ.get("TMDB_ENV_FILE")
    if named != "":
        file = Path(named) if named else PROJECT / ".env"
        text = _text(file, must_exist=bool(named))
        for line in parse_stream(StringIO(text)):
            if line.error:  # dotenv would go on without it: without PGHOST, to another database
                raise UsageError(
                    f"{file}, line {line.original.line}: it must be NAME=value, with each quote closed"
                )
        load_dotenv(stream=StringIO(text), override=False)
    for name in list(os.environ):
        if name.startswith("DBT_") and not _DBT_SPEECH.fullmatch(name):
            del os.environ[name]


def _text(file: Path, *, must_exist: bool) -> str:
    """What the file says; a byte order mark, which editors on Windows write, is no part of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if must_exist:
            raise UsageError(f"TMDB_ENV_FILE={file}: there is no such file: name one, or unset it") from None
        return ""
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}: mend that, or move the file away") from error
    except UnicodeDecodeError as error:
        raise UsageError(_not_utf8(file)) from error
    if "\0" in text:  # UTF-16 without a mark: every other byte of plain words
        raise UsageError(_not_utf8(file))
    return text


def _not_utf8(file: Path) -> str:
    return f"{file} is not UTF-8 (but UTF-16 or Latin-1?): save it again as UTF-8"
