"""The one reading of the environment: what `.env` may be, and which inherited variables lead nowhere."""

import os
from pathlib import Path

import pytest

from tests.warehouse.conftest import Command

FILE = "TMDB_PAGES=7\nTMDB_LANGUAGE=français\n"


def shown(typed: Command, database: dict[str, str], **variables: str) -> str:
    """What a command gets of the variables of `FILE`."""
    done = typed(
        "warehouse", "run", "--", "sh", "-c", "echo $TMDB_PAGES $TMDB_LANGUAGE", **database, **variables
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "content", [FILE.encode(), FILE.encode("utf-8-sig"), FILE.replace("\n", "\r\n").encode()]
)
def test_a_file_as_editors_write_it(
    content: bytes, database: dict[str, str], typed: Command, tmp_path: Path
) -> None:
    file = tmp_path / "variables"
    file.write_bytes(content)
    assert shown(typed, database, TMDB_ENV_FILE=str(file)) == "7 français"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_file_that_is_no_utf_8_is_named(encoding: str, typed: Command, tmp_path: Path) -> None:
    file = tmp_path / "variables"
    file.write_bytes(FILE.encode(encoding))
    refused = typed("warehouse", "start", TMDB_ENV_FILE=str(file))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{file} is not UTF-8" in refused.stderr
    assert "save it again as UTF-8" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("line", ['PGHOST="db', "PGHOST: db", "PGHOST='db' x", "the server"])
def test_a_line_that_says_nothing_is_named_and_not_shown(line: str, typed: Command, tmp_path: Path) -> None:
    file = tmp_path / "variables"
    file.write_text(f"# what to use\nTMDB_PAGES=7\n{line}\nTMDB_REGION=FR\n")
    refused = typed("warehouse", "start", TMDB_ENV_FILE=str(file))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{file}, line 3: it must be NAME=value" in refused.stderr and "db" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "program",
    [
        ["warehouse", "start"],
        ["extractor", "status"],
        ["tools.elt"],
        ["tools.check"],
        ["tools.dbt_command", "parse"],
        ["metabase", "plan"],
        ["metabase.preview"],
    ],
    ids=" ".join,
)
def test_every_program_names_a_file_that_it_cannot_read(
    program: list[str], typed: Command, tmp_path: Path
) -> None:
    for file in (tmp_path / "missing", tmp_path):
        refused = typed(*program, TMDB_ENV_FILE=str(file))
        assert (refused.returncode, refused.stdout) == (2, "")
        assert str(file) in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_inherited_variables_do_not_lead_dbt_elsewhere(database: dict[str, str], typed: Command) -> None:
    leading = (
        "PROJECT_DIR",
        "PROFILES_DIR",
        "TARGET",
        "PROFILE",
        "TARGET_PATH",
        "LOG_PATH",
        "FULL_REFRESH",
        "STATE",
    )
    speaking = ("LOG_FORMAT", "LOG_LEVEL_FILE", "USE_COLORS", "SEND_ANONYMOUS_USAGE_STATS")
    given = {f"{prefix}{name}": "x" for name in leading + speaking for prefix in ("DBT_", "DBT_ENGINE_")}
    done = typed("warehouse", "run", "--", "sh", "-c", "env | grep ^DBT_", **database, **given)
    got = {line.partition("=")[0] for line in done.stdout.splitlines()}
    kept = {f"{prefix}{name}" for name in speaking for prefix in ("DBT_", "DBT_ENGINE_")}
    assert got - {name for name in os.environ if name.startswith("DBT_")} == kept - set(os.environ)
