"""The program as a person types it: exit codes, messages, what goes where."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from demo.faults import Faults
from demo.server import StandIn
from extractor import cli
from extractor.options import DEFAULTS
from tests.extractor.conftest import DAY, Program, Zone, on_a_terminal


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class TestRun:
    def test_it_lands_films_and_says_so(self, program: Program, zone: Zone) -> None:
        done = program("run")
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""  # what it says is no data
        (closing,) = [line for line in done.stderr.splitlines() if "run 1 finished" in line]
        run = zone.last_run()
        assert (
            f"{run['requested']} asked for: {run['landed']} landed, {run['not_found']} gone (404)" in closing
        )
        assert "Traceback" not in done.stderr
        zone.assert_counts_are_true()

    def test_an_option_goes_before_its_variable(self, program: Program, zone: Zone) -> None:
        done = program("run", "--limit", "7", "--pages", "1", TMDB_LIMIT="3", TMDB_PAGES="9")
        assert done.returncode == 0, done.stderr
        run = zone.last_run()
        assert (run["requested"], run["parameters"]["pages"]) == (7 + 6, 1)

    def test_the_environment_goes_before_dotenv_and_that_before_the_default(
        self, program: Program, zone: Zone, tmp_path: Path
    ) -> None:
        file = tmp_path / "dotenv"
        file.write_text("TMDB_PAGES=1\nTMDB_TRACK_DAYS=4\nTMDB_LIMIT=2\n")
        done = program("run", TMDB_ENV_FILE=str(file), TMDB_PAGES=None, TMDB_LIMIT="5")
        assert done.returncode == 0, done.stderr
        parameters = zone.last_run()["parameters"]
        assert (parameters["pages"], parameters["track_days"], parameters["limit"]) == (1, 4, 5)
        assert parameters["full_days"] == 30

    def test_elsewhere_than_on_a_terminal_there_is_a_line_now_and_then(self, program: Program) -> None:
        done = program("run", "--progress-seconds", "0.5", "--max-rps", "60")
        lines = [line for line in done.stderr.splitlines() if " fetched (" in line]
        assert len(lines) >= 2 and " of " in lines[0]
        assert "\x1b" not in done.stderr

    def test_on_a_terminal_there_is_a_bar(self, environment: dict[str, str], project_root: Path) -> None:
        shown = on_a_terminal(["run"], project_root, {**environment, "TMDB_MAX_RPS": "100", "COLUMNS": "100"})
        assert b"\x1b[" in shown and b"/105" in shown
        assert b"run 1 finished" in shown

    def test_a_run_with_too_many_failures_exits_1(self, program: Program, tmdb: StandIn) -> None:
        tmdb.faults = Faults({"500": 1.0}, attempts=99, paths=r"/3/movie/\d*[37]$")
        done = program("run", TMDB_MAX_TRIES="1", TMDB_PAGES="2")
        assert done.returncode == 1
        assert "could not be landed, more than 1%" in done.stderr and "Traceback" not in done.stderr


class TestErrorsAPersonMakes:
    """Each: the exit code, one clear message on stderr, nothing on stdout."""

    @pytest.mark.parametrize(
        ("words", "variables", "code", "said"),
        [
            ((), {"TMDB_TOKEN": None}, 2, "no TMDB_TOKEN is set.*make demo"),
            ((), {"TMDB_TOKEN": ""}, 2, "no TMDB_TOKEN is set.*make demo"),
            (
                (),
                {"TMDB_TOKEN": "wrong-token"},
                2,
                "TMDB refused the token.*Invalid API key.*check TMDB_TOKEN",
            ),
            (("--pages", "many"), {}, 2, "TMDB_PAGES='many' must be a whole number"),
            (("--mode", "all"), {}, 2, "TMDB_MODE='all' must be one of popular, export, changes"),
            (("--snapshot-date", "20.8.2026"), {}, 2, "must be a date, YYYY-MM-DD"),
            (("--log-level", "LOUD"), {}, 2, "TMDB_LOG_LEVEL='LOUD' must be one of DEBUG"),
            (("--page", "3"), {}, 2, "No such option"),
            (("now",), {}, 2, "unexpected extra argument"),
            (
                (),
                {"PGHOST": "no-such-host.invalid"},
                1,
                "cannot reach PostgreSQL.*PGHOST=no-such-host.invalid",
            ),
            ((), {"PGDATABASE": "nowhere"}, 2, "PostgreSQL refused the connection.*nowhere.*does not exist"),
            ((), {"PGUSER": "nobody-here"}, 2, "PostgreSQL refused the connection.*nobody-here"),
        ],
    )
    def test_message_and_exit_code(
        self, program: Program, words: tuple[str, ...], variables: dict[str, str | None], code: int, said: str
    ) -> None:
        done = program("run", *words, **variables)
        assert done.returncode == code, done.stderr
        assert re.search(said, done.stderr, re.DOTALL), done.stderr
        assert "Traceback" not in done.stderr and done.stdout == ""

    def test_an_api_that_cannot_be_reached(self, program: Program, zone: Zone) -> None:
        url = f"http://127.0.0.1:{free_port()}/3"
        done = program("run", TMDB_BASE_URL=url, TMDB_MAX_TRIES="2")
        assert done.returncode == 1
        assert f"TMDB can't be read at {url}: connection: " in done.stderr
        assert "Check TMDB_BASE_URL and the network" in done.stderr and "Traceback" not in done.stderr
        assert zone.last_run()["status"] == "failed"

    def test_an_address_that_is_not_the_api(self, program: Program, tmdb: StandIn) -> None:
        done = program("run", TMDB_BASE_URL=tmdb.origin, TMDB_MAX_TRIES="1")
        assert done.returncode == 2
        assert "must be the API's root" in done.stderr

    def test_an_api_whose_name_does_not_exist(self, program: Program) -> None:
        done = program("run", TMDB_BASE_URL="https://api.no-such-host.invalid/3", TMDB_MAX_TRIES="1")
        assert done.returncode == 1
        assert "TMDB can't be read at https://api.no-such-host.invalid/3" in done.stderr

    def test_a_port_where_nobody_listens(self, program: Program) -> None:
        done = program("run", PGHOST="127.0.0.1", PGPORT=str(free_port()))
        assert done.returncode == 1
        assert "cannot reach PostgreSQL (PGHOST=127.0.0.1" in done.stderr
        assert "Is it running, and are PGHOST and PGPORT right?" in done.stderr


class TestDryRun:
    def test_before_anything_is_landed(self, program: Program, tmdb: StandIn, zone: Zone) -> None:
        tmdb.repeats = 0.0
        done = program("run", "--dry-run", "--pages", "3")
        assert done.returncode == 0, done.stderr
        assert "60 films chosen, 0 of them tracked" in done.stdout
        assert (
            "would fetch 60 films, 60 of them in full (with credits, keywords, release_dates" in done.stdout
        )
        assert ", ".join(map(str, tmdb.ids()[:10])) in done.stdout
        assert tmdb.traffic.count("/3/movie/") == 0
        assert zone.one("select to_regnamespace('raw') is null")

    def test_after_an_unfinished_run(
        self, program: Program, extract: object, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        extract(pages=3)  # type: ignore[operator]
        zone.execute("update raw.extract_run set status = 'interrupted'")
        tmdb.traffic.reset()
        before = zone.rows("select * from raw.extract_run")
        done = program("run", "--dry-run", "--pages", "4")
        assert "60 landed already by unfinished run 1" in done.stdout
        assert "would fetch 20 films, 20 of them" in done.stdout
        assert tmdb.traffic.count("/3/movie/") == 0
        assert zone.rows("select * from raw.extract_run") == before

    def test_where_the_run_would_fail(self, program: Program, tmdb: StandIn) -> None:
        tmdb.faults = Faults({"page-none": 1.0}, attempts=99)
        done = program("run", "--dry-run", "--max-tries", "1")
        assert "the run would fail: TMDB's discover lists no film at all" in done.stdout

    @pytest.mark.parametrize("mode", ["export", "changes"])
    def test_the_other_modes(self, program: Program, tmdb: StandIn, mode: str) -> None:
        done = program("run", "--dry-run", "--mode", mode, "--limit", "30")
        assert done.returncode == 0, done.stderr
        assert f"mode {mode}, snapshot date {DAY}" in done.stdout and "would fetch 30 films" in done.stdout
        assert tmdb.traffic.count("/3/movie/") - tmdb.traffic.count("/3/movie/changes") == 0


def test_the_changelog_the_models_and_the_program_have_one_version(project_root: Path) -> None:
    shown = CliRunner().invoke(cli.cli, ["--version"])
    assert shown.exit_code == 0
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$",
        (project_root / "CHANGELOG.md").read_text(),
        re.MULTILINE,
    )
    assert shown.stdout == f"tmdb-elt {released[0]}\n"
    assert released == sorted(released, key=lambda version: [*map(int, version.split("."))], reverse=True)
    models = (project_root / "dbt_project" / "dbt_project.yml").read_text()
    assert f'version: "{released[0]}"' in models


class TestHelp:
    @pytest.mark.parametrize(
        "words", [["--help"], ["run", "--help"], ["status", "--help"], ["prune", "--help"]]
    )
    def test_it_fits_a_terminal(self, words: list[str]) -> None:
        shown = CliRunner().invoke(cli.cli, words)
        assert shown.exit_code == 0
        assert max(map(len, shown.output.splitlines())) <= 110

    def test_every_option_names_its_variable_and_default(self) -> None:
        told = set()
        for command in cli.cli.commands.values():
            for option in command.params:
                if isinstance(option, click.Argument):
                    continue
                assert option.envvar is not None, option.name
                shown = getattr(option, "help", "")
                assert f"[env: {option.envvar}" in shown
                if default := DEFAULTS.get(str(option.envvar)):
                    assert f"default: {default}]" in shown
                    told.add(option.envvar)
        assert told == set(DEFAULTS)

    def test_without_a_command_it_shows_the_help(self, project_root: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "extractor"], cwd=project_root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "run" in done.stderr + done.stdout and "prune" in done.stderr + done.stdout
