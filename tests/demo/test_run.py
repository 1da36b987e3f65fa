"""`python -m demo run`: what it takes from its surroundings, and what it says of a step that fails.

tests/end_to_end/test_demo.py runs it whole.
"""

from pathlib import Path

import pytest

from demo import run


def test_the_shell_says_nothing_to_the_demo() -> None:
    shell = {"PATH": "/bin", "PGHOST": "db", "TMDB_DRY_RUN": "1", "DBT_TARGET": "x", "TMDB_ENV_FILE": "/x"}
    environment = run.apart_from_the_shell(shell)
    assert environment == {
        "PATH": "/bin",
        "PGHOST": "db",
        "TMDB_ENV_FILE": "",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, run.DBT_FOLDER / "target"),
        ({"DBT_TARGET_PATH": "/elsewhere"}, run.DBT_FOLDER / "target"),
        ({"DBT_TARGET_PATH": "/elsewhere", "DBT_PROJECT_DIR": "/other"}, run.DBT_FOLDER / "target"),
        # as the image sets them
        ({"DBT_TARGET_PATH": "/tmp/t", "DBT_PROJECT_DIR": str(run.DBT_PROJECT)}, Path("/tmp/t")),
    ],
)
def test_dbt_writes_into_a_folder_of_the_demos_own_or_its_images(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: Path
) -> None:
    for name in ("DBT_TARGET_PATH", "DBT_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run.dbt_folder("DBT_TARGET_PATH", "target") == folder


def test_a_step_that_fails_is_named_and_its_output_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "LOG", tmp_path / "demo.log")
    with pytest.raises(run.StepFailedError, match=r"`python -c .*` ended with exit code 3"):
        run.step(["-c", "import sys; print('out'); print('why', file=sys.stderr); sys.exit(3)"], {"PATH": ""})
    assert sorted(run.LOG.read_text().split()) == ["out", "why"]
