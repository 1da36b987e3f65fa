"""The table of options: the command line, the settings, `.env.example` and the docs say what it says."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import click
import pytest

from extractor import cli, options
from extractor.options import OPTIONS
from extractor.settings import Settings
from tools import options as documents


def test_the_documents_say_what_the_table_says() -> None:
    for file, right in documents.documented().items():
        assert file.read_text() == right, f"{file.name} is old: python -m tools.options"


def test_each_option_is_documented_in_both(project_root: Path) -> None:
    for name in (".env.example", "docs/configuration.md"):
        text = (project_root / name).read_text()
        for option in OPTIONS:
            assert text.count(option.variable) >= 1, (name, option.variable)


def test_the_commands_take_the_options_of_the_table_and_no_other() -> None:
    for name, command in cli.cli.commands.items():
        taken = {(p.opts[0], p.envvar) for p in command.params if isinstance(p, click.Option)}
        assert taken == {(o.flag, o.variable) for o in options.of(name) if o.flag is not None}
    assert {command for option in OPTIONS for command in option.commands} == set(cli.cli.commands)


def test_the_settings_are_the_options_of_a_run() -> None:
    of_the_program = {"log_level", "log_format", "notify_url"}
    assert {field.name for field in dataclasses.fields(Settings)} == {
        option.name for option in options.of("run")
    } - of_the_program


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.variable)
def test_a_default_passes_its_own_check(option: options.Option) -> None:
    if option.default:
        option.check(option.default)


@pytest.mark.parametrize("command", ["status", "dump", "prune", "load"])
def test_what_asks_tmdb_nothing_starts_without_an_http_client(command: str, project_root: Path) -> None:
    program = (
        "import sys; from extractor import cli; from extractor.keeping import " + command + "\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'httpx', 'aiohttp', 'httpx_aiohttp', 'backoff', 'rich'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project_root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
