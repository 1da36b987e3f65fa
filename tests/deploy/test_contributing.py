"""CONTRIBUTING's worked example applies to the project as it is, and builds; its hooks are CI's linters."""

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt
from tests.roles.conftest import conninfo

DAY = dt.date(2026, 1, 1)
FILMS: dict[int, dict[str, Any] | None] = {
    1: {"id": 1, "title": "One", "softcore": False},
    2: {"id": 2, "title": "Two", "softcore": True},
}
FIELD = "is_softcore"
UNIT_TEST = "movie_softcore_is_false_where_tmdb_says_nothing"


@pytest.mark.slow
def test_the_worked_example_adds_its_column(
    project_root: Path, database: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(
        project_root / "dbt_project",
        tmp_path / "dbt_project",
        ignore=shutil.ignore_patterns("target", "logs", ".user.yml"),
    )
    # a warehouse with data, from before the change
    zone = LandingZone(database)
    zone.land(DAY, FILMS)
    with Dbt(project_root / "dbt_project", database, tmp_path / "before") as dbt:
        dbt("run", "--select", "+dim_movie")
    diffs = re.findall(r"```diff\n(.*?)```", (project_root / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert len(diffs) == 4
    for diff in diffs:
        applied = subprocess.run(
            ["git", "apply", "--verbose", "-"],
            cwd=tmp_path,
            input=diff,
            # the copy is nobody's repository, whatever is above it
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert applied.returncode == 0, applied.stderr
    with Dbt(tmp_path / "dbt_project", database, tmp_path) as dbt:
        zone.land(DAY + dt.timedelta(days=1), {2: {"id": 2, "title": "Two, renamed", "softcore": True}})
        dbt("run", "--select", "+dim_movie")
        results = dbt("test", "--select", UNIT_TEST)
        assert results[UNIT_TEST] == "pass"
        # the column is appended, and filled where a film says something new
        column = f"select movie_id, {FIELD} from marts.dim_movie order by 1"
        assert zone.rows(column) == [(1, None), (2, True)]
        dbt("run", "--full-refresh", "--vars", "reparse: true", "--select", "+dim_movie")
        assert zone.rows(column) == [(1, False), (2, True)]
    zone.connection.close()
    with psycopg.connect(conninfo(database)) as connection:
        described = connection.execute(
            "select format_type(atttypid, null), col_description(attrelid, attnum) from pg_attribute"
            " where attrelid = 'marts.dim_movie'::regclass and attname = %s",
            [FIELD],
        ).fetchone()
    assert described is not None and described[0] == "boolean"
    assert described[1].startswith("Whether TMDB marks the film as softcore")


def test_the_hooks_are_the_linters_of_make_lint(project_root: Path) -> None:
    config = yaml.safe_load((project_root / ".pre-commit-config.yaml").read_text())
    hooks = {hook["entry"].split()[0] for repo in config["repos"] for hook in repo["hooks"]}
    makefile = (project_root / "Makefile").read_text()
    lint = makefile.split("\nlint:")[1].split("\n\n")[0]
    linters = set(re.findall(r"@\$\(PY\) -m (\S+)", lint)) | set(re.findall(r"@\.venv/bin/(\S+)", lint))
    hooked = {entry.removeprefix(".venv/bin/") for entry in hooks}
    # the rules of the dbt project need it parsed, which takes longer than a commit should
    assert linters - hooked <= {"tools.dbt_command", "dbt-bouncer"}
    assert hooked <= linters
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
