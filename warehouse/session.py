"""The settings that every session on the warehouse has, whatever its role, database or client were told.

A role's own setting outweighs the database's, and the database's the server's; so a warehouse that works
for one person would fail for another: dates that can't be read (DateStyle), days that are not UTC
(TimeZone), a long build that is cut off (statement_timeout), a lock that is lost while its holder waits
(idle_session_timeout).
"""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psycopg

SETTINGS: Final = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "client_encoding": "UTF8",
    "search_path": "analytics, marts, public",
    "standard_conforming_strings": "on",
    "extra_float_digits": "1",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}

#: As one statement: ``set`` takes one name only, and each would be a round trip of its own.
STATEMENT: Final = "select " + ", ".join(
    f"set_config('{name}', '{value}', false)" for name, value in SETTINGS.items()
)

#: libpq sends these on their own, after ``PGOPTIONS``, so that an inherited one would outweigh it.
VARIABLES: Final = {"DateStyle": "PGDATESTYLE", "TimeZone": "PGTZ", "client_encoding": "PGCLIENTENCODING"}


def variables(options: str = "") -> dict[str, str]:
    """The ``PG*`` variables by which libpq opens every session with `SETTINGS`.

    ``options`` is the person's own ``PGOPTIONS``: they hold where they say nothing else.
    """
    ours = " ".join(
        f"-c {name}={_escaped(value)}" for name, value in SETTINGS.items() if name not in VARIABLES
    )
    # a command that was started by another of ours has them already
    kept = options.removesuffix(ours).strip()
    return {
        **{variable: SETTINGS[name] for name, variable in VARIABLES.items()},
        "PGOPTIONS": f"{kept} {ours}".strip(),
    }


def oddities(connection: "psycopg.Connection") -> dict[str, str]:
    """The settings of a session that are not those of `SETTINGS`, as it was opened with.

    But its search_path, which only a person's own queries need.
    """
    names = [name for name in SETTINGS if name != "search_path"]
    values = connection.execute(
        "select current_setting(name) from unnest(%s::text[]) with ordinality as s (name, place)"
        " order by place",
        [names],
    ).fetchall()
    return {name: value for name, (value,) in zip(names, values, strict=True) if value != SETTINGS[name]}


def _escaped(value: str) -> str:
    return re.sub(r"([\\ ])", r"\\\1", value)
