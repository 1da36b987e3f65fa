"""The project's folder and its ``.env``: the one place that reads the file into the environment."""

import os
from pathlib import Path

from dotenv import load_dotenv

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds ``warehouse/``, ``dbt_project/`` and ``.env``."""


def load() -> None:
    """Add the variables of ``.env`` that the environment lacks (environment > ``.env`` > default).

    The file is the project's own ``.env``, or what ``TMDB_ENV_FILE`` names; set and empty, none is read.
    A variable that is set and empty counts as set: ``PGHOST= make elt`` uses the embedded server whatever
    ``.env`` says.
    """
    named = os.environ.get("TMDB_ENV_FILE")
    if named == "":
        return
    load_dotenv(Path(named) if named else PROJECT / ".env", override=False)
