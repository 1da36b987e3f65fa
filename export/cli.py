"""Options → files → exit code."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NoReturn

import click
import psycopg

import warehouse
from common.errors import ConfigurationError, ProgramError
from common.signals import not_ignored
from export import files, model, package
from export.catalog import Relation, find
from export.folder import DESCRIPTOR, replacing
from export.snapshot import Snapshot
from tools import dbt_command
from warehouse import environment

#: Relations that are read at once: PostgreSQL makes its rows while others' are written.
_AT_ONCE: Final = 4

#: What dbt makes its manifest of.
_SOURCES: Final = ("dbt_project.yml", "models", "macros", "docs", "seeds", "tests")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--format", "form", type=click.Choice(list(files.FORMATS)), default="parquet", show_default=True
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The folder, which is replaced whole.  [default: exports/DATABASE/FORMAT]",
)
@click.option(
    "--only", multiple=True, metavar="NAMES", help="Only these relations, such as 'dim_* vw_top_movies'."
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help="dbt's manifest.  [default: parsed from the dbt project]",
)
def main(form: str, to: Path | None, only: tuple[str, ...], manifest: Path | None) -> None:
    """Write the marts and views as files with a data package descriptor: keys, types, descriptions.

    They are of the warehouse as it is at one moment; a role that may only read suffices.
    What is in the folder stays until all is written. Exit: 0 written, 1 failed, 2 wrong use or nothing there.
    """
    for number in not_ignored():
        signal.signal(number, _end)
    began = time.monotonic()
    patterns = [word for given in only for word in given.replace(",", " ").split()]
    try:
        warehouse.enter()
        folder, written = run(files.FORMATS[form], to, patterns, manifest)
    except ProgramError as error:
        click.echo(f"make parquet: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except psycopg.Error as error:
        click.echo(f"make parquet: PostgreSQL says: {str(error).strip().partition(chr(10))[0]}", err=True)
        raise SystemExit(1) from None
    rows, size = sum(each.rows for each in written), sum(each.bytes for each in written)
    click.echo(
        f"{len(written)} files, {rows:,} rows, {size / 1e6:,.1f} MB"
        f" in {time.monotonic() - began:.1f} s: {folder / DESCRIPTOR}"
    )


def run(
    form: files.Format, to: Path | None, patterns: Sequence[str], manifest: Path | None
) -> tuple[Path, list[files.Written]]:
    """Write the files; the folder and what is in it. Raises `ProgramError`, `psycopg.Error`."""
    models = _chosen(model.load(manifest) if manifest else _models(), patterns)
    with Snapshot() as snapshot:
        folder = to or Path("exports") / snapshot.database / form.name
        relations = find(snapshot.connection, models)
        with replacing(folder) as beside:
            written = _write_all(snapshot, form, relations, beside)
            content = package.descriptor(form, snapshot.database, snapshot.moment, written)
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            (beside / DESCRIPTOR).write_text(text, encoding="utf-8")
    return folder, [file for _, file in written]


def _write_all(
    snapshot: Snapshot, form: files.Format, relations: Sequence[Relation], folder: Path
) -> list[tuple[Relation, files.Written]]:
    """Each relation into its file. The first failure, or Ctrl-C, ends all of them."""

    def write(relation: Relation) -> files.Written:
        return snapshot.write(relation, form, folder / f"{relation.model.name}.{form.name}")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # what takes longest begins first, and the others go beside it
        order = sorted(relations, key=lambda relation: relation.pages, reverse=True)
        running = {relation.model.name: pool.submit(write, relation) for relation in order}
        try:
            for done in as_completed(running.values()):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # one that was cancelled before it began is never done for `wait`
            begun = [relation for relation in running.values() if not relation.cancelled()]
            while wait(begun, timeout=0.1).not_done:
                snapshot.stop()
            raise
    return [(relation, running[relation.model.name].result()) for relation in relations]


def _models() -> list[model.Model]:
    """The models of the dbt project as it is now: those of dbt's last manifest, if nothing changed since."""
    manifest = dbt_command.folder() / "target" / "manifest.json"
    with suppress(OSError, ConfigurationError):
        sources = [dbt_command.PROJECT / name for name in _SOURCES]
        # a folder changes when a file comes or goes
        sources += [path for source in sources for path in source.rglob("*")]
        if manifest.stat().st_mtime > max(path.stat().st_mtime for path in sources):
            models = model.load(manifest)
            # those of a developer's own target are in schemas of their own
            if all(each.schema in model.SCHEMAS for each in models):
                return models
    _parse()
    return model.load(manifest)


def _parse() -> None:
    """Have dbt write its manifest anew, in a process of its own: some seconds."""
    parse = [sys.executable, "-m", "tools.dbt_command", "parse", "--quiet", "--no-use-colors"]
    # what dbt remembers of the last parse may name a model that is gone, and would for ever
    for afresh in ([], ["--no-partial-parse"]):
        done = subprocess.run(
            [*parse, *afresh], cwd=environment.PROJECT, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
    raise ProgramError(f"dbt can't parse its project: {' '.join(done.stdout.split())[-300:]}")


def _chosen(models: Sequence[model.Model], patterns: Sequence[str]) -> Sequence[model.Model]:
    """The models that `patterns` name; all for none. `ConfigurationError`: one names none."""
    for pattern in patterns:
        if not any(fnmatchcase(each.name, pattern) for each in models):
            known = ", ".join(each.name for each in models)
            raise ConfigurationError(f"--only {pattern} names no mart or view. There are: {known}")
    return [e for e in models if not patterns or any(fnmatchcase(e.name, pattern) for pattern in patterns)]


def _end(number: int, _: object) -> NoReturn:
    """A signal ends the program by an exception, so that what was half written is removed."""
    raise SystemExit(128 + number)
