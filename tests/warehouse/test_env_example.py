"""`.env.example` documents exactly the variables that the code reads."""

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from extractor.options import DEFAULTS

# read by libpq and its kin, so that psql, psycopg and dbt agree
LIBPQ = {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"}


@pytest.fixture(scope="module")
def documented(project_root: Path) -> dict[str, str]:
    """Each variable of the file, commented out or not, with the value shown."""
    text = (project_root / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_each_variable_is_read_by_the_code_and_each_read_is_documented(
    documented: dict[str, str], project_root: Path
) -> None:
    files = [
        path
        for folder in ("extractor", "warehouse", "demo", "dbt_project", "metabase", "tools")
        for path in (project_root / folder).rglob("*")
        if path.suffix in {".py", ".yml", ".sql"} and "target" not in path.parts
    ]
    quoted = re.compile(r"""["']((?:TMDB|WAREHOUSE|METABASE)_[A-Z_]+)["']""")
    read = {name for path in files for name in quoted.findall(path.read_text())}
    files = [project_root / "docker-compose.yml", *(project_root / "deploy" / "compose").glob("*.yml")]
    compose = "\n".join(path.read_text() for path in files)
    # a file that is not named is an empty one
    used = dict(re.findall(r"\$\{([A-Z_]+)(?::-(?!/dev/null)([^}]*))?", compose))
    # passed on as it is
    read |= set(used) | set(re.findall(r"^ +([A-Z_]+):$", compose, re.MULTILINE))
    assert {name: documented[name] for name, default in used.items() if default} == {
        name: default for name, default in used.items() if default
    }
    assert sorted(set(documented) - LIBPQ - read) == [], "documented and read by nobody"
    assert sorted(read - set(documented)) == [], "read and not documented"
    assert set(documented) >= LIBPQ


def test_what_is_shown_as_default_is_the_default(documented: dict[str, str]) -> None:
    assert {name: documented.get(name) for name in DEFAULTS} == dict(DEFAULTS)


def test_the_file_can_be_copied_as_it_is(project_root: Path) -> None:
    values = dotenv_values(project_root / ".env.example")
    # a value that is set here would go before the default of a later version; the empty ones `make env` fills
    assert set(values.values()) == {""}
    assert "TMDB_TOKEN" in values
