"""`make env`: a .env with random secrets, once, and never a change to what is set."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

SECRETS = {
    "POSTGRES_PASSWORD",
    "WAREHOUSE_PASSWORD",
    "METABASE_READER_PASSWORD",
    "METABASE_DB_PASSWORD",
    "METABASE_ENCRYPTION_KEY",
    "METABASE_SETUP_TOKEN",
    "METABASE_ADMIN_PASSWORD",
    "PGADMIN_PASSWORD",
}


@pytest.fixture
def folder(project_root: Path, tmp_path: Path) -> Path:
    shutil.copy(project_root / ".env.example", tmp_path)
    return tmp_path


def make_env(folder: Path, root: Path) -> subprocess.CompletedProcess[str]:
    # the machine's own Python without packages, as before `make setup`
    return subprocess.run(
        [sys.executable, "-S", str(root / "tools" / "make_env.py")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_file_has_a_password_of_its_own_for_each_secret(folder: Path, project_root: Path) -> None:
    done = make_env(folder, project_root)
    assert (done.returncode, done.stdout) == (
        0,
        "made .env with 8 random passwords: put your TMDB token there\n",
    )
    values = dotenv_values(folder / ".env")
    assert set(values) == SECRETS | {"TMDB_TOKEN"}
    assert values.pop("TMDB_TOKEN") == ""
    assert len(set(values.values())) == len(SECRETS)
    for value in values.values():
        assert value is not None and len(value) == 32 and value.isalnum()
        assert {"a"} <= {"a" for c in value if c.islower()} and any(c.isdigit() for c in value)
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    # everything else is the example, comments and all
    kept = [line for line in (folder / ".env").read_text().splitlines() if line.split("=")[0] not in SECRETS]
    example = (folder / ".env.example").read_text().splitlines()
    assert kept == [line for line in example if line.split("=")[0] not in SECRETS]
    other = dotenv_values(folder / ".env")
    (folder / ".env").unlink()
    make_env(folder, project_root)
    assert not set(dotenv_values(folder / ".env").values()) & set(other.values()) - {""}


def test_again_it_changes_nothing(folder: Path, project_root: Path) -> None:
    make_env(folder, project_root)
    before = (folder / ".env").read_bytes()
    done = make_env(folder, project_root)
    assert done.stdout == ".env is there already: left as it is\n"
    assert (folder / ".env").read_bytes() == before


def test_an_older_file_gets_what_it_lacks_and_keeps_what_it_has(folder: Path, project_root: Path) -> None:
    """As after an upgrade; a file that is a link stays one, and its mode stays."""
    own = folder / "secrets.env"
    own.write_text("TMDB_TOKEN=mine\nexport WAREHOUSE_PASSWORD='x y'\nPGADMIN_PASSWORD=\nMINE=1")
    own.chmod(0o640)
    (folder / ".env").symlink_to(own)
    done = make_env(folder, project_root)
    assert done.returncode == 0, done.stderr
    values = dotenv_values(own)
    assert {values.get(name) for name in ("TMDB_TOKEN", "WAREHOUSE_PASSWORD", "MINE")} == {"mine", "x y", "1"}
    assert all(values[name] for name in SECRETS)
    assert "WAREHOUSE_PASSWORD" not in done.stdout
    assert "PGADMIN_PASSWORD" in done.stdout
    for name in SECRETS - {"WAREHOUSE_PASSWORD"}:
        assert values[name] not in done.stdout
    assert stat.S_IMODE(own.stat().st_mode) == 0o640
    assert (folder / ".env").is_symlink()


def test_without_an_example_it_says_so(tmp_path: Path, project_root: Path) -> None:
    done = make_env(tmp_path, project_root)
    assert (done.returncode, done.stderr) == (1, "make env: .env.example: No such file or directory\n")
    assert list(tmp_path.iterdir()) == []
