"""dbt on this project: names project, profiles and folders itself, whatever the environment says of others.

    python -m tools.dbt_command COMMAND [OPTIONS OF DBT]
    python -m tools.dbt_command --wait COMMAND [OPTIONS OF DBT]

With --wait it loads dbt and reads the project, which takes some seconds, then waits for a byte on standard
input: so `tools.elt` has it ready when the films are landed. When its standard input ends instead, it does
nothing.
"""

import contextlib
import gc
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import warehouse
from warehouse import environment

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT: Final = environment.PROJECT / "dbt_project"

GO: Final = b"g"
"""What is sent to a dbt that waits."""

#: They change how the project is read: a reading without them would be thrown away by the one that has them.
_READING: Final = ("--vars", "--target", "-t", "--profile", "--project-dir")
_SOURCES: Final = (".sql", ".yml", ".yaml", ".csv", ".md", ".py")
_NEEDS_NO_WAREHOUSE: Final = "parse"


def folder() -> Path:
    """Where dbt writes: what it compiled and found in ``target``, its log in ``logs``."""
    return Path(os.environ.get("TMDB_BUILD_FOLDER") or PROJECT)


def refuse_unwritable() -> None:
    """Raise ``UsageError`` where dbt can't write, of which it says nothing itself."""
    try:
        target = folder() / "target"
        target.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=target).close()
    except OSError as error:
        raise warehouse.UsageError(
            f"nothing can be written to dbt's folder {folder()} ({error.strerror}): mend that, or name"
            " another in TMDB_BUILD_FOLDER"
        ) from None


def command(words: list[str]) -> list[str]:
    """The arguments of dbt's command line; those in ``words`` go before ours."""
    split = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    ours = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    ours += ["--target-path", str(folder() / "target"), "--log-path", str(folder() / "logs")]
    return [*words[:split], *ours, *words[split:]]


def _reading(words: list[str]) -> list[str]:
    """Those of a command's options, with their values, that say how the project is read."""
    return [
        word
        for i, word in enumerate(words)
        if word.partition("=")[0] in _READING or (i and words[i - 1] in _READING)
    ]


def _written(manifest: "Manifest") -> dict[Path, int]:
    """When each file of the project was written, in nanoseconds since 1970."""
    from dbt.contracts.files import FilePath

    paths = (file.path for file in manifest.files.values())
    folders = {path.project_root for path in paths if isinstance(path, FilePath)}
    files = (file for folder in folders for file in Path(folder).rglob("*"))
    return {file: file.stat().st_mtime_ns for file in files if file.suffix in _SOURCES and file.exists()}


def main(words: list[str]) -> int:
    """Run dbt, whose exit code is that of the process; 2 when the warehouse can't be settled."""
    waits = words[:1] == ["--wait"]
    words = words[waits:]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        # ends without a word, as by SIGTERM, where dbt would show a traceback; PostgreSQL undoes what is open
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        environment.load()
        refuse_unwritable()
        if words[:1] == [_NEEDS_NO_WAREHOUSE]:
            os.environ["PGHOST"] = "none"
        elif not waits:
            warehouse.enter()
    except warehouse.WarehouseError as error:
        print(f"dbt: {error}", file=sys.stderr)
        return error.exit_code
    # what dbt makes of a project it needs until it ends: to look for garbage in it takes a tenth of its time
    gc.disable()
    from dbt.cli.main import cli, dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    project = {}
    if waits:
        from dbt_common.clients.jinja import template_cache

        began = time.time_ns()
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            # what is wrong with the project, the command itself will say
            read = (
                dbtRunner().invoke(command(["parse", "--quiet", "--no-write-json", *_reading(words)])).result
            )
        manifest = read if isinstance(read, Manifest) else None
        written = _written(manifest) if manifest else {}
        for macro in manifest.macros.values() if manifest else ():
            template_cache.get_node_template(macro)  # dbt would compile each when it is first called
        if sys.stdin.buffer.read(1) != GO:
            return 0
        # unless somebody has worked on the models meanwhile: while dbt read them, or since
        if manifest and max(written.values(), default=0) < began and written == _written(manifest):
            project["manifest"] = manifest
    cli(command(words), prog_name="dbt", obj=project)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
