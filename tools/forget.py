"""Forget a wrong day or a film: say what would go, ask, let it go, and make the tables of what is left.

    python -m tools.forget (--date DAY | --film ID) [--yes]

`make forget` is this. The answers go from the landing zone and from staging (dbt_project/macros/forget.sql),
then a full refresh of the marts follows. Exit code: 0 done, 1 a step failed or the answer was no, 2 wrong
use. A film that is still popular comes back with the next `make elt`.
"""

import argparse
import asyncio
import json
import re
import sys
from datetime import date

import psycopg

import warehouse
from common.errors import ConfigurationError, ProgramError, one_line
from extractor import schema
from extractor.rows import ID_LIMIT
from tools.elt import LOCK
from warehouse import advisory, environment


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date, such as 2026-11-25") from error


def _film(text: str) -> int:
    if not re.fullmatch("[0-9]{1,19}", text) or not 0 < int(text) < ID_LIMIT:
        raise argparse.ArgumentTypeError(f"{text!r} is not TMDB's number of a film, such as 27205")
    return int(text)


async def _dbt(*words: str) -> int:
    program = (sys.executable, "-m", "tools.dbt_command")
    return await (await asyncio.create_subprocess_exec(*program, *words)).wait()


async def forget(what: dict[str, object], *, asked: bool) -> int:
    """Say what would go and, where the person agrees, let it go; the exit code."""
    async with advisory.held(LOCK, "forget") as connection:
        await schema.refuse_newer(connection)
        if not await schema.exists(connection, "staging.stg_tmdb__block_version"):
            raise ConfigurationError(
                f"the database {connection.info.dbname} has no tables of this version yet: make dbt."
                " Nothing was changed"
            )
        if code := await _dbt("run-operation", "forget", "--quiet", "--args", json.dumps(what)):
            return code
        if not asked:
            if not sys.stdin.isatty():
                print(
                    "make forget: nothing was changed. To do it without being asked: YES=1", file=sys.stderr
                )
                return 2
            answer = await asyncio.to_thread(input, "Forget it for good? [y/N] ")
            if answer.strip().lower() not in ("y", "yes"):
                print("Nothing was changed.")
                return 1
        code = await _dbt(
            "run-operation", "forget", "--quiet", "--args", json.dumps({**what, "really": True})
        )
        return code or await _dbt("build", "--full-refresh", "--exclude-resource-type", "unit_test")


def main(words: list[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="make forget", description=__doc__, allow_abbrev=False)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--date", type=_day, help="a snapshot date: all its films and lists")
    which.add_argument("--film", type=_film, help="TMDB's number of a film: all its days")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    options = parser.parse_args(words)
    what = {"date": options.date} if options.date else {"film": options.film}
    try:
        environment.load()
        warehouse.enter()
        return asyncio.run(forget(what, asked=options.yes))
    except ProgramError as error:
        print(f"make forget: {error}", file=sys.stderr)
        return error.exit_code
    except psycopg.Error as error:
        print(f"make forget: PostgreSQL refused: {one_line(error)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
